// SPDX-License-Identifier: MIT
#include "port/xmlwalk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#define DEPTH_MAX 8
#define NAME_SIZE 128
#define TEXT_MAX (64u << 10)

struct state {
	const struct xmlwalk *walk;
	XML_Parser parser;
	int r;
	unsigned int depth;
	char names[DEPTH_MAX][NAME_SIZE];
	char *text;		/* of the innermost element, so far */
	size_t len;
};

static void stop(struct state *s, int r)
{
	if (!s->r)
		s->r = r;
	XML_StopParser(s->parser, XML_FALSE);
}

static void on_begin(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct state *s = arg;
	int r = 0;

	(void)atts;
	if (s->r)
		return;
	if (s->depth == DEPTH_MAX || strlen(name) >= NAME_SIZE) {
		stop(s, -EPROTO);
		return;
	}
	strcpy(s->names[s->depth++], name);
	s->len = 0;
	if (s->walk->begin)
		r = s->walk->begin(s->walk->arg, name);
	if (r)
		stop(s, r);
}

static void on_end(void *arg, const XML_Char *name)
{
	struct state *s = arg;
	int r;

	if (s->r)
		return;
	s->depth--;
	s->text[s->len] = '\0';
	r = s->walk->end(s->walk->arg, s->depth ? s->names[s->depth - 1] : "",
			 name, s->text);
	s->len = 0;
	if (r)
		stop(s, r);
}

static void on_text(void *arg, const XML_Char *data, int len)
{
	struct state *s = arg;

	if (s->r)
		return;
	if ((size_t)len > TEXT_MAX - s->len) {
		stop(s, -EPROTO);
		return;
	}
	memcpy(s->text + s->len, data, (size_t)len);
	s->len += (size_t)len;
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	stop(arg, -EPROTO);
}

int xmlwalk_parse(const struct xmlwalk *walk, const char *data, size_t len)
{
	struct state s = { .walk = walk };

	if (!data || len > INT_MAX)
		return -EPROTO;
	s.text = malloc(TEXT_MAX + 1);
	s.parser = XML_ParserCreate(NULL);
	if (!s.text || !s.parser) {
		s.r = -ENOMEM;
		goto out;
	}
	XML_SetUserData(s.parser, &s);
	XML_SetElementHandler(s.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(s.parser, on_text);
	XML_SetStartDoctypeDeclHandler(s.parser, on_doctype);
	if (XML_Parse(s.parser, data, (int)len, 1) != XML_STATUS_OK && !s.r)
		s.r = XML_GetErrorCode(s.parser) == XML_ERROR_NO_MEMORY ?
			      -ENOMEM : -EPROTO;
out:
	XML_ParserFree(s.parser);
	free(s.text);
	return s.r;
}
