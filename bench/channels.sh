#!/usr/bin/env bash
# What keck-host costs per virtual machine: N made-up hypervisors with two vCPU threads each, a guest agent in each that
# acknowledges every Mark and reports. Prints a markdown section. Bounded: starts only its own processes and ends them by pid.
# usage: bench/channels.sh [SECONDS each, default 20] [MACHINES..., default 0 50 200]
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20} settle=${SETTLE:-8}
shift || true
counts=("$@")
[ ${#counts[@]} -gt 0 ] || counts=(0 50 200)
keck=${KECK_HOST:-out/bin/keck-host}
bench=out/obj/bin/Keck.Bench/release/Keck.Bench.dll
if [ ! -x "$keck" ]; then
	echo "channels: $keck is not there: make publish builds it" >&2
	exit 1
fi
[ -f "$bench" ] || dotnet build bench/Keck.Bench/Keck.Bench.csproj -c Release -v quiet >&2 || exit 1

work=$(mktemp -d)
started=()
stop() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	started=()
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

compiler=$(command -v cc || command -v clang) || { echo "channels: no C compiler: eng/setup.sh installs clang" >&2; exit 1; }
"$compiler" -O2 -pthread -o "$work/vm" bench/channels-vm.c >&2 || exit 1

ticks_of() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; } # utime + stime
status_of() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; } # KiB
free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}
connected() { curl -sf -m 4 "http://127.0.0.1:$1/metrics" | awk '/^keck_channel_connected/ { sum += $2 } END { print sum + 0 }'; }

measure() { # measure MACHINES on|none: prints "machines guests cpu rss anon frames"
	local machines=$1 channel=$2 port pid before after from to rss anon i guests=0 frames=0
	for ((i = 0; i < machines; i++)); do
		: >"$work/vm$i"
		(exec -a cloud-hypervisor "$work/vm" --platform "uuid=$(printf '00000000-0000-4000-8000-%012x' "$i")" --cpus boot=2 --memory size=1G \
			--vsock "cid=3,socket=$work/vm$i") &
		started+=($!)
	done
	port=$(free_port)
	"$keck" run --listen "127.0.0.1:$port" --socket none --state "$work/state" --channel "$channel" >"$work/keck.log" 2>&1 &
	pid=$!
	started+=("$pid")
	local until=$((SECONDS + 60))
	while ! curl -sf -m 2 -o /dev/null "http://127.0.0.1:$port/readyz"; do
		if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > until)); then
			echo "channels: keck-host did not answer: $(tail -n 3 "$work/keck.log")" >&2
			return 1
		fi
		sleep 0.2
	done
	if [ "$channel" = on ] && ((machines > 0)); then
		dotnet "$bench" channel-guests "$work" "$machines" $((seconds + settle + 25)) >"$work/guests" 2>"$work/guests.log" &
		started+=($!)
		until=$((SECONDS + 25))
		while [ "$(connected "$port")" -lt "$machines" ] && ((SECONDS < until)); do sleep 0.5; done
		guests=$(connected "$port")
	fi
	sleep "$settle"
	frames() { curl -sf -m 4 "http://127.0.0.1:$port/metrics" | awk '/^keck_channel_frames_total/ { sum += $2 } END { print sum + 0 }'; }
	local first last
	first=$(frames)
	before=$(ticks_of "$pid")
	from=$EPOCHREALTIME
	sleep "$seconds"
	after=$(ticks_of "$pid")
	to=$EPOCHREALTIME
	last=$(frames)
	rss=$(status_of "$pid" VmRSS) anon=$(status_of "$pid" RssAnon)
	stop
	rm -rf "$work/state" "$work"/vm[0-9]*
	awk -v m="$machines" -v g="$guests" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v from="$from" -v to="$to" -v rss="$rss" -v anon="$anon" \
		-v frames=$((last - first)) 'BEGIN { s = to - from; printf "%d %d %.2f %.1f %.1f %.1f\n", m, g, 100 * ticks / hz / s, rss / 1024, anon / 1024, frames / s }'
}

: >"$work/rows"
for count in "${counts[@]}"; do
	measure "$count" on >>"$work/rows" || exit 1
done
((${counts[-1]} > 0)) && { measure "${counts[-1]}" none >>"$work/rows" || exit 1; }

echo "## Cost of virtual machines and their channels"
echo
echo "\`keck-host run\` (Standard) with N made-up machines of two vCPU threads, each awake twice a second, and in each a guest agent over a hybrid vsock socket that"
echo "acknowledges every Mark and reports 20 processes every five seconds; $seconds s after $settle s of settling. A frame is a Mark, Budget, Ack or Usage, either way."
echo "The last row is the same machines without guests. Per VM: the difference to the first row, by machines."
echo
echo "| machines | guests | CPU, % of a core | ratio | CPU per VM, % | RSS, MiB | ratio | RSS per VM, KiB | RssAnon, MiB | frames/s |"
echo "|---|---|---|---|---|---|---|---|---|---|"
awk 'NR == 1 { cpu = $3; rss = $4 }
	{ per = ($1 > 0) ? sprintf("%.4f | ", ($3 - cpu) / $1) : "- | "; mem = ($1 > 0) ? sprintf("%.1f", ($4 - rss) * 1024 / $1) : "-"
	  printf "| %d | %d | %.2f | %s | %s%.1f | %.2f × | %s | %.1f | %.1f |\n", $1, $2, $3, (cpu > 0 ? sprintf("%.2f ×", $3 / cpu) : "-"), per, $4, $4 / rss, mem, $5, $6 }' "$work/rows"
echo
# Every guest was let in, and got its Mark and its Budget every second.
awk '$2 > 0 && ($2 < $1 || $6 < 2.5 * $1) { print "channels: " $2 " of " $1 " guests, " $6 " frames/s" > "/dev/stderr"; bad = 1 } END { exit bad }' "$work/rows"
