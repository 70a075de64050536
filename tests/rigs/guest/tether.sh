#!/bin/sh
# Runs a command that must not outlive its test: it ends when our standard input closes, which the death of the test does too.
# usage: tether.sh COMMAND [ARGUMENT...]
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
(
	while read -r _; do :; done <&3
	kill -KILL "$child"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
