/* SPDX-License-Identifier: MIT */
/*
 * life.h - a small model of the module's life: what must work, what must not
 *
 * What is in neither is the module's to decide; a message repeated with the
 * same cut id may always succeed and then changes nothing.
 */
#ifndef TESTS_VM_LIFE_H
#define TESTS_VM_LIFE_H

#include <stdbool.h>

enum op {
	LOAD, CREATE, SUSPEND, RESUME, RELOAD, SNAP_CREATE, SNAP_REMOVE,
	PREPARE, CUT, COMMIT, ABORT, REMOVE, UNLOAD, OPS
};

extern const char *const life_names[OPS];

enum phase { NONE, PREPARED, FROZEN, SHIPPING };

struct life {
	bool loaded, exists, suspended;
	bool reloaded;		/* a table waits for the next resume */
	bool snap;		/* there is a snapshot device, */
	bool used;		/* which has seen its cut, */
	bool armed;		/* and holds it still */
	enum phase phase;
};

/* Must @op succeed? */
bool life_valid(const struct life *s, enum op op);

/* Must it be refused? */
bool life_invalid(const struct life *s, enum op op);

/* @op has succeeded. */
void life_advance(struct life *s, enum op op);

#endif
