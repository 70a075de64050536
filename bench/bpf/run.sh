#!/usr/bin/env bash
# Cost of the eBPF accounting at a context switch, beside a (tid, cpu)-hash design; prints markdown.
# Needs root, clang, libbpf-dev. Exit code 3: measured, and slower than a fifth of the hash design.
set -euo pipefail
cd "$(dirname "$0")"
out=../../out/bench/bpf
kernel=../../host-agent/Bpf/kernel
mkdir -p "$out"
include=/usr/include/$(uname -m)-linux-gnu
for source in "$kernel/accounting.bpf.c" hash.bpf.c; do
	clang -O2 -g -fno-unroll-loops -target bpf -mcpu=v3 -Wall -Werror -I"$kernel" -I"$include" -c "$source" -o "$out/$(basename "$source" .c).o"
done
clang -O2 -Wall -Werror -pthread -I"$kernel" bench.c -o "$out/bench" -l:libbpf.so.1
exec "$out/bench" "$out/accounting.bpf.o" "$out/hash.bpf.o"
