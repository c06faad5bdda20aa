#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A tracked disk in a systemd guest: units.sh first|second

count=0
failed=0

# ok TEXT COMMAND...
ok()
{
	text=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $text"
	else
		failed=1
		echo "not ok $count - $text"
	fi
}

first()
{
	modules=/lib/modules/$(uname -r)
	mkdir -p "$modules/extra"
	cp /dm-tidemark.ko "$modules/extra/"
	depmod
	cp /tidemark-attach.service /tidemark-watch.service \
		/etc/systemd/system/
	mkfs.ext4 -q /dev/vda
	tidemark attach /dev/vda --name a --quiet
	echo '/dev/mapper/a /srv ext4 defaults 0 2' >>/etc/fstab
	systemctl daemon-reload
	ok "the units can be enabled" systemctl -q enable \
		tidemark-attach.service tidemark-watch.service
	ok "and started" systemctl start tidemark-attach.service srv.mount
	ok "the watch with them" systemctl -q is-active tidemark-watch.service
	date >/srv/file
}

second()
{
	ok "the disk is attached" systemctl -q is-active tidemark-attach.service
	ok "without a warning" test 0 = "$(systemctl show -P ExecMainStatus \
		tidemark-attach.service)"
	ok "and mounted" test -s /srv/file
	ok "through the tracked device" test /dev/mapper/a = \
		"$(findmnt -no SOURCE /srv)"
	ok "somebody watches" systemctl -q is-active tidemark-watch.service
	ok "since before it was attached" test \
		"$(systemctl show -P ActiveEnterTimestampMonotonic \
			tidemark-watch.service)" -le \
		"$(systemctl show -P ActiveEnterTimestampMonotonic \
			tidemark-attach.service)"
	ok "while it is attached there is no seal" test -z \
		"$(grep -l '"seal"' /var/lib/tidemark/attached/a.json)"
}

case $1 in
first)	first ;;
second)	second ;;
esac
exit $failed
