#!/usr/bin/env bash
# Packs what `make publish` left in out/bin as deb and RPM, into out/packages. The same commit and binaries give the same bytes.
# usage: eng/package.sh [NAME...]     default: keck-host keck-guest
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C TZ=UTC
top=$PWD out=${OUT:-$PWD/out/packages}
# VERSION, OUT and FORMATS are for the tests: of an upgrade, of the same bytes.
version=${VERSION:-$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' eng/Version.props)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y eng/Version.props)}
export SOURCE_DATE_EPOCH
maintainer="The Keck Appliance authors <packages@keck.io>"

say() { echo "package: $*"; }
fail() { echo "package: $*" >&2; exit 1; }

# fill FILE: FILE with what is known of the package in place of @...@.
fill() {
	local text
	text=$(cat "$1"; echo .)
	text=${text%.}
	# Quoted: in a replacement & would stand for what was found.
	text=${text//@NAME@/"$name"} text=${text//@ROLE@/"$role"} text=${text//@VERSION@/"$version"}
	text=${text//@SUMMARY@/"$summary"} text=${text//@TITLE@/"${summary^}"} text=${text//@DESCRIPTION@/"$description"}
	text=${text//@RUNTIME@/"$runtime"} text=${text//@ARRIVE@/"$arrive"} text=${text//@LEAVE@/"$leave"}
	text=${text//@DATE@/"$(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)"} text=${text//@RPMDATE@/"$(date -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')"}
	printf '%s' "${text//@FURTHER@/"${rpm_suggests:+Suggests:       $rpm_suggests}"}"
}

put() { install -D -m "$1" "$2" "$root/$3"; } # put MODE FILE PATH

# What both formats hold, as it will lie on the disk.
stage() {
	put 0755 "out/bin/$name" "usr/bin/$name"
	put 0644 "$from/$role.json" "etc/keck/$role.json"
	put 0644 "$from/$name.service" "usr/lib/systemd/system/$name.service"
	put 0644 packaging/common/sysusers.conf "usr/lib/sysusers.d/$name.conf"
	put 0644 packaging/common/tmpfiles.conf "usr/lib/tmpfiles.d/$name.conf"
	for profile in "$from"/profiles/*.conf; do put 0644 "$profile" "usr/share/$name/profiles/$(basename "$profile")"; done
	if [ "$role" = host ]; then
		put 0644 "$from/machine-sockets.conf" "usr/share/$name/machine-sockets.conf"
	else
		put 0644 "$from/60-$name.rules" "usr/lib/udev/rules.d/60-$name.rules"
		put 0644 packaging/cloud-init/keck-guest.yaml "usr/share/$name/cloud-init.yaml"
	fi
	fill "$from/$name.8" >"$work/$name.8"
	put 0644 "$work/$name.8" "usr/share/man/man8/$name.8"
	gzip -9n "$root/usr/share/man/man8/$name.8"
	put 0644 "$notices" "usr/share/doc/$name/THIRD-PARTY-NOTICES.txt"
	put 0644 NOTICE "usr/share/doc/$name/NOTICE"
}

settle() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

deb() {
	local doc=$root/usr/share/doc/$name debian=$root/DEBIAN arch
	arch=$(dpkg --print-architecture)
	mkdir "$debian"
	# Before merged /usr the units of packages were in /lib, and there Debian 12 has them.
	mkdir -p "$root/lib"
	mv "$root/usr/lib/systemd" "$root/lib/systemd"
	if [ -d "$root/usr/lib/udev" ]; then mv "$root/usr/lib/udev" "$root/lib/udev"; fi
	put 0644 packaging/common/copyright "usr/share/doc/$name/copyright"
	gzip -9n "$doc/THIRD-PARTY-NOTICES.txt"
	printf '%s (%s) unstable; urgency=medium\n\n  * What is new is in CHANGELOG.md of the sources.\n\n -- %s  %s\n' \
		"$name" "$version" "$maintainer" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
	if [ -e "$from/lintian-overrides" ]; then put 0644 "$from/lintian-overrides" "usr/share/lintian/overrides/$name"; fi
	for script in postinst prerm postrm; do
		fill "packaging/common/$script" >"$debian/$script"
		chmod 0755 "$debian/$script"
	done
	echo "/etc/keck/$role.json" >"$debian/conffiles"
	# dpkg-shlibdeps wants a source package around it.
	mkdir -p "$work/shlibs/debian"
	printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$name" "$name" >"$work/shlibs/debian/control"
	local libraries
	libraries=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$root/usr/bin/$name" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
	[ -n "$libraries" ] || fail "$name: dpkg-shlibdeps found no libraries"
	(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | sort | xargs -d '\n' md5sum) >"$debian/md5sums"
	{
		echo "Package: $name"
		echo "Version: $version"
		echo "Architecture: $arch"
		echo "Maintainer: $maintainer"
		echo "Installed-Size: $(du -k -s --apparent-size "$root" | cut -f1)"
		echo "Depends: $libraries, libbpf1, systemd | systemd-standalone-sysusers"
		echo "Suggests: $deb_suggests"
		echo "Section: admin"
		echo "Priority: optional"
		echo "Homepage: https://keck.io"
		echo "Description: $summary"
		sed 's/^/ /' <<<"$description"
	} >"$debian/control"
	settle "$root"
	dpkg-deb --root-owner-group -Zxz --build "$root" "$out/${name}_${version}_$arch.deb" >/dev/null
}

rpm_package() {
	# An image into which the package was put is to be metered; a host's owner decides.
	if [ "$role" = guest ]; then put 0644 "$from/80-$name.preset" "usr/lib/systemd/system-preset/80-$name.preset"; fi
	for licence in LICENSE LICENSES/*.txt; do put 0644 "$licence" "usr/share/licenses/$name/$(basename "$licence")"; done
	put 0644 CHANGELOG.md "usr/share/doc/$name/CHANGELOG.md"
	settle "$root"
	(
		cd "$root"
		echo '%defattr(-,root,root,-)'
		# Shared with the other agent: the same in both, so it goes with the last of them.
		echo '%dir /etc/keck'
		find usr -type d -path "*/$name*" ! -path '*/man*' -printf '%%dir /%p\n' | sort
		find . -type f -printf '/%P\n' | sort | sed -e 's:^/etc/:%config(noreplace) &:' -e 's:^/usr/share/doc/:%doc &:' -e 's:^/usr/share/man/:%doc &:' \
			-e 's:^/usr/share/licenses/:%license &:'
	) >"$work/files"
	fill packaging/common/package.spec >"$work/$name.spec"
	rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_rpmdir $out" --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
		--define "stage $root" --define "filelist $work/files" --define '_buildhost keck' --define '_build_id_links none' \
		--define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' --define '_binary_payload w19.zstdio' \
		--buildroot "$work/buildroot" "$work/$name.spec" >"$work/rpmbuild.log" 2>&1 || { cat "$work/rpmbuild.log" >&2; fail "$name: rpmbuild failed"; }
}

package() {
	name=$1 role=${1#keck-} from=$top/packaging/$1
	[ -d "$from" ] || fail "there is no package $name"
	[ -x "out/bin/$name" ] || fail "out/bin/$name is missing: make publish"
	. "$from/package.conf"
	runtime="" arrive="" leave=""
	if [ "$role" = guest ]; then
		runtime=" /run/keck/sys"
		# The devices that are there already get their tags and their group.
		arrive=$'\t\tudevadm control --reload && udevadm trigger --settle --action=change --subsystem-match=virtio-ports --subsystem-match=misc || true'
		leave=$'\t\t\tudevadm control --reload || true'
	fi
	work=$out/build/$name
	for format in ${FORMATS:-deb rpm}; do
		rm -rf "$work"
		mkdir -p "$work/root"
		root=$work/root
		stage
		if [ "$format" = deb ]; then deb; else rpm_package; fi
	done
	rm -rf "$work"
}

# What the .NET runtime holds of others, as it comes with the SDK that compiled it in.
notices=$(dirname "$(readlink -f "$(command -v dotnet)")")/ThirdPartyNotices.txt
[ -e "$notices" ] || fail "$notices is missing: it goes into the packages"
mkdir -p "$out"
for each in ${*:-keck-host keck-guest}; do
	rm -f "$out/${each}"[-_][0-9]*.{deb,rpm}
	package "$each"
done
rmdir "$out/build" 2>/dev/null || true
ls -l "$out"
