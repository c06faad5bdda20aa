# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# One instant across two disks: instant.sh CUTS. vda and vdb are tracked in
# memory and written in pairs; host `pair` judges a point of both, host `two` a
# point of the one and a later one of the other.

# shellcheck source=tests/vm/guest/lib.sh
. /lib/guest.sh
# shellcheck source=tests/vm/guest/vault.sh
. /lib/vault.sh
cuts=$1

tidemark attach /dev/vda - --name a --quiet
tidemark attach /dev/vdb - --name b --quiet
tidemark protect $VAULT /dev/vda --disk a --item guest --quiet
tidemark protect $VAULT /dev/vdb --disk b --item guest --quiet

/chain write /dev/shm/progress /dev/mapper/a /dev/mapper/b &
writer=$!

# At least 20 pairs lie between one cut and the next.
good=0 last=0 enough=0 i=0
while [ $i -lt "$cuts" ]; do
	i=$((i + 1))
	/chain wait /dev/shm/progress 42
	backup a b || break
	if pair=$(host pair "$i" "$(field point)"); then
		good=$((good + 1))
	else
		echo "# cut $i: $pair"
	fi
	[ $((${pair%% *} - last)) -lt 40 ] || enough=$((enough + 1))
	last=${pair%% *}
	[ $((i % 20)) -ne 0 ] || echo "# $i cuts, $last writes," \
		"the last took $(field milliseconds) ms"
done
is "of $cuts cuts none shows a write without the one before" $good "$cuts"
is "each had at least 20 pairs since the one before" $enough "$cuts"

# If this passed, the test above would show nothing.
/chain wait /dev/shm/progress 42
ok "cut the one" backup a
one=$(field point)
/chain wait /dev/shm/progress 42
ok "cut the other" backup b
status=0
pair=$(host two "$one" "$(field point)") || status=$?
is "cut one after another the disks do not fit: $pair" $status 3

kill $writer
ok "the writer never failed" wait $writer
tidemark detach --all
done_testing
