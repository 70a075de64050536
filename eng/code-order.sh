#!/usr/bin/env bash
# Writes host-agent/Agent/code-order.txt anew: the functions of keck-host that run in the Minimal profile once it has started.
# Needs root, gcc, curl, nm, and `make publish` before. Takes a minute; ends only what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
agent=out/publish/keck-host/keck-host
order=host-agent/Agent/code-order.txt
work=$(mktemp -d)
pid=
trap 'if [ -n "$pid" ]; then kill -9 "$pid" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
gcc -O2 -Wall -Werror eng/code-order.c -o "$work/code-order"

# Managed code only: the runtime's own lies together as it is.
read -r size start < <(objdump -h "$agent" | awk '$2 == "__managedcode" { print $3, $4 }')
nm "$agent.dbg" | awk 'NF >= 3 && $2 ~ /[tT]/' | sort >"$work/symbols"
awk -v from="$start" -v to="$(printf '%016x' $((16#$start + 16#$size)))" '$1 "" >= from "" && $1 "" < to "" { print $1 }' "$work/symbols" | uniq >"$work/addresses"

port=$((20000 + RANDOM % 20000))
KECK_CHANNEL=none KECK_STATE=none "$agent" run --profile minimal --listen "127.0.0.1:$port" --socket none >"$work/log" 2>&1 &
pid=$!
sleep 9
"$work/code-order" "$pid" 40 <"$work/addresses" >"$work/entered" &
tracer=$!
while kill -0 "$tracer" 2>/dev/null; do
	sleep 5
	curl -sf -m 4 -o /dev/null "http://127.0.0.1:$port/metrics" || true
done
awk 'NR == FNR { entered[sprintf("%16s", $1)] = 1; next }
	{ address = $1; sub(/^0+/, "", address); if (sprintf("%16s", address) in entered) { sub(/^[^ ]+ . /, ""); print } }' \
	"$work/entered" "$work/symbols" >"$work/order"
[ "$(wc -l <"$work/order")" -gt 1000 ] || { echo "code-order: too few functions ran" >&2; exit 1; }
cp "$work/order" "$order"
wc -l "$order"
