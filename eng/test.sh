#!/usr/bin/env bash
# Builds, checks the format, runs every test project and ends with the line "N passed, N failed".
# usage: eng/test.sh all|quick
set -uo pipefail
cd "$(dirname "$0")/.."
mode=${1:-all}
export KECK_CHANNEL=none KECK_STATE=none DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
passed=0 failed=0 skipped=0
mkdir -p out/test

step() { # step NAME COMMAND...: a check that counts as one test
	local name=$1 log=out/test/$1.log
	shift
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1)); echo "ok     $name"
	else
		failed=$((failed + 1)); echo "FAILED $name"; tail -n 60 "$log"
	fi
}

step restore dotnet restore Keck.Appliance.sln --locked-mode
step build dotnet build Keck.Appliance.sln --no-restore
if [ "$failed" -gt 0 ]; then echo "$passed passed, $failed failed"; exit 1; fi
step format dotnet format Keck.Appliance.sln --verify-no-changes --no-restore
[ "$mode" = quick ] || step packages make --no-print-directory packages

filter=()
[ "$mode" = quick ] && filter=(-trait- "Speed=slow")
for project in tests/Keck.*.Tests; do
	name=$(basename "$project")
	log=out/test/$name.log
	echo "== $name"
	# One project at a time: the kernel tests measure this machine and want it for themselves.
	dotnet "out/obj/bin/$name/debug/$name.dll" -noColor -noLogo -parallelMode none -longRunning 240 "${filter[@]}" >"$log" 2>&1
	code=$?
	summary=$(grep -E 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
	number() { sed -n "s/.*$1: \([0-9][0-9]*\).*/\1/p" <<<"$summary"; }
	total=$(number Total) errors=$(number Errors) f=$(number Failed) s=$(number Skipped)
	bad=$((${errors:-0} + ${f:-0}))
	# A runner that crashed counts as a failure even if it printed no figure.
	if [ -z "$summary" ] || { [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; }; then bad=1; fi
	n=$(number "Not Run")
	good=$((${total:-0} - ${f:-0} - ${s:-0} - ${n:-0}))
	passed=$((passed + good)); failed=$((failed + bad)); skipped=$((skipped + ${s:-0}))
	if [ "$bad" -gt 0 ]; then tail -n 200 "$log"; else echo "   $good passed, ${s:-0} skipped"; fi
	[ "${s:-0}" -gt 0 ] && grep -A1 '\[SKIP\]' "$log" | head -n 60
done

if [ "${CI:-}" = true ] && [ "$mode" = all ] && [ "$skipped" -gt 0 ]; then
	echo "CI may skip nothing, and $skipped tests were skipped"; failed=$((failed + skipped))
fi
[ "$skipped" -gt 0 ] && echo "skipped: $skipped (reasons above)"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
