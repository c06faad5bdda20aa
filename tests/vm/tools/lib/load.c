// SPDX-License-Identifier: MIT
#include "load.h"

#include "clock.h"
#include "dm.h"
#include "io.h"
#include "rig.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads into what is there: images are taken often. */
static void image(struct load *load, uint8_t *to)
{
	uint64_t off, step = 1 << 20;
	int r;

	for (off = 0; off < load->size; off += step) {
		if (step > load->size - off)
			step = load->size - off;
		r = io_read(load->origin_fd, to + off, step, off);
		if (r)
			tap_bail("cannot read the origin: %s", strerror(-r));
	}
}

static int write_once(struct load_writer *w, uint64_t at, uint64_t len)
{
	int kind = rand_r(&w->seed) % 16, r;

	if (kind == 0) {
		r = io_discard(w->fd, at, len);
		return r == -EOPNOTSUPP ? 0 : r;
	}
	if (kind == 1)
		return io_zero(w->fd, at, len);
	if (kind == 2)
		return io_write_dsync(w->fd, at, len, w->seed);
	if (kind == 3) {
		r = io_write_nowait(w->fd, at, len, w->seed);
		return r == -EAGAIN ? 0 : r;
	}
	return io_write(w->fd, at, len, w->seed);
}

static void write_some(struct load_writer *w)
{
	struct load *load = w->load;
	uint64_t blocks = load->size / load->block, at, len, took;
	int r;

	at = rand_r(&w->seed) % blocks;
	len = 1 + rand_r(&w->seed) % (rand_r(&w->seed) % 8 ? 8 : 256);
	if (len > blocks - at)
		len = blocks - at;
	at *= load->block;
	len *= load->block;
	pthread_mutex_lock(&load->lock);
	w->busy_start = at / load->chunk;
	w->busy_len = (at + len - 1) / load->chunk - w->busy_start + 1;
	chunks_add(&load->may_current, w->busy_start, w->busy_len);
	pthread_mutex_unlock(&load->lock);

	took = clock_ns();
	r = write_once(w, at, len);
	took = clock_ns() - took;

	pthread_mutex_lock(&load->lock);
	if (took > load->slowest_ns)
		load->slowest_ns = took;
	w->busy_len = 0;
	load->writes++;
	if (r && !load->error)
		load->error = r;
	pthread_mutex_unlock(&load->lock);
}

static void *writer_main(void *arg)
{
	struct load_writer *w = arg;
	struct load *load = w->load;

	pthread_mutex_lock(&load->lock);
	while (!load->end) {
		if (!load->run) {
			if (w->fd >= 0) {
				close(w->fd);
				w->fd = -1;
				load->idle++;
				pthread_cond_broadcast(&load->change);
			}
			pthread_cond_wait(&load->change, &load->lock);
			continue;
		}
		if (w->fd < 0) {
			w->fd = io_open(load->path, O_RDWR);
			load->idle--;
			pthread_cond_broadcast(&load->change);
		}
		pthread_mutex_unlock(&load->lock);
		write_some(w);
		pthread_mutex_lock(&load->lock);
	}
	pthread_mutex_unlock(&load->lock);
	return NULL;
}

void load_init(struct load *load, const char *origin, uint64_t chunk,
	       unsigned int seed)
{
	uint64_t total;
	int i;

	memset(load, 0, sizeof(*load));
	pthread_mutex_init(&load->lock, NULL);
	pthread_cond_init(&load->change, NULL);
	load->origin_fd = io_open(origin, O_RDONLY);
	load->size = io_size(load->origin_fd);
	load->block = io_block_size(load->origin_fd);
	load->chunk = chunk;
	load->base = io_buffer(load->size);
	load->cut = io_buffer(load->size);
	total = (load->size + chunk - 1) / chunk;
	chunks_init(&load->may_current, total);
	chunks_init(&load->may_frozen, total);
	load->idle = LOAD_WRITERS;
	for (i = 0; i < LOAD_WRITERS; i++) {
		load->writer[i] = (struct load_writer){
			.load = load, .seed = seed + i, .fd = -1,
		};
		if (pthread_create(&load->writer[i].thread, NULL, writer_main,
				   &load->writer[i]))
			tap_bail("cannot start a thread");
	}
}

void load_done(struct load *load)
{
	int i;

	load_stop(load);
	pthread_mutex_lock(&load->lock);
	load->end = true;
	pthread_cond_broadcast(&load->change);
	pthread_mutex_unlock(&load->lock);
	for (i = 0; i < LOAD_WRITERS; i++)
		pthread_join(load->writer[i].thread, NULL);
	close(load->origin_fd);
	free(load->base);
	free(load->cut);
	chunks_done(&load->may_current);
	chunks_done(&load->may_frozen);
}

void load_start(struct load *load)
{
	int r;

	pthread_mutex_lock(&load->lock);
	/* here, since libdevmapper is for one thread */
	r = dmt_path(RIG_NAME, load->path, sizeof(load->path));
	if (r)
		tap_bail("cannot find the device's node: %s", strerror(-r));
	load->run = true;
	pthread_cond_broadcast(&load->change);
	while (load->idle)
		pthread_cond_wait(&load->change, &load->lock);
	pthread_mutex_unlock(&load->lock);
}

void load_stop(struct load *load)
{
	pthread_mutex_lock(&load->lock);
	load->run = false;
	pthread_cond_broadcast(&load->change);
	while (load->idle < LOAD_WRITERS)
		pthread_cond_wait(&load->change, &load->lock);
	pthread_mutex_unlock(&load->lock);
}

void load_cut(struct load *load)
{
	int i;

	image(load, load->cut);
	load->has_cut = true;
	pthread_mutex_lock(&load->lock);
	chunks_copy(&load->may_frozen, &load->may_current);
	chunks_clear(&load->may_current);
	/* held back by the suspension: theirs is the new epoch */
	for (i = 0; i < LOAD_WRITERS; i++)
		chunks_add(&load->may_current, load->writer[i].busy_start,
			   load->writer[i].busy_len);
	pthread_mutex_unlock(&load->lock);
}

void load_commit(struct load *load)
{
	uint8_t *old = load->base;

	if (!load->has_cut)
		return;
	load->base = load->cut;
	load->cut = old;
	load->has_base = true;
	load->has_cut = false;
	chunks_clear(&load->may_frozen);
}

void load_abort(struct load *load)
{
	pthread_mutex_lock(&load->lock);
	chunks_unite(&load->may_current, &load->may_frozen);
	chunks_clear(&load->may_frozen);
	pthread_mutex_unlock(&load->lock);
	load->has_cut = false;
}

void load_anything(struct load *load)
{
	pthread_mutex_lock(&load->lock);
	chunks_add(&load->may_current, 0, load->may_current.total);
	chunks_add(&load->may_frozen, 0, load->may_frozen.total);
	pthread_mutex_unlock(&load->lock);
}

static bool differs(const struct load *load, const uint8_t *a,
		    const uint8_t *b, uint64_t chunk)
{
	uint64_t at = chunk * load->chunk, len = load->chunk;

	if (len > load->size - at)
		len = load->size - at;
	return memcmp(a + at, b + at, len);
}

void load_check(struct load *load, const struct chunks *current,
		const struct chunks *frozen, uint64_t *ret_missed,
		uint64_t *ret_extra)
{
	uint64_t missed = 0, extra = 0, i;
	uint8_t *now = io_buffer(load->size);

	image(load, now);
	for (i = 0; i < current->total; i++) {
		if (load->has_cut) {
			/* each epoch answers for its own time */
			if (!current->has[i])
				missed += differs(load, load->cut, now, i);
			if (!frozen->has[i] && load->has_base)
				missed += differs(load, load->base,
						  load->cut, i);
		} else if (load->has_base && !current->has[i]) {
			missed += differs(load, load->base, now, i);
		}
		extra += current->has[i] && !load->may_current.has[i];
		extra += frozen->has[i] && !load->may_frozen.has[i];
	}
	free(now);
	*ret_missed = missed;
	*ret_extra = extra;
}
