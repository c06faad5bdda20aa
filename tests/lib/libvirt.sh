# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# libvirt.sh - libvirt's schemas, as Debian ships them; to be sourced by sh after
# tap.sh
#
#	libvirt_install		fetches them, once
#	libvirt_valid FILE	is it the XML of a domain?
#
# The library's package is unpacked in the cache and not installed: nothing else of
# it is used.

# Prints the directory that it is unpacked in.
libvirt_home() {
	echo "${TIDEMARK_CACHE:-/var/cache/tidemark}/libvirt-schemas-$(
		. /etc/os-release && echo "$VERSION_CODENAME")"
}

# Into the working directory.
libvirt_fetch() {
	apt-get -q -q -o APT::Sandbox::User=root download libvirt0 >&2
}

libvirt_install() {
	libvirt_dir=$(libvirt_home)
	[ ! -e "$libvirt_dir/domain.rng" ] || return 0
	mkdir -p "${libvirt_dir%/*}" || return 1
	libvirt_new=$(mktemp -d "$libvirt_dir.XXXXXX") || return 1
	(cd "$libvirt_new" && {
		libvirt_fetch || { apt-get -q -q update >&2 && libvirt_fetch; }
	} && dpkg-deb -x libvirt0_*.deb . &&
		mv usr/share/libvirt/schemas/* . && rm -r usr ./*.deb) || {
		rm -rf "$libvirt_new"
		echo "cannot fetch libvirt's schemas" >&2
		return 1
	}
	chmod 755 "$libvirt_new"
	# Another test may have been faster: then its copy serves.
	mv -T "$libvirt_new" "$libvirt_dir" 2>/dev/null ||
		rm -rf "$libvirt_new"
	[ -e "$libvirt_dir/domain.rng" ]
}

libvirt_valid() {
	xmllint --noout --nonet --relaxng "$(libvirt_home)/domain.rng" "$1"
}
