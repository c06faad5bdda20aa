/* SPDX-License-Identifier: MIT */
/*
 * prom.h - numbers in Prometheus' text format, and back
 *
 * A set of samples, each a number under the name of a family and labels. What
 * families there are is told by a table, in whose order text is written. Text
 * that was written before is read back, so that counters go on; of such text,
 * lines that are not understood, and families that the table does not know, are
 * left out.
 * Source: "Exposition formats", prometheus.io; no time stamps, as node_exporter's
 * text-file collector wants it.
 */
#ifndef TIDEMARK_MODEL_PROM_H
#define TIDEMARK_MODEL_PROM_H

#include <stdbool.h>
#include <stddef.h>

struct tm_prom_family {
	const char *name;
	const char *type;	/* "gauge" or "counter" */
	const char *help;	/* without backslash and line end */
};

/* Any text as value. An array of them ends in one whose name is NULL. */
struct tm_prom_label {
	const char *name;
	const char *value;
};

struct tm_prom_sample {
	char *key;		/* owned: name{label="value",...} */
	double value;
};

struct tm_prom {
	const struct tm_prom_family *families;	/* borrowed */
	size_t n_families;
	struct tm_prom_sample *v;		/* owned */
	size_t n;
};

void tm_prom_init(struct tm_prom *p, const struct tm_prom_family *families,
		  size_t n_families);
void tm_prom_done(struct tm_prom *p);

/* Takes the samples of @text, which ends in a NUL. 0 or -ENOMEM. */
int tm_prom_read(struct tm_prom *p, const char *text);

/* Sets a sample, or adds to it, from 0 if there was none. 0 or -ENOMEM. */
int tm_prom_set(struct tm_prom *p, const char *family,
		const struct tm_prom_label *labels, double value);
int tm_prom_add(struct tm_prom *p, const char *family,
		const struct tm_prom_label *labels, double value);

/* False: there is no such sample. */
bool tm_prom_get(const struct tm_prom *p, const char *family,
		 const struct tm_prom_label *labels, double *ret);

/*
 * Takes away the samples of @family whose first label is @first and whose
 * second one, called @label, has none of the @n @values. 0 or -ENOMEM.
 */
int tm_prom_keep(struct tm_prom *p, const char *family,
		 const struct tm_prom_label *first, const char *label,
		 const char *const *values, size_t n);

/* malloc()ed text, which ends in a line end and a NUL. 0 or -ENOMEM. */
int tm_prom_text(const struct tm_prom *p, char **ret);

#endif
