// SPDX-License-Identifier: MIT
/* boot.c - starting the machine of a recovery point (boot.h) */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine/boot.h"
#include "engine/nbdkit.h"
#include "model/readfault.h"
#include "port/clock.h"
#include "port/file.h"
#include "port/nbd.h"
#include "port/program.h"

#define EMULATOR "qemu-system-x86_64"
#define STEP_MS 200u
#define PIPE_READS 16u		/* all that is in a pipe */
#define SERVER_END_MS 20000u	/* it lets go of the point in the vault */
#define FAULTS_MAX (1u << 20)	/* bytes that a server may say of them */

struct boot {
	const struct boot_options *how;
	char dir[88];
	char sockets[BOOT_DISKS_MAX][TM_SOCKET_SIZE];
	pid_t servers[BOOT_DISKS_MAX];
	size_t n_servers, n_sockets;
	size_t dead;		/* one of them ended by itself: its number + 1 */
	pid_t machine;		/* 0: not started, or its status is taken */
	int console;		/* -1: not open */
	struct tm_readfaults faults;
};

static int need(const char *what, const char *package, struct tm_error *err)
{
	tm_error_set(err, -ENOENT, TM_EXIT_FAILED, what,
		     "cannot start the machine: there is no '%s'", what);
	tm_error_action(err, "apt-get install %s", package);
	return -ENOENT;
}

static int check(const struct boot_options *how, struct tm_error *err)
{
	const struct tm_rebuild *m = how->machine;

	if (!tm_rebuild_runs_on(m, "x86_64"))
		return tm_error_set(err, -ENOTSUP, TM_EXIT_LIMIT, m->name,
				    "cannot start machine '%s': its processors are of another kind, %s",
				    m->name, m->point->machine.architecture);
	if (m->n_disks > BOOT_DISKS_MAX)
		return tm_error_set(err, -E2BIG, TM_EXIT_LIMIT, m->name,
				    "cannot start machine '%s': it has more than %u disks",
				    m->name, BOOT_DISKS_MAX);
	if (m->n_disks > tm_qemu_boot_most(how->bus)) {
		tm_error_set(err, -E2BIG, TM_EXIT_LIMIT, m->name,
			     "cannot start machine '%s': this bus has no room for %zu disks, but for %zu",
			     m->name, m->n_disks, tm_qemu_boot_most(how->bus));
		tm_error_action(err, "give --bus scsi, if its system knows virtio's SCSI");
		return -E2BIG;
	}
	if (!program_exists(EMULATOR))
		return need(EMULATOR, "qemu-system-x86", err);
	if (m->uefi && access(TM_QEMU_FIRMWARE, R_OK))
		return need(TM_QEMU_FIRMWARE, "ovmf", err);
	return 0;
}

static void in_dir(const struct boot *b, const char *name, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/%s", b->dir, name);
}

/* What is there for disk @i. Short: it may be the name of a socket. */
static void of_disk(const struct boot *b, size_t i, const char *what,
		    char ret[TM_SOCKET_SIZE])
{
	snprintf(ret, TM_SOCKET_SIZE, "%s/%u.%.8s", b->dir,
		 (unsigned int)i % BOOT_DISKS_MAX, what);
}

/* Sockets have short names, and it is theirs that the directory is for. */
static int make_dir(struct boot *b, struct tm_error *err)
{
	const char *tmp = getenv("TMPDIR");
	int r = 0;

	if (snprintf(b->dir, sizeof(b->dir), "%s/tidemark-boot.XXXXXX",
		     tmp && *tmp == '/' ? tmp : "/tmp") >= (int)sizeof(b->dir))
		r = -ENAMETOOLONG;
	else if (!mkdtemp(b->dir))
		r = -errno;
	if (!r)
		return 0;
	tm_error_set(err, r, TM_EXIT_FAILED, b->dir,
		     "cannot make a directory '%s': %s", b->dir, strerror(-r));
	tm_error_action(err, "set TMPDIR to a directory with a short name that can be written to");
	*b->dir = '\0';
	return r;
}

static int serve(struct boot *b, const char *disk, struct tm_error *err)
{
	struct tm_serving serving = *b->how->serving;
	const struct nbdkit_options how = {
		.overlay = true, .with_us = true, .opens = b->how->opens,
		.report = b->how->report,
	};
	size_t i = b->n_sockets++;
	char log[TM_SOCKET_SIZE];
	int r;

	of_disk(b, i, "nbd", b->sockets[i]);
	of_disk(b, i, "faults", serving.faults);
	of_disk(b, i, "log", log);
	strcpy(serving.socket, b->sockets[i]);
	snprintf(serving.disk, sizeof(serving.disk), "%s", disk);
	/* It is what the vault has that is to be seen. */
	serving.config.cache_size = 0;
	r = nbdkit_start(&serving, &how, log, &b->servers[i], err);
	if (!r)
		b->n_servers++;
	return r;
}

/* Who may use KVM, if that is a group. Without it the machine is emulated. */
static unsigned int kvm_group(void)
{
	struct stat st;

	return !stat("/dev/kvm", &st) && (st.st_mode & 060) == 060 ?
		st.st_gid : 0;
}

static int run_machine(struct boot *b, const int disks[])
{
	const struct tm_qemu_boot how = {
		.machine = b->how->machine, .bus = b->how->bus,
		.as_nobody = !geteuid(), .group = kvm_group(),
	};
	char log[PATH_MAX], **words;
	int r = tm_qemu_boot_words(&how, &words);

	if (r)
		return r;
	in_dir(b, "qemu", log);
	r = program_open((const char *const *)words, disks, b->n_sockets, log,
			 &b->console, &b->machine);
	tm_qemu_boot_free(words);
	return r;
}

static int start_machine(struct boot *b, struct tm_error *err)
{
	int disks[BOOT_DISKS_MAX], r = 0;
	size_t i, n = 0;

	for (i = 0; i < b->n_sockets && !r; i++) {
		r = nbd_open(b->sockets[i], &disks[i]);
		n += !r;
	}
	if (!r)
		r = run_machine(b, disks);
	for (i = 0; i < n; i++)
		close(disks[i]);
	return r ? tm_error_set(err, r, TM_EXIT_FAILED, EMULATOR,
				"cannot start the machine: %s", strerror(-r)) :
		   0;
}

/* It has closed its console. That may be the machine's will, or QEMU's. */
static int it_ended(struct boot *b, struct boot_result *ret,
		    struct tm_error *err)
{
	const char *why = "it does not say why";
	char log[PATH_MAX], *text = NULL, *last;
	size_t len;
	int status;

	while (waitpid(b->machine, &status, 0) < 0 && errno == EINTR)
		;
	b->machine = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		snprintf(ret->why, sizeof(ret->why),
			 "it has switched itself off");
		return 0;
	}
	in_dir(b, "qemu", log);
	if (!file_read(log, 1u << 20, &text, &len)) {
		while (len && text[len - 1] == '\n')
			text[--len] = '\0';
		last = strrchr(text, '\n');
		why = last ? last + 1 : *text ? text : why;
	}
	tm_error_set(err, -EIO, TM_EXIT_FAILED, EMULATOR,
		     "cannot start the machine: QEMU has ended: %s", why);
	free(text);
	return -EIO;
}

/* 1 once there is no more to wait for; 0: not yet. */
static int listen_once(struct boot *b, struct boot_result *ret,
		       unsigned int wait_ms, struct tm_error *err)
{
	struct pollfd p = { .fd = b->console, .events = POLLIN };
	char bytes[4096];
	ssize_t n;
	int r;

	if (poll(&p, 1, (int)wait_ms) <= 0)
		return 0;
	n = read(b->console, bytes, sizeof(bytes));
	if (n < 0)
		return 0;
	if (n) {
		ret->good = tm_console_take(&ret->console, bytes, (size_t)n,
					    b->how->sign);
		return ret->good;
	}
	r = it_ended(b, ret, err);
	return r ? r : 1;
}

static uint64_t ms_since(uint64_t begin_ns)
{
	return (clock_now_ns() - begin_ns) / 1000000;
}

static int watch(struct boot *b, struct boot_result *ret, struct tm_error *err)
{
	uint64_t begin = clock_now_ns(), most = b->how->timeout_s * 1000ull;
	uint64_t past = 0;
	unsigned int i;
	int r = 0;

	for (; !r && past < most; past = ms_since(begin)) {
		r = listen_once(b, ret, most - past < STEP_MS ?
				(unsigned int)(most - past) : STEP_MS, err);
		if (!r)
			r = report_cancelled(b->how->report, err);
	}
	/* What has come until then counts, even if nobody could look. */
	for (i = 0; i < PIPE_READS && !r; i++)
		r = listen_once(b, ret, 0, err);
	if (!r)
		snprintf(ret->why, sizeof(ret->why),
			 "the sign did not come in %u s", b->how->timeout_s);
	ret->milliseconds = ms_since(begin);
	return r < 0 ? r : 0;
}

/* Nothing that the machine has written is to be kept: it need not end well. */
static void stop(struct boot *b)
{
	size_t i;

	program_stop(&b->machine, 1, 0);
	if (b->console >= 0)
		close(b->console);
	for (i = 0; i < b->n_servers; i++)
		if (program_ended(b->servers[i])) {
			b->servers[i] = 0;
			b->dead = i + 1;
		}
	program_stop(b->servers, b->n_servers, SERVER_END_MS);
}

static void clean(const struct boot *b)
{
	static const char *const ends[] = { "nbd", "faults", "log" };
	char path[PATH_MAX];
	size_t i, k;

	if (!*b->dir)
		return;
	for (i = 0; i < b->n_sockets; i++)
		for (k = 0; k < sizeof(ends) / sizeof(*ends); k++) {
			of_disk(b, i, ends[k], path);
			unlink(path);
		}
	in_dir(b, "qemu", path);
	unlink(path);
	rmdir(b->dir);
}

/* Which reads failed. A server that never came to serve may say nothing. */
static int gather_faults(struct boot *b, struct tm_error *err)
{
	char path[TM_SOCKET_SIZE], *text;
	size_t i, len;
	int r;

	for (i = 0; i < b->n_sockets; i++) {
		of_disk(b, i, "faults", path);
		r = file_read(path, FAULTS_MAX, &text, &len);
		if (r == -ENOENT && i >= b->n_servers)
			continue;
		if (r)
			return tm_error_set(err, r, TM_EXIT_FAILED, path,
					    "cannot read '%s', where it is said which reads failed: %s",
					    path, strerror(-r));
		tm_readfaults_take(&b->faults, text);
		free(text);
	}
	return 0;
}

/* What the machine did without one of its disks says nothing. */
static int it_died(const struct boot *b, struct tm_error *err)
{
	char log[TM_SOCKET_SIZE];

	of_disk(b, b->dead - 1, "log", log);
	return nbdkit_ended(log, err);
}

/*
 * What the guest made of reads that failed is its affair: it may do without
 * what it could not read, or show no sign for that very reason. @r is what came
 * of it so far, and in @err.
 */
static int judge(struct boot *b, struct boot_result *ret, int r,
		 struct tm_error *err)
{
	const struct tm_readfaults *f = &b->faults;
	struct tm_error why = TM_ERROR_INIT;
	size_t i;
	int n;

	if (r == -ECANCELED)
		return r;
	n = gather_faults(b, &why);
	if (n && !r) {
		*err = why;
		return n;
	}
	if (f->n_damage) {
		for (i = 1; i < f->n_damage; i++)
			report_warning(b->how->report, "%s",
				       f->damage[i].message);
		ret->good = false;
		ret->damaged = true;
		snprintf(ret->why, sizeof(ret->why), "%s",
			 f->damage[0].message);
		tm_error_clear(err);
		return 0;
	}
	if (!r && ret->good)
		return 0;
	if (!f->other.errnum)
		return r || !b->dead ? r : it_died(b, err);
	*err = f->other;
	tm_error_prefix(err, "cannot start the machine");
	return err->errnum;
}

int boot_point(const struct boot_options *options, struct boot_result *ret,
	       struct tm_error *err)
{
	const struct tm_rebuild *m = options->machine;
	struct boot *b;
	size_t i;
	int r = check(options, err);

	if (r)
		return r;
	b = calloc(1, sizeof(*b));
	if (!b)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot start the machine: out of memory");
	*ret = (struct boot_result){ .good = false };
	b->how = options;
	b->console = -1;
	report_stage(options->report, "boot", NULL);
	r = make_dir(b, err);
	for (i = 0; i < m->n_disks && !r; i++) {
		r = serve(b, m->disks[i].disk->name, err);
		if (!r)
			r = report_cancelled(options->report, err);
	}
	if (!r)
		r = start_machine(b, err);
	if (!r)
		r = watch(b, ret, err);
	stop(b);
	r = judge(b, ret, r, err);
	clean(b);
	free(b);
	return r;
}
