# SPDX-License-Identifier: MIT
#
# track.awk - rates ("WHAT ENGINE TARGET RATE"), ratios ("NAME RATIO") and bars
# to a table, and to one flat object in @json. Fails when a rate that a bar needs is not there.

FNR == 1 { file++ }
/^#/ || !NF { next }
file == 1 {
	name[++names] = $1
	bar[$1] = $2
	next
}
NF == 2 {
	given[$1] = $2
	next
}
NF == 4 && $4 > 0 {
	if (!(($1, $2) in seen)) {
		seen[$1, $2] = 1
		row[++rows] = $1 " " $2
	}
	rate[$1, $2, $3] = $4
}

function get(what, engine, target) {
	if (!((what, engine, target) in rate)) {
		printf "track.awk: no rate of %s, %s, %s\n", what, engine,
			target >"/dev/stderr"
		missing = 1
		return 1
	}
	return rate[what, engine, target]
}

# The worse of both engines.
function ratio(what, target, base,   a, b) {
	a = get(what, "uring", target) / get(what, "uring", base)
	b = get(what, "aio", target) / get(what, "aio", base)
	return a < b ? a : b
}

function put(key, value) {
	printf ",\n  \"%s\": %.5f", key, value >json
}

function against(key, value) {
	if (bar[key] == "-")
		return ""
	return sprintf("%8s  %s", bar[key],
		       value >= bar[key] ? "reached" : "MISSED")
}

END {
	printf "%s, requests a second\n\n", kernel
	printf "%-22s %-6s %12s %12s %12s\n", "", "", "dm-linear", "tidemark",
		"dm-era"
	for (i = 1; i <= rows; i++) {
		split(row[i], r, " ")
		printf "%-22s %-6s %12.2f %12.2f %12.2f\n", r[1], r[2],
			get(r[1], r[2], "linear"), get(r[1], r[2], "tidemark"),
			get(r[1], r[2], "era")
	}

	printf "\n%-24s %10s %10s %8s\n", "ratio, the worse engine's",
		"tidemark", "dm-era", "bar"
	printf "{\n  \"kernel\": \"%s\"", kernel >json
	for (i = 1; i <= names; i++) {
		key = what = name[i]
		if (key in given) {
			value = given[key]
			printf "%-24s %10.5f %10s %s\n", key, value, "",
				against(key, value)
		} else if (sub(/_vs_era$/, "", what)) {
			value = ratio(what, "tidemark", "era")
			printf "%-24s %10.5f %10s %s\n", key, value, "",
				against(key, value)
		} else {
			value = ratio(what, "tidemark", "linear")
			era = ratio(what, "era", "linear")
			printf "%-24s %10.5f %10.5f %s\n", key, value, era,
				against(key, value)
			put("era_" key, era)
		}
		put(key, value)
	}
	print "\n}" >json
	exit missing
}
