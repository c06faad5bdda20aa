/* SPDX-License-Identifier: MIT */
/*
 * judge.h - is what the vault holds what was put there?
 *
 * The one place that decides it, for backup, restore and verify, from three
 * things: the root of a disk of a point (model/root.h), the tree over its hash
 * table (model/tree.h), and what this machine remembers (witness.h). Each
 * refusal is -EBADMSG with TM_EXIT_INTEGRITY.
 *
 * Who can write the vault but has not the disk's key cannot make a root. Who
 * has it too, as every reader of a vault that is not encrypted, can; but not
 * one that the machine remembers.
 */
#ifndef TIDEMARK_ENGINE_JUDGE_H
#define TIDEMARK_ENGINE_JUDGE_H

#include "engine/reader.h"
#include "engine/witness.h"

/*
 * Is the last point of @disk that this machine made still there, as it was? If
 * not, the vault was brought back to an older state, or the point replaced. One
 * that was deleted with `points delete`, or any of this with
 * config->accept_rollback, is only warned of. *@ret is what it remembers; NULL is
 * for those who only read: to them a memory that cannot be read is none.
 *
 * @known: a point that has been read already; it need not be read again.
 */
int judge_vault(struct vault *v, const char *container,
		const struct tm_id *item, const char *disk,
		const struct tm_point *known, struct tm_witness *ret,
		struct tm_error *err);

/* Is what the point says of this disk what was said when it was made? */
int judge_document(struct vault *v, const struct tm_point_disk *d,
		   struct tm_hasher *hasher, struct tm_error *err);

/* Is this the tree over the disk's table? */
int judge_tree(const struct tm_point_disk *d, struct tm_tree *tree,
	       struct tm_error *err);

/*
 * Is the table in the point's snapshot the one that the point had? All of it is
 * read, into @tree if that is not NULL.
 */
int judge_table(struct reader *r, struct tm_tree *tree, struct tm_error *err);

/*
 * Says that the table beside the disk is not as its last point left it. That
 * run has raised the numbers: to the next it is what an interrupted one has
 * left, and is compared with the disk.
 */
int judge_altered(const char *disk, struct tm_error *err);

#endif
