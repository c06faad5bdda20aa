// SPDX-License-Identifier: MIT
#include "model/prom.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tm_prom_init(struct tm_prom *p, const struct tm_prom_family *families,
		  size_t n_families)
{
	*p = (struct tm_prom){
		.families = families,
		.n_families = n_families,
	};
}

void tm_prom_done(struct tm_prom *p)
{
	while (p->n)
		free(p->v[--p->n].key);
	free(p->v);
	p->v = NULL;
}

static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

/* name{label="value",...}; without braces where there are no labels. */
static char *key_of(const char *family, const struct tm_prom_label *labels)
{
	const struct tm_prom_label *l;
	char *key = NULL;
	size_t len;
	FILE *out = open_memstream(&key, &len);

	if (!out)
		return NULL;
	fputs(family, out);
	for (l = labels; l && l->name; l++) {
		fputc(l == labels ? '{' : ',', out);
		put_label(out, l->name, l->value);
	}
	if (labels && labels->name)
		fputc('}', out);
	if (fclose(out)) {
		free(key);
		return NULL;
	}
	return key;
}

static struct tm_prom_sample *find(const struct tm_prom *p, const char *key)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!strcmp(p->v[i].key, key))
			return &p->v[i];
	return NULL;
}

/* The sample called @key, which is taken, made if need be; NULL: no memory. */
static struct tm_prom_sample *sample_of(struct tm_prom *p, char *key)
{
	struct tm_prom_sample *s = key ? find(p, key) : NULL;

	if (s || !key) {
		free(key);
		return s;
	}
	s = realloc(p->v, (p->n + 1) * sizeof(*s));
	if (!s) {
		free(key);
		return NULL;
	}
	p->v = s;
	s = &p->v[p->n++];
	*s = (struct tm_prom_sample){ .key = key };
	return s;
}

static const struct tm_prom_family *family_of(const struct tm_prom *p,
					      const char *key)
{
	size_t len = strcspn(key, "{"), i;

	for (i = 0; i < p->n_families; i++)
		if (strlen(p->families[i].name) == len &&
		    !strncmp(p->families[i].name, key, len))
			return &p->families[i];
	return NULL;
}

/* A line of our own making: the last space is what parts key and value. */
static int read_line(struct tm_prom *p, char *line)
{
	char *space = strrchr(line, ' '), *end;
	struct tm_prom_sample *s;
	double value;

	if (*line == '#' || !space || !space[1])
		return 0;
	*space = '\0';
	value = strtod(space + 1, &end);
	if (*end || !isfinite(value) || !family_of(p, line) ||
	    (strchr(line, '{') && space[-1] != '}'))
		return 0;
	s = sample_of(p, strdup(line));
	if (!s)
		return -ENOMEM;
	s->value = value;
	return 0;
}

int tm_prom_read(struct tm_prom *p, const char *text)
{
	char *copy = strdup(text), *at = copy, *line;
	int r = copy ? 0 : -ENOMEM;

	while (!r && (line = strsep(&at, "\n")))
		r = read_line(p, line);
	free(copy);
	return r;
}

int tm_prom_set(struct tm_prom *p, const char *family,
		const struct tm_prom_label *labels, double value)
{
	struct tm_prom_sample *s = sample_of(p, key_of(family, labels));

	if (!s)
		return -ENOMEM;
	s->value = value;
	return 0;
}

int tm_prom_add(struct tm_prom *p, const char *family,
		const struct tm_prom_label *labels, double value)
{
	struct tm_prom_sample *s = sample_of(p, key_of(family, labels));

	if (!s)
		return -ENOMEM;
	s->value += value;
	return 0;
}

bool tm_prom_get(const struct tm_prom *p, const char *family,
		 const struct tm_prom_label *labels, double *ret)
{
	char *key = key_of(family, labels);
	const struct tm_prom_sample *s = key ? find(p, key) : NULL;

	free(key);
	if (s)
		*ret = s->value;
	return s;
}

/* Makes *@ret tell whether @key begins with @family, @first and @label's. */
static int among(const char *key, const char *family,
		 const struct tm_prom_label *first, const char *label,
		 const char *value, bool *ret)
{
	const struct tm_prom_label labels[] = {
		*first, { label, value ? value : "" }, { NULL, NULL }
	};
	char *whole = key_of(family, labels);
	size_t len;

	if (!whole)
		return -ENOMEM;
	/* With no value given any will do: the quote and brace at the end go. */
	len = strlen(whole) - (value ? 1 : 2);
	*ret = !strncmp(key, whole, len) &&
	       (!value || key[len] == '}' || key[len] == ',');
	free(whole);
	return 0;
}

static int is_kept(const char *key, const char *family,
		   const struct tm_prom_label *first, const char *label,
		   const char *const *values, size_t n, bool *ret)
{
	bool concerned, found = false;
	int r = among(key, family, first, label, NULL, &concerned);

	while (!r && n-- && !found)
		r = among(key, family, first, label, values[n], &found);
	if (!r)
		*ret = !concerned || found;
	return r;
}

int tm_prom_keep(struct tm_prom *p, const char *family,
		 const struct tm_prom_label *first, const char *label,
		 const char *const *values, size_t n)
{
	size_t i = 0;
	bool keep;
	int r;

	while (i < p->n) {
		r = is_kept(p->v[i].key, family, first, label, values, n,
			    &keep);
		if (r)
			return r;
		if (keep) {
			i++;
			continue;
		}
		free(p->v[i].key);
		memmove(&p->v[i], &p->v[i + 1],
			(--p->n - i) * sizeof(*p->v));
	}
	return 0;
}

/* Whole numbers as such, so that no counter loses digits; others to 1/1000. */
static void put_family(const struct tm_prom *p,
		       const struct tm_prom_family *family, FILE *out)
{
	bool first = true;
	size_t i;

	for (i = 0; i < p->n; i++) {
		const struct tm_prom_sample *s = &p->v[i];

		if (family_of(p, s->key) != family)
			continue;
		if (first)
			fprintf(out, "# HELP %s %s\n# TYPE %s %s\n",
				family->name, family->help, family->name,
				family->type);
		first = false;
		fprintf(out, s->value == floor(s->value) ? "%s %.0f\n" :
			"%s %.3f\n", s->key, s->value);
	}
}

int tm_prom_text(const struct tm_prom *p, char **ret)
{
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	for (i = 0; i < p->n_families; i++)
		put_family(p, &p->families[i], out);
	if (fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
