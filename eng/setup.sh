#!/usr/bin/env bash
# Installs what the build and the tests need beyond the .NET SDK, and says what. Nothing to do: says nothing.
# usage: eng/setup.sh build|packages|demo|test
set -euo pipefail

need=()
want() { command -v "$1" >/dev/null 2>&1 || need+=("$2"); }
want_file() { [ -e "$1" ] || need+=("$2"); }

if ! command -v dotnet >/dev/null 2>&1; then
	echo "keck: the .NET 10 SDK is missing: install dotnet-sdk-10.0 from your distribution, then run this again" >&2
	exit 1
fi

want make make
want clang clang                     # compiles the eBPF programs, links native AOT
want lld lld                         # linker of native AOT
want llvm-strip llvm                 # strips the eBPF objects
want gcc gcc                         # proves our struct layouts against the C headers
want_file /usr/include/zlib.h zlib1g-dev
want_file /usr/include/bpf/bpf_helpers.h libbpf-dev
ldconfig -p 2>/dev/null | grep -q 'libbpf\.so\.1' || need+=(libbpf1)

if [ "${1:-build}" = packages ] || [ "${1:-build}" = test ]; then
	want rpmbuild rpm                # make packages
	want dpkg-shlibdeps dpkg-dev
fi
if [ "${1:-build}" = test ]; then
	want rpmlint rpmlint
	want lintian lintian
	want man man-db                  # lintian looks at our manual pages with it
	want promtool prometheus         # checks our metrics, scrapes us in a test
	want prometheus-node-exporter prometheus-node-exporter
	want jq jq
	want curl curl
	# Rigs of virtual machines (docs/rigs.md); what the guest of the demo needs too is below.
	want qemu-img qemu-utils
	want mmdebstrap mmdebstrap
	want mke2fs e2fsprogs
	ls -d /usr/src/linux-headers-*[0-9]-amd64 >/dev/null 2>&1 || need+=(linux-headers-amd64)
	# Machines of the libvirt rig: real KVM and software-emulated ones.
	want libvirtd libvirt-daemon-system
	want virsh libvirt-clients
	want_file /usr/include/libvirt/libvirt.h libvirt-dev
fi
if [ "${1:-build}" = test ] || [ "${1:-build}" = demo ]; then
	want qemu-system-x86_64 qemu-system-x86
	want_file /usr/share/seabios/bios-256k.bin seabios
	want_file /usr/lib/ipxe/qemu ipxe-qemu
	want_file /bin/busybox busybox-static
	want modprobe kmod
	want cpio cpio
	want xz xz-utils
fi

if [ ${#need[@]} -gt 0 ]; then
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "keck: install these with your package manager, then run this again: ${need[*]}" >&2
		exit 1
	fi
	echo "keck: installing from the distribution: ${need[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi

# eBPF needs tracefs; a machine without an init has not mounted it.
if [ "$(id -u)" = 0 ] && [ ! -e /sys/kernel/tracing/events ] && [ -d /sys/kernel/tracing ]; then
	mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
fi
