/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/metric.h"

#include "common/instant.h"
#include "common/model.h"
#include "ctl/json.h"

/* clang-format off */
#define ONE(name, type, source, path, help) \
	{name, METRIC_##type, METRIC_##source, false, path, NULL, NULL, help}
#define PART(name, type, path, label, value, help) \
	{name, METRIC_##type, METRIC_NUMBER, false, path, label, value, help}
#define EACH(name, type, source, path, help) \
	{name, METRIC_##type, METRIC_##source, true, path, NULL, NULL, help}

#define ACCOUNTS "Accounts by state; those removed are tombstones that hold no personal data."
#define ERRORS   "Requests answered with an error: wrong ones, and right ones that could not be done, as for want of a role."

const struct metric metric_table[] = {
	ONE("retentiond_up", GAUGE, YES, "up",
		"Whether the daemon answered."),
	ONE("retentiond_build_info", GAUGE, BUILD, "info",
		"The daemon's version, and the store that it has open."),
	ONE("retentiond_start_time_seconds", GAUGE, INSTANT, "stats.started_us",
		"When the daemon started, by its own clock."),
	ONE("retentiond_clock_trusted", GAUGE, YES, "info.clock.trusted",
		"0 while the clock is doubted and timed work waits for somebody to accept it."),
	ONE("retentiond_clock_wall_ahead_seconds", GAUGE, SPAN, "stats.wall_ahead_us",
		"How far the wall clock is ahead of the daemon's own clock; below 0: behind."),
	ONE("retentiond_clock_wall_steps_total", COUNTER, NUMBER, "stats.clock_steps",
		"How often the wall clock was set by a second or more, since the start of the daemon."),

	PART("retentiond_accounts", GAUGE, "stats.accounts.active", "state", "active", ACCOUNTS),
	PART("retentiond_accounts", GAUGE, "stats.accounts.soft_deleted", "state", "soft-deleted", ACCOUNTS),
	PART("retentiond_accounts", GAUGE, "stats.accounts.removing", "state", "removing", ACCOUNTS),
	PART("retentiond_accounts", GAUGE, "stats.accounts.removed", "state", "removed", ACCOUNTS),
	ONE("retentiond_accounts_held", GAUGE, NUMBER, "stats.accounts.held",
		"Accounts whose removal does not start while a legal hold stands."),
	ONE("retentiond_accounts_due", GAUGE, NUMBER, "stats.due_now",
		"Accounts that are due and not yet swept; counted to 1000."),
	ONE("retentiond_organizations", GAUGE, NUMBER, "stats.orgs",
		"Organizations."),

	ONE("retentiond_removals_overdue", GAUGE, NUMBER, "stats.accounts.overdue",
		"Removals past their deadline: promises that are broken."),
	ONE("retentiond_removals_due_soon", GAUGE, NUMBER, "stats.accounts.due_soon",
		"Removals with 7 days or less left; counted to 4096."),
	ONE("retentiond_removals_oldest_overdue_seconds", GAUGE, AGE, "stats.oldest_overdue_us",
		"How long the removal that is overdue for longest has been so; 0 if none is."),
	ONE("retentiond_removals_started_total", COUNTER, NUMBER, "sweep.started",
		"Removals that the clock started, since the start of the daemon."),
	ONE("retentiond_removals_completed_total", COUNTER, NUMBER, "sweep.completed",
		"Removals that the sweep completed, since the start of the daemon."),

	ONE("retentiond_removal_requests_open", GAUGE, NUMBER, "stats.requests_open",
		"Removal requests that wait for a decision."),
	ONE("retentiond_removal_requests_due_soon", GAUGE, NUMBER, "stats.requests_due_soon",
		"Open removal requests with 7 days or less left."),
	ONE("retentiond_removal_requests_overdue", GAUGE, NUMBER, "stats.requests_overdue",
		"Open removal requests past their deadline."),
	ONE("retentiond_removal_requests_oldest_overdue_seconds", GAUGE, AGE, "stats.oldest_request_overdue_us",
		"How long the removal request that is overdue for longest has been so; 0 if none is."),

	EACH("retentiond_keeper_enabled", GAUGE, YES, "enabled",
		"Whether the keeper owes the removals that start from now on."),
	EACH("retentiond_keeper_owed", GAUGE, NUMBER, "owed",
		"Removals that wait for the keeper."),
	EACH("retentiond_keeper_time_left_seconds", GAUGE, TIME_LEFT, "oldest_due_us",
		"Until the oldest removal that waits for the keeper is due; below 0: overdue. Absent if none waits."),
	EACH("retentiond_keeper_silence_seconds", GAUGE, AGE, "heard_us",
		"Since the keeper was heard of last, or since the start of the daemon if it was not heard of."),
	EACH("retentiond_keeper_overdue", GAUGE, OVERDUE, "sla",
		"Whether the oldest removal that waits for the keeper is past its deadline."),
	EACH("retentiond_keeper_failing", GAUGE, NUMBER_OR_0, "failing",
		"Tasks that the keeper has failed since it confirmed one last, or since the start of the daemon; 0: it confirms."),

	ONE("retentiond_mass_guards_engaged", GAUGE, NUMBER, "stats.guards.mass_engaged",
		"Organizations whose mass guard holds accounts back until somebody decides."),
	ONE("retentiond_mass_guard_staged_accounts", GAUGE, NUMBER, "stats.guards.mass_staged",
		"Accounts that the mass guards hold back."),
	ONE("retentiond_mass_guard_engaged_seconds", GAUGE, AGE, "stats.guards.mass_since_us",
		"How long the mass guard that is engaged for longest has been so; 0 if none is."),

	ONE("retentiond_sweep_paused", GAUGE, YES, "sweep.paused",
		"Whether timed work is paused; deadlines run on."),
	ONE("retentiond_sweep_last_run_timestamp_seconds", GAUGE, INSTANT_OR_0, "sweep.last_run_us",
		"When the sweep last found something to do; 0: not since the start of the daemon."),
	ONE("retentiond_sweep_failed_accounts", GAUGE, NUMBER, "sweep.failed",
		"Accounts that the last sweep passed over because their records are damaged."),
	ONE("retentiond_sweep_lag_seconds", GAUGE, AGE, "stats.next_due_us",
		"How long the first account that is due has been so; 0 if none is. The sweep looks every minute."),
	ONE("retentiond_sweep_lateness_seconds", GAUGE, SPAN, "sweep.lateness_us",
		"By how much a removal was started late at most, in the last sweep that started any."),
	ONE("retentiond_next_due_timestamp_seconds", GAUGE, INSTANT, "stats.next_due_us",
		"When the next account falls due, or fell. Absent if none does."),

	ONE("retentiond_requests_total", COUNTER, NUMBER, "stats.requests",
		"Requests over the socket."),
	PART("retentiond_request_errors_total", COUNTER, "stats.errors_wrong", "kind", "wrong", ERRORS),
	PART("retentiond_request_errors_total", COUNTER, "stats.errors_failed", "kind", "failed", ERRORS),
	ONE("retentiond_request_duration_seconds", HISTOGRAM, BUCKETS, "stats.answer_times",
		"From the reading of a request until its answer is durable and begins to leave."),
	ONE("retentiond_commit_duration_seconds", HISTOGRAM, BUCKETS, "stats.commit_times",
		"How long a commit of changes takes, with its syncs; many requests share one."),
	ONE("retentiond_turns_total", COUNTER, NUMBER, "stats.turns.count",
		"Turns of the daemon's loop."),
	ONE("retentiond_turns_long_total", COUNTER, NUMBER, "stats.turns.long",
		"Turns longer than 10 ms, their commit included."),
	ONE("retentiond_turn_longest_seconds", GAUGE, SPAN, "stats.turns.longest_us",
		"The longest turn since the start of the daemon."),

	ONE("retentiond_connections", GAUGE, NUMBER, "stats.connections",
		"Connections that are open."),
	ONE("retentiond_connections_accepted_total", COUNTER, NUMBER, "stats.accepted",
		"Connections that were taken."),
	ONE("retentiond_connections_refused_total", COUNTER, NUMBER, "stats.refused",
		"Connections that were closed at once: too many are open, or descriptors or memory are short."),
	ONE("retentiond_connections_dropped_total", COUNTER, NUMBER, "stats.dropped",
		"Connections that were ended for what the peer did, as not reading its answers."),
	ONE("retentiond_subscribers", GAUGE, NUMBER, "stats.subscribers",
		"Connections that are told of events."),
	ONE("retentiond_events_total", COUNTER, NUMBER, "stats.events",
		"Events told to subscribers; none is ever left out."),

	ONE("retentiond_store_used_bytes", GAUGE, NUMBER, "stats.store.used_bytes",
		"Bytes of the store that hold something."),
	ONE("retentiond_store_file_bytes", GAUGE, NUMBER, "stats.store.file_bytes",
		"Size of the store's file."),
	ONE("retentiond_store_map_bytes", GAUGE, NUMBER, "stats.store.map_bytes",
		"What the store's file may grow to; map_size in the configuration."),
	ONE("retentiond_store_reserve_bytes", GAUGE, NUMBER, "stats.store.reserve_bytes",
		"Room that is kept for deletions: imports are refused when only this is left."),
	ONE("retentiond_store_room_bytes", GAUGE, NUMBER, "stats.store.room_bytes",
		"Room for what grows, in the map and on the disk: imports are refused when it is gone."),
	ONE("retentiond_vault_slots", GAUGE, NUMBER, "stats.store.vault_slots",
		"Slots of the vault that ever held a key, 32 bytes each."),
	ONE("retentiond_ledger_entries_total", COUNTER, NUMBER, "stats.ledger.seq",
		"Entries of the ledger."),
	ONE("retentiond_ledger_unsettled_entries", GAUGE, NUMBER, "stats.ledger.unsettled",
		"Entries whose rows are in memory and wait to be moved to their tables."),
	ONE("retentiond_last_backup_timestamp_seconds", GAUGE, INSTANT_OR_0, "stats.last_backup_us",
		"When the last backup was complete; 0: never."),
};
/* clang-format on */

const size_t metric_table_len = ARRAY_LEN(metric_table);

const char *metric_type_name(enum metric_type type)
{
	switch (type) {
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_COUNTER:
		return "counter";
	case METRIC_HISTOGRAM:
		return "histogram";
	case _METRIC_TYPE_MAX:
		break;
	}
	abort();
}

/*
 * The value at a path. Where the object that it would stand in is missing, the daemon did not tell
 * us, and false is returned; a value that is missing in it is told as NULL.
 */
static bool find(const json_t *from, const char *path, const json_t **ret_value)
{
	char key[32];
	const char *end = strchrnul(path, '.');

	if (!json_is_object(from)) {
		return false;
	}
	assert((size_t)(end - path) < sizeof(key));
	memcpy(key, path, (size_t)(end - path));
	key[end - path] = '\0';
	from = json_object_get(from, key);
	if (*end) {
		return find(from, end + 1, ret_value);
	}
	*ret_value = from;
	return true;
}

static json_t *seconds(json_int_t us)
{
	return json_real((double)us / SPAN_SECOND);
}

static bool is_overdue(const json_t *sla)
{
	return sla &&
	       slice_is(slice_of(json_string_value(sla)), account_sla_name(ACCOUNT_SLA_OVERDUE));
}

/* What one sample says, in the words of an exposition; NULL if it says nothing. */
static json_t *value_of(enum metric_source source, const json_t *value, instant_t now)
{
	instant_t at = json_integer_value(value); /* 0 if it is not there */

	switch (source) {
	case METRIC_NUMBER:
		return value ? json_integer(json_integer_value(value)) : NULL;
	case METRIC_NUMBER_OR_0:
		return json_integer(json_integer_value(value));
	case METRIC_YES:
		return value ? json_integer(json_is_true(value)) : NULL;
	case METRIC_SPAN:
	case METRIC_INSTANT:
		return value ? seconds(at) : NULL;
	case METRIC_INSTANT_OR_0:
		return value ? seconds(at) : json_integer(0);
	case METRIC_AGE:
		return value && at < now ? seconds(now - at) : json_integer(0);
	case METRIC_TIME_LEFT:
		return value ? seconds(at - now) : NULL;
	case METRIC_OVERDUE:
		return json_integer(is_overdue(value));
	case METRIC_BUILD:
		return value ? json_integer(1) : NULL;
	case METRIC_BUCKETS:
		break;
	}
	abort();
}

/*
 * What is being collected: metrics, and whether there was memory for all of it.
 */
struct collector {
	instant_t now;
	json_t *metrics;
	bool ok;
};

static void append(struct collector *collector, json_t *array, json_t *item)
{
	collector->ok = json_array_append_new(array, item) == 0 && collector->ok;
}

/* In stats.get a bucket holds what is in it alone, and the last one has no bound. */
static json_t *buckets_of(struct collector *collector, const json_t *buckets)
{
	json_t *summed = json_array();
	json_int_t n = 0;
	size_t i;
	const json_t *bucket;

	json_array_foreach(buckets, i, bucket) {
		const json_t *to = json_object_get(bucket, "to_us");

		n += json_integer_value(json_object_get(bucket, "n"));
		if (to) {
			append(collector, summed,
			       json_pack("{s:o, s:I}", "le", seconds(json_integer_value(to)),
					 "count", n));
		}
	}
	return summed;
}

static json_t *histogram_of(struct collector *collector, const json_t *histogram)
{
	return json_pack("{s:{}, s:o, s:o, s:I}", "labels", "buckets",
			 buckets_of(collector, json_object_get(histogram, "buckets")), "sum",
			 seconds(json_integer_value(json_object_get(histogram, "sum_us"))), "count",
			 json_integer_value(json_object_get(histogram, "count")));
}

static json_t *labels_of(const struct metric *metric, const json_t *from, const json_t *value)
{
	if (metric->source == METRIC_BUILD) {
		return json_pack("{s:O?, s:O?}", "version", json_object_get(value, "version"),
				 "store", json_object_get(value, "instance"));
	}
	if (metric->of_keeper) {
		return json_pack("{s:O?}", "keeper", json_object_get(from, "keeper"));
	}
	return metric->label ? json_pack("{s:s}", metric->label, metric->label_value)
			     : json_object();
}

/* Samples of a metric; where the last metric is this one, its samples go on. */
static json_t *samples_of(struct collector *collector, const struct metric *metric)
{
	json_t *metrics = collector->metrics;
	const json_t *last = NULL;
	const char *name;

	if (json_array_size(metrics) > 0) {
		last = json_array_get(metrics, json_array_size(metrics) - 1);
	}
	name = ctl_json_text(last, "name");
	if (!name || strcmp(name, metric->name) != 0) {
		append(collector, metrics,
		       json_pack("{s:s, s:s, s:s, s:[]}", "name", metric->name, "type",
				 metric_type_name(metric->type), "help", metric->help, "samples"));
		last = json_array_get(metrics, json_array_size(metrics) - 1);
	}
	return json_object_get(last, "samples");
}

/* @from: the answers, or a keeper's row. */
static void add_sample(struct collector *collector, const struct metric *metric, const json_t *from)
{
	const json_t *value;
	json_t *told;

	if (!find(from, metric->path, &value)) {
		return;
	}
	if (metric->source == METRIC_BUCKETS) {
		if (value) {
			append(collector, samples_of(collector, metric),
			       histogram_of(collector, value));
		}
		return;
	}
	told = value_of(metric->source, value, collector->now);
	if (told) {
		append(collector, samples_of(collector, metric),
		       json_pack("{s:o, s:o}", "labels", labels_of(metric, from, value), "value",
				 told));
	}
}

json_t *metric_collect(const json_t *answers)
{
	const json_t *clock = json_object_get(json_object_get(answers, "info"), "clock");
	const json_t *keepers = json_object_get(json_object_get(answers, "keepers"), "keepers");
	struct collector collector = {
		.now = json_integer_value(json_object_get(clock, "now_us")),
		.metrics = json_array(),
		.ok = true,
	};
	size_t k;
	const json_t *keeper;

	for (size_t i = 0; i < metric_table_len; i++) {
		const struct metric *metric = &metric_table[i];

		if (!metric->of_keeper) {
			add_sample(&collector, metric, answers);
			continue;
		}
		json_array_foreach(keepers, k, keeper) {
			add_sample(&collector, metric, keeper);
		}
	}
	if (!collector.ok) {
		json_decref(collector.metrics);
		return NULL;
	}
	return collector.metrics;
}
