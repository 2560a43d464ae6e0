/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/due_front.h"

#include "daemon/work/engine.h"

int due_front_count(struct engine *engine, instant_t at, struct due_front *ret_due)
{
	struct due_front due = {.next = INSTANT_NONE};
	struct due_position position = sweep_front(&engine->sweep);
	struct account account;

	while (due.n < DUE_FRONT_MAX) {
		int r = store_next_due(engine->store, &position, &account);

		if (r < 0) {
			return r;
		}
		if (due.next == INSTANT_NONE && r != STORE_E_NONE && position.at != INSTANT_MAX) {
			due.next = position.at;
		}
		if (r == STORE_E_NONE || position.at > at) {
			break;
		}
		++due.n;
	}
	*ret_due = due;
	return 0;
}
