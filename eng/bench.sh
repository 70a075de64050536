#!/usr/bin/env bash
# Runs the benchmarks and writes docs/performance.md. The figures there come from here only.
# A benchmark that cannot run leaves a line that says why, and this script fails at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
export KECK_CHANNEL=none DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
mkdir -p out/bench
page=out/bench/performance.md
failed=0

section() { # section NAME TITLE COMMAND...: its output goes to the page; where it fails, also why
	local name=$1 title=$2 code=0
	shift 2
	echo "bench: $name"
	"$@" >"out/bench/$name.md" 2>"out/bench/$name.log" || code=$?
	grep -q '^## ' "out/bench/$name.md" || printf '## %s\n\n' "$title" >>"$page"
	cat "out/bench/$name.md" >>"$page"
	if [ "$code" -ne 0 ]; then
		failed=1
		local why
		why=$(tail -n 1 "out/bench/$name.log")
		if [ -n "$why" ]; then why="Not complete: $why"; else why="Measured, and a goal was missed (exit code $code)."; fi
		printf '\n%s\n' "$why" >>"$page"
		cat "out/bench/$name.log" >&2
	fi
	echo >>"$page"
}

user_space() {
	dotnet build bench/Keck.Bench/Keck.Bench.csproj -c Release -v quiet >&2 &&
		dotnet out/obj/bin/Keck.Bench/release/Keck.Bench.dll
}

cat >"$page" <<PAGE
# Performance

Written by \`make bench\`; never edited by hand. The machine is shared with other work: quote ratios and medians, not single times.

| condition | |
|---|---|
| processor | $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1) |
| CPUs | $(nproc) |
| virtual machine | $(grep -qw hypervisor /proc/cpuinfo && echo yes || echo no) |
| kernel | $(uname -r) |
| .NET | $(dotnet --version) SDK |
| load before | $(cut -d' ' -f1-3 /proc/loadavg) |
| date | $(date -u +%Y-%m-%d) |

PAGE

section user-space "Attribution and ledger" user_space
[ -x bench/bpf/run.sh ] && section bpf "Kernel accounting" bench/bpf/run.sh
section exactness "Exactness of kernel accounting" bench/exactness.sh
section agent-cost "Cost of the host agent" bench/agent-cost.sh
section channels "Cost of virtual machines and their channels" bench/channels.sh

cp "$page" docs/performance.md
echo "bench: written to docs/performance.md"
[ "$failed" -eq 0 ]
