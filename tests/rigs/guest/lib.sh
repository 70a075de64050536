# Sourced by the rigs' prepare.sh: fetching from the distribution, and packing kernels for guests.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
rigs=$root/out/rigs
here=$root/tests/rigs

say() { echo "rigs: $*"; }
fail() { echo "rigs: $*" >&2; exit 1; }

# The lists may be missing on a fresh machine; nothing is asked of the network where they are there.
lists() { apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 || apt-get update -qq; }

# The archives that this machine installs from, as "deb URI SUITE main" lines.
sources() {
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u
}

# The package that a meta package stands for: kernel_package cloud-amd64 -> linux-image-6.1.0-1-cloud-amd64
kernel_package() {
	apt-cache depends "linux-image-$1" | awk '/^ *Depends: linux-image-/ { print $2; exit }'
}

# unpack PACKAGE FOLDER [APT OPTION...]: downloads (apt checks signature and checksum) and unpacks, installing nothing.
unpack() {
	local package=$1 folder=$2 load
	shift 2
	load=$(mktemp -d "$rigs/load.XXXXXX")
	(cd "$load" && apt-get "$@" -o APT::Sandbox::User=root download -qq "$package") || fail "cannot download $package"
	mkdir -p "$folder"
	dpkg-deb -x "$load"/*.deb "$folder"
	rm -rf "$load"
}

# unpack_sid PACKAGE FOLDER: the same from suite sid of the archive that this machine uses; this machine's own lists stay as they are.
unpack_sid() {
	local apt=$rigs/apt-sid uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=
	# Security has no sid; the main archive is the one that has this release by its plain name.
	uri=$(sources | awk '$3 !~ /-/ { print $2; exit }')
	[ -n "$uri" ] || fail "found no Debian archive among the sources of apt on this machine"
	[ ! -e "$keyring" ] || signed="[signed-by=$keyring] "
	mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
	echo "deb $signed$uri sid main" >"$apt/sources.list"
	local options=(-o "Dir::State=$apt/state" -o Dir::State::status=/dev/null -o "Dir::Cache=$apt/cache"
		-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Languages=none -o APT::Sandbox::User=root)
	apt-get "${options[@]}" -qq update || fail "cannot read the list of sid"
	unpack "$1" "$2" "${options[@]}"
	rm -rf "$apt"
}

# modules TREE VERSION FOLDER NAME...: puts modules and what they need into FOLDER, plain, with the order of loading in FOLDER/order.
modules() {
	local tree=$1 version=$2 folder=$3 name file plain
	shift 3
	[ -e "$tree/lib/modules/$version/modules.dep" ] || depmod -b "$tree" "$version"
	mkdir -p "$folder"
	touch "$folder/order"
	for name in "$@"; do
		while read -r file; do
			plain=$(basename "$file" .xz)
			grep -qx "$plain" "$folder/order" && continue
			case $file in
			*.xz) xz -dc "$file" >"$folder/$plain" ;;
			*) cp "$file" "$folder/$plain" ;;
			esac
			echo "$plain" >>"$folder/order"
		done < <(modprobe -d "$tree" -S "$version" --show-depends "$name" | awk '$1 == "insmod" { print $2 }')
	done
}

# initramfs FOLDER: adds busybox and packs the folder into FOLDER.img.
initramfs() {
	local folder=$1 applet
	mkdir -p "$folder"/{bin,sbin,usr/bin,usr/sbin,etc,dev,proc,sys,run,tmp,root,mnt,var}
	cp /bin/busybox "$folder/bin/busybox"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$folder/bin/$applet"
	done
	(cd "$folder" && find . | sort | cpio -o -H newc --quiet --owner=0:0) | gzip -1 >"$folder.img"
}

# current TARGET FILE...: true when TARGET was made from just these files; done_from notes that it was.
digest() { cat "$@" | sha256sum; }
current() { [ -e "$1.from" ] && [ "$(cat "$1.from")" = "$(digest "${@:2}")" ]; }
done_from() { digest "${@:2}" >"$1.from"; }
