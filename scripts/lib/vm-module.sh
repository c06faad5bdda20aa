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

# module_make PATCH DIR: the .ko, built with the changes of PATCH
module_make()
{
	mkdir "$2/src" &&
	module_copy "$2/src" &&
	module_apply "$2/src" "$1" &&
	module_build "$2/src" KCFLAGS=-Werror &&
	mv "$2/src/kmod/dm-tidemark.ko" "$2" &&
	rm -rf "$2/src"
}

# module_ensure KERNEL [PATCH]: sets MODULE to the path of its .ko, cached
#
# What nobody has wanted for a month is dropped: sources change often.
module_ensure()
{
	kernel_of "$1"
	module_patch=${2:-/dev/null}
	module_key=$({ echo "$KERNEL_MODULES"; cd "$TOP"; module_sources |
		xargs sha256sum; cat scripts/lib/vm-module.sh "$module_patch"
		} | key_of)
	module_path=module/$1-$module_key
	MODULE=$TIDEMARK_CACHE/$module_path/dm-tidemark.ko
	if [ -e "$MODULE" ]; then
		touch "$MODULE"
		return 0
	fi
	cached "$module_path" module_make "$module_patch" ||
		die "cannot build the module for '$1'"
	find "$TIDEMARK_CACHE/module" -name dm-tidemark.ko -mtime +30 \
		-printf '%h\n' | xargs -r rm -rf
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
