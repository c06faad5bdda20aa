// SPDX-License-Identifier: MIT
#include "model/xml.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int tm_xml_init(struct tm_xml *x)
{
	*x = (struct tm_xml){ .depth = 0 };
	x->out = open_memstream(&x->text, &x->len);
	if (!x->out)
		return -ENOMEM;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", x->out);
	return 0;
}

/* jansson knows what UTF-8 is; XML has no characters below the space. */
static bool can_be_held(const char *s)
{
	json_t *json = json_string(s);
	bool valid = json;

	json_decref(json);
	for (; valid && *s; s++)
		valid = (unsigned char)*s >= ' ';
	return valid;
}

static void put(struct tm_xml *x, const char *s)
{
	if (!can_be_held(s)) {
		x->r = -EINVAL;
		return;
	}
	for (; *s; s++) {
		switch (*s) {
		case '&':
			fputs("&amp;", x->out);
			break;
		case '<':
			fputs("&lt;", x->out);
			break;
		case '>':
			fputs("&gt;", x->out);
			break;
		case '"':
			fputs("&quot;", x->out);
			break;
		default:
			fputc(*s, x->out);
		}
	}
}

static void end_tag(struct tm_xml *x)
{
	if (x->in_tag)
		fputc('>', x->out);
	x->in_tag = false;
}

static void new_line(struct tm_xml *x, size_t depth)
{
	fputc('\n', x->out);
	while (depth--)
		fputs("  ", x->out);
}

void tm_xml_begin(struct tm_xml *x, const char *name)
{
	if (x->r || x->depth == TM_XML_DEPTH) {
		x->r = x->r ? x->r : -EINVAL;
		return;
	}
	end_tag(x);
	if (x->depth)
		new_line(x, x->depth);
	fputc('<', x->out);
	fputs(name, x->out);
	x->open[x->depth++] = name;
	x->in_tag = true;
	x->holds_text = false;
}

void tm_xml_attribute(struct tm_xml *x, const char *name, const char *value)
{
	if (x->r)
		return;
	fputc(' ', x->out);
	fputs(name, x->out);
	fputs("=\"", x->out);
	put(x, value);
	fputc('"', x->out);
}

void tm_xml_text(struct tm_xml *x, const char *value)
{
	if (x->r)
		return;
	end_tag(x);
	put(x, value);
	x->holds_text = true;
}

void tm_xml_close(struct tm_xml *x)
{
	const char *name;

	if (x->r)
		return;
	name = x->open[--x->depth];
	if (x->in_tag) {
		fputs("/>", x->out);
	} else {
		if (!x->holds_text)
			new_line(x, x->depth);
		fputs("</", x->out);
		fputs(name, x->out);
		fputc('>', x->out);
	}
	x->in_tag = x->holds_text = false;
}

int tm_xml_end(struct tm_xml *x, char **ret)
{
	int r = x->r;

	fputc('\n', x->out);
	if (ferror(x->out) && !r)
		r = -ENOMEM;
	if (fclose(x->out) && !r)
		r = -ENOMEM;
	if (r) {
		free(x->text);
		return r;
	}
	*ret = x->text;
	return 0;
}
