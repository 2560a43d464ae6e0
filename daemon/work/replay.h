/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_REPLAY_H
#define RETENTIOND_WORK_REPLAY_H

#include "daemon/work/call.h"

/*
 * Repeated requests. A changing command that carries a request_id has its answer kept, and gets
 * it again when the same peer sends the same request with the same id: after a broken connection,
 * or after a restart of the daemon.
 *
 * An answer names people, and what is kept must not: of a list of items only what the daemon
 * added is kept, and the names are taken from the repeated request, which is the same. Kept in
 * the transaction of the change itself, so that they are durable together.
 *
 * But for guard.release of the clock guard, which is on disk before its turn ends: a crash between
 * the two leaves a release without its answer, and who repeats the request is told that no guard is
 * engaged any more (released: false).
 */

#define REPLAY_KEPT_FOR SPAN_DAY

enum {
	REPLAY_E_NONE = CALL_E_REFUSED + 1, /* a new request: carry it out */
};

/**
 * replay_answer() - the first answer to this request, if there was one
 * @params: of the message
 *
 * Return: 0 when the result has been written to call->out; REPLAY_E_NONE; CALL_E_REFUSED when the
 * id was used for another request, or this user has as many answers kept as it may; or a negative
 * errno.
 */
must_check int replay_answer(struct call *call, const struct pack_value *params);

/* Keeps the result that stands in call->out from @start on. Return: 0 or a negative errno. */
must_check int replay_keep(struct call *call, const struct pack_value *params, size_t start);

#endif
