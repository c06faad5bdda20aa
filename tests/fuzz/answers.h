/* SPDX-License-Identifier: MIT */
/*
 * answers.h - what an operation makes of its replies, held against the replies
 *
 * For lists, a second reading that knows their usual form only.
 */
#ifndef TESTS_FUZZ_ANSWERS_H
#define TESTS_FUZZ_ANSWERS_H

#include "feed.h"
#include "port/blob.h"

/* Is it an error that port/blob.h tells of, and well told? */
void answer_check_error(int r, const struct blob_error *be);

void answer_check_written(const struct blob_written *written);
void answer_check_properties(const struct blob_properties *p);

/* One list, from the calls that it leads to. All zero to begin with. */
struct answer_list {
	const char *root;	/* elements: the outermost, an item's, and ... */
	const char *item;
	const char *needs;	/* ... what each item has to have */
	size_t items;
	size_t usual;		/* items of the usual form among all replies */
	bool unusual;		/* the replies have other things too */
	uint64_t sum;		/* of what was told, and of what is there */
	uint64_t usual_sum;
};

/* An item that was told of. */
void answer_name(struct answer_list *list, const char *name);
void answer_range(struct answer_list *list, uint64_t off, uint64_t len);

/* After a list that was read to its end: were those its items? */
void answer_check_list(struct answer_list *list, const uint8_t *replies,
		       size_t len);

#endif
