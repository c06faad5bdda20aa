// SPDX-License-Identifier: MIT
#include "model/precopy.h"

enum tm_precopy_next tm_precopy_next(const struct tm_precopy *rule,
				     unsigned int rounds, uint64_t before,
				     uint64_t left)
{
	if (!rounds)
		return rule->from && left >= rule->from &&
			       left > rule->remainder ?
			       TM_PRECOPY_GO : TM_PRECOPY_NONE;
	if (left <= rule->remainder)
		return TM_PRECOPY_DONE;
	if (left > before / 2)
		return TM_PRECOPY_STUCK;
	return rounds < TM_PRECOPY_ROUNDS ? TM_PRECOPY_GO : TM_PRECOPY_LIMIT;
}

bool tm_precopy_takes_part(const struct tm_precopy *rule, uint64_t n,
			   uint64_t left)
{
	return left > rule->remainder / n;
}
