# SPDX-License-Identifier: MIT
#
# vm-root.sh - Debian roots: each release's kernel, compiler and headers
#
# Sourced. The bookworm root is also the userland of every guest and the place
# where the debug kernel and the static checks of the module are built.

MIRROR=${TIDEMARK_MIRROR:-http://deb.debian.org}

# What building a module and booting its kernel takes.
ROOT_PACKAGES=kmod,gcc,make,libelf1,xz-utils,linux-image-cloud-amd64,linux-headers-cloud-amd64

# The guests' userland, with the libraries the program is linked against.
GUEST_PACKAGES=busybox-static,dmsetup,e2fsprogs,xfsprogs,fdisk,mount,lvm2,cryptsetup-bin,fio,libcurl4,libjansson4,libexpat1,libinih1,libpopt0,liburing2,libblkid1,libssl3

# A kernel from source, sparse, and checkpatch (in the kernel's source).
SOURCE_PACKAGES=linux-source-6.1,bc,bison,flex,libelf-dev,sparse

# root_sources RELEASE: its apt sources
#
# bullseye: the kernels of its security archive are gone.
root_sources()
{
	echo "deb $MIRROR/debian $1 main"
	case $1 in
	bullseye | sid) ;;
	*)
		echo "deb $MIRROR/debian $1-updates main"
		echo "deb $MIRROR/debian-security $1-security main"
		;;
	esac
}

root_packages()
{
	case $1 in
	bookworm)
		echo "$ROOT_PACKAGES,$GUEST_PACKAGES,$SOURCE_PACKAGES"
		;;
	*)	echo "$ROOT_PACKAGES" ;;
	esac
}

# Made as root in the ordinary way: a chroot needs nothing of the host.
root_make()
{
	root_sources "$1" | mmdebstrap --mode=root --variant=minbase \
		--include="$(root_packages "$1")" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$1" "$2" -
}

# root_ensure RELEASE: sets ROOT
root_ensure()
{
	case $1 in
	bullseye | bookworm | trixie | sid) ;;
	*) die "no such release '$1': bullseye, bookworm, trixie or sid" ;;
	esac
	root_key=$({ root_sources "$1"; root_packages "$1"; } | key_of)
	cached "root/$1-$root_key" root_make "$1" || exit 1
	ROOT=$TIDEMARK_CACHE/root/$1-$root_key
}

# root_kernel ROOT: the version of its kernel
root_kernel()
{
	for root_modules in "$1"/lib/modules/*; do
		[ ! -e "$root_modules/kernel" ] || root_found=${root_modules##*/}
	done
	echo "$root_found"
}

# root_run ROOT DIR KERNEL COMMAND...: COMMAND in ROOT
#
# DIR of the host is /mnt/src there, KERNEL (or -) /mnt/kernel. In a mount
# namespace of its own: nothing stays mounted whatever happens. Where we are in
# a chroot ourselves, / is no mount and cannot be made private: hence the
# unmounting, which takes back what was seen outside.
root_run()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --propagation unchanged sh -ec '
		root=$1 dir=$2 kernel=$3
		shift 3
		mount --make-rprivate / 2>/dev/null || :
		mount --bind "$root" "$root"
		trap "umount -R -l \"\$root\"" EXIT
		mount -t tmpfs tmpfs "$root/mnt"
		mkdir "$root/mnt/src" "$root/mnt/kernel"
		mount --bind "$dir" "$root/mnt/src"
		[ "$kernel" = - ] || mount --bind "$kernel" "$root/mnt/kernel"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
			HOME=/root chroot "$root" "$@"
	' sh "$@"
}
