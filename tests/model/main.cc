// SPDX-License-Identifier: MIT
/*
 * main.cc - explores every state that can be reached, breadth first, so that
 * the trace of a violation is a shortest one
 */
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "state.h"

#define OPTION_DEFINE(name, value, what) int name = value;
OPTIONS(OPTION_DEFINE)

u64 rules_broken;
bool tracing;
u64 nr_recoveries, nr_damaged;

/* ---- the states seen, by hash, each with the one before it ---- */

struct seen {
	u64 hash, before;
};

static std::vector<seen> table(1 << 16);
static u64 nr_seen;

static u64 hash_of(const struct state &s)
{
	u64 h = 0x9E3779B97F4A7C15ull, w;

	for (size_t i = 0; i < sizeof(s); i += 8) {
		memcpy(&w, (const char *)&s + i, 8);
		h ^= w;
		h *= 0xff51afd7ed558ccdull;
		h ^= h >> 32;
		h *= 0xc4ceb9fe1a85ec53ull;
		h ^= h >> 29;
	}
	return h ? h : 1;
}

static seen &slot(u64 hash)
{
	u64 i = hash & (table.size() - 1);

	while (table[i].hash && table[i].hash != hash)
		i = (i + 1) & (table.size() - 1);
	return table[i];
}

static void grow_table()
{
	std::vector<seen> old(table.size() * 2);

	old.swap(table);
	for (const auto &e : old)
		if (e.hash)
			slot(e.hash) = e;
}

/* False: seen before. */
static bool remember(u64 hash, u64 before)
{
	if (slot(hash).hash)
		return false;
	if (nr_seen * 3 > table.size() * 2)
		grow_table();
	slot(hash) = { hash, before };
	nr_seen++;
	return true;
}

/* ---- steps ---- */

static std::vector<state> level, next_level;
static u64 now, nr_steps, violation, wanted_hash;
static const char *violated;
static state wanted_state;
static char label[400], wanted_label[400];

void emit(struct state &next, const char *err, const char *fmt, ...)
{
	u64 hash = hash_of(next);

	if (tracing) {
		va_list args;

		if (hash != wanted_hash || *wanted_label)
			return;
		va_start(args, fmt);
		vsnprintf(label, sizeof(label), fmt, args);
		va_end(args);
		memcpy(wanted_label, label, sizeof(label));
		wanted_state = next;
		return;
	}
	nr_steps++;
	if (violated || !remember(hash, now))
		return;
	if (!err)
		err = live_properties(next);
	if (err) {
		violated = err;
		violation = hash;
	}
	next_level.push_back(next);
}

static void all_steps(const struct state &s)
{
	crash(s);
	devices(s);
	starting(s);
	writers(s);
	marks(s);
	timeout(s);
	opener(s);
	closer(s);
	messages(s);
	runs(s);
	worker(s);
	tables(s);
	ending(s);
	growing(s);
}

static void print_trace(struct state s)
{
	std::vector<u64> path;

	for (u64 h = violation; h; h = slot(h).before)
		path.push_back(h);
	tracing = true;
	for (int i = (int)path.size() - 2; i >= 0; i--) {
		wanted_hash = path[i];
		*wanted_label = '\0';
		all_steps(s);
		printf("  %2d %s\n", (int)path.size() - 1 - i, wanted_label);
		s = wanted_state;
	}
}

/* ---- the command line ---- */

static const struct {
	const char *name;
	int *value;
	const char *what;
} options[] = {
#define OPTION_ENTRY(name, value, what) { #name, &name, what },
	OPTIONS(OPTION_ENTRY)
};

static const struct {
	const char *name, *what;
} rules[] = {
#define RULE_ENUM(id, name, what) { name, what },
#include "rules.h"
#undef RULE_ENUM
};

static int usage()
{
	fputs("usage: model [NAME=value...] [BREAK=rule[,rule...]]\n", stderr);
	for (const auto &o : options)
		fprintf(stderr, "  %-8s %s (%d)\n", o.name, o.what, *o.value);
	return 2;
}

static int list()
{
	for (const auto &r : rules)
		printf("%s\t%s\n", r.name, r.what);
	return 0;
}

static bool break_rules(const char *names)
{
	while (*names) {
		size_t len = strcspn(names, ",");
		int r = 0;

		while (r < NR_RULES && (strlen(rules[r].name) != len ||
					strncmp(rules[r].name, names, len)))
			r++;
		if (r == NR_RULES)
			return false;
		rules_broken |= 1ull << r;
		names += len + (names[len] == ',');
	}
	return true;
}

static bool set_option(const char *arg)
{
	size_t len = strcspn(arg, "=");

	if (!strncmp(arg, "BREAK=", 6))
		return break_rules(arg + 6);
	for (const auto &o : options)
		if (strlen(o.name) == len && !strncmp(o.name, arg, len) &&
		    arg[len]) {
			*o.value = atoi(arg + len + 1);
			return true;
		}
	return false;
}

static state first_state()
{
	struct super super = {};
	struct state s;

	memset(&s, 0, sizeof(s));
	super.seq = super.epoch = 1;
	super.small = GROW;
	s.tail = GROW ? TAIL : 0;
	s.super[0] = s.super[1] = pack(super);
	for (int x = 0; x < NR_SECTORS; x++) {
		s.cache[x] = NOTHING;
		for (int a = 0; a < NR_ACTORS; a++)
			s.fly[x][a] = NOTHING;
	}
	for (int c = 0; c < NR_CHUNKS; c++)
		s.poss[c] = 1;
	s.seq = s.epoch = 1;
	s.mode = TRACKING;
	s.wleft = W;
	s.cleft = CUTS;
	s.xleft = CRASH;
	s.fleft = FAILS;
	s.mleft = MARKS;
	s.lleft = LIVES;
	s.pleft = PRE;
	s.oleft = OTHER;
	return s;
}

int main(int argc, char **argv)
{
	u64 limit;
	int depth = 0;

	static_assert(NR_RULES <= 64, "a bit each");
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	for (int i = 1; i < argc; i++)
		if (!set_option(argv[i]))
			return usage();
	limit = (u64)MAXM * 1000000;

	const struct state first = first_state();

	remember(hash_of(first), 0);
	level.push_back(first);
	for (; !level.empty() && !violated && nr_seen < limit; depth++) {
		next_level.clear();
		for (const auto &at : level) {
			now = hash_of(at);
			all_steps(at);
			if (violated || nr_seen >= limit)
				break;
		}
		level.swap(next_level);
	}
	for (int i = 1; i < argc; i++)
		printf("%s ", argv[i]);
	printf(": %s states=%llu steps=%llu depth=%d recoveries=%llu "
	       "damaged=%llu%s\n",
	       violated ? violated : "holds", (unsigned long long)nr_seen,
	       (unsigned long long)nr_steps, depth,
	       (unsigned long long)nr_recoveries,
	       (unsigned long long)nr_damaged,
	       !violated && nr_seen >= limit ? " STOPPED AT THE LIMIT" : "");
	if (violated)
		print_trace(first);
	return violated ? 1 : 0;
}
