#!/usr/bin/env bash
# Meters this machine under a mixed load and prints the top consumers, the energy tree and the agent's own cost.
# SECONDS_LOAD=30 sets the length; PROFILE=full ticks every 100 ms; KEEP=1 leaves the agent serving and prints the URLs.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/out/bin
length=${SECONDS_LOAD:-30}
work=$(mktemp -d)
pids=()
agent=
cleanup() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	if [ -n "$agent" ]; then kill "$agent" 2>/dev/null || true; wait "$agent" 2>/dev/null || true; fi
	rm -rf "$work"
}
trap cleanup EXIT

echo "== what this machine offers"
"$bin/keck-host" doctor
echo

echo "== starting keck-host"
"$bin/keck-host" run --listen 127.0.0.1:0 --socket "$work/host.sock" --state none --channel on --profile "${PROFILE:-standard}" 2>"$work/agent.log" &
agent=$!
until grep -q 'Serving' "$work/agent.log"; do
	if ! kill -0 "$agent" 2>/dev/null; then cat "$work/agent.log" >&2; echo "keck-host did not start: see above" >&2; agent=; exit 1; fi
	read -r -t 0.1 <> <(:) || true
done
cat "$work/agent.log"
url=$(sed -n 's/.*\(http:\/\/127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/agent.log" | head -n 1)

echo
echo "== a mixed load for $length s: two kinds of busy loops, a ping-pong through a pipe, short-lived processes, sleepers"
( exec -a burn-hash sha256sum /dev/zero ) & pids+=($!)
( exec -a burn-half bash -c 'while :; do for ((i = 0; i < 20000; i++)); do :; done; read -r -t 0.05 <> <(:) || true; done' ) 2>/dev/null & pids+=($!)
mkfifo "$work/ping" "$work/pong"
( while read -r line <"$work/ping"; do echo "$line" >"$work/pong"; done ) 2>/dev/null & pids+=($!)
( while :; do echo x >"$work/ping"; read -r _ <"$work/pong"; done ) 2>/dev/null & pids+=($!)
( while :; do /bin/true; done ) & pids+=($!)
for _ in 1 2 3 4 5; do sleep 600 & pids+=($!); done
end=$((SECONDS + length))
while [ "$SECONDS" -lt "$end" ]; do
	printf '\r  %2d s left ' $((end - SECONDS))
	sleep 1
done
printf '\r               \r'

echo "== who used the energy"
"$bin/keck-host" top --once --top 12 --url "$url"
echo
echo "== where it went, and that it adds up"
"$bin/keck-host" tree --depth 5 --url "$url" | head -n "${TREE_LINES:-45}"
"$bin/keck-host" tree --depth 2 --url "$url" | tail -n 1

for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
pids=()
echo
eng/demo-guest.sh "$url"

if [ "${KEEP:-}" = 1 ]; then
	trap - EXIT
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	echo
	echo "keck-host goes on serving (pid $agent; stop it with: kill $agent):"
	echo "  $url/api/v1/tree?depth=4"
	echo "  $url/api/v1/processes?sort=power&top=20"
	echo "  $url/metrics"
	echo "  $bin/keck-host top --url $url"
fi
