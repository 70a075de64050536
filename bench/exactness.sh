#!/usr/bin/env bash
# How exact the kernel accounting is, as the tests of it measure it: no time is taken here, so there is no baseline but the kernel's own clocks.
# Prints a markdown section.
set -uo pipefail
cd "$(dirname "$0")/.."
name=Keck.Bpf.Tests
dotnet build tests/$name -v quiet >&2 || exit 1
echo "## Exactness of kernel accounting"
echo
echo "| held against | measured |"
echo "|---|---|"
code=0
row() { # row TEST WHAT
	local log told
	log=$(dotnet out/obj/bin/$name/debug/$name.dll -noColor -noLogo -parallelMode none -diagnostics -method "*.$1" 2>&1) || { code=1; echo "$log" >&2; }
	told=$(sed -n 's/^ *\[D::[^]]*\] //p' <<<"$log" | tail -n 1)
	[ -n "$told" ] || { code=1; echo "exactness: $1 told nothing" >&2; }
	echo "| $2 | $told |"
}
row Drain_MixedThreadsBlockedAtBothReadings_EveryNanosecondOfEachThread "each thread's own CPU clock, 952 threads of mixed kinds"
row Drain_ForkStorm_EveryTickOfEveryCpuCloses "each CPU's clock in every tick of 100 ms, 12,000 short-lived processes (goal ≤ 100 ppm, unplaced time counted)"
row Drain_ForkStorm_NothingLostAndEveryCpuCloses "the same, all parts as the kernel counts them, unplaced time left open"
exit $code
