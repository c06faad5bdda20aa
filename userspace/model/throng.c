// SPDX-License-Identifier: MIT
#include "model/throng.h"

#define MS UINT64_C(1000000)

#define FIRST_LIMIT	4
#define FIRST_PAUSE_NS	(250 * MS)
#define LAST_PAUSE_NS	(30000 * MS)

void tm_throng_init(struct tm_throng *throng, unsigned int most)
{
	*throng = (struct tm_throng){
		.most = most ? most : 1,
	};
	throng->limit = throng->most < FIRST_LIMIT ? throng->most : FIRST_LIMIT;
}

unsigned int tm_throng_room(const struct tm_throng *throng, uint64_t now_ns,
			    unsigned int under_way, uint64_t *ret_wait_ns)
{
	*ret_wait_ns = 0;
	if (now_ns < throng->held_ns) {
		*ret_wait_ns = throng->held_ns - now_ns;
		return 0;
	}
	return under_way < throng->limit ? throng->limit - under_way : 0;
}

void tm_throng_succeeded(struct tm_throng *throng)
{
	throng->pause_ns = 0;
	throng->successes++;
	if (throng->refused && throng->successes < throng->limit)
		return;
	throng->successes = 0;
	if (throng->limit < throng->most)
		throng->limit++;
}

static void hold(struct tm_throng *throng, uint64_t now_ns, uint64_t ns)
{
	uint64_t until;

	if (ns > TM_THRONG_HOLD_MAX_NS)
		ns = TM_THRONG_HOLD_MAX_NS;
	until = now_ns + ns;
	if (until > throng->held_ns)
		throng->held_ns = until;
}

/* One at a time is still too much: what is left is to wait between them. */
static void pause_longer(struct tm_throng *throng, uint64_t now_ns)
{
	throng->pause_ns *= 2;
	if (throng->pause_ns < FIRST_PAUSE_NS)
		throng->pause_ns = FIRST_PAUSE_NS;
	if (throng->pause_ns > LAST_PAUSE_NS)
		throng->pause_ns = LAST_PAUSE_NS;
	hold(throng, now_ns, throng->pause_ns);
}

void tm_throng_refused(struct tm_throng *throng, uint64_t now_ns,
		       uint64_t sent_ns, uint64_t retry_after_ns)
{
	hold(throng, now_ns, retry_after_ns);
	if (throng->refused && sent_ns <= throng->cut_ns)
		return;
	throng->refused = true;
	throng->cut_ns = now_ns;
	throng->successes = 0;
	if (throng->limit > 1)
		throng->limit /= 2;
	else
		pause_longer(throng, now_ns);
}
