// SPDX-License-Identifier: MIT
#include "model/estimate.h"

#include "model/hashtable.h"
#include "model/vhd.h"

/* A walk over the chunks to ship, as a run takes them. */
struct walk {
	const struct tm_estimate_basis *basis;
	const struct tm_shipping *how;
	uint64_t puts, windows, slabs, pages;
	uint64_t groups;	/* runs of table pages that make one write */
	uint64_t used;		/* chunks in this window */
	uint64_t last_page;	/* with used */
	uint64_t last_slab;	/* with slabs */
};

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t bytes_of(const struct tm_estimate_basis *b,
			 const struct tm_extents *chunks)
{
	uint64_t count = tm_chunk_count(b->size, b->chunk_size);
	uint64_t bytes = tm_extents_total(chunks) * b->chunk_size;

	if (count && tm_extents_contains(chunks, count - 1, 1))
		bytes -= b->chunk_size -
			tm_chunk_len(b->size, b->chunk_size, count - 1);
	return bytes;
}

/* Chunks [@start, @start + @n), of one slab, that fit into the window. */
static void take(struct walk *w, uint64_t start, uint64_t n)
{
	uint64_t per_put = w->how->request_size / w->basis->chunk_size;
	uint64_t first = tm_hash_page_of(start);
	uint64_t last = tm_hash_page_of(start + n - 1);

	w->puts += ceil_div(n, per_put ? per_put : 1);
	if (!w->used)
		w->windows++;
	if (!w->used || first > w->last_page + 1 + w->how->gap_pages)
		w->groups++;
	w->pages += last - first + !(w->used && first == w->last_page);
	w->last_page = last;
	w->used += n;
	if (w->used == w->how->window_chunks)
		w->used = 0;
}

static void walk_extent(struct walk *w, const struct tm_extent *x)
{
	uint64_t at = x->start, end = x->start + x->len;

	while (at < end) {
		uint64_t slab = at / w->how->slab_chunks;
		uint64_t n = least(end - at, w->how->window_chunks - w->used);

		if (!w->slabs || slab != w->last_slab) {
			/* Windows end with a slab. */
			w->slabs++;
			w->last_slab = slab;
			w->used = 0;
			n = least(end - at, w->how->window_chunks);
		}
		n = least(n, (slab + 1) * w->how->slab_chunks - at);
		take(w, at, n);
		at += n;
	}
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void tm_estimate(struct tm_estimate *ret, const struct tm_estimate_basis *basis,
		 const struct tm_shipping *how)
{
	struct walk w = { .basis = basis, .how = how };
	struct tm_estimate e = { 0 };
	const struct tm_extent *x;
	uint64_t writes;

	tm_extents_for_each(x, basis->ship)
		walk_extent(&w, x);
	e.bytes_read = bytes_of(basis, basis->ship);
	e.bytes_sent = e.bytes_read;
	e.page_puts = w.puts;
	/* Entries are forgotten, the number is raised, they are written. */
	writes = (basis->fresh ? 1 : 2) * w.groups + w.windows;
	e.table_requests = writes + (basis->fresh ? 0 : w.slabs);
	e.requests = e.page_puts + e.table_requests + TM_ESTIMATE_DISK_REQUESTS;
	/* Disk and table are two blobs, each with a pace of its own. */
	e.seconds = most(ceil_div(e.bytes_sent,
				  least(how->bytes_per_s, TM_BLOB_BYTES_PER_S)),
			 ceil_div(most(w.puts, e.table_requests),
				  TM_BLOB_REQUESTS_PER_S));
	e.store_bytes = bytes_of(basis, basis->kept);
	e.store_per_mib_s = least(e.seconds << 20, e.store_bytes);
	e.bytes_added = e.bytes_sent + w.pages * TM_HASH_PAGE_SIZE;
	if (basis->fresh)
		e.bytes_added += TM_VHD_FOOTER_SIZE;
	*ret = e;
}

void tm_estimate_add(struct tm_estimate *to, const struct tm_estimate *from)
{
	to->bytes_read += from->bytes_read;
	to->bytes_sent += from->bytes_sent;
	to->page_puts += from->page_puts;
	to->table_requests += from->table_requests;
	to->requests += from->requests;
	to->seconds += from->seconds;
	to->store_bytes += from->store_bytes;
	to->store_per_mib_s += from->store_per_mib_s;
	to->bytes_added += from->bytes_added;
}

double tm_estimate_gb_months(const struct tm_estimate *e)
{
	return (double)e->bytes_added / (1u << 30);
}
