/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_DISPATCH_H
#define RETENTIOND_WORK_DISPATCH_H

#include "common/base.h"
#include "common/pack.h"
#include "common/rpc.h"

#include "daemon/work/engine.h"
#include "daemon/work/session.h"

/**
 * dispatch_message() - do what a message asks and write its answer
 * @session: who asks; events.subscribe sets its position, nothing else is changed
 * @message: from rpc_parse(); notifications and responses are ignored, nothing is written for them
 * @out:     the answer is added at its end; the caller sends it after engine_commit()
 *
 * A funnel of refusals in a fixed order: the method is known, the peer has the role, the frame is
 * not too large, the arguments are right; then the command's function. An answer that does not
 * fit into @out becomes the error too-large.
 *
 * Return: 0, or a negative errno when the machine failed and the process must end.
 */
must_check int dispatch_message(struct engine *engine, struct session *session,
				const struct rpc_message *message, struct pack_writer *out);

#endif
