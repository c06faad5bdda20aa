/* SPDX-License-Identifier: MIT */
/*
 * front.h - a device before META or a store, which fails or is slow when it is
 * told to
 *
 * What goes wrong here ends the program: no test asked for it.
 */
#ifndef TESTS_VM_FRONT_H
#define TESTS_VM_FRONT_H

#include <stdint.h>

struct front {
	const char *below; /* the device itself */
	uint64_t sectors;
	char path[64]; /* of the one before it */
};

/* Makes it; it works. */
void front_init(struct front *f, const char *below);
/* No device: for its bytes alone. */
void front_at(struct front *f, const char *below);
void front_done(struct front *f);

void front_works(struct front *f);
void front_fails(struct front *f);
/* A table of this target, over all of it: "BELOW 0 REST". */
void front_is(struct front *f, const char *target, const char *rest);

/* Nothing is answered until it is let go. */
void front_hold(struct front *f);
void front_let_go(struct front *f);

/* Its bytes, past the device before it, to a new buffer; and put there. */
void *front_read(struct front *f);
void front_write(struct front *f, const void *image);

#endif
