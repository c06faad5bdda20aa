// SPDX-License-Identifier: MIT
#include "truth.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SAID_MOST = 20,		/* lines about what is missed */
	SAVED_MOST = 32,	/* cuts; META remembers fewer */
};

void truth_init(struct truth *t, uint64_t sectors, uint64_t chunk_sectors)
{
	memset(t, 0, sizeof(*t));
	t->sectors = sectors;
	t->chunk_sectors = chunk_sectors;
	t->chunks = (sectors + chunk_sectors - 1) / chunk_sectors;
}

static struct cut *add(struct truth *t)
{
	struct cut *cut;

	t->cut = realloc(t->cut, (t->cuts + 1) * sizeof(*t->cut));
	if (!t->cut)
		err(2, "no memory");
	cut = &t->cut[t->cuts++];
	memset(cut, 0, sizeof(*cut));
	cut->hash = need(t->sectors, sizeof(*cut->hash));
	cut->touched = need(t->chunks, 1);
	return cut;
}

void truth_cut(struct truth *t, const char *id, const struct cache *origin)
{
	struct cut *cut = add(t);

	if (!cache_is_idle(origin))
		errx(2, "a write was in flight in the cut %s", id);
	snprintf(cut->id, sizeof(cut->id), "%s", id);
	memcpy(cut->hash, origin->latest_hash, t->sectors * sizeof(*cut->hash));
}

void truth_touch(struct truth *t, const struct event *e)
{
	uint64_t first = event_first(e) / t->chunk_sectors;
	uint64_t last = (event_first(e) + event_sectors(e) - 1) /
			t->chunk_sectors;
	size_t i;

	for (i = 0; event_sectors(e) && i < t->cuts; i++)
		memset(t->cut[i].touched + first, 1, last - first + 1);
}

void truth_touch_chunks(struct truth *t, const uint8_t *chunks)
{
	uint64_t i;
	size_t n;

	for (n = 0; n < t->cuts; n++)
		for (i = 0; i < t->chunks; i++)
			t->cut[n].touched[i] |= !!chunks[i];
}

void truth_save(const struct truth *t, const char *path)
{
	size_t n = t->cuts < SAVED_MOST ? t->cuts : SAVED_MOST, i;
	FILE *f = fopen(path, "w");

	if (!f)
		err(2, "cannot write '%s'", path);
	fwrite(&n, sizeof(n), 1, f);
	for (i = t->cuts - n; i < t->cuts; i++) {
		fwrite(t->cut[i].id, TRUTH_ID, 1, f);
		fwrite(t->cut[i].hash, sizeof(uint64_t), t->sectors, f);
		fwrite(t->cut[i].touched, 1, t->chunks, f);
	}
	if (fclose(f))
		err(2, "cannot write '%s'", path);
}

void truth_load(struct truth *t, const char *path)
{
	FILE *f = fopen(path, "r");
	struct cut *cut;
	size_t n;

	if (!f || fread(&n, sizeof(n), 1, f) != 1)
		err(2, "cannot read '%s'", path);
	while (n--) {
		cut = add(t);
		if (fread(cut->id, TRUTH_ID, 1, f) != 1 ||
		    fread(cut->hash, sizeof(uint64_t), t->sectors, f) !=
			    t->sectors ||
		    fread(cut->touched, 1, t->chunks, f) != t->chunks)
			errx(2, "'%s' is too short", path);
	}
	fclose(f);
}

/* The latest of this name. */
static const struct cut *find(const struct truth *t, const char *id)
{
	size_t i = t->cuts;

	while (i--)
		if (!strcmp(t->cut[i].id, id))
			return &t->cut[i];
	return NULL;
}

static bool differs(const struct truth *t, const struct cut *cut,
		    const struct cache *origin, uint64_t chunk)
{
	uint64_t first = chunk * t->chunk_sectors, n = t->chunk_sectors;

	if (first + n > t->sectors)
		n = t->sectors - first;
	return memcmp(cut->hash + first, origin->hash + first,
		      n * sizeof(*cut->hash));
}

static uint64_t missed(const struct truth *t, const struct cut *cut,
		       const struct verdict *v, const struct cache *origin,
		       const char *where)
{
	static unsigned int said;
	uint64_t i, n = 0;

	for (i = 0; i < t->chunks; i++) {
		if (v->reported[i] || !differs(t, cut, origin, i))
			continue;
		n++;
		if (said++ < SAID_MOST)
			printf("# missed: chunk %llu, cut %s, %s\n",
			       (unsigned long long)i, cut->id, where);
	}
	return n;
}

static void count_extra(const struct truth *t, const struct cut *cut,
			const struct verdict *v, const struct cache *origin,
			const uint8_t *excused, const char *where,
			struct score *score)
{
	uint64_t i, n = 0;

	for (i = 0; i < t->chunks; i++) {
		if (differs(t, cut, origin, i)) {
			score->differ++;
			continue;
		}
		if (!v->reported[i] || cut->touched[i])
			continue;
		if (excused[i])
			n++;
		else if (score->unexcused++ < SAID_MOST)
			printf("# reported for nothing: chunk %llu, cut %s, %s\n",
			       (unsigned long long)i, cut->id, where);
	}
	score->extra += n;
	if (n > score->extra_most)
		score->extra_most = n;
}

/* Without a base, everything must be reported. */
static uint64_t missed_of_all(const struct truth *t, const struct verdict *v,
			      const char *where)
{
	uint64_t i, n = 0;

	for (i = 0; i < t->chunks; i++)
		n += !v->reported[i];
	if (n)
		printf("# missed: %llu chunks, with no base, %s\n",
		       (unsigned long long)n, where);
	return n;
}

void truth_judge(const struct truth *t, const struct verdict *v,
		 const struct cache *origin, const uint8_t *excused,
		 const char *where, struct score *score)
{
	char *ids, *id, *save = NULL;
	const struct cut *cut;
	uint64_t n = 0;

	score->outcomes++;
	if (v->refused) {
		score->refused++;
		printf("# refused: %s\n", where);
		return;
	}
	if (!strcmp(v->base, "-")) {
		score->unbased++;
		n = missed_of_all(t, v, where);
	} else if ((cut = find(t, v->base))) {
		score->based++;
		n = missed(t, cut, v, origin, where);
		count_extra(t, cut, v, origin, excused, where, score);
	} else {
		score->strange++;
		printf("# never cut: base %s, %s\n", v->base, where);
	}
	ids = strdup(v->merged);
	for (id = strtok_r(ids, ",", &save); id && strcmp(id, "-");
	     id = strtok_r(NULL, ",", &save)) {
		cut = find(t, id);
		if (cut) {
			n += missed(t, cut, v, origin, where);
		} else {
			score->strange++;
			printf("# never cut: merged %s, %s\n", id, where);
		}
	}
	free(ids);
	score->missed += n;
	score->wrong += !!n;
}

static void parse_extents(const char *text, uint64_t chunks, uint8_t *to)
{
	unsigned long long first, len;
	int used;

	while (sscanf(text, "%llu+%llu%n", &first, &len, &used) == 2) {
		if (first + len > chunks)
			errx(2, "an extent past the end");
		memset(to + first, 1, len);
		text += used;
		text += *text == ',';
	}
	if (*text && *text != '-')
		errx(2, "not extents: '%.40s'", text);
}

static void parse(char *line, struct verdict *v, uint64_t chunks)
{
	char mode[16], base[TRUTH_ID], flags[128], merged[512];
	int used;

	v->reported = need(chunks, 1);
	if (!strcmp(line, "refused")) {
		v->refused = true;
		return;
	}
	if (sscanf(line, "%15s %32s %127s %511s %n", mode, base, flags, merged,
		   &used) != 4)
		errx(2, "not a verdict: '%.60s'", line);
	v->lost = !strcmp(mode, "lost");
	snprintf(v->base, sizeof(v->base), "%s", base);
	v->merged = strdup(merged);
	if (!v->merged)
		err(2, "no memory");
	parse_extents(line + used, chunks, v->reported);
}

struct verdict *verdicts_read(const char *path, size_t nr, uint64_t chunks)
{
	struct verdict *v = need(nr, sizeof(*v));
	FILE *f = fopen(path, "r");
	char *line = NULL, *rest;
	size_t room = 0, i;

	if (!f)
		err(2, "cannot open '%s'", path);
	while (getline(&line, &room, f) > 0) {
		i = strtoul(line, &rest, 10);
		line[strcspn(line, "\n")] = 0;
		if (rest == line || *rest != ' ')
			continue;
		if (i >= nr || v[i].reported)
			errx(2, "no verdict was wanted: '%.60s'", line);
		parse(rest + 1, &v[i], chunks);
	}
	free(line);
	fclose(f);
	for (i = 0; i < nr; i++)
		if (!v[i].reported)
			errx(2, "no verdict about image %zu", i);
	return v;
}
