/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_ASK_H
#define RETENTIOND_TESTS_SIM_ASK_H

#include "tests/sim/sim.h"

/*
 * Asking the daemon: requests as bytes through its parser and its dispatch, answers decoded. Who
 * asks is chosen before; the turn is opened when it is not yet.
 */

/* Who asks. */
enum ask_as {
	ASK_AS_ADMIN,
	ASK_AS_PORTAL,
	ASK_AS_KEEPER, /* the first; the others follow */
};

extern const struct access_rules ask_rules;

void ask_as(struct sim *sim, unsigned who);

/* The request's map of arguments is open between the two. */
struct pack_writer *ask_begin(struct sim *sim, const char *method);
void ask_end(struct sim *sim);

/* ask_end(), and it must not be refused. Return: the result. */
struct pack_value ask_result(struct sim *sim);

/* ask_result(), and it has @n items. Return: them. */
struct pack_value ask_items(struct sim *sim, uint32_t n);

/* What a map holds under a key: a default if it is not there. */
int64_t value_int(const struct pack_value *map, const char *key, int64_t otherwise);
bool value_bool(const struct pack_value *map, const char *key);
struct slice value_text(const struct pack_value *map, const char *key);
struct pack_value value_list(const struct pack_value *map, const char *key);
bool value_is(const struct pack_value *map, const char *key, const char *text);

/* Names of this world; each call's text stands until eight more were made. */
const char *name_org(uint8_t org);
const char *name_id(uint8_t id);
const char *name_person(uint8_t person);
const char *name_upn(uint8_t upn);
const char *name_display(uint8_t name);
const char *name_keeper(uint32_t keeper);
const char *name_hold(uint32_t hold);
const char *name_of(const struct truth_name *name); /* as retentionctl has it: ORG/ID, uid:N */
const char *name_span(span_t span);
const char *name_reasons(outcome_set_t reasons);

void ask_put_name(struct pack_writer *out, const struct truth_name *name);

/*
 * The outcome with its reasons, and the dates if there is an account, in an item or an answer. A
 * difference is a violation.
 */
void expect_outcome(struct sim *sim, const struct pack_value *item, outcome_set_t reasons);
void expect_dates(struct sim *sim, const struct pack_value *item,
		  const struct truth_account *account);

#endif
