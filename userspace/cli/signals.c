// SPDX-License-Identifier: MIT
/* signals.c - what SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGPIPE do */

#include <signal.h>
#include "cli/signals.h"

static volatile sig_atomic_t cancelled, resized;

static void on_cancel(int sig)
{
	(void)sig;
	cancelled = 1;
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

void signals_install(void)
{
	static const int cancel[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_cancel };
	struct sigaction old;
	unsigned int i;

	sa.sa_flags = SA_RESETHAND;
	for (i = 0; i < sizeof(cancel) / sizeof(cancel[0]); i++) {
		/* nohup and the like: what was ignored stays ignored */
		if (!sigaction(cancel[i], NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(cancel[i], &sa, NULL);
	}
	sa.sa_handler = on_resize;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGWINCH, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

bool signals_cancelled(void)
{
	return cancelled;
}

bool signals_resized(void)
{
	bool was = resized;

	resized = 0;
	return was;
}
