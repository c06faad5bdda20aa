// SPDX-License-Identifier: MIT
/*
 * tracking.cc - an explicit-state model of tracking that a crash cannot fool
 *
 * Three regions of two chunks; regions 0 and 1 share their metadata sectors,
 * region 2 has its own. README.md says what is modelled and what is not.
 *
 * The state is one flat structure. gen() produces every successor of a state,
 * one branch for each step that some actor could take next; docrash() produces
 * every way in which a crash could leave the devices, and rec() is recovery's
 * reading of them. main() explores breadth first, so that the trace of a
 * violation is a shortest one.
 *
 * Actors and their program counters: writers wpc, opener opc, closer cpc,
 * controller (prepare, cut, commit, abort, recovery) kpc, superblock
 * transition spc. Where a rule can be broken for the sake of proof, an option
 * or MUT stands in the condition.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cstdint>
#include <cstdarg>
#include <map>
#include <string>
#include <vector>
#include <functional>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* ---------- configuration: NAME=value on the command line ---------- */
/* writers at a time */
static int NW = 1;
/* writes in all */
static int W = 2;
/* cuts in all */
static int CUTS = 1;
/* crashes in all */
static int CRASH = 1;
/* 1: also crashes that keep the devices' caches */
static int RESET = 0;
/* 1: a crash may also rot a superblock copy */
static int ROT = 0;
/* 1: do not go on after the last crash is survived */
static int STOP = 1;
/* 1: also a write over two regions */
static int SPAN = 1;
/* 1: a write in flight may leave a torn sector */
static int TORN = 1;
/* 2: ship chunk by chunk, so that others may step in */
static int SHIP = 1;
/* 0 plain, never flushed by closer; 1 FUA; 2 plain, then PREFLUSH on the
 * clearing write; 3 plain, flushed before logged is cleared in memory */
static int CSMODE = 1;
/* recovery looks at both areas for "newer" sectors / only those the superblock
 * names */
static int READALL = 1;
/* prepare: S before logging into next area, lest a crash between the two finds
 * sectors newer than the superblock */
static int SFIRST = 1;
/* 0: "wanted"=queued only; 1: queued, collected, or open again */
static int WANTED = 1;
/* closer: test of wanted and clearing of logged atomic with opener */
static int ATOMIC = 1;
/* opener does not rewrite a sector for regions already set in logged */
static int SKIP = 0;
/* abort of a prepared, uncut epoch: 0 never; 1 the next area is emptied, then
 * S{cur E}; 2 the same without waiting for the opener; 3 S{cur E} alone */
static int ABPREP = 1;
/* recovery from {E,next E+1}: 1 current becomes E+1, 0 stays E */
static int RECT = 1;
/* in-memory logged after recovery: 0 empty, 1 as on disk */
static int RECLOG = 0;
/* S writes the older/invalid copy first */
static int ORDSAFE = 0;
/* closer idle before the flip: 1; 0 runs on with its own (captured) epoch; 2
 * runs on with "current" */
static int QUIESCE = 1;
/* recovery unites next area */
static int UNITE = 1;
/* recovery empties the region sectors of its area: 0 never, 1 once the chunk
 * sectors are durable, 2 together with them */
static int RECCLEAR = 1;
/* abort writes chunk sectors: 1 (FUA/flush before S) */
static int MERGEALL = 1;
/* drop the "newer than the superblock" rule */
static int NORULE = 0;
/* recovery remembers the frozen id as merged */
static int REMEMBER = 1;
/* 0: union into area of the newest named epoch; 1: fresh epoch (newest+1) */
static int RECWHERE = 0;
/* a known mistake, see README.md */
static int MUT = 0;
/* stop at so many states (MAXM, in millions) */
static u64 MAXST = 60000000ull;

enum { NONE = 0xFFFF };
#define SB(seq, cur, frz, nxt, base, fid, mer)                     \
	((u32)(seq) << 24 | (u32)(cur) << 16 | (u32)(frz) << 15 |  \
	 (u32)(nxt) << 14 | (u32)(base) << 12 | (u32)(fid) << 10 | \
	 (u32)(mer) << 4 | 1)
#define SBBAD 2u
static inline int sseq(u32 s)
{
	return s >> 24;
}
static inline int scur(u32 s)
{
	return s >> 16 & 15;
}
static inline int sfro(u32 s)
{
	return s >> 15 & 1;
}
static inline int snxt(u32 s)
{
	return s >> 14 & 1;
}
static inline int sbase(u32 s)
{
	return s >> 12 & 3;
}
static inline int sfid(u32 s)
{
	return s >> 10 & 3;
}
static inline int smer(u32 s)
{
	return s >> 4 & 15;
}
#define SEC(tag, bits)	    ((u16)((tag) << 8 | (bits)))
#define BADSEC		    ((u16)0x80)
#define SX(area, type, sec) (((area)&1) * 4 + (type)*2 + (sec))
enum { OP = 0, CL = 1, KC = 2 };
struct S {
	u32 sbd[2], sbi[2], s_tgt;
	u16 dur[8], cache[8], infl[8][3];
	u8 poss[6], cur[6], content[4][6], blob[6];
	u8 lastpoint, mode, curE, dual, susp;
	u8 ch, chf, open, openN, log, logN, base, merged, fid, pid, seq;
	u8 wpc[2], wm[2], wv[2];
	u8 opc, oregs, oneed, odual;
	u8 cpc, creg, cgp, cep;
	u8 kpc, kneed, kregs, ktmp, spc, sfirst;
	u8 wleft, cleft, xleft, used, pad[2];
};
static_assert(sizeof(S) % 8 == 0, "pad");
static u8 rsec(int r)
{
	return r < 2 ? 0 : 1;
}
static int regsof(int m)
{
	return ((m & 3) ? 1 : 0) | ((m & 12) ? 2 : 0) | ((m & 48) ? 4 : 0);
}
static int rsbits(int regs, int sec)
{
	return sec == 0 ? (regs & 3) : (regs >> 2 & 1);
}
static int csbits(int ch, int sec)
{
	return sec == 0 ? (ch & 15) : (ch >> 4 & 3);
}
static int rs2ch(int bits, int sec)
{
	if (sec)
		return (bits & 1) ? 48 : 0;
	return ((bits & 1) ? 3 : 0) | ((bits & 2) ? 12 : 0);
}
static int cs2ch(int bits, int sec)
{
	return sec ? (bits & 3) << 4 : bits & 15;
}
static int secsof(int regs)
{
	return ((regs & 3) ? 1 : 0) | ((regs & 4) ? 2 : 0);
}

static bool tracing = false;
static char lab[400];
typedef std::function<void(S &, const char *)> Emit;
static Emit *E;
static u64 nev_all, nev_new, nev_bad, nlost, nrec;
static void emit(S &n, const char *err, const char *fmt, ...)
{
	if (tracing) {
		va_list a;
		va_start(a, fmt);
		vsnprintf(lab, sizeof lab, fmt, a);
		va_end(a);
	}
	(*E)(n, err);
}
static bool busy(const S &s, int x, int who)
{
	if (MUT == 7)
		return s.infl[x][who] != NONE;
	return s.infl[x][0] != NONE || s.infl[x][1] != NONE ||
	       s.infl[x][2] != NONE;
}
static bool pending(const S &s, int who)
{
	for (int x = 0; x < 8; x++)
		if (s.infl[x][who] != NONE)
			return true;
	return false;
}
static void flushm(S &s)
{
	for (int x = 0; x < 8; x++)
		if (s.cache[x] != NONE) {
			s.dur[x] = s.cache[x];
			s.cache[x] = NONE;
		}
}
static void mapcheck(S &s, int i)
{
	int m = s.wm[i];
	if (!(m & ~s.ch))
		s.wpc[i] = 3;
	else if (!(regsof(m) & ~s.open))
		s.wpc[i] = 2;
	else
		s.wpc[i] = 4;
}
static bool insect(const S &s, int i)
{
	return s.wpc[i] == 2 || s.wpc[i] == 3;
}
static void startS(S &s, u32 t)
{
	s.s_tgt = t;
	s.spc = 1;
	s.sfirst = 0;
	if (ORDSAFE) {
		bool b0 = s.sbd[0] & SBBAD, b1 = s.sbd[1] & SBBAD;
		if (b1 || (!b0 && sseq(s.sbd[1]) < sseq(s.sbd[0])))
			s.sfirst = 1;
	}
}
static int NOP1 = 0; // switch P1,P2 off, to see that P3 alone can fail
static const char *covered(const S &s, int un, bool useposs)
{
	if (NOP1)
		return 0;
	for (int c = 0; c < 6; c++)
		if (!(un >> c & 1)) {
			int p = useposs ? s.poss[c] : (1 << s.cur[c]);
			if (p & ~(1 << s.content[s.base][c]))
				return "P1: chunk may differ from base, not "
				       "reported";
			for (int id = 1; id < 4; id++)
				if (s.merged >> id & 1)
					if (p & ~(1 << s.content[id][c]))
						return "P2: chunk may differ "
						       "from a remembered "
						       "(merged) cut, not "
						       "reported";
		}
	return 0;
}
static const char *live(const S &s)
{
	if (s.mode != 1)
		return 0;
	const char *e = covered(s, s.ch | s.chf, false);
	if (e)
		return e;
	if (s.fid) {
		for (int c = 0; c < 6; c++) {
			if (s.kpc >= 13 && s.kpc <= 22 && !(s.chf >> c & 1) &&
			    s.content[s.base][c] != s.content[s.fid][c])
				return "PF: frozen set misses a difference "
				       "base..cut";
			if (!(s.ch >> c & 1) && s.cur[c] != s.content[s.fid][c])
				return "PC: current set misses a difference "
				       "cut..now";
		}
	}
	return 0;
}
// recovery's reading of the metadata; returns error
static const char *rec(S &s, bool &lost)
{
	lost = false;
	nrec++;
	int pick = -1;
	for (int i = 0; i < 2; i++)
		if (!(s.sbd[i] & SBBAD))
			if (pick < 0 || sseq(s.sbd[i]) > sseq(s.sbd[pick]))
				pick = i;
	if (pick < 0) {
		lost = true;
		nlost++;
		return 0;
	}
	u32 b = s.sbd[pick];
	int cur = scur(b), hi = cur + (snxt(b) && UNITE ? 1 : 0);
	int un = 0, rl = 0;
	bool ev = false, evbad = false;
	for (int a = 0; a < 2; a++) {
		int e = -1;
		if ((cur & 1) == a)
			e = cur;
		else if (sfro(b) && MUT != 12)
			e = cur - 1;
		else if (snxt(b) && UNITE)
			e = cur + 1;
		if (e < 0 && !READALL)
			continue;
		for (int sec = 0; sec < 2; sec++)
			for (int ty = 0; ty < 2; ty++) {
				int x = SX(a, ty, sec);
				u16 v = s.cache[x] != NONE ? s.cache[x]
							   : s.dur[x];
				if (v & 0x80) {
					un |= sec ? 48 : 15;
					evbad = true;
					continue;
				}
				int t = v >> 8;
				if (t > hi) {
					if (!NORULE)
						ev = true;
					continue;
				}
				if (e < 0 || t != e)
					continue;
				un |= ty ? cs2ch(v & 63, sec)
					 : rs2ch(v & 63, sec);
				if (!ty)
					rl |= ((v & 63) << (sec ? 2 : 0));
			}
	}
	if (ev) {
		un = 63;
		nev_new++;
	}
	if (evbad)
		nev_bad++;
	if (un == 63)
		nev_all++;
	s.mode = 2;
	s.base = sbase(b);
	s.merged = smer(b) | (sfro(b) && REMEMBER ? 1 << sfid(b) : 0);
	s.seq = 0;
	for (int i = 0; i < 2; i++)
		if (!(s.sbd[i] & SBBAD) && sseq(s.sbd[i]) > s.seq)
			s.seq = sseq(s.sbd[i]);
	int T = RECT ? (snxt(b) ? cur + 1 : cur) : cur;
	if (RECWHERE)
		T = (snxt(b) ? cur + 1 : cur) + 1;
	s.curE = T;
	s.ch = un;
	s.chf = 0;
	s.log = RECLOG ? rl : 0;
	s.kpc = 50;
	s.kneed = 3;
	const char *er = covered(s, un, true);
	if (MUT == 5)
		s.mode = 1;
	return er;
}
static void crash_meta(S s, int x, bool power, const char *what);
static void crash_origin(S s, int c, bool power, const char *what)
{
	if (power && c < 6 && !(STOP && s.xleft == 0)) {
		for (int v = 0; v < 8; v++)
			if (s.poss[c] >> v & 1) {
				S n = s;
				n.poss[c] = 1 << v;
				n.cur[c] = v;
				crash_origin(n, c + 1, power, what);
			}
		return;
	}
	S n = s;
	bool lost;
	const char *er = rec(n, lost);
	if (lost)
		return;
	char buf[300] = "";
	if (tracing) {
		int k = 0;
		for (int x = 0; x < 8; x++)
			k += snprintf(buf + k, sizeof buf - k,
				      "%s%d.%d=%s%d:%x ",
				      (x >> 1 & 1) ? "CS" : "RS", x >> 2, x & 1,
				      (n.dur[x] & 0x80) ? "BAD" : "",
				      n.dur[x] >> 8, n.dur[x] & 63);
	}
	if (er || !(STOP && n.xleft == 0))
		emit(n, er,
		     "CRASH(%s) meta: %sSB=%08x,%08x -> union=%x base=%d "
		     "curE=%d origin poss=%x,%x,%x,%x,%x,%x",
		     what, buf, n.sbd[0], n.sbd[1], n.ch, n.base, n.curE,
		     n.poss[0], n.poss[1], n.poss[2], n.poss[3], n.poss[4],
		     n.poss[5]);
}
static void crash_sb(S s, int i, bool power, const char *what, bool rotted)
{
	if (i == 2) {
		crash_origin(s, 0, power, what);
		return;
	}
	u32 in = s.sbi[i];
	s.sbi[i] = 0;
	u32 d = s.sbd[i];
	crash_sb(s, i + 1, power, what, rotted);
	if (in) {
		S n = s;
		n.sbd[i] = in;
		crash_sb(n, i + 1, power, what, rotted);
		if (TORN) {
			n.sbd[i] = d | SBBAD;
			crash_sb(n, i + 1, power, what, rotted);
		}
	}
	if (ROT && !rotted && !(d & SBBAD)) {
		S n = s;
		n.sbd[i] = d | SBBAD;
		crash_sb(n, i + 1, power, what, true);
	}
}
static void crash_meta(S s, int x, bool power, const char *what)
{
	if (x == 8) {
		crash_sb(s, 0, power, what, false);
		return;
	}
	u16 opts[12];
	int n = 0;
	u16 cs[12];
	auto add = [&](u16 d, u16 c) {
		for (int i = 0; i < n; i++)
			if (opts[i] == d && cs[i] == c)
				return;
		opts[n] = d;
		cs[n] = c;
		n++;
	};
	u16 d = s.dur[x], c = s.cache[x];
	bool fua = !(x >> 1 & 1) || CSMODE == 1;
	if (power) {
		add(d, NONE);
		if (c != NONE)
			add(c, NONE);
	} else
		add(d, c);
	for (int k = 0; k < 3; k++)
		if (s.infl[x][k] != NONE) {
			u16 v = s.infl[x][k];
			if (power) {
				add(v, NONE);
				if (TORN)
					add(BADSEC, NONE);
			} else if (fua)
				add(v, NONE);
			else
				add(d, v);
		}
	for (int k = 0; k < 3; k++)
		s.infl[x][k] = NONE;
	for (int i = 0; i < n; i++) {
		S m = s;
		m.dur[x] = opts[i];
		m.cache[x] = cs[i];
		crash_meta(m, x + 1, power, what);
	}
}
static void docrash(const S &o, bool power)
{
	S s = o;
	s.xleft--;
	if (!power) { // kernel dies, device caches survive: in-flight origin
		      // writes land or not
		for (int i = 0; i < 2; i++)
			if (s.wpc[i] == 6) {
				S t = s;
				t.wpc[i] = 0;
				for (int c = 0; c < 6; c++)
					if (s.wm[i] >> c & 1)
						t.cur[c] = s.wv[i];
				t.xleft++;
				docrash(t, false);
				s.wpc[i] = 0;
			}
	}
	s.mode = 2;
	s.dual = s.susp = 0;
	s.ch = s.chf = s.open = s.openN = s.log = s.logN = 0;
	s.fid = s.pid = 0;
	s.seq = 0;
	memset(s.wpc, 0, 2);
	memset(s.wm, 0, 2);
	memset(s.wv, 0, 2);
	s.opc = s.oregs = s.oneed = s.odual = s.cpc = s.creg = s.cgp = s.cep =
		s.kpc = s.kneed = s.kregs = s.ktmp = s.spc = s.sfirst = 0;
	s.s_tgt = 0;
	crash_meta(s, 0, power, power ? "power" : "reset");
}
static void freefrozen(S &n)
{
	n.chf = 0;
	n.fid = 0;
}
static void effect(S &n)
{ // superblock transition in effect
	n.spc = 0;
	n.s_tgt = 0;
	n.sfirst = 0;
	switch (n.kpc) {
	case 2:
		n.kpc = SFIRST ? 4 : 10;
		if (SFIRST) {
			n.dual = 1;
			n.kregs = n.open;
			n.logN |= n.kregs;
			n.kneed = secsof(n.kregs);
		}
		break;
	case 3:
		n.kpc = 0;
		n.pid = 0;
		break;
	case 14:
		n.kpc = 20;
		break;
	case 22:
		n.base = n.fid;
		n.merged = 0;
		freefrozen(n);
		n.kpc = 0;
		break;
	case 32:
		n.merged |= 1 << n.fid;
		freefrozen(n);
		n.kpc = 0;
		break;
	case 52:
		n.mode = 1;
		n.kpc = 0;
		break;
	}
}
static void gen(const S &s)
{
	// ---- crash ----
	if (s.xleft > 0) {
		docrash(s, true);
		if (RESET)
			docrash(s, false);
	}
	// ---- device completions on META ----
	for (int x = 0; x < 8; x++)
		for (int k = 0; k < 3; k++)
			if (s.infl[x][k] != NONE) {
				S n = s;
				u16 v = n.infl[x][k];
				n.infl[x][k] = NONE;
				bool fua = !(x >> 1 & 1) || CSMODE == 1;
				if (fua) {
					n.dur[x] = v;
					n.cache[x] = NONE;
					emit(n, 0,
					     "meta: %s area%d sector%d durable "
					     "tag%d bits%x",
					     (x >> 1 & 1) ? "chunk" : "region",
					     x >> 2, x & 1, v >> 8, v & 63);
				} else {
					u16 oc = n.cache[x];
					n.cache[x] = v;
					emit(n, 0,
					     "meta: chunk area%d sector%d in "
					     "device cache tag%d bits%x",
					     x >> 2, x & 1, v >> 8, v & 63);
					if (oc != NONE) {
						n.dur[x] = oc;
						emit(n, 0,
						     "meta: same, older copy "
						     "destaged first");
					}
				}
			}
	for (int i = 0; i < 2; i++)
		if (s.sbi[i]) {
			S n = s;
			n.sbd[i] = n.sbi[i];
			n.sbi[i] = 0;
			emit(n, 0, "superblock %c durable: %08x", 'A' + i,
			     n.sbd[i]);
		}
	// ---- superblock transition ----
	if (s.spc == 1 && !s.sbi[s.sfirst]) {
		S n = s;
		flushm(n);
		n.sbi[n.sfirst] = n.s_tgt;
		n.spc = 2;
		emit(n, 0,
		     "S: write copy %c {seq%d cur%d frz%d nxt%d base%d fid%d}",
		     'A' + n.sfirst, sseq(n.s_tgt), scur(n.s_tgt),
		     sfro(n.s_tgt), snxt(n.s_tgt), sbase(n.s_tgt),
		     sfid(n.s_tgt));
	}
	if (s.spc == 2 && !s.sbi[s.sfirst]) {
		S n = s;
		int o = 1 - n.sfirst;
		if (MUT == 6) {
			if (!n.sbi[o])
				n.sbi[o] = n.s_tgt;
			effect(n);
			emit(n, 0,
			     "S in effect after one copy; other in background");
		} else if (!n.sbi[o]) {
			flushm(n);
			n.sbi[o] = n.s_tgt;
			n.spc = 4;
			emit(n, 0, "S: write copy %c", 'A' + o);
		}
	}
	if (s.spc == 4 && !s.sbi[1 - s.sfirst]) {
		S n = s;
		effect(n);
		emit(n, 0, "S in effect");
	}
	// ---- controller: recovery part runs in mode 2 ----
	if (s.kpc == 50) {
		bool done = !s.kneed;
		for (int sec = 0; sec < 2; sec++)
			if (s.kneed >> sec & 1) {
				int x = SX(s.curE, 1, sec);
				if (!busy(s, x, KC)) {
					S n = s;
					n.kneed &= ~(1 << sec);
					n.infl[x][KC] =
						SEC(n.curE, csbits(n.ch, sec));
					emit(n, 0,
					     "recovery: write chunk sector%d "
					     "bits%x",
					     sec, csbits(n.ch, sec));
				}
			}
		if (RECCLEAR == 2)
			for (int sec = 0; sec < 2; sec++) {
				int x = SX(s.curE, 0, sec);
				if (s.dur[x] != SEC(s.curE, 0) &&
				    !busy(s, x, KC)) {
					S n = s;
					n.infl[x][KC] = SEC(n.curE, 0);
					emit(n, 0,
					     "recovery: empty region sector%d",
					     sec);
				}
			}
		if (done && !pending(s, KC)) {
			S n = s;
			flushm(n);
			n.kpc = 51;
			n.kneed = RECCLEAR == 1 ? 3 : 0;
			emit(n, 0, "recovery: flushed");
		}
	}
	if (s.kpc == 51) {
		for (int sec = 0; sec < 2; sec++)
			if (s.kneed >> sec & 1) {
				int x = SX(s.curE, 0, sec);
				if (!busy(s, x, KC)) {
					S n = s;
					n.kneed &= ~(1 << sec);
					n.infl[x][KC] = SEC(n.curE, 0);
					emit(n, 0,
					     "recovery: empty region sector%d",
					     sec);
				}
			}
		if (!s.kneed && !pending(s, KC)) {
			S n = s;
			n.kpc = 52;
			n.seq++;
			startS(n, SB(n.seq, n.curE, 0, 0, n.base, 0, n.merged));
			emit(n, 0, "recovery: S");
		}
	}
	if (s.mode != 1)
		return;
	bool worker = s.susp != 2;
	// ---- writers ----
	for (int i = 0; i < NW; i++)
		switch (s.wpc[i]) {
		case 0:
			if (s.susp || !s.wleft)
				break;
			{
				bool low = true;
				for (int j = 0; j < i; j++)
					if (s.wpc[j] == 0)
						low = false;
				if (!low)
					break;
			}
			{
				static const int masks[7] = { 1,  2,  4, 8,
							      16, 32, 6 };
				for (int q = 0; q < (SPAN ? 7 : 6); q++) {
					int m = masks[q];
					// symmetry: within a region chunk 2k
					// before 2k+1; region 0 before region 1
					// (they share sectors)
					if (m == 2 && !(s.used & 1))
						continue;
					if (m == 8 && !(s.used & 4))
						continue;
					if (m == 32 && !(s.used & 16))
						continue;
					if (m == 4 && !(s.used & 3))
						continue;
					// mask 6: a spanning bio, chunks 1 and
					// 2
					S n = s;
					n.used |= m;
					n.wm[i] = m;
					n.wv[i] = W - n.wleft + 1;
					n.wleft--;
					mapcheck(n, i);
					emit(n, 0,
					     "W%d: bio chunks%x v%d -> %s", i,
					     m, n.wv[i],
					     n.wpc[i] == 3   ? "all bits set"
					     : n.wpc[i] == 2 ? "regions open"
							     : "queued");
				}
			}
			break;
		case 1: {
			S n = s;
			if (MUT == 8)
				n.wpc[i] = 2;
			else
				mapcheck(n, i);
			emit(n, 0, "W%d: recheck -> %s", i,
			     n.wpc[i] == 3   ? "bits set"
			     : n.wpc[i] == 2 ? "open"
					     : "queued");
		} break;
		case 2: {
			S n = s;
			n.ch |= n.wm[i];
			n.wpc[i] = 3;
			emit(n, 0, "W%d: set chunk bits", i);
		} break;
		case 3: {
			bool ov = false;
			for (int j = 0; j < NW; j++)
				if (j != i && s.wpc[j] == 6 &&
				    (s.wm[j] & s.wm[i]))
					ov = true;
			if (ov)
				break;
			S n = s;
			n.wpc[i] = 6;
			n.cgp &= ~(1 << i);
			for (int c = 0; c < 6; c++)
				if (n.wm[i] >> c & 1)
					n.poss[c] |= 1 << n.wv[i];
			emit(n, 0, "W%d: submit to origin chunks%x v%d", i,
			     n.wm[i], n.wv[i]);
		} break;
		case 6: {
			S n = s;
			for (int c = 0; c < 6; c++)
				if (n.wm[i] >> c & 1)
					n.cur[c] = n.wv[i];
			n.wpc[i] = 0;
			n.wm[i] = n.wv[i] = 0;
			emit(n, 0, "W%d: origin write completes", i);
		} break;
		}
	// ---- opener ----
	if (worker && s.opc == 0) {
		int regs = 0;
		bool any = false;
		for (int i = 0; i < NW; i++)
			if (s.wpc[i] == 4) {
				any = true;
				regs |= regsof(s.wm[i]);
			}
		if (any) {
			S n = s;
			regs &= ~n.open;
			for (int i = 0; i < NW; i++)
				if (n.wpc[i] == 4)
					n.wpc[i] = regs ? 5 : 1;
			if (regs) {
				n.opc = 1;
				n.oregs = regs;
				n.odual = n.dual;
				int need = 0;
				int a = SKIP ? (regs & ~n.log) : regs;
				need |= secsof(a);
				n.log |= regs;
				if (n.dual) {
					int b = SKIP ? (regs & ~n.logN) : regs;
					need |= secsof(b) << 2;
					n.logN |= regs;
				}
				n.oneed = need;
				if (MUT == 1) {
					n.open |= regs;
					if (n.dual)
						n.openN |= regs;
					for (int i = 0; i < NW; i++)
						if (n.wpc[i] == 5)
							n.wpc[i] = 1;
				}
			}
			emit(n, 0, "opener: collect regions%x dual%d", regs,
			     n.dual);
		}
	}
	if (s.opc == 1) {
		for (int q = 0; q < 4; q++)
			if (s.oneed >> q & 1) {
				int nx = q >> 1, sec = q & 1, ep = s.curE + nx,
				    x = SX(ep, 0, sec);
				if (busy(s, x, OP))
					continue;
				S n = s;
				n.oneed &= ~(1 << q);
				int b = nx ? n.logN : n.log;
				if (MUT == 3)
					b = (nx ? n.openN : n.open) | n.oregs;
				n.infl[x][OP] = SEC(ep, rsbits(b, sec));
				emit(n, 0,
				     "opener: write region sector%d epoch%d "
				     "bits%x",
				     sec, ep, rsbits(b, sec));
			}
		if (!s.oneed && !pending(s, OP)) {
			S n = s;
			n.open |= n.oregs;
			if (n.odual)
				n.openN |= n.oregs;
			for (int i = 0; i < NW; i++)
				if (n.wpc[i] == 5)
					n.wpc[i] = 1;
			n.opc = n.oregs = n.odual = 0;
			emit(n, 0, "opener: set open%x", n.open);
		}
	}
	// ---- closer ----
	bool cw = worker || QUIESCE != 1;
	auto cep = [&](const S &n) { return QUIESCE == 2 ? n.curE : n.cep; };
	if (worker && s.cpc == 0)
		for (int r = 0; r < 3; r++)
			if (s.open >> r & 1) {
				S n = s;
				n.cpc = 1;
				n.creg = r;
				n.cep = n.curE;
				n.open &= ~(1 << r);
				n.cgp = 0;
				if (MUT != 9)
					for (int i = 0; i < NW; i++)
						if (insect(n, i))
							n.cgp |= 1 << i;
				emit(n, 0, "closer: clear open of region%d", r);
			}
	if (cw && s.cpc == 1 && !s.cgp) {
		S n = s;
		n.cpc = 2;
		int ep = cep(n);
		int x = SX(ep, 1, rsec(n.creg));
		if (!busy(n, x, CL)) {
			n.cpc = 3;
			int src = (ep == n.curE) ? n.ch : n.chf;
			n.infl[x][CL] = SEC(ep, csbits(src, rsec(n.creg)));
			emit(n, 0,
			     "closer: grace over; write chunk sector%d epoch%d "
			     "bits%x",
			     rsec(n.creg), ep, csbits(src, rsec(n.creg)));
		}
	}
	if (cw && s.cpc == 3 && !pending(s, CL)) {
		int r = s.creg;
		bool wanted = false;
		for (int i = 0; i < NW; i++)
			if (regsof(s.wm[i]) >> r & 1) {
				if (s.wpc[i] == 4)
					wanted = true;
				if (WANTED && (s.wpc[i] == 5 || s.wpc[i] == 1))
					wanted = true;
			}
		if (WANTED && (s.open >> r & 1))
			wanted = true;
		S n = s;
		bool same = cep(n) == n.curE;
		if (wanted && same) {
			n.open |= 1 << r;
			n.cpc = n.creg = n.cep = 0;
			emit(n, 0, "closer: region%d wanted again: set open",
			     r);
		} else if (ATOMIC) {
			if (CSMODE == 3)
				flushm(n);
			n.cpc = 5;
			if (same)
				n.log &= ~(1 << r);
			else
				n.ktmp |= 1 << r;
			emit(n, 0, "closer: clear logged of region%d in memory",
			     r);
		} else {
			n.cpc = 7;
			emit(n, 0, "closer: region%d not wanted", r);
		}
	}
	if (cw && s.cpc == 7) {
		S n = s;
		n.cpc = 5;
		n.log &= ~(1 << n.creg);
		emit(n, 0, "closer: clear logged of region%d in memory",
		     n.creg);
	}
	if (cw && s.cpc == 5) {
		int ep = cep(s), sec = rsec(s.creg), x = SX(ep, 0, sec);
		if (!busy(s, x, CL)) {
			S n = s;
			if (CSMODE == 2)
				flushm(n);
			int b = n.log;
			if (MUT == 3)
				b = n.open;
			if (ep != n.curE)
				b = n.logN /*not reached in default*/;
			n.infl[x][CL] = SEC(ep, rsbits(b, sec));
			n.cpc = 6;
			emit(n, 0,
			     "closer: write region sector%d epoch%d bits%x",
			     sec, ep, rsbits(b, sec));
		}
	}
	if (cw && s.cpc == 6 && !pending(s, CL)) {
		S n = s;
		n.cpc = n.creg = n.cep = 0;
		emit(n, 0, "closer: done");
	}
	// ---- controller ----
	int nid = CUTS - s.cleft + 1;
	if (s.spc)
		return;
	switch (s.kpc) {
	case 0:
		if (s.cleft && !s.susp) {
			S n = s;
			n.cleft--;
			n.pid = nid;
			n.logN = n.openN = 0;
			if (SFIRST) {
				n.kpc = 2;
				n.seq++;
				startS(n, SB(n.seq, n.curE, 0, 1, n.base, n.pid,
					     n.merged));
			} else {
				n.dual = 1;
				n.kregs = n.open;
				n.logN = n.open;
				n.kneed = secsof(n.open);
				n.kpc = 1;
			}
			emit(n, 0, "prepare cut%d (open%x)", nid, n.open);
		}
		break;
	case 1:
	case 4:
		for (int sec = 0; sec < 2; sec++)
			if (s.kneed >> sec & 1) {
				int x = SX(s.curE + 1, 0, sec);
				if (!busy(s, x, KC)) {
					S n = s;
					n.kneed &= ~(1 << sec);
					int b = MUT == 3 ? (n.openN | n.kregs)
							 : n.logN;
					n.infl[x][KC] =
						SEC(n.curE + 1, rsbits(b, sec));
					emit(n, 0,
					     "prepare: write next region "
					     "sector%d bits%x",
					     sec, rsbits(b, sec));
				}
			}
		if (!s.kneed && !pending(s, KC)) {
			S n = s;
			n.openN |= n.kregs;
			n.kregs = 0;
			if (s.kpc == 4)
				n.kpc = 10;
			else {
				n.kpc = 2;
				n.seq++;
				startS(n, SB(n.seq, n.curE, 0, 1, n.base, n.pid,
					     n.merged));
			}
			emit(n, 0, "prepare: next area logged");
		}
		break;
	case 10: {
		S n = s;
		n.susp = 1;
		n.kpc = 11;
		emit(n, 0, "suspend");
	}
		if (ABPREP) {
			S n = s;
			if (ABPREP != 2 && n.opc)
				break;
			n.dual = 0;
			n.logN = n.openN = 0;
			n.kneed = ABPREP == 3 ? 0 : 3;
			n.kpc = 5;
			emit(n, 0, "abort prepared");
		}
		break;
	case 5:
		for (int sec = 0; sec < 2; sec++)
			if (s.kneed >> sec & 1) {
				int x = SX(s.curE + 1, 0, sec);
				if (!busy(s, x, KC)) {
					S n = s;
					n.kneed &= ~(1 << sec);
					n.infl[x][KC] = SEC(0, 0);
					emit(n, 0,
					     "abort: empty next region "
					     "sector%d",
					     sec);
				}
			}
		if (!s.kneed && !pending(s, KC)) {
			S n = s;
			n.pid = 0;
			n.kpc = 3;
			n.seq++;
			startS(n, SB(n.seq, n.curE, 0, 0, n.base, 0, n.merged));
			emit(n, 0, "abort: S without the prepared epoch");
		}
		break;
	case 11: {
		bool idle = s.opc == 0;
		for (int i = 0; i < NW; i++)
			if (s.wpc[i])
				idle = false;
		if (MUT == 11 && s.opc == 0)
			idle = true;
		if (QUIESCE == 1 && s.cpc)
			idle = false;
		if (MUT == 1 && s.oneed)
			idle = false;
		if (idle) {
			S n = s;
			n.susp = 2;
			n.kpc = 12;
			emit(n, 0, "postsuspend: quiesced");
		}
	} break;
	case 12: {
		S n = s;
		n.fid = n.pid;
		n.pid = 0;
		for (int c = 0; c < 6; c++)
			n.content[n.fid][c] = n.cur[c];
		n.chf = n.ch;
		n.ch = 0;
		n.log = n.logN;
		n.logN = 0;
		if (MUT == 2) {
		} else
			n.open = n.openN;
		n.openN = 0;
		n.curE++;
		n.dual = 0;
		n.kpc = 13;
		emit(n, 0, "CUT %d: frozen%x open%x", n.fid, n.chf, n.open);
	} break;
	case 13: {
		S n = s;
		n.susp = 0;
		n.kpc = 14;
		n.seq++;
		startS(n, SB(n.seq, n.curE, 1, 0, n.base, n.fid, n.merged));
		emit(n, 0, "resume; S{frozen}");
	}
		{
			S n = s;
			n.susp = 0;
			n.kpc = 30;
			emit(n, 0, "resume; group invalid, abort");
		}
		break;
	case 20: {
		bool inc = s.lastpoint == s.base ||
			   (s.merged >> s.lastpoint & 1 && s.lastpoint);
		int ss = inc ? s.chf : 63;
		bool all = true;
		for (int c = 0; c < 6; c++)
			if (ss >> c & 1 && s.blob[c] != s.content[s.fid][c])
				all = false;
		if (!all && SHIP == 2) {
			for (int c = 0; c < 6; c++)
				if (ss >> c & 1 &&
				    s.blob[c] != s.content[s.fid][c]) {
					S n = s;
					n.blob[c] = n.content[n.fid][c];
					emit(n, 0, "ship chunk %d", c);
				}
		} else {
			S n = s;
			for (int c = 0; c < 6; c++)
				if (ss >> c & 1)
					n.blob[c] = n.content[n.fid][c];
			const char *er = 0;
			for (int c = 0; c < 6; c++)
				if (n.blob[c] != n.content[n.fid][c])
					er = "P3: recovery point differs from "
					     "the cut";
			n.lastpoint = n.fid;
			n.kpc = 21;
			emit(n, er, "point %d created (%s, ship set %x)", n.fid,
			     inc ? "incremental" : "scan", ss);
		}
		{
			S n = s;
			n.kpc = 30;
			emit(n, 0, "abort cut %d", n.fid);
		}
	} break;
	case 21: {
		S n = s;
		if (MUT != 4)
			for (int c = 0; c < 6; c++) {
				int p = 1 << n.cur[c];
				for (int i = 0; i < NW; i++)
					if (n.wpc[i] == 6 && (n.wm[i] >> c & 1))
						p |= 1 << n.wv[i];
				n.poss[c] = p;
			}
		n.kpc = 22;
		n.seq++;
		startS(n, SB(n.seq, n.curE, 0, 0, n.fid, 0, 0));
		emit(n, 0, "commit %d: %s; S{base}", n.fid,
		     MUT != 4 ? "origin flushed" : "origin NOT flushed");
	} break;
	case 30:
		if (MUT == 10) {
			S n = s;
			n.ktmp = n.ch | n.chf;
			n.kpc = 33;
			emit(n, 0, "merge: read words");
		} else {
			S n = s;
			n.ch |= n.chf;
			n.kpc = 31;
			n.kneed = 3;
			emit(n, 0, "merge: OR -> %x", n.ch);
		}
		break;
	case 33: {
		S n = s;
		n.ch = n.ktmp;
		n.ktmp = 0;
		n.kpc = 31;
		n.kneed = 3;
		emit(n, 0, "merge: write words back");
	} break;
	case 31:
		for (int sec = 0; sec < 2; sec++)
			if (s.kneed >> sec & 1) {
				int x = SX(s.curE, 1, sec);
				if (MERGEALL && !busy(s, x, KC)) {
					S n = s;
					n.kneed &= ~(1 << sec);
					n.infl[x][KC] =
						SEC(n.curE, csbits(n.ch, sec));
					emit(n, 0,
					     "abort: write chunk sector%d "
					     "bits%x",
					     sec, csbits(n.ch, sec));
				}
			}
		if ((!s.kneed || !MERGEALL) && !pending(s, KC)) {
			S n = s;
			n.kneed = 0;
			flushm(n);
			n.kpc = 32;
			n.seq++;
			startS(n, SB(n.seq, n.curE, 0, 0, n.base, 0,
				     n.merged | 1 << n.fid));
			emit(n, 0, "abort: flushed; S{no frozen}");
		}
		break;
	}
}
// ---------- explorer ----------
static u64 hsh(const S &s)
{
	const u64 *p = (const u64 *)&s;
	u64 h = 0x9E3779B97F4A7C15ull;
	for (size_t i = 0; i < sizeof(S) / 8; i++) {
		h ^= p[i];
		h *= 0xff51afd7ed558ccdull;
		h ^= h >> 32;
		h *= 0xc4ceb9fe1a85ec53ull;
		h ^= h >> 29;
	}
	return h ? h : 1;
}
static u64 *HF, *HP;
static u64 HM, HN;
static bool ins(u64 f, u64 p)
{
	u64 i = f & HM;
	while (HF[i]) {
		if (HF[i] == f)
			return false;
		i = (i + 1) & HM;
	}
	HF[i] = f;
	HP[i] = p;
	HN++;
	return true;
}
static u64 par(u64 f)
{
	u64 i = f & HM;
	while (HF[i]) {
		if (HF[i] == f)
			return HP[i];
		i = (i + 1) & HM;
	}
	return 0;
}
int main(int argc, char **argv)
{
	std::map<std::string, int *> o = { { "NW", &NW },
					   { "W", &W },
					   { "CUTS", &CUTS },
					   { "CRASH", &CRASH },
					   { "RESET", &RESET },
					   { "ROT", &ROT },
					   { "STOP", &STOP },
					   { "SPAN", &SPAN },
					   { "TORN", &TORN },
					   { "SHIP", &SHIP },
					   { "CSMODE", &CSMODE },
					   { "READALL", &READALL },
					   { "SFIRST", &SFIRST },
					   { "WANTED", &WANTED },
					   { "ATOMIC", &ATOMIC },
					   { "SKIP", &SKIP },
					   { "ABPREP", &ABPREP },
					   { "RECT", &RECT },
					   { "RECLOG", &RECLOG },
					   { "ORDSAFE", &ORDSAFE },
					   { "QUIESCE", &QUIESCE },
					   { "UNITE", &UNITE },
					   { "RECCLEAR", &RECCLEAR },
					   { "MERGEALL", &MERGEALL },
					   { "NORULE", &NORULE },
					   { "REMEMBER", &REMEMBER },
					   { "RECWHERE", &RECWHERE },
					   { "MUT", &MUT },
					   { "NOPA", &NOP1 } };
	std::string cfg;
	for (int i = 1; i < argc; i++) {
		char k[40];
		int v;
		if (sscanf(argv[i], "%39[A-Z]=%d", k, &v) == 2) {
			if (!strcmp(k, "MAXM")) {
				MAXST = v * 1000000ull;
				continue;
			}
			if (!o.count(k)) {
				fprintf(stderr, "? %s\n", k);
				return 2;
			}
			*o[k] = v;
			cfg += std::string(argv[i]) + " ";
		}
	}
	int lg = 10;
	while ((1ull << lg) < MAXST * 3 / 2)
		lg++;
	HM = (1ull << lg) - 1;
	HF = (u64 *)calloc(HM + 1, 8);
	HP = (u64 *)calloc(HM + 1, 8);
	S s0;
	memset(&s0, 0, sizeof s0);
	for (int x = 0; x < 8; x++) {
		s0.dur[x] = 0;
		s0.cache[x] = NONE;
		for (int k = 0; k < 3; k++)
			s0.infl[x][k] = NONE;
	}
	s0.sbd[0] = s0.sbd[1] = SB(1, 1, 0, 0, 0, 0, 0);
	s0.seq = 1;
	s0.curE = 1;
	s0.mode = 1;
	for (int c = 0; c < 6; c++)
		s0.poss[c] = 1;
	s0.wleft = W;
	s0.cleft = CUTS;
	s0.xleft = CRASH;
	std::vector<S> fr, nx;
	u64 f0 = hsh(s0);
	ins(f0, 0);
	fr.push_back(s0);
	u64 cf = 0;
	const char *err = 0;
	u64 errf = 0, errp = 0;
	u64 trans = 0;
	int depth = 0;
	Emit e = [&](S &n, const char *er) {
		trans++;
		if (!er)
			er = live(n);
		u64 f = hsh(n);
		if (er && !err) {
			err = er;
			errf = f;
			errp = cf;
		}
		if (ins(f, cf))
			nx.push_back(n);
	};
	E = &e;
	while (!fr.empty() && !err && HN < MAXST) {
		nx.clear();
		for (auto &s : fr) {
			S c = s;
			cf = hsh(c);
			gen(c);
			if (err || HN >= MAXST)
				break;
		}
		fr.swap(nx);
		depth++;
	}
	printf("%s: %s states=%llu transitions=%llu depth=%d recoveries=%llu "
	       "newer->everything=%llu bad-sector=%llu lost=%llu%s\n",
	       cfg.c_str(), err ? err : "holds", (unsigned long long)HN,
	       (unsigned long long)trans, depth, (unsigned long long)nrec,
	       (unsigned long long)nev_new, (unsigned long long)nev_bad,
	       (unsigned long long)nlost,
	       (!err && HN >= MAXST) ? " (STOPPED AT LIMIT)" : "");
	if (err) {
		std::vector<u64> path;
		path.push_back(errf);
		u64 f = errp;
		while (f) {
			path.push_back(f);
			f = par(f);
		}
		tracing = true;
		S c = s0;
		for (int i = (int)path.size() - 2; i >= 0; i--) {
			bool got = false;
			S nn;
			std::string l;
			Emit t = [&](S &n, const char *) {
				if (!got && hsh(n) == path[i]) {
					got = true;
					nn = n;
					l = lab;
				}
			};
			E = &t;
			gen(c);
			if (!got) {
				printf("  (replay lost)\n");
				break;
			}
			printf("  %2d %s\n", (int)path.size() - 1 - i,
			       l.c_str());
			c = nn;
		}
	}
	return err ? 1 : 0;
}
