/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_set.h"

#include <errno.h>

#define PACKED_MAX (SIZE_MAX / 2) /* bounded by the files, which are ours */

void import_set_init(struct import_set *set)
{
	*set = (struct import_set){.n = 0};
	pack_writer_init(&set->packed, PACKED_MAX);
}

void import_set_done(struct import_set *set)
{
	import_faults_done(&set->faults);
	pack_writer_done(&set->packed);
	free(set->entries);
	free(set->keys);
	free(set->places);
}

/* FNV-1a. Whoever chooses ids that collide makes nobody's import slow but their own. */
static size_t hash_of(const char *bytes, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	}
	return (size_t)hash;
}

static size_t key_len(const char *key)
{
	size_t org_len = strlen(key) + 1;

	return org_len + strlen(key + org_len) + 1;
}

/* The place of a key, or the free one where it would be. */
static size_t find_place(const struct import_set *set, const char *key)
{
	size_t len = key_len(key);
	size_t place = hash_of(key, len) & (set->n_places - 1);

	while (set->places[place]) {
		const char *other = set->keys + set->entries[set->places[place] - 1].key;

		if (key_len(other) == len && memcmp(other, key, len) == 0) {
			break;
		}
		place = (place + 1) & (set->n_places - 1);
	}
	return place;
}

static int grow_places(struct import_set *set)
{
	uint32_t *old = set->places;

	if (set->n * 2 < set->n_places) {
		return 0;
	}
	set->n_places = set->n_places ? set->n_places * 2 : 1024;
	set->places = calloc(set->n_places, sizeof(*set->places));
	if (!set->places) {
		set->places = old;
		set->n_places /= 2;
		return -ENOMEM;
	}
	free(old);
	for (size_t i = 0; i < set->n; i++) {
		set->places[find_place(set, set->keys + set->entries[i].key)] = (uint32_t)i + 1;
	}
	return 0;
}

static int grow_entries(struct import_set *set)
{
	size_t size = set->size ? set->size * 2 : 1024;
	struct import_entry *entries;

	if (set->n < set->size) {
		return 0;
	}
	if (size > UINT32_MAX) {
		return -EOVERFLOW;
	}
	entries = reallocarray(set->entries, size, sizeof(*entries));
	if (!entries) {
		return -ENOMEM;
	}
	set->entries = entries;
	set->size = size;
	return 0;
}

/* "org\0id\0" behind the keys that are there; organizations are compared in lower case. */
static int append_key(struct import_set *set, const struct import_row *row)
{
	struct slice id = row->text[FIELD_id];
	struct slice org;
	char *to;

	if (set->keys_size - set->keys_len < MODEL_ORG_LEN_MAX + MODEL_ID_LEN_MAX + 2) {
		size_t size = set->keys_size ? set->keys_size * 2 : 64 * 1024;
		char *keys = realloc(set->keys, size);

		if (!keys) {
			return -ENOMEM;
		}
		set->keys = keys;
		set->keys_size = size;
	}
	to = set->keys + set->keys_len;
	org = model_lower(row->text[FIELD_org], to, MODEL_ORG_LEN_MAX + 1);
	memcpy(to + org.len + 1, id.data, id.len);
	to[org.len + 1 + id.len] = '\0';
	return 0;
}

static void take_defaults(const struct import_set *set, struct import_row *row)
{
	if (!import_row_has(row, FIELD_org) && set->default_org.len) {
		const char *fault = import_row_set(row, FIELD_org, set->default_org);

		assert(!fault); /* it was checked when the command line was read */
	}
	if (!import_row_has(row, FIELD_kind) && set->default_kind.len) {
		const char *fault = import_row_set(row, FIELD_kind, set->default_kind);

		assert(!fault);
	}
}

static bool has_required(struct import_set *set, const struct import_row *row,
			 const struct import_where *where)
{
	size_t before = set->faults.n;

	for (int i = 0; i < _FIELD_MAX; i++) {
		enum field_symbol field = (enum field_symbol)i;

		if (!field_required(field, ARGUMENT_TYPE_IMPORTS) || import_row_has(row, field)) {
			continue;
		}
		if (field == FIELD_org || field == FIELD_kind) {
			import_faults_add(&set->faults, where, field_table[field].name,
					  "is missing; --%s=… gives it to rows that have none",
					  field_table[field].name);
		} else {
			import_faults_add(&set->faults, where, field_table[field].name,
					  "is missing");
		}
	}
	return set->faults.n == before;
}

static void pack_entry(struct import_set *set, const struct import_row *row,
		       struct import_entry *entry)
{
	entry->offset = set->packed.len;
	import_row_write(row, &set->packed, &entry->n_values);
	entry->len = (uint32_t)(set->packed.len - entry->offset);
}

int import_set_add(struct import_set *set, struct import_row *row, const struct import_where *where)
{
	struct import_entry *entry;
	size_t place;
	int r;

	take_defaults(set, row);
	if (!has_required(set, row, where)) {
		return 0;
	}
	r = grow_entries(set);
	r = r ? r : grow_places(set);
	r = r ? r : append_key(set, row);
	if (r < 0) {
		return r;
	}
	place = find_place(set, set->keys + set->keys_len);
	if (set->places[place]) {
		char first[IMPORT_WHERE_TEXT_MAX];

		import_where_format(&set->entries[set->places[place] - 1].where, first);
		import_faults_add(&set->faults, where, "id",
				  "this account is in the import already, at %s", first);
		return 0;
	}
	entry = &set->entries[set->n];
	*entry = (struct import_entry){.where = *where, .key = set->keys_len};
	pack_entry(set, row, entry);
	if (entry->len > MODEL_PROFILE_BYTES_MAX) {
		pack_writer_cut(&set->packed, entry->offset);
		import_faults_add(&set->faults, where, NULL, "has more than %d bytes of data",
				  MODEL_PROFILE_BYTES_MAX);
		return set->packed.error;
	}
	set->places[place] = (uint32_t)++set->n;
	set->keys_len += key_len(set->keys + set->keys_len);
	return set->packed.error;
}
