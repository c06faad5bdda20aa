# SPDX-License-Identifier: MIT
#
# medians.awk - of tries at the same thing, to what report.awk reads
#
# Lines are "WHAT ENGINE TARGET SECONDS USER SYSTEM KIB", for @mib MiB moved. The
# median of the seconds makes the rate, in MiB a second; the medians of processor
# seconds, a remark for each.

NF == 7 {
	key = $1 " " $2 " " $3
	if (!(key in tries))
		order[++keys] = key
	n = ++tries[key]
	wall[key, n] = $4
	user[key, n] = $5
	sys[key, n] = $6
}

function median(list, key,   n, i, j, v, sorted) {
	n = tries[key]
	for (i = 1; i <= n; i++) {
		v = list[key, i]
		for (j = i - 1; j >= 1 && sorted[j] > v; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = v
	}
	return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

END {
	for (i = 1; i <= keys; i++)
		print order[i], mib / median(wall, order[i])
	print "processor seconds per GiB: in user mode, in the kernel"
	for (i = 1; i <= keys; i++) {
		u = median(user, order[i]) * 1024 / mib
		s = median(sys, order[i]) * 1024 / mib
		split(order[i], k, " ")
		printf "  %-16s %-7s %-13s %6.3f + %.3f\n", k[1], k[2], k[3], u, s
		if (k[1] == "upload_http" && k[3] == "tidemark" && u + s > most)
			most = u + s
	}
	print "cpu_s_per_gib", most
}
