// SPDX-License-Identifier: MIT
#include "model/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define LEVELS 64

struct digest {
	uint8_t b[TM_DIGEST_BYTES];
};

struct tm_tree {
	uint64_t chunks, leaves;
	EVP_MD_CTX *ctx;
	bool *known;
	struct digest *leaf;
};

int tm_tree_new(uint64_t chunks, struct tm_tree **ret)
{
	uint64_t leaves = chunks / TM_TREE_LEAF_CHUNKS +
		!!(chunks % TM_TREE_LEAF_CHUNKS);
	struct tm_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->chunks = chunks;
	t->leaves = leaves;
	t->ctx = EVP_MD_CTX_new();
	t->known = calloc(leaves + 1, sizeof(*t->known));
	t->leaf = calloc(leaves + 1, sizeof(*t->leaf));
	if (!t->ctx || !t->known || !t->leaf) {
		tm_tree_free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void tm_tree_free(struct tm_tree *t)
{
	if (!t)
		return;
	EVP_MD_CTX_free(t->ctx);
	free(t->known);
	free(t->leaf);
	free(t);
}

uint64_t tm_tree_leaves(const struct tm_tree *t)
{
	return t->leaves;
}

static uint64_t chunks_in(const struct tm_tree *t, uint64_t leaf)
{
	uint64_t left = t->chunks - leaf * TM_TREE_LEAF_CHUNKS;

	return left < TM_TREE_LEAF_CHUNKS ? left : TM_TREE_LEAF_CHUNKS;
}

/* What leaves and nodes begin with keeps one from being taken for the other. */
static int hash(struct tm_tree *t, uint8_t kind, const void *a, size_t a_len,
		const void *b, size_t b_len, struct digest *ret)
{
	if (!EVP_DigestInit_ex(t->ctx, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(t->ctx, &kind, 1) ||
	    !EVP_DigestUpdate(t->ctx, a, a_len) ||
	    !EVP_DigestUpdate(t->ctx, b, b_len) ||
	    !EVP_DigestFinal_ex(t->ctx, ret->b, NULL))
		return -EIO;
	return 0;
}

static int hash_leaf(struct tm_tree *t, uint64_t leaf, const void *entries,
		     struct digest *ret)
{
	return hash(t, 0, entries, chunks_in(t, leaf) * TM_HASH_SIZE, NULL, 0,
		    ret);
}

/* The node above the two takes the place of the left one. */
static int hash_node(struct tm_tree *t, struct digest pair[2])
{
	return hash(t, 1, &pair[0], sizeof(pair[0]), &pair[1],
		    sizeof(pair[1]), &pair[0]);
}

int tm_tree_set(struct tm_tree *t, uint64_t leaf, const void *entries)
{
	int r;

	if (leaf >= t->leaves)
		return 0;
	r = hash_leaf(t, leaf, entries, &t->leaf[leaf]);
	t->known[leaf] = !r;
	return r;
}

int tm_tree_differs(struct tm_tree *t, uint64_t leaf, const void *entries,
		    bool *ret)
{
	struct digest now;
	int r;

	*ret = false;
	if (leaf >= t->leaves || !t->known[leaf])
		return 0;
	r = hash_leaf(t, leaf, entries, &now);
	*ret = !r && memcmp(&now, &t->leaf[leaf], sizeof(now));
	return r;
}

void tm_tree_take(struct tm_tree *t, const struct tm_tree *from)
{
	uint64_t i;

	for (i = 0; i < t->leaves && i < from->leaves; i++) {
		if (chunks_in(t, i) != chunks_in(from, i))
			continue;
		t->leaf[i] = from->leaf[i];
		t->known[i] = from->known[i];
	}
}

/*
 * The stack holds the hashes of whole subtrees, each of a power of two of leaves
 * and larger than the next: the ones in the binary number of leaves so far.
 */
int tm_tree_hash(struct tm_tree *t, uint8_t ret[TM_DIGEST_BYTES])
{
	struct digest stack[LEVELS];
	unsigned int n = 0;
	uint64_t i, bits;
	int r = 0;

	if (!t->leaves)
		return -ENODATA;
	for (i = 0; i < t->leaves && !r; i++) {
		if (!t->known[i])
			return -ENODATA;
		stack[n++] = t->leaf[i];
		for (bits = i; bits & 1 && !r; bits >>= 1, n--)
			r = hash_node(t, &stack[n - 2]);
	}
	for (; n > 1 && !r; n--)
		r = hash_node(t, &stack[n - 2]);
	if (!r)
		memcpy(ret, stack[0].b, TM_DIGEST_BYTES);
	return r;
}

const void *tm_tree_bytes(const struct tm_tree *t, size_t *ret_len)
{
	*ret_len = t->leaves * sizeof(*t->leaf);
	return t->leaf;
}

int tm_tree_load(struct tm_tree *t, const void *bytes, size_t len)
{
	if (len != t->leaves * sizeof(*t->leaf))
		return -EBADMSG;
	memcpy(t->leaf, bytes, len);
	memset(t->known, 1, t->leaves * sizeof(*t->known));
	return 0;
}
