/* SPDX-License-Identifier: MIT */
/*
 * inject.h - the kernel's fault injection: a kind of fault, on and off
 *
 * Ends the program where the kernel has none: nothing would be tested.
 */
#ifndef TESTS_VM_INJECT_H
#define TESTS_VM_INJECT_H

/* One kind of fault. */
struct inject {
	const char *name, *knob;
	const char *disk; /* of which requests fail, or NULL */
	unsigned int percent;
	unsigned long injected, rounds;
};

/* Off, to begin with. */
void inject_prepare(const struct inject *f);

/*
 * Of allocations those of the kernel's workers fail, and this program's after
 * inject_into_self(). Stopping adds up how many there were. NULL does nothing.
 */
void inject_start(const struct inject *f);
void inject_stop(struct inject *f);

/* This thread, and those that it starts from then on. */
void inject_into_self(void);

#endif
