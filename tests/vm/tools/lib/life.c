// SPDX-License-Identifier: MIT
#include "life.h"

const char *const life_names[OPS] = {
	"load", "create", "suspend", "resume", "reload", "snap-create",
	"snap-remove", "prepare", "cut", "commit", "abort", "remove",
	"unload",
};

bool life_valid(const struct life *s, enum op op)
{
	bool live = s->exists && !s->suspended;

	switch (op) {
	case LOAD:
		return !s->loaded;
	case CREATE:
		return s->loaded && !s->exists;
	case SUSPEND:
		return live;
	case RESUME:
		return s->exists && (s->suspended || s->reloaded);
	case RELOAD:
		return s->exists && !s->reloaded;
	case SNAP_CREATE:
		return live && !s->snap && s->phase <= PREPARED;
	case SNAP_REMOVE:
		return s->snap;
	case PREPARE:
		return live && s->phase == NONE;
	case CUT:
		return s->suspended && s->phase == PREPARED;
	case COMMIT:
		return live && s->phase == SHIPPING;
	case ABORT:
		return live && s->phase != NONE;
	case REMOVE:
		return s->exists && !s->snap;
	case UNLOAD:
		return s->loaded && !s->exists && !s->snap;
	default:
		return false;
	}
}

bool life_invalid(const struct life *s, enum op op)
{
	switch (op) {
	case LOAD:
		return s->loaded;
	case CREATE:
		return !s->loaded || s->exists;
	case SUSPEND:
	case RESUME:
	case RELOAD:
		return !s->exists;
	case SNAP_CREATE:
		return !s->exists || s->snap;
	case SNAP_REMOVE:
		return !s->snap;
	case PREPARE:
		return !s->exists || s->phase != NONE;
	case CUT:
		return s->phase == NONE ||
		       (s->phase == PREPARED && !s->suspended);
	case COMMIT:
		return !s->exists || s->phase == PREPARED;
	case ABORT:
		return !s->exists;
	case REMOVE:
		return !s->exists || s->snap;
	case UNLOAD:
		return !s->loaded || s->exists || s->snap;
	default:
		return true;
	}
}

void life_advance(struct life *s, enum op op)
{
	switch (op) {
	case LOAD:
		s->loaded = true;
		break;
	case CREATE:
		s->exists = true;
		break;
	case SUSPEND:
		s->suspended = true;
		break;
	case RESUME:
		s->suspended = false;
		s->reloaded = false;
		if (s->phase == FROZEN)
			s->phase = SHIPPING;
		break;
	case RELOAD:
		s->reloaded = true;
		break;
	case SNAP_CREATE:
		s->snap = true;
		s->used = s->armed = false;
		break;
	case SNAP_REMOVE:
		s->snap = false;
		s->armed = false;
		break;
	case PREPARE:
		s->phase = PREPARED;
		break;
	case CUT:
		if (s->phase != PREPARED)
			break;
		s->phase = FROZEN;
		s->armed = s->snap && !s->used;
		s->used = s->snap;
		break;
	case COMMIT:
	case ABORT:
		s->phase = NONE;
		s->armed = false;
		break;
	case REMOVE:
		s->exists = s->suspended = s->reloaded = false;
		s->phase = NONE;
		s->armed = false;
		break;
	case UNLOAD:
		s->loaded = false;
		break;
	default:
		break;
	}
}
