/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_CHECK_H
#define RETENTIOND_CTL_CHECK_H

#include "ctl/ctl.h"

#define CTL_CHECK_DUE_MAX     1000 /* what the daemon counts to: its sweep is far behind */
#define CTL_CHECK_SILENCE_MAX (15 * SPAN_MINUTE) /* of a keeper: a poll has come 30 times by then */

/* Of the store, beside the reserve: an import of a thousand accounts may ask for more. */
#define CTL_CHECK_ROOM_MIN (INT64_C(1) << 20)

/* A sweep looks every minute: what has been due for longer is not going to be done by itself. */
#define CTL_CHECK_LATE_MAX (5 * SPAN_MINUTE)

/**
 * ctl_check_gather() - ask the daemon for all that ctl_check_faults() looks at
 * @answers:   an object, gets the answers under the names that it knows
 * @unchecked: an array, gets the names of what our role may not see
 * @lenient:   whether all may be left out but for what anybody may see; else requests only
 *
 * Return: 0 or an exit code.
 */
must_check int ctl_check_gather(struct ctl *ctl, json_t *answers, json_t *unchecked, bool lenient);

/**
 * ctl_check_faults() - what needs somebody: for check and for status
 * @answers: {info, stats, sweep, keepers, requests}: the daemon's answers, those that there are
 * @now:     the daemon's
 *
 * Return: an array of {code, text}, empty if all is well; the caller's reference; NULL without
 * memory.
 */
must_check json_t *ctl_check_faults(const json_t *answers, instant_t now);

/* For monitoring: says what needs somebody. Return: CTL_EXIT_OK, FAILURE if something does, or why
 * it could not be asked. */
must_check int ctl_check_run(struct ctl *ctl);

#endif
