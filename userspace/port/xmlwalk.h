/* SPDX-License-Identifier: MIT */
/*
 * xmlwalk.h - goes through a reply in XML, element by element (expat)
 *
 * A document type declaration is refused: the service sends none, and entities
 * are how XML is abused.
 */
#ifndef TIDEMARK_PORT_XMLWALK_H
#define TIDEMARK_PORT_XMLWALK_H

#include <stddef.h>

struct xmlwalk {
	/* An element begins; may be NULL. */
	int (*begin)(void *arg, const char *name);
	/*
	 * An element ends. @parent is "" for the outermost; @text is what it
	 * held if it had no child elements, else "".
	 */
	int (*end)(void *arg, const char *parent, const char *name,
		   const char *text);
	void *arg;
};

/* 0; -EPROTO: not well-formed; -ENOMEM; non-zero from a callback. */
int xmlwalk_parse(const struct xmlwalk *walk, const char *data, size_t len);

#endif
