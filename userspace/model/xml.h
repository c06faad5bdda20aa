/* SPDX-License-Identifier: MIT */
/*
 * xml.h - writing XML: elements, attributes, text
 *
 * The first failure sticks, and tm_xml_end() tells of it. Names are ours; values
 * may be anything, and what XML cannot hold is refused: control characters, what
 * is no UTF-8.
 *
 * Why not libxml2's writer: with it comes ICU, 31 MB for every machine and guest
 * that runs the program, and nothing else here needs either.
 */
#ifndef TIDEMARK_MODEL_XML_H
#define TIDEMARK_MODEL_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TM_XML_DEPTH 16

struct tm_xml {
	FILE *out;
	char *text;
	size_t len;
	const char *open[TM_XML_DEPTH];	/* elements */
	size_t depth;
	bool in_tag;		/* the last one may still get attributes */
	bool holds_text;	/* and so ends on its line */
	int r;
};

/* Begins a document. 0 or -ENOMEM. */
int tm_xml_init(struct tm_xml *x);

/* @name is borrowed until the element ends. */
void tm_xml_begin(struct tm_xml *x, const char *name);
/* Of the element that has just begun. */
void tm_xml_attribute(struct tm_xml *x, const char *name, const char *value);
void tm_xml_text(struct tm_xml *x, const char *value);
void tm_xml_close(struct tm_xml *x);

/*
 * Ends the document, in any case, all elements being closed. *ret is malloc()ed.
 * 0, -ENOMEM, -EINVAL: a value that XML cannot hold.
 */
int tm_xml_end(struct tm_xml *x, char **ret);

#endif
