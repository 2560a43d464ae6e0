/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_PACE_H
#define RETENTIOND_CORE_PACE_H

#include "common/base.h"
#include "common/instant.h"

/*
 * The pace of timed work, which is done in slices between requests. The rule:
 *
 *     A slice begins when nobody has asked for PACE_QUIET, or when none has run for PACE_REST times
 *     as long as the last one took. Its work may take a part of the time for which nobody has
 *     asked, one in PACE_PART, but always PACE_SHORT, or as long as the last commit of one took
 *     where that is more; and never more than PACE_LONG. Once all that was due is done, there is
 *     nothing to rest from: what falls due one by one is done at once.
 *
 * So whoever asks now and then waits a fraction of the time between two requests at worst, and
 * whoever asks all the time meets a short slice now and then. However many ask, timed work has its
 * share: at 5 us for each removal it is more than 500 000 in a minute. And where the disk is slow,
 * a commit is worth its while.
 *
 * Spans are of the boot clock. How long a row takes is learned from one slice to the next.
 */

#define PACE_QUIET 1000 /* us; whoever sends one request after another has sent the next by then */
#define PACE_REST  9    /* a tenth of the time when somebody always asks */
#define PACE_PART  8
#define PACE_SHORT 500  /* us; its commit takes as long on a quiet disk */
#define PACE_LONG  6000 /* us; no turn of the loop should last longer than 10 ms */
#define PACE_SYNCS 2000 /* us; instead of PACE_SHORT where the commit is part of what a row takes */

/* Rows: of a short slice before any has been measured, the fewest of any, and the most. */
#define PACE_ROWS_BEGIN 32
#define PACE_ROWS_MIN   16 /* so that a machine that stalls once still gets on */
#define PACE_ROWS_MAX   4096

/**
 * struct pace
 * @asked_at: when somebody asked last, or was answered
 * @ended_at: when the last slice ended
 * @worked, @committed: how long its work and its commit took, us
 * @row_ns:   what a row of it took
 * @shortest: PACE_SHORT or PACE_SYNCS
 */
struct pace {
	span_t asked_at;
	span_t ended_at;
	span_t worked;
	span_t committed;
	int64_t row_ns;
	span_t shortest;
};

void pace_init(struct pace *pace, span_t shortest);

/* Somebody asks, or has been answered. */
void pace_note_request(struct pace *pace, span_t now);

/*
 * A slice has ended. @n: its rows. @worked, @committed: us that they and their commit took; nothing
 * is learned from 0
 */
void pace_note_slice(struct pace *pace, uint32_t n, span_t worked, span_t committed, span_t now);

/* The last slice has done all that was due. */
void pace_note_end(struct pace *pace);

/* us until the next slice may begin if nobody asks meanwhile; 0 for now. */
span_t pace_wait(const struct pace *pace, span_t now);

/* The most rows of a slice that begins now. */
uint32_t pace_rows(const struct pace *pace, span_t now);

#endif
