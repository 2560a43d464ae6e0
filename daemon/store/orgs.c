/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/orgs.h"

#include <errno.h>

#include "daemon/store/schema.h"

static int orgs_compare(struct slice a, struct slice b)
{
	int r = memcmp(a.data, b.data, MIN(a.len, b.len));

	return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}

/* Where an id stands in the order, or would stand. */
static uint32_t orgs_place(const struct orgs *orgs, struct slice id, bool *ret_found)
{
	uint32_t low = 0, high = orgs->n;

	*ret_found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int r = orgs_compare(slice_of(orgs->rows[orgs->by_id[middle] - 1].id), id);

		if (r == 0) {
			*ret_found = true;
			return middle;
		}
		if (r < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

const struct org *orgs_get(const struct orgs *orgs, uint32_t number)
{
	return number >= 1 && number <= orgs->n ? &orgs->rows[number - 1] : NULL;
}

const struct org *orgs_find(const struct orgs *orgs, struct slice id)
{
	bool found;
	uint32_t place;

	if (id.len == 0) {
		return NULL;
	}
	place = orgs_place(orgs, id, &found);
	return found ? &orgs->rows[orgs->by_id[place] - 1] : NULL;
}

static int orgs_grow(struct orgs *orgs)
{
	struct org *rows = reallocarray(orgs->rows, orgs->n + 1, sizeof(*rows));
	uint32_t *by_id;

	if (!rows) {
		return -ENOMEM;
	}
	orgs->rows = rows;
	by_id = reallocarray(orgs->by_id, orgs->n + 1, sizeof(*by_id));
	if (!by_id) {
		return -ENOMEM;
	}
	orgs->by_id = by_id;
	return 0;
}

int orgs_put(struct orgs *orgs, const struct org *org)
{
	uint32_t place;
	bool found;

	assert(org->number >= 1 && org->number <= orgs->n + 1);
	if (org->number <= orgs->n) {
		assert(strcmp(orgs->rows[org->number - 1].id, org->id) == 0); /* ids never change */
		orgs->rows[org->number - 1] = *org;
		return 0;
	}
	if (orgs_grow(orgs) < 0) {
		return -ENOMEM;
	}
	place = orgs_place(orgs, slice_of(org->id), &found);
	assert(!found);
	memmove(orgs->by_id + place + 1, orgs->by_id + place,
		(orgs->n - place) * sizeof(*orgs->by_id));
	orgs->by_id[place] = org->number;
	orgs->rows[orgs->n++] = *org;
	return 0;
}

static int orgs_load_row(struct orgs *orgs, struct slice key, struct slice bytes)
{
	struct org org;
	bool found;

	if (key.len != 4 || load_be32(key.data) != orgs->n + 1 ||
	    rows_decode_org(orgs->n + 1, bytes, &org) != 0) {
		return ORGS_E_CORRUPT;
	}
	(void)orgs_place(orgs, slice_of(org.id), &found);
	return found ? ORGS_E_CORRUPT : orgs_put(orgs, &org);
}

int orgs_load(struct orgs *orgs, struct kv_txn *txn)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct slice key, bytes;
	int r = kv_cursor_open(txn, KV_ORGS, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, &bytes);
	}
	while (r == 0) {
		r = orgs_load_row(orgs, key, bytes);
		if (r != 0) {
			return r;
		}
		r = kv_cursor_next(cursor, &key, &bytes);
	}
	if (r == KV_E_NONE) {
		return 0;
	}
	return r < 0 ? r : ORGS_E_CORRUPT;
}

void orgs_done(struct orgs *orgs)
{
	free(orgs->rows);
	free(orgs->by_id);
	*orgs = (struct orgs){0};
}
