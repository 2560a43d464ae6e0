/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_SCHEMA_H
#define RETENTIOND_STORE_SCHEMA_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/kv.h"
#include "daemon/store/rows.h"

/*
 * Every key, built here and nowhere else. Numbers are big-endian, so that keys sort as the
 * numbers do.
 *
 *     ledger        seq                          8 bytes
 *     accounts      uid                          8
 *     profiles      uid                          8
 *     notes         uid  seq                     16
 *     orgs          number                       4
 *     by id         org  hash of id  uid         4 + 16 + 8
 *     by person     hash of person  uid          16 + 8
 *     by UPN        org  hash of UPN  uid        4 + 16 + 8
 *     due           instant  uid                 8 + 8
 *     owed          start of removal  uid        8 + 8
 *     keepers       number                       1
 *     tasks         keeper  uid                  1 + 8
 *     holds         uid  hash of name            8 + 16
 *     requests      number                       8
 *     answers       hash of actor, request id    16
 *     answers of    uid: bytes of its answers    4; among the answers
 *     answers due   instant  that hash           8 + 16
 *     guards        number of the organization   4
 *     staged        org  uid                     4 + 8
 *     meta          a name in ASCII
 */

struct key {
	uint8_t len;
	uint8_t bytes[KV_KEY_LEN_MAX];
};

static inline struct slice key_slice(const struct key *key)
{
	return (struct slice){(const char *)key->bytes, key->len};
}

static inline void key_add_u32(struct key *key, uint32_t v)
{
	store_be32(key->bytes + key->len, v);
	key->len += 4;
}

static inline void key_add_u64(struct key *key, uint64_t v)
{
	store_be64(key->bytes + key->len, v);
	key->len += 8;
}

static inline void key_add_bytes(struct key *key, const void *bytes, size_t len)
{
	assert(key->len + len <= KV_KEY_LEN_MAX);
	memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

static inline struct key key_u64(uint64_t v)
{
	struct key key = {0};

	key_add_u64(&key, v);
	return key;
}

static inline struct key key_org(uint32_t number)
{
	struct key key = {0};

	key_add_u32(&key, number);
	return key;
}

static inline struct key key_staged(uint32_t org, uint64_t uid)
{
	struct key key = key_org(org);

	key_add_u64(&key, uid);
	return key;
}

static inline struct key key_note(uint64_t uid, uint64_t seq)
{
	struct key key = key_u64(uid);

	key_add_u64(&key, seq);
	return key;
}

/* With uid 0 the first possible key of that name: where a walk begins. */
static inline struct key key_by_org_hash(uint32_t org, const uint8_t hash[static ROWS_HASH_LEN],
					 uint64_t uid)
{
	struct key key = key_org(org);

	key_add_bytes(&key, hash, ROWS_HASH_LEN);
	key_add_u64(&key, uid);
	return key;
}

static inline struct key key_by_person(const uint8_t hash[static ROWS_HASH_LEN], uint64_t uid)
{
	struct key key = {0};

	key_add_bytes(&key, hash, ROWS_HASH_LEN);
	key_add_u64(&key, uid);
	return key;
}

static inline struct key key_due(instant_t at, uint64_t uid)
{
	struct key key = {0};

	assert(at >= 0);
	key_add_u64(&key, (uint64_t)at);
	key_add_u64(&key, uid);
	return key;
}

static inline struct key key_keeper(uint8_t number)
{
	struct key key = {0};

	key_add_bytes(&key, &number, 1);
	return key;
}

static inline struct key key_task(uint8_t keeper, uint64_t uid)
{
	struct key key = key_keeper(keeper);

	key_add_u64(&key, uid);
	return key;
}

static inline struct key key_hold(uint64_t uid, const uint8_t hash[static ROWS_HASH_LEN])
{
	struct key key = key_u64(uid);

	key_add_bytes(&key, hash, ROWS_HASH_LEN);
	return key;
}

/* An index key's last 8 bytes are the uid. */
static inline uint64_t key_uid(struct slice key)
{
	assert(key.len >= 8);
	return load_be64(key.data + key.len - 8);
}

#endif
