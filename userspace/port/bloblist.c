// SPDX-License-Identifier: MIT
#include "port/bloblist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port/blobcall.h"
#include "port/bloberror.h"
#include "port/blobprops.h"
#include "port/xmlwalk.h"

/* The most that the service puts into one page. */
#define PAGE_MAX "5000"

/* A list while it is parsed. */
struct list {
	bloblist_fn fn;
	bloblist_container_fn container_fn;
	void *arg;
	const char *prefix;	/* of all names */
	char *name;		/* of the item being read */
	char *snapshot;
	struct blob_properties properties;
	char *marker;		/* where the next page begins; NULL: none */
};

static void item_done(struct list *list)
{
	free(list->name);
	free(list->snapshot);
	list->name = list->snapshot = NULL;
	blob_properties_done(&list->properties);
}

static int take(char **place, const char *text)
{
	free(*place);
	*place = strdup(text);
	return *place ? 0 : -ENOMEM;
}

static int on_blob_begin(void *arg, const char *name)
{
	if (!strcmp(name, "Blob"))
		item_done(arg);
	return 0;
}

/* Callers step over the prefix. */
static bool has_name(const struct list *list)
{
	return list->name &&
		!strncmp(list->name, list->prefix, strlen(list->prefix));
}

static int give_blob(struct list *list)
{
	struct bloblist_item item = {
		.name = list->name,
		.snapshot = list->snapshot,
		.properties = list->properties,
	};

	return has_name(list) ? list->fn(list->arg, &item) : -EPROTO;
}

/* Another document, a proxy's page say, would be a list of nothing. */
static int check_root(const char *name)
{
	return strcmp(name, "EnumerationResults") ? -EPROTO : 0;
}

static int on_blob_end(void *arg, const char *parent, const char *name,
		       const char *text)
{
	struct list *list = arg;

	if (!strcmp(parent, "Blob") && !strcmp(name, "Name"))
		return take(&list->name, text);
	if (!strcmp(parent, "Blob") && !strcmp(name, "Snapshot"))
		return take(&list->snapshot, text);
	if (!strcmp(parent, "Properties"))
		return *text ? blobprops_set(&list->properties, name, text) :
			       0;
	if (!strcmp(parent, "Metadata"))
		return fields_add(&list->properties.metadata, name, text);
	if (!strcmp(parent, "Blobs") && !strcmp(name, "Blob"))
		return give_blob(list);
	if (!*parent)
		return check_root(name);
	if (!strcmp(name, "NextMarker") && *text)
		return take(&list->marker, text);
	return 0;
}

static int on_container_begin(void *arg, const char *name)
{
	if (!strcmp(name, "Container"))
		item_done(arg);
	return 0;
}

static int on_container_end(void *arg, const char *parent, const char *name,
			    const char *text)
{
	struct list *list = arg;

	if (!strcmp(parent, "Container") && !strcmp(name, "Name"))
		return take(&list->name, text);
	if (!strcmp(parent, "Containers") && !strcmp(name, "Container"))
		return has_name(list) ?
			list->container_fn(list->arg, list->name) : -EPROTO;
	if (!*parent)
		return check_root(name);
	if (!strcmp(name, "NextMarker") && *text)
		return take(&list->marker, text);
	return 0;
}

/* One page, for which @call is prepared but for the marker. Consumes @call. */
static int list_page(struct blobcall *call, const struct xmlwalk *walk,
		     struct list *list, struct blob_error *reterr)
{
	char *from = list->marker;
	int r;

	list->marker = NULL;
	blobcall_query(call, "comp", "list");
	blobcall_query(call, "maxresults", PAGE_MAX);
	if (from)
		blobcall_query(call, "marker", from);
	r = blobcall_perform(call, reterr);
	if (!r)
		r = xmlwalk_parse(walk, call->reply.body, call->reply.body_len);
	/* A page that is followed by itself would never end. */
	if (!r && from && list->marker && !strcmp(from, list->marker))
		r = -EPROTO;
	free(from);
	if (r == -EPROTO && call->reply.status == 200)
		bloberror_senseless(&call->reply, "the list makes no sense",
				    reterr);
	item_done(list);
	blobcall_done(call);
	return r;
}

static const char *what(unsigned int flags)
{
	switch (flags & (BLOBLIST_SNAPSHOTS | BLOBLIST_METADATA)) {
	case BLOBLIST_SNAPSHOTS:
		return "snapshots";
	case BLOBLIST_METADATA:
		return "metadata";
	case BLOBLIST_SNAPSHOTS | BLOBLIST_METADATA:
		return "snapshots,metadata";
	default:
		return NULL;
	}
}

int bloblist(struct blobservice *service, const char *container,
	     const char *prefix, unsigned int flags, bloblist_fn fn, void *arg,
	     struct blob_error *reterr)
{
	struct list list = {
		.fn = fn, .arg = arg, .prefix = prefix ? prefix : "",
	};
	const struct xmlwalk walk = {
		.begin = on_blob_begin,
		.end = on_blob_end,
		.arg = &list,
	};
	struct blobcall call;
	int r;

	do {
		blobcall_init(&call, service, "GET", container, NULL);
		blobcall_query(&call, "restype", "container");
		if (*list.prefix)
			blobcall_query(&call, "prefix", list.prefix);
		if (what(flags))
			blobcall_query(&call, "include", what(flags));
		r = list_page(&call, &walk, &list, reterr);
	} while (!r && list.marker);
	free(list.marker);
	return r;
}

int bloblist_containers(struct blobservice *service, const char *prefix,
			bloblist_container_fn fn, void *arg,
			struct blob_error *reterr)
{
	struct list list = {
		.container_fn = fn, .arg = arg, .prefix = prefix ? prefix : "",
	};
	const struct xmlwalk walk = {
		.begin = on_container_begin,
		.end = on_container_end,
		.arg = &list,
	};
	struct blobcall call;
	int r;

	do {
		blobcall_init(&call, service, "GET", NULL, NULL);
		if (*list.prefix)
			blobcall_query(&call, "prefix", list.prefix);
		r = list_page(&call, &walk, &list, reterr);
	} while (!r && list.marker);
	free(list.marker);
	return r;
}
