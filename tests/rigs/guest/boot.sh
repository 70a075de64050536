#!/bin/sh
# First thing in the guest: file systems, modules, then what the test put into /etc/rig/start.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
ifconfig lo 127.0.0.1 up
while read -r module; do
	insmod "/lib/rig/$module" || echo "RIG-FAILED insmod $module"
done </lib/rig/order
[ ! -e /etc/rig/start ] || sh /etc/rig/start
echo "RIG-READY $(cut -d' ' -f1 /proc/uptime)"
