// SPDX-License-Identifier: MIT
#include "model/console.h"

#include <string.h>

enum state {
	PLAIN,
	ESCAPE,		/* ESC has come */
	CONTROL,	/* ESC [, until a final byte */
	STRING,		/* ESC ] and the like, until BEL or ESC \ */
	SKIP,		/* one more byte */
};

static enum state after_escape(unsigned char byte)
{
	if (byte == '[')
		return CONTROL;
	if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' ||
	    byte == '_')
		return STRING;
	return byte >= ' ' && byte < '0' ? SKIP : PLAIN;
}

/* Is @byte something to see? */
static bool is_text(struct tm_console *c, unsigned char byte)
{
	if (byte == 0x1b) {
		c->state = ESCAPE;
		return false;
	}
	switch ((enum state)c->state) {
	case PLAIN:
		return byte == '\n' || byte == '\t' ||
			(byte >= ' ' && byte != 0x7f);
	case ESCAPE:
		c->state = after_escape(byte);
		return false;
	case CONTROL:
		if (byte >= '@' && byte <= '~')
			c->state = PLAIN;
		return false;
	case STRING:
		if (byte == '\a')
			c->state = PLAIN;
		return false;
	case SKIP:
		c->state = PLAIN;
		return false;
	}
	return false;
}

static bool ends_in_c2(const struct tm_console *c)
{
	return c->len && (unsigned char)c->text[c->len - 1] == 0xc2;
}

/* U+0080 to U+009F are controls, too: some terminals take U+009B for ESC [. */
static void keep(struct tm_console *c, char byte)
{
	if ((unsigned char)byte >= 0x80 && (unsigned char)byte < 0xa0 &&
	    ends_in_c2(c)) {
		c->text[c->len - 1] = '?';
		return;
	}
	if (c->len == sizeof(c->text)) {
		c->len /= 2;
		memcpy(c->text, c->text + sizeof(c->text) - c->len, c->len);
	}
	c->text[c->len++] = byte;
}

bool tm_console_take(struct tm_console *c, const char *bytes, size_t len,
		     const char *sign)
{
	size_t size = strlen(sign), i;
	bool seen = false;

	for (i = 0; i < len; i++) {
		if (!is_text(c, (unsigned char)bytes[i]))
			continue;
		keep(c, bytes[i]);
		seen |= c->len >= size &&
			!memcmp(c->text + c->len - size, sign, size);
	}
	return seen;
}

static json_t *line_json(const char *text, size_t len)
{
	char line[TM_CONSOLE_KEPT];
	json_t *json = json_stringn(text, len);
	size_t i;

	if (json)
		return json;
	for (i = 0; i < len; i++)
		line[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	return json_stringn(line, len);
}

json_t *tm_console_lines(const struct tm_console *c, size_t most)
{
	size_t end = c->len, begin;
	json_t *list = json_array();

	while (list && end && json_array_size(list) < most) {
		for (begin = end; begin && c->text[begin - 1] != '\n';)
			begin--;
		if (end > begin &&
		    json_array_insert_new(list, 0, line_json(c->text + begin,
							     end - begin))) {
			json_decref(list);
			return NULL;
		}
		end = begin ? begin - 1 : 0;
	}
	return list;
}
