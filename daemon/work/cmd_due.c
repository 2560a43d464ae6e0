/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * due.forecast: how many windows end and how many removals are due, by bucket. Removals under way
 * stand at the front of the due index (their start lies behind us), then come the windows in the
 * order of their ends. A page covers a bounded number of rows; whoever follows the cursor adds
 * the pages' buckets up.
 */

#define FORECAST_ROWS_MAX    4096
#define FORECAST_BUCKETS_MAX 1000
#define FORECAST_DEFAULT     (30 * SPAN_DAY)
#define FORECAST_CURSOR_LEN  25 /* now, position; the pages of one forecast speak of one instant */

struct bucket {
	uint32_t n_windows;
	uint32_t n_removals;
};

struct forecast {
	instant_t now;
	instant_t until;
	span_t width;
	bool owed; /* walking what waits for keepers */
	struct due_position position;
	struct bucket buckets[FORECAST_BUCKETS_MAX];
};

/*
 * What is overdue counts into the first bucket; what ends with the forecast itself into the last.
 */
static struct bucket *forecast_bucket(struct forecast *forecast, instant_t at)
{
	span_t ahead = at > forecast->now ? at - forecast->now : 0;
	span_t last = forecast->until - forecast->now - 1;

	return &forecast->buckets[MIN(ahead, last) / forecast->width];
}

static void forecast_count(struct forecast *forecast, const struct facts *facts)
{
	instant_t removal_due = lifecycle_removal_due_at(facts, forecast->now);
	instant_t at = removal_due;

	if (removal_due == INSTANT_NONE) {
		(void)lifecycle_next(facts, &at); /* the end of the window, or of the last hold */
	}
	if (at == INSTANT_NONE || at > forecast->until) {
		return;
	}
	if (removal_due != INSTANT_NONE) {
		++forecast_bucket(forecast, at)->n_removals;
	} else {
		++forecast_bucket(forecast, at)->n_windows;
	}
}

/* What waits for keepers first, then what waits for the clock. */
static int forecast_next(struct store *store, struct forecast *forecast,
			 struct account *ret_account)
{
	int r = STORE_E_NONE;

	if (forecast->owed) {
		r = store_next_owed(store, &forecast->position, ret_account);
	}
	if (forecast->owed && (r == STORE_E_NONE || forecast->position.at > forecast->until)) {
		forecast->owed = false;
		forecast->position = (struct due_position){0};
		r = STORE_E_NONE;
	}
	return forecast->owed || r != STORE_E_NONE
		       ? r
		       : store_next_due(store, &forecast->position, ret_account);
}

/* Return: 0 with more to come, STORE_E_NONE at the end, or a negative errno. */
static int forecast_page(struct store *store, struct forecast *forecast)
{
	struct account account;

	for (uint32_t i = 0; i < FORECAST_ROWS_MAX; ++i) {
		int r = forecast_next(store, forecast, &account);

		if (r == STORE_E_CORRUPT) {
			continue;
		}
		if (r != 0) {
			return r;
		}
		if (forecast->position.at > forecast->until) {
			return STORE_E_NONE;
		}
		if (forecast->owed || account.facts.owed == 0) {
			forecast_count(forecast, &account.facts);
		}
	}
	return 0;
}

static bool forecast_read_cursor(struct slice text, struct forecast *forecast)
{
	uint8_t bytes[FORECAST_CURSOR_LEN];

	if (!answer_read_hex(text, bytes, sizeof(bytes))) {
		return false;
	}
	forecast->now = (instant_t)load_be64(bytes);
	forecast->position =
		(struct due_position){(instant_t)load_be64(bytes + 8), load_be64(bytes + 16)};
	forecast->owed = bytes[24] != 0;
	return forecast->now >= 0 && forecast->now <= INSTANT_MAX && forecast->position.at >= 0;
}

static void forecast_put_cursor(struct pack_writer *out, const struct forecast *forecast)
{
	uint8_t bytes[FORECAST_CURSOR_LEN];

	store_be64(bytes, (uint64_t)forecast->now);
	store_be64(bytes + 8, (uint64_t)forecast->position.at);
	store_be64(bytes + 16, forecast->position.uid);
	bytes[24] = forecast->owed;
	answer_put_hex(out, "cursor", bytes, sizeof(bytes));
}

static void forecast_put_buckets(struct pack_writer *out, const struct forecast *forecast)
{
	pack_put_array(out, "buckets");
	for (uint32_t i = 0; i < FORECAST_BUCKETS_MAX; ++i) {
		const struct bucket *bucket = &forecast->buckets[i];
		instant_t from = forecast->now + i * forecast->width;

		if (bucket->n_windows == 0 && bucket->n_removals == 0) {
			continue;
		}
		pack_write_map(out);
		pack_put_int(out, "from_us", from);
		pack_put_int(out, "until_us", MIN(from + forecast->width, forecast->until));
		pack_put_uint(out, "windows_end", bucket->n_windows);
		pack_put_uint(out, "removals_due", bucket->n_removals);
		pack_write_end(out);
	}
	pack_write_end(out);
}

int cmd_due_forecast(struct call *call)
{
	const struct request *request = call->request;
	struct forecast forecast = {.now = call->engine->now, .owed = true};
	span_t within = REQUEST_HAS(request, within_us) ? request->within_us : FORECAST_DEFAULT;
	int r;

	forecast.width = REQUEST_HAS(request, by) ? request->by : SPAN_DAY;
	if (within < 1 || (within - 1) / forecast.width >= FORECAST_BUCKETS_MAX) {
		return call_refuse_argument(
			call, "within_us",
			"must cover 1 to 1000 buckets; choose wider ones with by");
	}
	if (REQUEST_HAS(request, cursor) && !forecast_read_cursor(request->cursor, &forecast)) {
		return call_refuse_argument(call, "cursor", "is not one of this method's");
	}
	forecast.until = forecast.now + within;
	r = forecast_page(call->engine->store, &forecast);
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_int(call->out, "now_us", forecast.now);
	pack_put_int(call->out, "until_us", forecast.until);
	forecast_put_buckets(call->out, &forecast);
	if (r == 0) {
		forecast_put_cursor(call->out, &forecast);
	}
	pack_write_end(call->out);
	return 0;
}
