# SPDX-License-Identifier: MIT
#
# vm-kernel.sh - the debug kernel, and where each kernel lies
#
# Sourced. Built from Debian's kernel source in the bookworm root, with that
# root's compiler.

KERNEL_CONFIG=$TOP/tests/vm/debug.config

# kernel_make DIR: bzImage, and in build/ what a module is built against
kernel_make()
{
	cp "$KERNEL_CONFIG" "$1/debug.config" &&
	root_run "$ROOT" "$1" - sh -exc '
		cd /mnt/src
		mkdir build
		cd build
		tar -xf /usr/src/linux-source-6.1.tar.xz --strip-components=1
		make -s tinyconfig
		scripts/kconfig/merge_config.sh -m .config ../debug.config
		make -s olddefconfig
		# Nothing that was asked for may have got lost on the way.
		grep ^CONFIG ../debug.config | sort >../wanted
		sort .config | comm -23 ../wanted - >../lost
		cat ../lost
		[ ! -s ../lost ]
		make -s -j2 bzImage modules
		make -s INSTALL_MOD_PATH=.. modules_install
		make -s kernelrelease >../release
		cp arch/x86/boot/bzImage ..
		# A module needs headers, scripts and symbols, no objects.
		find . -name "*.o" ! -path "./scripts/*" \
			! -path "./tools/objtool/*" -delete
		find Documentation drivers fs net sound samples kernel mm \
			\( -name "*.c" -o -name "*.S" -o -name "*.ko" \
			   -o -name "*.rst" -o -name "*.dts*" \) -delete
		rm -f vmlinux arch/x86/boot/compressed/vmlinux*
		rm -f ../lib/modules/*/build ../lib/modules/*/source'
}

# kernel_ensure debug: sets KERNEL to its directory
kernel_ensure()
{
	[ "$1" = debug ] || die "no such kernel to build '$1': debug"
	root_ensure bookworm
	kernel_key=$({ echo "$ROOT"; cat "$KERNEL_CONFIG"; } | key_of)
	cached "kernel/$1-$kernel_key" kernel_make || exit 1
	KERNEL=$TIDEMARK_CACHE/kernel/$1-$kernel_key
}

# kernel_of KERNEL: sets ROOT (whose compiler built it), KERNEL_IMAGE,
# KERNEL_RELEASE, and KERNEL_MODULES (the root of lib/modules)
kernel_of()
{
	if [ "$1" = debug ]; then
		kernel_ensure debug
		KERNEL_RELEASE=$(cat "$KERNEL/release")
		KERNEL_IMAGE=$KERNEL/bzImage
		KERNEL_MODULES=$KERNEL
	else
		root_ensure "$1"
		KERNEL_RELEASE=$(root_kernel "$ROOT")
		KERNEL_IMAGE=$ROOT/boot/vmlinuz-$KERNEL_RELEASE
		KERNEL_MODULES=$ROOT
	fi
}
