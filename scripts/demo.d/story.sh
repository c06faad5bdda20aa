# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# story.sh - how the demo speaks; sourced on the host and in its guests

# Seconds, with two digits, that only ever grow.
now()
{
	cut -d' ' -f1 /proc/uptime
}

# since TIME: seconds from then to now
since()
{
	echo "$(now) $1" | awk '{ printf "%.1f", $1 - $2 }'
}

chapter()
{
	printf '\n%s\n' "$*"
}

say()
{
	printf '  %s\n' "$*"
}

# size BYTES: as a person says it
size()
{
	echo "$1" | awk '{
		if ($1 >= 1073741824) printf "%.2f GiB", $1 / 1073741824
		else if ($1 >= 1048576) printf "%.1f MiB", $1 / 1048576
		else printf "%.1f KiB", $1 / 1024 }'
}

fail()
{
	printf '\nThe demo failed: %s\n' "$*"
	exit 1
}

# quietly COMMAND...: shows what it prints only when it fails
quietly()
{
	"$@" >/tmp/demo-quietly.$$ 2>&1 || {
		status=$?
		cat "/tmp/demo-quietly.$$"
		fail "'$*' (exit status $status)"
	}
	rm -f "/tmp/demo-quietly.$$"
}
