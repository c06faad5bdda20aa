#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Scripts: shellcheck has nothing to say, spelling is right.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/style/lib.sh"

# shellcheck disable=SC2046 # no spaces in names
silent "shellcheck" shellcheck --external-sources --source-path=SCRIPTDIR \
	--source-path=tests --source-path=scripts/lib \
	$(grep -lE '^#!/bin/(ba)?sh|^# shellcheck shell=' \
		$(files 'scripts/*' 'tests/*' .ci/run |
			grep -vE '\.(c|h|py|pm|json)$'))
# A header of HTTP, a maker of disks, half of foo: spelt as they should be.
# shellcheck disable=SC2046
silent "codespell" codespell --ignore-words-list=te,conectix,fo \
	$(files '*' | grep -vE '/package-lock.json$|^./LICENSES/')
finish
