/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/pace.h"

void pace_init(struct pace *pace, span_t shortest)
{
	*pace = (struct pace){
		.asked_at = -PACE_PART * PACE_LONG,
		.row_ns = shortest * 1000 / PACE_ROWS_BEGIN,
		.shortest = shortest,
	};
}

void pace_note_request(struct pace *pace, span_t now)
{
	pace->asked_at = now;
}

void pace_note_slice(struct pace *pace, uint32_t n, span_t worked, span_t committed, span_t now)
{
	pace->ended_at = now;
	pace->worked = worked;
	pace->committed = committed;
	if (n > 0 && worked > 0) {
		pace->row_ns = worked * 1000 / n;
	}
}

void pace_note_end(struct pace *pace)
{
	pace->worked = 0;
	pace->committed = 0;
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
	return MIN(MAX(value, least), most);
}

span_t pace_wait(const struct pace *pace, span_t now)
{
	span_t quiet_at = pace->asked_at + PACE_QUIET;
	span_t rested_at = pace->ended_at + PACE_REST * (pace->worked + pace->committed);

	return MAX(MIN(quiet_at, rested_at) - now, 0);
}

uint32_t pace_rows(const struct pace *pace, span_t now)
{
	span_t quiet = (now - pace->asked_at) / PACE_PART;
	span_t span = within(MAX(quiet, pace->committed), pace->shortest, PACE_LONG);

	return (uint32_t)within(span * 1000 / MAX(pace->row_ns, 1), PACE_ROWS_MIN, PACE_ROWS_MAX);
}
