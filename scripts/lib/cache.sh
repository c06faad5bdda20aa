# SPDX-License-Identifier: MIT
#
# cache.sh - things that are made once and kept
#
# Sourced. What is kept is named by what it is made from, appears all at once
# (made aside, then renamed) and is made by one caller while others wait.

TIDEMARK_CACHE=${TIDEMARK_CACHE:-/var/cache/tidemark}

# die MESSAGE...
die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# key_of: the key of what standard input says, 12 hex digits
key_of()
{
	sha256sum | cut -c1-12
}

# cached PATH MAKER [ARG...]: ensures that PATH, below the cache, exists
#
# MAKER is called as `MAKER ARG... DIR` with an empty directory to fill; its
# output goes to PATH.log, shown when it fails.
cached()
{
	cached_path=$TIDEMARK_CACHE/$1
	shift
	if [ -e "$cached_path" ]; then
		return 0
	fi
	mkdir -p "${cached_path%/*}" || return 1
	(
		flock 9 || exit 1
		[ ! -e "$cached_path" ] || exit 0
		echo "${0##*/}: making $cached_path" >&2
		rm -rf "$cached_path.new"
		mkdir "$cached_path.new" || exit 1
		# What makes it may need more that is cached.
		if ! ("$@" "$cached_path.new") >"$cached_path.log" 2>&1 9>&-
		then
			tail -n 40 "$cached_path.log" >&2
			echo "${0##*/}: cannot make $cached_path:" \
			     "see $cached_path.log" >&2
			exit 1
		fi
		mv "$cached_path.new" "$cached_path"
	) 9>"$cached_path.lock"
}
