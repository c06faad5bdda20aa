/* SPDX-License-Identifier: MIT */
/*
 * attached.h - this machine's records of tracked devices, STATE/attached/
 *
 * @state is the state directory, /var/lib/tidemark. All return 0 or -errno with
 * @err set.
 */
#ifndef TIDEMARK_ENGINE_ATTACHED_H
#define TIDEMARK_ENGINE_ATTACHED_H

#include <stdbool.h>
#include <stddef.h>

#include "model/attachdoc.h"
#include "model/error.h"

/* -ENOENT, without @err, when nothing is recorded of @device. */
int attached_load(const char *state, const char *device,
		  struct tm_attached *ret, struct tm_error *err);
int attached_save(const char *state, const struct tm_attached *a,
		  struct tm_error *err);
int attached_forget(const char *state, const char *device,
		    struct tm_error *err);

/* The names of all recorded devices, sorted; free with attached_free_list(). */
int attached_list(const char *state, char ***ret, size_t *ret_n,
		  struct tm_error *err);
void attached_free_list(char **names, size_t n);

/*
 * A device node for @place, which is a block device or a regular file: a file
 * is attached to a loop device. "-" gives "". @ret has room for TM_DEVICE_SIZE.
 * *@ret_made, if not NULL: a loop device was attached for it just now.
 */
int attached_node(const char *place, char *ret, bool *ret_made,
		  struct tm_error *err);

/* Detaches the loop device of @place, if it is a file that has one. */
void attached_let_go(const char *place);

#endif
