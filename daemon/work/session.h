/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_SESSION_H
#define RETENTIOND_WORK_SESSION_H

#include "common/base.h"

#include "daemon/core/access.h"

/**
 * struct session - what is known of a connection; its owner zeroes it but for the peer
 * @peer:     who is at the other end, as the kernel told it
 * @next_seq: number of the ledger entry that it is told of next; 0 while it has not subscribed
 * @keeper:   told only of removals that this keeper owes; 0 for everything
 */
struct session {
	struct access_peer peer;
	uint64_t next_seq;
	uint8_t keeper;
};

/* Why a session has to end. */
enum {
	SESSION_E_FORBIDDEN = 1, /* the peer has lost the role that its subscription needs */
	SESSION_E_DAMAGED,       /* the entry that it is told of next cannot be read */
};

#endif
