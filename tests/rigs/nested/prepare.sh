#!/usr/bin/env bash
# Makes what the nested KVM host (L1) needs, below out/rigs/nested: kernel, our modules, a disk image with systemd and libvirt.
# Does only what is missing, and says what it does. See docs/rigs.md.
set -euo pipefail
. "$(dirname "$0")/../guest/lib.sh"
"$here/guest/prepare.sh"

out=$rigs/nested
from=("$here"/guest/{lib.sh,rig-agent.c,vsock-probe.c}
	"$here"/nested/{prepare.sh,initrd-init,rig-agent.service} "$here"/nested/modules/*)
if current "$out" "${from[@]}"; then exit 0; fi
mkdir -p "$out"
rm -f "$out"/l1.ext4 "$out"/*.qcow2
lists

# The kernel follows the installed headers, which our modules are built against.
version=$(ls -d /usr/src/linux-headers-*-amd64 2>/dev/null | grep -v cloud | sort -V | tail -n 1 | sed 's/.*linux-headers-//')
[ -n "$version" ] || fail "no kernel headers: eng/setup.sh test installs linux-headers-amd64"
if [ ! -e "$out/kernel/boot/vmlinuz-$version" ]; then
	say "kernel of L1: linux-image-$version"
	rm -rf "$out/kernel"
	unpack "linux-image-$version" "$out/kernel"
fi
cp "$out/kernel/boot/vmlinuz-$version" "$out/vmlinuz"

say "modules of ours: fake_rapl, fake_cpufreq"
rm -rf "$out/modules"
cp -r "$here/nested/modules" "$out/modules"
make -s -C "/usr/src/linux-headers-$version" M="$out/modules" modules 2>&1 | grep -v 'BTF generation' || true
[ -e "$out/modules/fake_rapl.ko" ] && [ -e "$out/modules/fake_cpufreq.ko" ] || fail "the modules did not build"

say "initramfs of L1"
rm -rf "$out/initrd"
modules "$out/kernel" "$version" "$out/initrd/lib/rig" virtio_pci virtio_blk ext4
install -m 0755 "$here/nested/initrd-init" "$out/initrd/init"
initramfs "$out/initrd"
rm -rf "$out/initrd"

# The distribution's part is kept apart from ours, so that a change to ours does not fetch it again.
packages=systemd,systemd-sysv,systemd-container,udev,dbus,kmod,iproute2,procps,curl
packages+=,libvirt-daemon-system,libvirt-clients,qemu-system-x86,seabios,libbpf1,zlib1g
if [ "$(cat "$out/root.packages" 2>/dev/null)" != "$packages" ]; then
	say "root of L1 by mmdebstrap: $packages"
	rm -rf "$out/root" "$out/root.packages"
	sources >"$out/sources.list"
	mmdebstrap --quiet --mode=root --variant=essential --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--include="$packages" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$out/root" "$out/sources.list"
	echo "$packages" >"$out/root.packages"
fi

say "what the rig adds to it"
target=$out/disk
rm -rf "$target"
cp -a "$out/root" "$target"
plain=$target/lib/modules/$version/rig
modules "$out/kernel" "$version" "$plain" kvm_amd vhost_vsock vhost_net tun bridge virtio_pci virtio_blk virtio_console ext4 msr \
	cpufreq_userspace cpufreq_powersave hwmon loop overlay
cp "$out"/modules/fake_{rapl,cpufreq}.ko "$plain/"
cp "$out/kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$target/lib/modules/$version/"
(cd "$plain" && rm order)
depmod -b "$target" "$version"
mkdir -p "$target/etc/rig"
install -m 0755 "$rigs"/guest/bin/{rig-agent,vsock-probe} "$target/usr/local/bin/"
install -m 0644 "$here/nested/rig-agent.service" "$target/etc/systemd/system/"
install -D -m 0644 "$rigs/guest/vmlinuz" "$target/var/lib/rig/vmlinuz"
printf '%s\n' virtio_console kvm_amd vhost_vsock fake_rapl fake_cpufreq >"$target/etc/modules-load.d/rig.conf"
# Consoles and sockets of the domains; QEMU runs as a user of its own.
echo 'd /run/rig 0777 root root' >"$target/etc/tmpfiles.d/rig.conf"
echo keck-l1 >"$target/etc/hostname"
echo '127.0.0.1 localhost keck-l1' >"$target/etc/hosts"
# A libvirtd that leaves when idle would have to be started again, under emulation, by every test.
echo 'LIBVIRTD_ARGS=""' >"$target/etc/default/libvirtd"
systemctl --root="$target" --quiet enable rig-agent.service libvirtd.service
systemctl --root="$target" --quiet mask libvirt-guests.service serial-getty@ttyS0.service getty@tty1.service \
	e2scrub_reap.service systemd-udev-settle.service

say "disk image"
truncate -s 3G "$out/l1.ext4"
mke2fs -q -t ext4 -O ^has_journal -d "$target" "$out/l1.ext4"
rm -rf "$target"
done_from "$out" "${from[@]}"
say "nested rig ready: $(du -sh "$out" | cut -f1)"
