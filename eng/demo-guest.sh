#!/usr/bin/env bash
# Boots a guest with keck-guest in it under software emulation, and shows its energy from the host and from inside.
# usage: eng/demo-guest.sh URL    the keck-host that meters this machine, with its channel on
set -euo pipefail
cd "$(dirname "$0")/.."
url=$1 made=$PWD/out/rigs/guest
work=$(mktemp -d)
pids=()
cleanup() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap cleanup EXIT
wait_for() { # wait_for SECONDS WHAT COMMAND...: until the command succeeds
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "demo: waited in vain for $what; the guest's console said:" >&2
			tail -n 20 "$work/console" >&2
			exit 1
		fi
		sleep 0.5
	done
}

echo "== a virtual machine with one busy and one idle process (stock kernel, software emulation, real AF_VSOCK)"
tests/rigs/guest/prepare.sh

# keck-guest, the libraries it needs and what it shall do, beside the guest's base system.
root=$work/root
mkdir -p "$root/usr/bin" "$root/etc/rig"
install -m 0755 out/bin/keck-guest "$root/usr/bin/"
bpf=$(ldconfig -p | sed -n 's/.*libbpf\.so\.1 .*=> //p' | head -n 1)
for library in "$bpf" $(ldd out/bin/keck-guest "$bpf" | grep -o '/[^ :]*\.so[^ :]*' | sort -u); do
	install -D -m 0755 "$library" "$root$library"
done
cat >"$root/etc/rig/start" <<'START'
keck-guest run --channel vsock:2:19269 >/dev/console 2>&1 &
sha256sum /dev/zero >/dev/null &
sleep 100000 &
START
cp "$made/base.img" "$work/initramfs"
size=$(stat -c %s "$work/initramfs")
truncate -s $(((size + 3) / 4 * 4)) "$work/initramfs"
(cd "$root" && find . -mindepth 1 | cpio -o -H newc --quiet) >>"$work/initramfs"

"$made/bin/vhost-device-vsock" --vm "guest-cid=3,socket=$work/vhost,uds-path=$work/vsock" >"$work/vsock.log" 2>&1 & pids+=($!)
wait_for 20 "vhost-device-vsock" test -S "$work/vhost"
qemu-system-x86_64 -name guest=demo,debug-threads=on -uuid 6b65636b-0000-4000-8000-0000000de300 \
	-accel tcg,thread=multi -cpu max -smp 2 -m 256M -object memory-backend-memfd,id=ram,size=256M,share=on -machine q35,memory-backend=ram \
	-nodefaults -no-reboot -display none -kernel "$made/vmlinuz" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" \
	-serial "file:$work/console" -device virtio-serial-pci \
	-chardev "socket,id=rig,path=$work/rig,server=on,wait=off" -device virtserialport,chardev=rig,name=org.keck.rig.0 \
	-chardev "socket,id=vsock,path=$work/vhost" -device vhost-user-vsock-pci,chardev=vsock >"$work/qemu.log" 2>&1 & pids+=($!)
wait_for 120 "the guest" grep -aq ^RIG-READY "$work/console"
wait_for 120 "the guest's budget" grep -aq "budget is attributed" "$work/console"
guest() { "$made/bin/rig-agent" run "$work/rig" "$1"; }
length=${SECONDS_GUEST:-15}
echo "the guest runs and has its budget; metering it for $length s"
sleep "$length"

echo
echo "== from the host: the machine and its vCPUs, and that it adds up"
out/bin/keck-host tree --machines --depth 2 --url "$url" >"$work/tree"
head -n "${MACHINE_LINES:-14}" "$work/tree"
echo "  … (all processes outside of machines, the kernel, idle)"
tail -n 1 "$work/tree"
echo
echo "== from inside: the same energy, split over what runs there"
guest "keck-guest top --once --top 5"
guest "keck-guest tree --depth 4" | grep -v ' 0\.000000 J'
