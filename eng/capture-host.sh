#!/usr/bin/env bash
# Captures what this host's /proc and /sys say about power, CPUs and workloads into a fixture, without its names.
# usage: eng/capture-host.sh FOLDER     (as root for powercap and other users' memory; needs no network)
# Kept: numbers, structure, well-known names. Replaced: host name, process names that are no kernel threads, container ids,
# pod UIDs, names of units, sessions and machines. Command lines, environments and user names are never read.
set -euo pipefail
out=${1:?usage: eng/capture-host.sh FOLDER}
[ ! -e "$out" ] || { echo "keck: $out exists: give a new folder" >&2; exit 1; }
mkdir -p "$out"
salt=$(head -c 32 /dev/urandom | sha256sum | cut -d' ' -f1) # forgotten at the end: ids cannot be traced back

copy() { # copy FILE: one small file, if it can be read
	[ -f "$1" ] || return 0
	mkdir -p "$out$(dirname "$1")"
	timeout 2 head -c 1048576 "$1" >"$out$1" 2>/dev/null || rm -f "$out$1"
}

scrub_paths() { # cgroup paths: every id and name becomes another one of the same form, the same each time
	perl -MDigest::SHA=sha256_hex -ne '
		BEGIN { $salt = shift @ARGV }
		sub other { substr(sha256_hex($salt . $_[0]), 0, length $_[0]) }
		sub part {
			my $part = shift;
			return $part if $part =~ /^(|\.\.|docker|default|kubelet|burstable|besteffort|container|emulator|vcpu\d+|iothread\d+|libvirt|machine|unified)$/
				|| $part =~ /^((kubelet-)?kubepods(-burstable|-besteffort)?|system|user|machine)(\.slice)?$/ || $part eq "init.scope";
			my $known = $part =~ /^(?:((kubelet-)?kubepods(-burstable|-besteffort)?-)?pod[0-9a-f]{8}[-_]|((kubelet-)?kubepods(-burstable|-besteffort)?-)?pod[0-9a-f]{32}|((cri-containerd|crio|crio-conmon|docker|libpod|libpod-conmon)-)?[0-9a-f]{64})/;
			if ($known) {
				$part =~ s/([0-9a-f]{64})/other($1)/ge;
				$part =~ s/([0-9a-f]{8})([-_])([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{12})/join($2, map { other($_) } $1, $3, $4, $5, $6)/ge;
				$part =~ s/(?<![0-9a-f])([0-9a-f]{32})(?![0-9a-f])/other($1)/ge;
				return $part;
			}
			my $suffix = $part =~ /(\.(service|scope|slice|socket|mount|libvirt-qemu))$/ ? $1 : "";
			return "unit-" . substr(sha256_hex($salt . $part), 0, 8) . $suffix;
		}
		chomp;
		my ($id, $controllers, $path) = split /:/, $_, 3;
		print "$id:$controllers:", join("/", map { part($_) } split m{/}, $path, -1), "\n" if defined $path;
	' "$salt" "$1"
}

for file in cpuinfo stat meminfo uptime self/cgroup; do copy "/proc/$file"; done
awk '/ - (cgroup|cgroup2|proc|sysfs) / && $4 == "/"' /proc/self/mountinfo >"$out/proc/self/mountinfo" # other mounts are private

while IFS= read -r file; do copy "$file"; done < <(
	find /sys/class/powercap/ -follow -maxdepth 3 -type f \( -name energy_uj -o -name name -o -name max_energy_range_uj -o -name enabled \) 2>/dev/null
	find /sys/class/hwmon/ -follow -maxdepth 2 -type f \( -name name -o -name 'power*_*' -o -name 'energy*_*' \) 2>/dev/null
	find /sys/devices/system/cpu /sys/devices/system/node -type f \( -path '*/topology/*' -o -path '*/cpufreq/*' -o -name online -o -name possible -o -name present -o -name cpulist \) 2>/dev/null
	find /sys/bus/event_source/devices/power /sys/bus/event_source/devices/msr -follow -maxdepth 2 -type f 2>/dev/null
)

for directory in /proc/[0-9]*; do
	stat=$(cat "$directory/stat" 2>/dev/null) || continue
	pid=${directory#/proc/}
	mkdir -p "$out$directory"
	rest=${stat##*)}
	name=${stat#*\(} name=${name%)*}
	flags=$(echo "$rest" | cut -d' ' -f8)
	(( flags & 0x200000 )) || name="task-$(printf %s "$salt$name" | sha256sum | cut -c1-8)"
	printf '%s (%s)%s\n' "$pid" "$name" "$rest" >"$out$directory/stat"
	printf '%s\n' "$name" >"$out$directory/comm"
	cat "$directory/cgroup" >"$out$directory/cgroup" 2>/dev/null || rm -f "$out$directory/cgroup"
	grep -hE '^(Rss|Pss):' "$directory/smaps_rollup" >"$out$directory/smaps_rollup" 2>/dev/null || rm -f "$out$directory/smaps_rollup"
done
find "$out/proc" -name cgroup -type f | while IFS= read -r file; do
	scrub_paths "$file" >"$file.new" && mv "$file.new" "$file"
done

host=$(uname -n)
grep -rlFw -- "$host" "$out" 2>/dev/null | while IFS= read -r file; do sed -i "s/\b$host\b/host/g" "$file"; done
cat >"$out/README.md" <<README
Captured by eng/capture-host.sh on $(date -u +%Y-%m-%d), Linux $(uname -r | cut -d- -f1), $(uname -m), $(nproc) CPUs. Add what is special about it.
README
echo "keck: captured into $out: $(find "$out" -type f | wc -l) files. Look through it before you commit it."
