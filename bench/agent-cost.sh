#!/usr/bin/env bash
# What keck-host costs with N processes on the machine, each profile in turn, beside prometheus-node-exporter
# scraped at the same pace. Prints a markdown section. Bounded: starts only its own processes and ends them by pid.
# usage: bench/agent-cost.sh [SECONDS each, default 30] [PROCESSES, default 1000]
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30} processes=${2:-1000} settle=${SETTLE:-10} scrape=5
keck=${KECK_HOST:-out/bin/keck-host}
if [ ! -x "$keck" ]; then
	echo "agent-cost: $keck is not there: make publish builds it" >&2
	exit 1
fi

work=$(mktemp -d)
started=()
finish() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

free_port() { # a port nobody listens on
	local port
	while :; do
		port=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

ticks_of() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; } # utime + stime
status_of() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; } # KiB

start_load() { # N processes: most sleep, one in ten wakes up every 100 ms
	local bound=$(((settle + seconds + 20) * 5)) i
	mkfifo "$work/quiet"
	for ((i = 0; i < processes; i++)); do
		if ((i % 10 == 0)); then
			bash -c 'while ((SECONDS < $1)); do read -r -t 0.1; done' wake "$bound" 0<>"$work/quiet" &
		else
			sleep "$bound" &
		fi
		started+=($!)
	done
}

measure() { # measure NAME PORT COMMAND...: starts it, scrapes it, prints "name cpu rss anon map scrapes"
	local name=$1 port=$2 pid before after anon rss map=- scrapes=0 until
	shift 2
	"$@" >"$work/$name.log" 2>&1 &
	pid=$!
	started+=("$pid")
	until=$((SECONDS + settle))
	while ! curl -sf -m 2 -o /dev/null "http://127.0.0.1:$port/metrics"; do
		if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > until + 20)); then
			echo "agent-cost: $name did not answer on port $port:" >&2
			tail -n 5 "$work/$name.log" >&2
			kill "$pid" 2>/dev/null
			return 1
		fi
		sleep 0.2
	done
	((SECONDS < until)) && sleep $((until - SECONDS))

	before=$(ticks_of "$pid")
	local from=$EPOCHREALTIME
	until=$((SECONDS + seconds))
	while ((SECONDS < until)); do
		curl -sf -m 4 -o "$work/$name.metrics" "http://127.0.0.1:$port/metrics" && scrapes=$((scrapes + 1))
		sleep "$scrape"
	done
	after=$(ticks_of "$pid")
	local to=$EPOCHREALTIME
	rss=$(status_of "$pid" VmRSS) anon=$(status_of "$pid" RssAnon)
	map=$(awk '$1 ~ /^keck_agent_map_bytes/ { print $2; exit }' "$work/$name.metrics" 2>/dev/null)
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	awk -v name="$name" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v from="$from" -v to="$to" \
		-v rss="$rss" -v anon="$anon" -v map="${map:--}" -v scrapes="$scrapes" \
		'BEGIN { printf "%s %.2f %.1f %.1f %s %d\n", name, 100 * ticks / hz / (to - from), rss / 1024, anon / 1024, map == "-" ? map : sprintf("%.1f", map / 1048576), scrapes }'
}

start_load
sleep 2
: >"$work/rows"
if command -v prometheus-node-exporter >/dev/null 2>&1; then
	port=$(free_port)
	measure node-exporter "$port" prometheus-node-exporter --web.listen-address="127.0.0.1:$port" >>"$work/rows"
fi
for profile in minimal standard full; do
	port=$(free_port)
	measure "$profile" "$port" "$keck" run --profile "$profile" --listen "127.0.0.1:$port" --socket none >>"$work/rows"
done

echo "## Cost of the host agent"
echo
echo "\`keck-host run\` with $processes more processes on the machine (nine of ten asleep, one of ten awake every 100 ms), each profile for $seconds s after $settle s of"
echo "settling, scraped every $scrape s, beside \`prometheus-node-exporter\` with its defaults, scraped the same. CPU from /proc/PID/stat, memory from"
echo "/proc/PID/status at the end; map memory (\`keck_agent_map_bytes\`) is the kernel's and not in RSS. Goals: Standard below 1 % of a core; Minimal RssAnon ≤ 10 MB, RSS ≤ 20 MB."
echo
echo "| agent | CPU, % of a core | ratio | RSS, MiB | ratio | RssAnon, MiB | ratio | BPF maps, MiB | scrapes |"
echo "|---|---|---|---|---|---|---|---|---|"
awk 'function ratio(a, b) { return b > 0 ? sprintf("%.2f ×", a / b) : "-" }
	NR == 1 && $1 == "node-exporter" { cpu = $2; rss = $3; anon = $4 }
	{ label = $1 == "node-exporter" ? "node_exporter (baseline)" : "keck-host, " $1
	  printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", label, $2, ratio($2, cpu), $3, ratio($3, rss), $4, ratio($4, anon), $5, $6 }' "$work/rows"
echo
[ "$(grep -cv '^node-exporter' "$work/rows")" -eq 3 ]
