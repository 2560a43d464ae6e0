/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_EXPOSITION_H
#define RETENTIOND_CTL_EXPOSITION_H

#include <jansson.h>
#include <stdio.h>

#include "common/base.h"

/*
 * Metrics in the text format of Prometheus, version 0.0.4:
 *
 *     # HELP retentiond_keeper_owed Removals that wait for the keeper.
 *     # TYPE retentiond_keeper_owed gauge
 *     retentiond_keeper_owed{keeper="crm"} 3
 *
 * Of a histogram, each bucket is a sample NAME_bucket with its bound as the label le, the last one
 * "+Inf", and NAME_sum and NAME_count follow.
 */

/* @metrics: as metric_collect() makes them. Whether all was written, ferror() tells. */
void exposition_print(const json_t *metrics, FILE *out);

/* The same as one JSON document, {"metrics": […]}, for those who read that. */
void exposition_print_json(json_t *metrics, FILE *out);

#endif
