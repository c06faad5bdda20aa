// SPDX-License-Identifier: MIT
/*
 * plugin.c - a disk of a recovery point, for nbdkit to serve
 *
 *	nbdkit [...] nbdkit-tidemark-plugin.so session=FD
 *
 * The descriptor holds a model/serving.h; `tidemark nbd` and `tidemark mount`
 * make it. It is read-only: writes are for nbdkit's cow filter to take. The
 * vault is opened, and the point held, after nbdkit has gone to the background:
 * neither connections nor threads survive a fork.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/access.h"
#include "engine/hold.h"
#include "engine/points.h"
#include "model/readfault.h"
#include "model/serving.h"
#include "port/clock.h"
#include "port/file.h"

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

#define FAULTS_TOLD 64u		/* of damage, and of other failures */
#define PATIENCE_S 10u

/* One for the process: a disk, as nbdkit's plugins are. */
static struct {
	int fd;			/* where the session is */
	struct tm_serving serving;
	struct report report;
	struct vault vault;
	struct tm_point point;
	const struct tm_point_disk *disk;
	struct hold *hold;
	struct access *access;
} served = { .fd = -1 };

/* What was told already to whoever has started us; fd -1: nobody asked. */
static struct {
	pthread_mutex_t lock;
	int fd;
	unsigned int damage, others;
	char last[sizeof(((struct tm_error *)NULL)->message)];
} faults = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* Only while nbdkit waits for our answer can it be asked whether to end. */
static _Thread_local bool answering;

static bool on_cancelled(void *arg)
{
	(void)arg;
	return answering && nbdkit_nanosleep(0, 1) < 0;
}

static void on_warning(void *arg, const char *message)
{
	(void)arg;
	nbdkit_error("warning: %s", message);
}

static int tell(const struct tm_error *err)
{
	if (*err->action)
		nbdkit_error("%s; %s", err->message, err->action);
	else
		nbdkit_error("%s", err->message);
	nbdkit_set_error(EIO);
	return -1;
}

/* Clients ask again for what they could not read: that is told once. */
static void tell_starter(const struct tm_error *err)
{
	unsigned int *told = err->code == TM_EXIT_INTEGRITY ? &faults.damage :
							      &faults.others;
	char line[TM_READFAULT_SIZE];
	size_t len;

	pthread_mutex_lock(&faults.lock);
	if (faults.fd >= 0 && *told < FAULTS_TOLD &&
	    strcmp(faults.last, err->message)) {
		++*told;
		strcpy(faults.last, err->message);
		len = tm_readfault_line(err, line);
		if (write(faults.fd, line, len) != (ssize_t)len)
			nbdkit_error("cannot write '%s': %m",
				     served.serving.faults);
	}
	pthread_mutex_unlock(&faults.lock);
}

/*
 * What could not be answered before the client went away is no failure, unless
 * it had waited for long: it may have gone for that.
 */
static int tell_read(const struct tm_error *err, uint64_t begin_ns)
{
	uint64_t s = (clock_now_ns() - begin_ns) / 1000000000;
	struct tm_error late = TM_ERROR_INIT;

	if (err->code != TM_EXIT_CANCELLED) {
		tell_starter(err);
	} else if (s >= PATIENCE_S) {
		tm_error_set(&late, -ETIMEDOUT, TM_EXIT_UNAVAILABLE,
			     served.serving.disk,
			     "cannot read disk '%s': the vault had not answered for %llu s",
			     served.serving.disk, (unsigned long long)s);
		tell_starter(&late);
	}
	return tell(err);
}

static int tidemark_config(const char *key, const char *value)
{
	if (!strcmp(key, "session"))
		return nbdkit_parse_int(key, value, &served.fd);
	nbdkit_error("there is no parameter '%s'", key);
	return -1;
}

static int tidemark_config_complete(void)
{
	struct tm_error err = TM_ERROR_INIT;
	size_t len;
	char *text;
	int r;

	if (served.fd < 0) {
		nbdkit_error("session=FD is missing; 'tidemark nbd' runs nbdkit with it");
		return -1;
	}
	r = file_read_fd(served.fd, TM_SERVING_MAX, &text, &len);
	close(served.fd);
	if (r) {
		nbdkit_error("cannot read descriptor %d: %s", served.fd,
			     strerror(-r));
		return -1;
	}
	r = tm_serving_parse(text, len, &served.serving, &err);
	free(text);
	return r ? tell(&err) : 0;
}

/* Who runs us has said already what there is to say of the point. */
static int hold_point(struct tm_error *err)
{
	int r;

	served.vault.report = NULL;
	r = hold_take(&served.vault, served.serving.container, &served.point,
		      served.serving.why, &served.hold, err);
	served.vault.report = &served.report;
	return r;
}

static int open_disk(struct tm_error *err)
{
	const struct tm_serving *s = &served.serving;
	const struct access_options options = {
		.cache = s->config.cache,
		.cache_bytes = s->config.cache_size,
	};
	int r;

	r = vault_open(&served.vault, &s->config, s->vault, &served.report,
		       err);
	if (r)
		return r;
	r = points_read(&served.vault, s->container, s->point, &served.point,
			err);
	if (!r)
		served.disk = tm_point_find_disk(&served.point, s->disk);
	if (!r && !served.disk)
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, s->disk,
				 "cannot find disk '%s' in recovery point '%s'",
				 s->disk, s->point);
	if (!r)
		r = hold_point(err);
	if (!r)
		r = access_open(&served.vault, s->container, served.disk,
				&options, &served.access, err);
	if (s->config.passphrase_fd >= 0)
		close(s->config.passphrase_fd);
	return r;
}

static int tidemark_after_fork(void)
{
	struct tm_error err = TM_ERROR_INIT;

	umask(077);
	/* nbdkit that stays in the foreground would end with its parent. */
	if (!served.serving.with_parent)
		prctl(PR_SET_PDEATHSIG, 0);
	/* nbdkit has a mask of its own: none but the owner may connect anyway. */
	if (*served.serving.socket && chmod(served.serving.socket, 0600)) {
		nbdkit_error("cannot make '%s' private: %m",
			     served.serving.socket);
		return -1;
	}
	if (*served.serving.faults) {
		faults.fd = open(served.serving.faults, O_WRONLY | O_CREAT |
				 O_APPEND | O_CLOEXEC, 0600);
		if (faults.fd < 0) {
			nbdkit_error("cannot make '%s': %m",
				     served.serving.faults);
			return -1;
		}
	}
	served.report = (struct report){
		.warning = on_warning, .cancelled = on_cancelled,
	};
	if (!open_disk(&err))
		return 0;
	tell_starter(&err);
	return tell(&err);
}

static void tidemark_unload(void)
{
	access_free(served.access);
	hold_release(served.hold);
	tm_point_done(&served.point);
	vault_close(&served.vault);
	if (*served.serving.socket)
		unlink(served.serving.socket);
}

static void *tidemark_open(int readonly)
{
	(void)readonly;
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t tidemark_get_size(void *handle)
{
	(void)handle;
	return (int64_t)served.disk->size;
}

static int tidemark_block_size(void *handle, uint32_t *minimum,
			       uint32_t *preferred, uint32_t *maximum)
{
	(void)handle;
	*minimum = 1;
	*preferred = served.disk->chunk_size;
	*maximum = 32u << 20;
	return 0;
}

static int yes(void *handle)
{
	(void)handle;
	return 1;
}

static int tidemark_can_cache(void *handle)
{
	(void)handle;
	return NBDKIT_CACHE_NATIVE;
}

static const char *tidemark_export_description(void *handle)
{
	(void)handle;
	return served.serving.point;
}

static int tidemark_pread(void *handle, void *buf, uint32_t count,
			  uint64_t offset, uint32_t flags)
{
	struct tm_error err = TM_ERROR_INIT;
	uint64_t begin = clock_now_ns();
	int r;

	(void)handle;
	(void)flags;
	answering = true;
	r = access_read(served.access, offset, buf, count, &err);
	answering = false;
	return r ? tell_read(&err, begin) : 0;
}

/*
 * What cannot be had ahead of time is for the read to say, but for what is
 * damaged whether it comes to that or not; nor does the readahead filter of
 * nbdkit 1.32 survive an error.
 */
static int tidemark_cache(void *handle, uint32_t count, uint64_t offset,
			  uint32_t flags)
{
	struct tm_error err = TM_ERROR_INIT;

	(void)handle;
	(void)flags;
	answering = true;
	if (access_read(served.access, offset, NULL, count, &err) &&
	    err.code == TM_EXIT_INTEGRITY)
		tell_starter(&err);
	answering = false;
	return 0;
}

/* As far as one look tells: nbdkit asks again for what is beyond. */
static int tidemark_extents(void *handle, uint32_t count, uint64_t offset,
			    uint32_t flags, struct nbdkit_extents *extents)
{
	struct tm_error err = TM_ERROR_INIT;
	uint64_t len, begin = clock_now_ns();
	bool zero;
	int r;

	(void)handle;
	(void)flags;
	answering = true;
	r = access_extent(served.access, offset, count, &len, &zero, &err);
	answering = false;
	if (r)
		return tell_read(&err, begin);
	return nbdkit_add_extent(extents, offset, len, zero ?
				 NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO : 0);
}

static struct nbdkit_plugin plugin = {
	.name = "tidemark",
	.longname = "Tidemark recovery point",
	.version = TIDEMARK_VERSION,
	.description = "A disk of a recovery point, every chunk checked",
	.config = tidemark_config,
	.config_complete = tidemark_config_complete,
	.config_help = "session=FD  what to serve, from 'tidemark nbd'",
	.after_fork = tidemark_after_fork,
	.unload = tidemark_unload,
	.open = tidemark_open,
	.get_size = tidemark_get_size,
	.block_size = tidemark_block_size,
	.export_description = tidemark_export_description,
	.can_multi_conn = yes,
	.can_extents = yes,
	.can_cache = tidemark_can_cache,
	.pread = tidemark_pread,
	.cache = tidemark_cache,
	.extents = tidemark_extents,
};

NBDKIT_REGISTER_PLUGIN(plugin)
