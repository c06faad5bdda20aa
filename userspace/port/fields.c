// SPDX-License-Identifier: MIT
#include "port/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "port/crypto.h"

void fields_done(struct fields *fields)
{
	size_t i;

	for (i = 0; i < fields->count; i++) {
		free(fields->item[i].name);
		secret_free(fields->item[i].value);
	}
	free(fields->item);
	*fields = (struct fields){ 0 };
}

int fields_add(struct fields *fields, const char *name, const char *value)
{
	struct field *item, new;

	item = reallocarray(fields->item, fields->count + 1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	fields->item = item;
	new.name = strdup(name);
	new.value = strdup(value);
	if (!new.name || !new.value) {
		free(new.name);
		secret_free(new.value);
		return -ENOMEM;
	}
	item[fields->count++] = new;
	return 0;
}

int fields_set(struct fields *fields, const char *name, const char *value)
{
	char *copy;
	size_t i;

	for (i = 0; i < fields->count; i++)
		if (!strcasecmp(fields->item[i].name, name))
			break;
	if (i == fields->count)
		return fields_add(fields, name, value);
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	secret_free(fields->item[i].value);
	fields->item[i].value = copy;
	return 0;
}

int fields_addf(struct fields *fields, const char *name, const char *format,
		...)
{
	va_list ap;
	char *value;
	int r;

	va_start(ap, format);
	r = vasprintf(&value, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	r = fields_add(fields, name, value);
	secret_free(value);
	return r;
}

const char *fields_get(const struct fields *fields, const char *name)
{
	size_t i;

	for (i = 0; i < fields->count; i++)
		if (!strcasecmp(fields->item[i].name, name))
			return fields->item[i].value;
	return NULL;
}
