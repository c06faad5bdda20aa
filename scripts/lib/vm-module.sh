# SPDX-License-Identifier: MIT
#
# vm-module.sh - the module of this tree, built for a kernel of the lab
#
# Sourced. From a copy of the sources, so that builds for several kernels do
# not meet; any warning is an error.

# module_sources: the files that the module is built from
module_sources()
{
	(cd "$TOP" && find Kbuild kmod -type f \( -name '*.[chS]' -o \
		-name Kbuild -o -name Makefile -o -name '*.sh' \) | sort)
}

# module_copy DIR: a copy of them
module_copy()
{
	module_sources | tar -C "$TOP" -cf - -T - | tar -C "$1" -xf -
}

# module_apply DIR PATCH: changes that copy; PATCH may be /dev/null
module_apply()
{
	[ "$2" = /dev/null ] || patch -s -p1 -d "$1" <"$2" >&2
}

# module_build DIR [MAKE-ARG...]: make in the copy in DIR, as kernel_of said
module_build()
{
	module_dir=$1
	shift
	if [ "$ROOT" = "$KERNEL_MODULES" ]; then
		root_run "$ROOT" "$module_dir" - make -s \
			-C "/lib/modules/$KERNEL_RELEASE/build" M=/mnt/src \
			"$@" modules
	else
		root_run "$ROOT" "$module_dir" "$KERNEL_MODULES/build" make -s \
			-C /mnt/kernel M=/mnt/src "$@" modules
	fi
}

# module_ensure KERNEL [PATCH]: sets MODULE to the path of its .ko, which is
# built with the changes of PATCH
module_ensure()
{
	kernel_of "$1"
	module_patch=${2:-/dev/null}
	module_out=$TOP/build/kmod/$1
	[ "$module_patch" = /dev/null ] ||
		module_out=$module_out-$(basename "$module_patch" .patch)
	mkdir -p "$module_out"
	module_key=$({ echo "$KERNEL_MODULES"; cd "$TOP"; module_sources |
		xargs sha256sum; cat scripts/lib/vm-module.sh "$module_patch"
		} | key_of)
	MODULE=$module_out/dm-tidemark.ko
	(
		flock 9 || exit 1
		if [ -e "$MODULE" ] &&
		   [ "$(cat "$module_out/key")" = "$module_key" ]; then
			exit 0
		fi
		rm -rf "$module_out/src" "$MODULE" "$module_out/key"
		mkdir "$module_out/src" &&
		module_copy "$module_out/src" &&
		module_apply "$module_out/src" "$module_patch" &&
		module_build "$module_out/src" KCFLAGS=-Werror >&2 &&
		cp "$module_out/src/kmod/dm-tidemark.ko" "$MODULE.new" &&
		echo "$module_key" >"$module_out/key" &&
		mv "$MODULE.new" "$MODULE"
	) 9>"$module_out/lock" || die "cannot build the module for '$1'"
}

# module_sparse: sparse's opinion of the module, in the bookworm root
module_sparse()
{
	kernel_of bookworm
	sparse_dir=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-sparse.XXXXXX")
	sparse_status=0
	module_copy "$sparse_dir" &&
		module_build "$sparse_dir" C=2 CHECK=sparse \
			CF=-D__CHECK_ENDIAN__ || sparse_status=$?
	rm -rf "$sparse_dir"
	return "$sparse_status"
}

# checkpatch_make DIR: checkpatch.pl and what it reads
checkpatch_make()
{
	root_run "$ROOT" "$1" - sh -ec '
		cd /mnt/src
		tar -xf /usr/src/linux-source-6.1.tar.xz --strip-components=2 \
			linux-source-6.1/scripts/checkpatch.pl \
			linux-source-6.1/scripts/spelling.txt \
			linux-source-6.1/scripts/const_structs.checkpatch'
}

# checkpatch_ensure: sets CHECKPATCH
checkpatch_ensure()
{
	root_ensure bookworm
	checkpatch_path=checkpatch/${ROOT##*/}
	cached "$checkpatch_path" checkpatch_make || exit 1
	CHECKPATCH=$TIDEMARK_CACHE/$checkpatch_path/checkpatch.pl
}
