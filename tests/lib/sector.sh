# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# sector.sh - a small disk that says something when it is booted; to be sourced
# by sh after vault.sh
#
#	sector FILE TEXT END	a disk that says TEXT, after it has read chunk 8,
#				whatever comes of that; END halts, or switches
#				the machine off

# shellcheck disable=SC2034 # for the test
HALT=0x80 OFF=0x604

sector() {
	gcc -x assembler-with-cpp -m16 -nostdlib -static -no-pie \
		-Wl,--build-id=none,--oformat=binary,-Ttext=0x7c00 \
		-o "$WORK/sector" - <<-END || exit 1
		.code16
		.globl _start
		_start:	xorw %ax, %ax
			movw %ax, %ds
			movw \$packet, %si
			movb \$0x42, %ah
			int \$0x13
			movw \$text, %si
			movw \$0x3f8, %dx
		1:	lodsb
			testb %al, %al
			jz 2f
			outb %al, %dx
			jmp 1b
		2:	movw \$$3, %dx
			movw \$0x2000, %ax
			outw %ax, %dx
		3:	hlt
			jmp 3b
		packet:	.byte 16, 0
			.word 1, 0x7e00, 0
			.quad 1024
		text:	.asciz "$2\r\n"
			.org 510
			.word 0xaa55
	END
	random_disk "$1" 2
	dd if="$WORK/sector" of="$1" conv=notrunc status=none
}
