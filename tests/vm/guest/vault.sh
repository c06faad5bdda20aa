# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# vault.sh - for guests that back up into the host's vault: `. /lib/vault.sh`
#
# /etc/vault holds AZURE_STORAGE_CONNECTION_STRING as seen from here.

# shellcheck source=/dev/null
. /etc/vault
export AZURE_STORAGE_CONNECTION_STRING
# shellcheck disable=SC2034 # for the tests
VAULT=http://10.0.2.100:10000/devstoreaccount1/vault

insmod /dm-tidemark.ko
modprobe loop
mkdir -p /var/lib /run /etc/tidemark/tidemark.conf.d
# An emulated machine on a busy host has been seen to stand still for seconds.
# The emulator is at a private address and speaks plain HTTP.
printf '[vault]\nplain_http = yes\n[backup]\ncut_timeout = 60\n' \
	>/etc/tidemark/tidemark.conf.d/host.conf

# backup ARG...: the result is in /tmp/json, what went wrong in /tmp/err
backup()
{
	if tidemark --json backup "$@" >/tmp/json 2>/tmp/err; then
		return 0
	else
		backup_status=$?
		sed 's/^/# /' /tmp/json
		return $backup_status
	fi
}

# field NAME: of the last result
field()
{
	sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" /tmp/json | head -n 1
}
