// SPDX-License-Identifier: MIT
#include "engine/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/loss.h"
#include "port/dm.h"
#include "port/dmevent.h"
#include "port/mapping.h"
#include "port/resident.h"

#define RETRY_MS	1000	/* after a loss that could not be recorded */

struct watch {
	const char *state;
	const struct report *report;
	watch_fn recorded;
	void *arg;
	char told[768];		/* the last failure that was told */
};

/* A loss that cannot be recorded is told once, however often it is tried. */
static void tell(struct watch *w, const struct tm_error *why)
{
	if (!strcmp(w->told, why->message))
		return;
	snprintf(w->told, sizeof(w->told), "%s", why->message);
	report_warning(w->report, "%s", why->message);
}

/* Devices come and go while they are looked at. */
static int look_at(struct watch *w, const char *device, struct tm_error *err)
{
	struct mapping_info info;
	bool tracked, recorded;
	int r = tracked_is(device, &tracked, err);

	if (!r && !tracked)
		return 0;
	if (!r)
		r = loss_record(w->state, device, &recorded, err);
	if (!r && recorded)
		w->recorded(w->arg, device);
	if (r && !mapping_info(device, &info, NULL) && !info.exists)
		return 0;
	return r;
}

/* Every device, though one of them fails. */
static int look(struct watch *w)
{
	struct tm_error why = TM_ERROR_INIT;
	char **names;
	int r = mapping_names(&names, &why), one;

	if (r) {
		tell(w, &why);
		return r;
	}
	for (char **n = names; *n; n++) {
		one = look_at(w, *n, &why);
		if (!one)
			continue;
		tell(w, &why);
		r = one;
	}
	mapping_names_free(names);
	if (!r)
		w->told[0] = '\0';
	return r;
}

static int failed(struct tm_error *err, int r, const char *what)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), NULL,
			    "cannot %s: %s", what, strerror(-r));
}

/* Armed before it looks: what happens while it does wakes it. */
static int watch_events(struct watch *w, int fd, const sigset_t *mask,
			struct tm_error *err)
{
	int r;

	while (!report_cancelled(w->report, NULL)) {
		r = dmevent_arm(fd);
		if (r)
			return failed(err, r, "wait for events of "
				      "device-mapper");
		r = dmevent_wait(fd, look(w) ? RETRY_MS : -1, mask);
		if (r && r != -EINTR)
			return failed(err, r, "wait for events of "
				      "device-mapper");
	}
	return 0;
}

int watch_run(const char *state, const struct report *report, watch_fn recorded,
	      void *arg, struct tm_error *err)
{
	struct watch w = {
		.state = state, .report = report, .recorded = recorded,
		.arg = arg,
	};
	sigset_t stop, mask;
	int fd, r;

	/* Signals come while it waits, and nowhere else. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &mask);
	r = mapping_open_control(err);
	if (r)
		goto out_mask;
	r = resident_stay();
	if (r) {
		failed(err, r, "keep this process in memory");
		goto out_mask;
	}
	fd = dmevent_open();
	if (fd < 0) {
		r = failed(err, fd, "open the control device of device-mapper");
		goto out_mask;
	}
	r = watch_events(&w, fd, &mask, err);
	close(fd);
out_mask:
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return r;
}
