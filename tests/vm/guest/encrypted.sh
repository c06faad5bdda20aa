# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# /open is from README: a downloaded point is opened with cryptsetup. It is
# /dev/vda here, and what was backed up is /dev/vdb.
#
# shellcheck disable=SC2317 # called through `ok`

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
modprobe dm-crypt
modprobe xts 2>/dev/null
modprobe aesni_intel 2>/dev/null
cd /tmp || exit 1
ln -s /dev/vda disk.vhd
cp /size .

# A person would type it: it is read from standard input, once.
opened()
{
	sh -e /open <"$1"
}

echo 'battery staple' >wrong
ok "a wrong passphrase opens nothing" sh -c '! sh -e /open <wrong 2>/dev/null'
ok "the right one does" opened /passphrase
is "it is as large as the disk" "$(stat -c %s disk.img)" \
	"$(blockdev --getsize64 /dev/vdb)"
ok "and is the disk" cmp disk.img /dev/vdb
done_testing
