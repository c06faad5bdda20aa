/* SPDX-License-Identifier: MIT */
/*
 * state.h - a tiny instance of tracking: what it consists of
 *
 * Three regions of two chunks. Regions 0 and 1 share their sectors on META,
 * region 2 has its own. Sets of chunks and of regions are masks.
 *
 * The names are those of kmod/, so that each step can be held against the
 * function that it stands for.
 */
#ifndef TIDEMARK_MODEL_STATE_H
#define TIDEMARK_MODEL_STATE_H

#include <cstdint>
#include <cstring>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* How much may happen, and what: NAME=value on the command line. */
#define OPTIONS(X)                                                          \
	X(W, 2, "writes in all")                                            \
	X(NW, 1, "writers at a time, 1 or 2")                               \
	X(CUTS, 1, "cuts in all")                                           \
	X(CRASH, 1, "crashes in all")                                       \
	X(FAILS, 0, "writes to META that fail, in all")                     \
	X(TMO, 0, "a write may wait no longer: 1 it passes, 2 it fails")    \
	X(CONFIRM, 0, "1: userspace may say that the loss is recorded")     \
	X(MARKS, 0, "marks by message in all")                              \
	X(LIVES, 0, "times that the session may end")                       \
	X(RELOAD, 0, "1: tables are exchanged at any time")                 \
	X(PRE, 0, "cuts without a point, ahead of one, in all")             \
	X(OTHER, 0, "chunks that another writes into the vault, in all")    \
	X(GROW, 0, "1: the disk begins without region 2, and grows once")   \
	X(RESET, 0, "1: also crashes that keep the devices' caches")        \
	X(ROT, 0, "1: a crash may also rot a copy of the superblock")       \
	X(SPAN, 1, "1: also a write over two regions")                      \
	X(TORN, 1, "1: a write in flight may leave a torn sector")          \
	X(STEAL, 1, "1: cuts may be given up")                              \
	X(EARLY, 0, "1: writes go past a replaced table before META knows") \
	X(MAXM, 60, "stop at so many states, in millions")

#define OPTION_EXTERN(name, value, what) extern int name;
OPTIONS(OPTION_EXTERN)
#undef OPTION_EXTERN

/* The rules: BREAK=name[,name...] leaves them out. rules.h says what breaks. */
enum rule {
#define RULE_ENUM(id, name, what) id,
#include "rules.h"
#undef RULE_ENUM
	NR_RULES
};
extern u64 rules_broken;

static inline bool broken(enum rule r)
{
	return rules_broken >> r & 1;
}

/* ---- layout of META ---- */

enum { REGION = 0, CHUNK = 1 };
enum { NR_SECTORS = 8, NR_CHUNKS = 6 };
static const u8 ALL = 63, TAIL = 48; /* chunks; those a growth adds */
/* A sector in flight or in the cache: the epoch and its bits, or NOTHING. */
enum { NOTHING = 0xFFFF, BAD = 0x80, PLAIN = 0x40 };

static inline int sector_at(int epoch, int type, int sec)
{
	return (epoch & 1) * 4 + type * 2 + sec;
}
static inline bool is_chunk(int x)
{
	return x >> 1 & 1;
}
static inline u16 sector(int epoch, int bits)
{
	return (u16)(epoch << 8 | bits);
}
static inline int regions_of(int chunks)
{
	return (chunks & 3 ? 1 : 0) | (chunks & 12 ? 2 : 0) |
	       (chunks & 48 ? 4 : 0);
}
static inline int chunks_of(int regions)
{
	return (regions & 1) * 3 | (regions >> 1 & 1) * 12 |
	       (regions >> 2 & 1) * 48;
}
/* Which sectors, as a mask, these regions have a bit in. */
static inline int sectors_of(int regions)
{
	return (regions & 3 ? 1 : 0) | (regions & 4 ? 2 : 0);
}
static inline int bits_in(int type, int set, int sec)
{
	if (type == REGION)
		return sec ? set >> 2 & 1 : set & 3;
	return sec ? set >> 4 & 3 : set & 15;
}
/* The chunks that count as changed for a sector of these bits. */
static inline int chunks_in(int type, int bits, int sec)
{
	if (type == CHUNK)
		return sec ? bits << 4 : bits;
	return chunks_of(sec ? bits << 2 : bits);
}

/* A superblock. One that does not check is SUPER_BAD. */
struct super {
	int seq, epoch, frozen, next, base, cut, merged, lost, clean, small;
};
enum { SUPER_BAD = 2 };
u32 pack(const struct super &super);
struct super unpack(u32 word);

/* ---- who does what ---- */

/* Those who write to META. */
enum actor { OPENER, CLOSER, WORKER, NR_ACTORS };

enum writer { IDLE, RECHECK, INSIDE, MARKED, WAITING, COLLECTED, FLYING };
enum mode { DOWN, STARTING, TRACKING, LOST };
enum gate { LOG, HOLD, PASS, FAIL };
enum cut_state {
	NONE,
	PREPARING,
	PREPARED,
	CUT,
	SHIPPING,
	COMMITTING,
	MERGING
};
enum mark { NO_MARK, MARK_WAITS, MARKING };
enum closer { CLOSED, GRACE, SAVING, SETTLING, SETTLING_APART, CLEARING };
enum suspension { RUNNING, SUSPENDING, QUIESCED };
enum recorded { UNRECORDED, ON_META, ELSEWHERE };
enum end { NO_END, ORDERLY, REPLACED, GROWS };
enum stage { STOP, MERGE, CLOSE, SAY };

/* What the worker is at; also who stands in for it at the start and the end. */
enum job {
	NO_JOB,
	RECORD_LOSS,
	PREPARE_SUPER,
	PREPARE_AREAS,
	PREPARE_LOG,
	SETTLE_SUPER,
	COMMIT_SUPER,
	MERGE_WORDS,
	MERGE_AREAS,
	MERGE_LOG,
	MERGE_CHUNKS,
	MERGE_SUPER,
	SAVE_SUPER,
	DISOWN_SUPER,
	RECOVER_CHUNKS,
	RECOVER_LOG,
	RECOVER_SUPER,
	RECOVER_SWEEP,
	GROW_LOST,
	GROW_LOG,
	GROW_CHUNKS,
	GROW_SUPER
};

struct state {
	/* META: superblocks and sectors, durable, cached, being written */
	u32 super[2], super_fly[2], target;
	u16 dur[NR_SECTORS], cache[NR_SECTORS], fly[NR_SECTORS][NR_ACTORS];

	/* the origin: what may be durable, what is read; points; the vault */
	u8 poss[NR_CHUNKS], cur[NR_CHUNKS];
	u8 content[4][NR_CHUNKS], blob[NR_CHUNKS], lastpoint;

	/* the session */
	u8 mode, gate, recorded, exposed, epoch, seq, first, base, merged;
	u8 ch, chf, open, open_next, logged, logged_next, wanted;
	u8 next, has_next, frozen; /* regions->next, s->next, s->frozen */
	u8 cut, cst, held, susp, shipped;

	/* writers, and one message's mark */
	u8 wpc[2], wm[2], wv[2];
	u8 mst, mm, dropped, unacked, acked, acked_frozen;

	/* locks, and what is to be written under them */
	u8 log_lock, areas, need[NR_ACTORS], failed;
	u8 opening, taken, odual, oepoch;
	u8 cpc, closing, inside, cepoch;
	u8 job, transition, picked;
	u8 end, stage, bypassed, tail;

	/* what is left to happen; chunks ever written, for symmetry */
	u8 wleft, cleft, xleft, fleft, mleft, lleft, used;

	/* the run: is its cut a round, the cut it goes on from; the vault's */
	u8 round, follows, touched, pleft, oleft, pad[3];
};
static_assert(sizeof(struct state) % 8 == 0, "hashed in words of 64 bits");

static inline bool is_live(const struct state &s)
{
	return s.mode >= TRACKING && !s.end;
}
static inline u16 read_sector(const struct state &s, int x)
{
	return s.cache[x] != NOTHING ? s.cache[x] : s.dur[x];
}
static inline bool any_writer(const struct state &s, int a, int b)
{
	return s.wpc[0] == a || s.wpc[1] == a || s.wpc[0] == b || s.wpc[1] == b;
}

/* ---- exploration, main.cc ---- */

/* One possible next state; @err: what it violates. */
void emit(struct state &next, const char *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define step(next, ...) emit(next, nullptr, __VA_ARGS__)
extern bool tracing;
extern u64 nr_recoveries, nr_damaged;

/* ---- steps: each emits what its actor may do next ---- */

void devices(const struct state &s); /* meta.cc */
void writers(const struct state &s); /* region.cc */
void marks(const struct state &s);
void opener(const struct state &s);
void timeout(const struct state &s);
void closer(const struct state &s);   /* closer.cc */
void messages(const struct state &s); /* cut.cc */
void worker(const struct state &s);
void runs(const struct state &s); /* run.cc */
void tables(const struct state &s); /* life.cc */
void ending(const struct state &s);
void starting(const struct state &s); /* start.cc */
void growing(const struct state &s);  /* grow.cc */
void crash(const struct state &s);    /* crash.cc */

/* ---- what they share ---- */

/* meta.cc */
bool is_busy(const struct state &s, int x, enum actor actor);
bool has_pending(const struct state &s, enum actor actor);
void flush(struct state &n);
/*
 * Steps of a write of the log, or of chunk sectors, that need[actor] says is to
 * be done. True: it is through, and the caller takes it from there.
 */
bool log_steps(const struct state &s, enum actor actor, const char *who);
bool chunk_steps(const struct state &s, enum actor actor, int epoch, int set,
		 bool plain, const char *who);
bool take_failure(struct state &n, enum actor actor);
void begin_transition(struct state &n, struct super super, enum job job);

/* region.cc */
bool is_symmetric(const struct state &s, int chunks);
void lose(struct state &n);
void pass(struct state &n);

/* closer.cc */
void pick(struct state &n, int regions);

/* life.cc: memory is forgotten; the end of the session's last transition. */
void forget(struct state &n);
void saved(struct state &n, bool ok);

/* grow.cc */
void begin_growth(struct state &n);
void growth_said(struct state &n, int job, bool ok);

/* cut.cc */
struct super session_super(const struct state &s);
void transition_ended(struct state &n, bool ok);

/* run.cc: what a run knows dies with it. */
void run_died(struct state &n);

/* start.cc */
/*
 * A session begins with what META says, and *ret_err is what is wrong with it.
 * False: META holds no set, and all counts as changed.
 */
bool start(struct state &n, const char **ret_err);
void start_unread(struct state &n);
void super_recovered(struct state &n, bool ok);

/* property.cc */
const char *is_reported(const struct state &s, int set, bool after_crash);
const char *live_properties(const struct state &s);

#endif
