#!/usr/bin/env bash
# Makes what a guest under software emulation needs, below out/rigs/guest: kernel, base initramfs, vhost-device-vsock.
# Does only what is missing, and says what it does. See docs/rigs.md.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

out=$rigs/guest
from=("$here"/guest/{lib.sh,prepare.sh,boot.sh,inittab,rig-agent.c,vsock-probe.c})
if current "$out" "${from[@]}"; then exit 0; fi
mkdir -p "$out/bin"
lists

if [ ! -e "$out/vmlinuz" ]; then
	package=$(kernel_package cloud-amd64)
	say "kernel for guests: $package"
	rm -rf "$out/kernel"
	unpack "$package" "$out/kernel"
	cp "$out"/kernel/boot/vmlinuz-* "$out/vmlinuz"
fi
version=$(ls "$out/kernel/lib/modules")

if [ ! -e "$out/bin/vhost-device-vsock" ]; then
	say "vhost-device-vsock from suite sid"
	unpack_sid vhost-device-vsock "$out/vhost"
	install -m 0755 "$out/vhost/usr/bin/vhost-device-vsock" "$out/bin/"
	rm -rf "$out/vhost"
fi

say "base initramfs: busybox, rig-agent, vsock-probe, modules of $version"
for tool in rig-agent vsock-probe; do
	gcc -O2 -Wall -Wextra -Werror -static -o "$out/bin/$tool" "$here/guest/$tool.c"
done
base=$out/base
rm -rf "$base"
modules "$out/kernel" "$version" "$base/lib/rig" virtio_pci virtio_console vmw_vsock_virtio_transport
mkdir -p "$base/bin" "$base/etc/rig"
install -m 0755 "$out"/bin/{rig-agent,vsock-probe} "$base/bin/"
install -m 0755 "$here/guest/boot.sh" "$base/etc/rig/boot"
install -m 0644 "$here/guest/inittab" "$base/etc/inittab"
ln -s bin/busybox "$base/init"
initramfs "$base"
rm -rf "$base"
done_from "$out" "${from[@]}"
say "guest rig ready: $(du -sh "$out" | cut -f1)"
