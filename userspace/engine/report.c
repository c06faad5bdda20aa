// SPDX-License-Identifier: MIT
/* report.c - how a long job tells how far it is */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "engine/report.h"

void report_progress(const struct report *rep, const struct progress *p)
{
	if (rep && rep->progress)
		rep->progress(rep->arg, p);
}

void report_stage(const struct report *rep, const char *stage, const char *disk)
{
	report_progress(rep, &(struct progress){ .stage = stage,
						 .disk = disk });
}

void report_warning(const struct report *rep, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	if (!rep || !rep->warning)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rep->warning(rep->arg, text);
}

int report_ask(const struct report *rep, const char *prompt, char *ret,
	       size_t size)
{
	if (!rep || !rep->ask)
		return -ENOTTY;
	return rep->ask(rep->arg, prompt, ret, size);
}

int report_cancelled(const struct report *rep, struct tm_error *err)
{
	if (!rep || !rep->cancelled || !rep->cancelled(rep->arg))
		return 0;
	return tm_error_set(err, -ECANCELED, TM_EXIT_CANCELLED, NULL,
			    "cancelled");
}
