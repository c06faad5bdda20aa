# SPDX-License-Identifier: MIT
#
# report.awk - rates (in @unit) and figures to a table, and what bars ask for to
# one flat object in @json
#
# The first file has a line for each key: "KEY WHAT[,WHAT...] TARGET/BASE[,BASE...]
# [OP BAR]" is the ratio of two targets' rates, of the engine and of the WHAT
# where it is worst, of those that did it, to that base which is best there; "KEY
# - OP BAR" is a figure that a guest gives. OP is >= or <=. All others are what
# guests print: "WHAT ENGINE TARGET RATE", "KEY FIGURE", of which the worst counts,
# and remarks. Fails when something that a key needs is not there.

FNR == 1 { file++ }
/^#/ || !NF { next }
file == 1 {
	key[++keys] = $1
	subjects[$1] = $2
	given[$1] = $2 == "-"
	targets[$1] = given[$1] ? "" : $3
	op[$1] = given[$1] ? $3 : $4
	bar[$1] = given[$1] ? $4 : $5
	next
}
NF == 2 && $1 in given && given[$1] {
	if (!($1 in figure) || worse(op[$1], $2, figure[$1]))
		figure[$1] = $2
	next
}
NF == 4 && $4 > 0 {
	if (!(($1, $2) in seen)) {
		seen[$1, $2] = 1
		row[++rows] = $1 " " $2
	}
	if (!($3 in column)) {
		column[$3] = 1
		names[++columns] = $3
	}
	if (!($2 in engine)) {
		engine[$2] = 1
		engines[++nr_engines] = $2
	}
	rate[$1, $2, $3] = $4
	next
}
{ remark[++remarks] = $0 }

function worse(o, a, b) {
	return o == "<=" ? a + 0 > b + 0 : a + 0 < b + 0
}

function lacks(what) {
	printf "report.awk: no %s\n", what >"/dev/stderr"
	missing = 1
	return 0
}

function get(what, eng, target) {
	if ((what, eng, target) in rate)
		return rate[what, eng, target]
	return lacks("rate of " what ", " eng ", " target)
}

# The best of @list, a list of targets.
function best(what, eng, list,   base, n, i, r, most) {
	n = split(list, base, ",")
	for (i = 1; i <= n; i++) {
		r = get(what, eng, base[i])
		if (r > most)
			most = r
	}
	return most
}

function ratio(k,   what, n, side, i, e, base, r, least) {
	n = split(subjects[k], what, ",")
	split(targets[k], side, "/")
	for (i = 1; i <= n; i++)
		for (e = 1; e <= nr_engines; e++) {
			if (!((what[i], engines[e]) in seen))
				continue
			base = best(what[i], engines[e], side[2])
			if (!base)
				continue
			r = get(what[i], engines[e], side[1]) / base
			if (least == "" || r < least)
				least = r
		}
	return least != "" ? least : lacks("rates of " subjects[k])
}

function value(k) {
	if (!given[k])
		return ratio(k)
	return k in figure ? figure[k] : lacks(k)
}

function against(k, v) {
	if (!v)
		return "not measured"
	if (!op[k])
		return ""
	return sprintf("%s %6s  %s", op[k], bar[k],
		       worse(op[k], v, bar[k]) ? "MISSED" : "reached")
}

END {
	printf "%s, %s\n\n%-29s", kernel, unit, ""
	for (i = 1; i <= columns; i++)
		printf " %12s", names[i]
	print ""
	for (i = 1; i <= rows; i++) {
		split(row[i], r, " ")
		printf "%-22s %-6s", r[1], r[2]
		for (j = 1; j <= columns; j++)
			if ((r[1], r[2], names[j]) in rate)
				printf " %12.2f", rate[r[1], r[2], names[j]]
			else
				printf " %12s", "-"
		print ""
	}

	if (remarks)
		print ""
	for (i = 1; i <= remarks; i++)
		print remark[i]

	printf "\n%-28s %10s\n", "the worst of each", "bar"
	printf "{\n  \"kernel\": \"%s\"", kernel >json
	for (i = 1; i <= keys; i++) {
		v = value(key[i])
		printf "%-28s %10.5f  %s\n", key[i], v, against(key[i], v)
		printf ",\n  \"%s\": %.5f", key[i], v >json
	}
	print "\n}" >json
	exit missing
}
