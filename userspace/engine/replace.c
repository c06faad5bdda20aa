// SPDX-License-Identifier: MIT
/* replace.c - a disk of this machine, back to a recovery point in place */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "engine/document.h"
#include "engine/entries.h"
#include "engine/hold.h"
#include "engine/points.h"
#include "engine/replace.h"
#include "engine/replacing.h"
#include "engine/reader.h"
#include "engine/sample.h"
#include "engine/source.h"
#include "port/file.h"

struct replace {
	struct vault *vault;
	const struct tm_disk *disk;
	const struct tm_point *point;
	const struct tm_point_disk *wanted;
	const struct replace_options *how;
	struct sink *sink;
	struct hold *hold;		/* of the point */
	int lock_fd;
	bool between;			/* two states: it is recorded */
	struct tm_replace doc;		/* what is recorded */
	struct tm_point newest;		/* that tracking may stand on */
	struct source_pending pending;
	struct held_base base;		/* disk NULL: nothing is known */
	struct replace_result result;
};

int replace_look(const struct tm_disk *disk, struct tm_error *err)
{
	struct stat st;
	int r;

	if (!stat(disk->path, &st)) {
		if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
			return 0;
		return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, disk->path,
				    "cannot bring disk '%s' back: '%s' is neither a file nor a block device",
				    disk->name, disk->path);
	}
	r = -errno;
	tm_error_set(err, r, r == -ENOENT || r == -ENOTDIR ?
		     TM_EXIT_NOT_FOUND : TM_EXIT_DEVICE, disk->path,
		     "cannot bring disk '%s' back in place: '%s': %s",
		     disk->name, disk->path, strerror(-r));
	tm_error_action(err, "bring it back elsewhere with 'tidemark restore disk %s TARGET'",
			disk->name);
	return r;
}

static int begin(struct replace *p, struct tm_error *err)
{
	const struct sink_place_options how = {
		.size = p->wanted->size, .look = p->how->dry,
		.state = p->vault->config->state, .keep_tracking = true,
	};
	const char *path = p->disk->path;
	struct stat st;
	int r;

	if (!stat(path, &st) && S_ISREG(st.st_mode))
		r = sink_image_new(path, &how, &p->sink, err);
	else
		r = sink_device_new(path, &how, &p->sink, err);
	return r ? r : p->sink->ops->begin(p->sink, err);
}

static int lock(struct replace *p, struct tm_error *err)
{
	const struct tm_config *config = p->vault->config;
	char path[512];
	int r;

	backup_lock_path(config, &p->disk->item, path, sizeof(path));
	r = file_make_dirs(config->run, 0755);
	if (!r)
		r = file_lock(path, &p->lock_fd);
	if (r == -EAGAIN)
		return tm_error_set(err, -EBUSY, TM_EXIT_BUSY, path,
				    "cannot bring disk '%s' back: a run is under way on this machine",
				    p->disk->name);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, path,
				    "cannot lock '%s': %s", path, strerror(-r));
	return 0;
}

/* Of a disk that has broken off there is one already, or none was wanted. */
static int back_up(struct replace *p, struct tm_error *err)
{
	struct tm_point point;
	struct tm_job job = { 0 };
	int r;

	if (p->result.again || p->how->no_backup || p->how->dry)
		return 0;
	r = backup_run(p->vault, p->disk, 1, &p->how->backup, &point, &job,
		       err);
	tm_job_done(&job);
	if (r) {
		tm_error_prefix(err, "before disk '%s' is changed",
				p->disk->name);
		return r;
	}
	strcpy(p->doc.way_back, point.name);
	tm_point_done(&point);
	return 0;
}

static int find_newest(struct replace *p, struct tm_error *err)
{
	char **names;
	size_t n;
	int r;

	r = points_names(p->vault, p->disk->container, &names, &n, err);
	if (r)
		return r;
	r = points_newest_with(p->vault, p->disk->container, names, n,
			       p->disk->name, &p->newest, err);
	document_names_free(names, n);
	return r;
}

/* Do the kernel's marks say what has changed since the newest point? */
static int ask_source(struct replace *p, struct source *source,
		      const struct tm_point_disk *then,
		      struct source_state *state, struct tm_error *err)
{
	struct tm_segments now = TM_SEGMENTS_INIT;
	char cut[TM_ID_SIZE];
	bool same = false;
	int r;

	tm_id_format(cut, &then->cut);
	r = source->ops->state(source, state, err);
	if (r || !state->tracked || state->lost || tm_id_is_none(&then->cut))
		return r;
	r = source->ops->segments(source, &now, err);
	if (!r)
		same = tm_segments_same(&now, &then->segments);
	tm_segments_done(&now);
	if (!r && same)
		r = source->ops->pending(source, cut, &p->pending, err);
	if (!r && same && p->pending.knows)
		p->base = (struct held_base){
			.disk = then, .changed = &p->pending.ship,
		};
	return r;
}

/* The newest point's entries, a slab of them. */
struct entries {
	struct reader reader;
	struct tm_hash *v;
	uint64_t first;
};

static int load_entries(void *arg, uint64_t first, uint64_t count,
			struct tm_error *err)
{
	struct entries *e = arg;

	e->first = first;
	return reader_table(&e->reader, first, count, e->v, err);
}

static struct tm_hash entry(void *arg, uint64_t chunk)
{
	const struct entries *e = arg;

	return e->v[chunk - e->first];
}

/* Where the disk has another size now, only chunks that are whole in both. */
static int sample(struct replace *p, struct source *source, uint64_t size_bytes,
		  bool *ret_bypassed, struct tm_error *err)
{
	const struct tm_point_disk *then = p->base.disk;
	struct entries e = { .v = malloc(PAGEBLOB_PUT_MAX) };
	struct sampling s = {
		.disk = p->disk->name, .source = source,
		.size = then->size, .chunk_size = then->chunk_size,
		.chunks = tm_chunk_count(then->size, then->chunk_size),
		.marked = p->base.changed, .load = load_entries,
		.entry = entry, .arg = &e,
	};
	int r;

	if (size_bytes != then->size)
		s.chunks = (size_bytes < then->size ? size_bytes : then->size) /
			then->chunk_size;
	if (!e.v)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED,
				    p->disk->name,
				    "cannot choose a sample of disk '%s': out of memory",
				    p->disk->name);
	r = reader_init(&e.reader, p->vault, p->disk->container, then, err);
	if (!r) {
		s.hasher = e.reader.key.hasher;
		r = sample_run(&s, p->vault->config, ret_bypassed, err);
		reader_done(&e.reader);
	}
	free(e.v);
	return r;
}

/*
 * A backup that was made just now has looked already. What was written without
 * being marked is not in the next one either, unless all of it is read.
 */
static int check_base(struct replace *p, struct source *source,
		      uint64_t size_bytes, struct tm_error *err)
{
	bool bypassed = false;
	int r;

	if ((*p->doc.way_back && !p->result.again) ||
	    !p->vault->config->sample_share)
		return 0;
	r = sample(p, source, size_bytes, &bypassed, err);
	if (r || !bypassed)
		return r;
	report_warning(p->vault->report,
		       "disk '%s' was written without being tracked; all of it is compared now",
		       p->disk->name);
	memset(&p->base, 0, sizeof(p->base));
	if (p->how->dry)
		return 0;
	return source->ops->mark(source, 0, tm_chunk_count(size_bytes,
				 p->disk->chunk_size), err);
}

static int find_base(struct replace *p, struct tm_error *err)
{
	const struct tm_point_disk *then;
	struct source_state state;
	struct source *source;
	int r;

	if (p->how->compare)
		return 0;
	r = find_newest(p, err);
	if (r || !*p->newest.name)
		return r;
	then = tm_point_find_disk(&p->newest, p->disk->name);
	/* Entries under another key say nothing of those that are wanted. */
	if (!then || then->chunk_size != p->wanted->chunk_size ||
	    !tm_id_equal(&then->cipher.key, &p->wanted->cipher.key))
		return 0;
	r = source_new(p->disk->name, p->disk->path, p->disk->chunk_size,
		       p->vault->config->state, &source, err);
	if (r)
		return r;
	r = ask_source(p, source, then, &state, err);
	if (!r && p->base.disk)
		r = check_base(p, source, state.size_bytes, err);
	source_free(source);
	return r;
}

/* A dry run leaves nothing anywhere, and is soon over. */
static int hold(struct replace *p, struct tm_error *err)
{
	if (p->how->dry)
		return 0;
	return hold_take(p->vault, p->disk->container, p->point, "replace",
			 &p->hold, err);
}

static int record(struct replace *p, struct tm_error *err)
{
	strcpy(p->doc.disk, p->disk->name);
	strcpy(p->doc.point, p->point->name);
	p->doc.time = time(NULL);
	p->between = true;
	return replacing_save(p->vault->config, &p->doc, err);
}

static int move(struct replace *p, struct tm_error *err)
{
	const struct restore_options how = {
		.compare = true, .dry = p->how->dry, .stage = "replace",
		.base = p->base.disk ? &p->base : NULL,
	};

	return restore_onto(p->vault, p->disk->container, p->wanted, p->sink,
			    &how, &p->result.disk, err);
}

static int run(struct replace *p, struct tm_error *err)
{
	const struct tm_config *config = p->vault->config;
	int r;

	r = replacing_load(config, p->disk->name, &p->result.again, &p->doc,
			   err);
	p->between = p->result.again;
	if (!r)
		r = replace_look(p->disk, err);
	if (!r)
		r = begin(p, err);
	if (!r)
		r = hold(p, err);
	if (!r)
		r = back_up(p, err);
	if (!r)
		r = lock(p, err);
	if (!r)
		r = find_base(p, err);
	if (!r && !p->how->dry)
		r = record(p, err);
	if (r)
		return r;
	r = move(p, err);
	if (!r && !p->how->dry)
		r = replacing_end(config, p->disk->name, err);
	return r;
}

int replace_disk(struct vault *v, const struct tm_disk *disk,
		 const struct tm_point *point,
		 const struct replace_options *how, struct replace_result *ret,
		 struct tm_error *err)
{
	struct replace p = {
		.vault = v, .disk = disk, .point = point, .how = how,
		.wanted = tm_point_find_disk(point, disk->name), .lock_fd = -1,
	};
	int r;

	if (!p.wanted)
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, disk->name,
				    "cannot find disk '%s' in recovery point '%s'",
				    disk->name, point->name);
	r = run(&p, err);
	if (r && p.between)
		report_warning(v->report, "disk '%s' is not consistent until 'tidemark restore replace %s --point %s' has ended",
			       disk->name, disk->name, p.doc.point);
	p.result.tracked = p.base.disk;
	strcpy(p.result.way_back, p.doc.way_back);
	*ret = p.result;
	hold_release(p.hold);
	sink_free(p.sink);
	source_pending_done(&p.pending);
	tm_point_done(&p.newest);
	tm_replace_done(&p.doc);
	if (p.lock_fd >= 0)
		close(p.lock_fd);
	return r;
}
