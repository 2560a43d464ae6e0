/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_METRIC_H
#define RETENTIOND_CTL_METRIC_H

#include <jansson.h>

#include "common/base.h"

/*
 * The metrics: one table says what each is called, what it means, and where in the daemon's
 * answers it comes from. Names are those of Prometheus' practice: base units, the unit last, _total
 * on counters. No label names a person, an account or an organization.
 */

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, _METRIC_TYPE_MAX };

/* "gauge", "counter", "histogram". */
const char *metric_type_name(enum metric_type type);

/* What stands in the answers, and so what is made of it. */
enum metric_source {
	METRIC_NUMBER,
	METRIC_NUMBER_OR_0,  /* 0 without it */
	METRIC_YES,          /* a boolean: 1 or 0 */
	METRIC_SPAN,         /* us; seconds */
	METRIC_INSTANT,      /* us; a timestamp in seconds, none without it */
	METRIC_INSTANT_OR_0, /* likewise, 0 without it */
	METRIC_AGE,          /* an instant; seconds since then, 0 without it or before it */
	METRIC_TIME_LEFT,    /* an instant; seconds until then, less than 0 after it */
	METRIC_OVERDUE,      /* an sla: 1 if it is overdue */
	METRIC_BUILD,        /* an object with version and instance, which become labels of a 1 */
	METRIC_BUCKETS,      /* a histogram as stats.get has it */
};

/**
 * struct metric - one row; rows of one name stand together and are one metric
 * @path:   keys with dots between, from the answers on; or from a keeper's row on, if @of_keeper,
 *          and there is a sample for each keeper, which is its label
 * @label, @label_value: what tells this row from the others of its name; or NULL
 * @help:   one sentence
 */
struct metric {
	const char *name;
	enum metric_type type;
	enum metric_source source;
	bool of_keeper;
	const char *path;
	const char *label;
	const char *label_value;
	const char *help;
};

extern const struct metric metric_table[];
extern const size_t metric_table_len;

/**
 * metric_collect() - what the answers say
 * @answers: {up, info, stats, sweep, keepers}: the daemon's answers, those that there are; @up is
 *           whether it answered. Metrics of answers that are missing are left out
 *
 * Return: an array of {name, type, help, samples: [{labels, value}]}, for a histogram {labels,
 * buckets: [{le, count}], sum, count}, where each bucket holds those before it, too, and seconds
 * count; the caller's reference; NULL without memory.
 */
must_check json_t *metric_collect(const json_t *answers);

#endif
