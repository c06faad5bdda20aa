#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where things are: dependencies point one way, every file names its licence,
# the version is said once, kernel differences have one home.
# shellcheck disable=SC2317 # functions are called through `silent`

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/style/lib.sh"

# includes DIR: "FILE:LAYER/HEADER" for each include of a layer's header
includes() {
	grep -rHoE '#include "(model|port|engine|cli|mount)/[^"]*"' "$1" |
		sed 's/#include "//; s/"$//'
}

# upward LAYER ALLOWED: includes in LAYER of what lies above it
upward() {
	includes "userspace/$1" | grep -vE ":($2)/"
}

no_output() {
	! "$@" | grep .
}

silent "model includes only model" no_output upward model model
silent "port includes port and model" no_output upward port 'port|model'
silent "engine includes engine, port and model" \
	no_output upward engine 'engine|port|model'
silent "cli includes no mount" no_output upward cli 'cli|engine|port|model'

unlayered() {
	grep -rHnE '#include "' userspace | grep -vE \
		'#include "((model|port|engine|cli|mount)/|format\.h|uapi/tidemark\.h)'
}
silent "userspace names the layer of what it includes" no_output unlayered

printers() {
	grep -rnE '\<(v?printf|puts|perror|putchar|v?syslog) ?\(|\<std(out|err)\>' \
		userspace/model userspace/port userspace/engine
}
silent "only cli prints" no_output printers

uapi_users() {
	grep -rlE '#include "uapi/tidemark\.h"' userspace |
		grep -vE '^userspace/port/dm(status)?\.c$'
}
silent "one part of userspace includes the kernel's interface" \
	no_output uapi_users

format_users() {
	grep -rnE 'cpu_to_[lb]e|[lb]e[0-9]+_to_cpu' kmod |
		grep -vE '^kmod/(format|compat)\.[ch]:'
}
silent "one file of the module turns bytes" no_output format_users

version_tests() {
	grep -rnE 'LINUX_VERSION_CODE|KERNEL_VERSION|linux/version\.h' \
		kmod userspace
}
silent "no test of the kernel's version" no_output version_tests

# licence PATTERN FILE...: the files whose first two lines do not say so
licence() {
	wanted="SPDX-License-Identifier: $1( \*/)?\$"
	shift
	for file; do
		head -n 2 "$file" | grep -qE "$wanted" || echo "$file"
	done
}
# shellcheck disable=SC2046 # no spaces in names
{
silent "userspace, scripts and tests are MIT" no_output licence MIT \
	$(files 'userspace/*' 'scripts/*' 'tests/*' .ci/run Makefile \
		.clang-format | grep -vE '\.(md|json)$|/\.npmrc$')
silent "what both sides share has both licences" \
	no_output licence 'GPL-2.0-only OR MIT' kmod/format.c kmod/format.h
silent "so has the kernel's interface" no_output licence \
	'\(\(?GPL-2\.0-only WITH Linux-syscall-note\) OR MIT\)?' \
	kmod/uapi/tidemark.h
silent "the module is GPL-2.0-only" no_output licence GPL-2.0-only Kbuild \
	dkms.conf $(files 'kmod/*.[ch]' kmod/Kbuild |
		grep -vE '/format\.[ch]$|/uapi/')
}

version=$(sed -n 's/^VERSION := //p' Makefile)
is "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)" "$version" \
	"dkms.conf has the Makefile's version"
is "$(sed -n 's/.*MODULE_VERSION("\(.*\)").*/\1/p' kmod/*.c)" "$version" \
	"the module has the Makefile's version"

# shellcheck disable=SC2046
everything=$(files '*' | grep -vE '^./(LICENSES/|tests/style/t0001)')
# later WORD...: places that put something off
later() {
	# shellcheck disable=SC2086
	grep -nwE 'TOD[O]|FIXM[E]|XX[X]|HAC[K]' $everything
}
silent "nothing is put off" no_output later

waits() {
	# shellcheck disable=SC2046
	grep -nE '^[[:space:]]*sleep [0-9]|\|\| true' \
		$(files 'tests/*.sh' 'scripts/*') |
		grep -v 'sleep 0\.'
}
silent "no test waits for time to pass, or hides a failure" no_output waits

# What cannot be executed is not run by tests/run, and nobody would know.
unrun() {
	find tests -name 't[0-9]*-*.sh' ! -perm -u+x
}
silent "every test is run" no_output unrun

silent "no name is a shelf" no_output files '*util*' '*common*' '*misc*' \
	'*helper*'

finish
