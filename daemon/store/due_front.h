/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_DUE_FRONT_H
#define RETENTIOND_STORE_DUE_FRONT_H

#include "common/base.h"

#include "daemon/store/overlay.h"
#include "daemon/store/schema.h"

/*
 * The front of what is due: before it, the table of due rows has only keys that the overlay hides.
 * A sweep leaves tens of thousands of them until they are settled, and whoever looks for what is
 * due next would pass over all of them each time.
 *
 * No row in the overlay is due before the front either. So it stays true whatever is settled: what
 * comes into the table was in the overlay first.
 */

struct due_front {
	struct key key;
};

void due_front_init(struct due_front *front); /* nothing is known yet */

bool due_front_is_behind(const struct due_front *front, const struct key *key);

/* A row is put into the overlay: perhaps it is due before the front, or its key stands there. */
void due_front_lower(struct due_front *front, const struct account *account);

/*
 * All keys of the table up to @key have been seen to be hidden, those before the front included;
 * NULL: up to the end.
 */
void due_front_raise(struct due_front *front, const struct overlay *overlay, const struct key *key);

#endif
