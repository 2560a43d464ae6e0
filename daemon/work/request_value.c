/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/request_value.h"

#include "common/instant.h"
#include "common/model.h"

/* Texts */

static const char *cursor_fault(struct slice text)
{
	return text.len >= 1 && text.len <= ARGUMENT_CURSOR_LEN_MAX
		       ? NULL
		       : "must be the cursor of an earlier answer";
}

/*
 * Whether a token is worth anything is told item by item: another task's may be. The answer repeats
 * it, so it must be what an answer may hold.
 */
static const char *token_fault(struct slice text)
{
	static_assert(ARGUMENT_TOKEN_LEN_MAX == MODEL_ID_LEN_MAX, "an id's rule is a token's");

	return model_id_fault(text) ? "must be a token of keeper.claim" : NULL;
}

/* The rule of a type that is a text and stays one; NULL for the others. */
static const char *(*text_rule(enum argument_type type))(struct slice)
{
	static const char *(*const rules[_ARGUMENT_TYPE_MAX])(struct slice) = {
		[ARGUMENT_TYPE_ORG] = model_org_fault,
		[ARGUMENT_TYPE_ID] = model_id_fault,
		[ARGUMENT_TYPE_ADDRESS] = model_address_fault,
		[ARGUMENT_TYPE_NAME] = model_name_fault,
		[ARGUMENT_TYPE_CONTACT] = model_contact_fault,
		[ARGUMENT_TYPE_URL] = model_url_fault,
		[ARGUMENT_TYPE_REASON] = model_reason_fault,
		[ARGUMENT_TYPE_REF] = model_ref_fault,
		[ARGUMENT_TYPE_REQUEST_ID] = model_request_id_fault,
		[ARGUMENT_TYPE_CURSOR] = cursor_fault,
		[ARGUMENT_TYPE_KEEPER] = model_keeper_fault,
		[ARGUMENT_TYPE_HOLD] = model_hold_fault,
		[ARGUMENT_TYPE_GROUND] = model_ground_fault,
		[ARGUMENT_TYPE_NOTE] = model_note_fault,
		[ARGUMENT_TYPE_TOKEN] = token_fault,
	};

	return rules[type];
}

static bool may_be_empty(enum argument_type type)
{
	return type == ARGUMENT_TYPE_NAME || type == ARGUMENT_TYPE_CONTACT ||
	       type == ARGUMENT_TYPE_URL;
}

static const char *decode_text(enum argument_type type, const struct pack_value *value,
			       struct slice *to)
{
	const char *fault = NULL;

	if (value->type != PACK_TEXT) {
		return "must be a text";
	}
	if (value->text.len > 0 || !may_be_empty(type)) {
		fault = text_rule(type)(value->text);
	}
	if (!fault) {
		*to = value->text;
	}
	return fault;
}

/* Names with a fixed set of values */

static const char *decode_kind(const struct pack_value *value, enum account_kind *to)
{
	return value->type == PACK_TEXT && account_kind_from_name(value->text, to)
		       ? NULL
		       : "must be member, b2b-collaboration or b2b-direct-connect";
}

static const char *decode_state(const struct pack_value *value, enum account_state *to)
{
	return value->type == PACK_TEXT && account_state_from_name(value->text, to)
		       ? NULL
		       : "must be active, soft-deleted, removing or removed";
}

static const char *decode_result(const struct pack_value *value, enum task_result *to)
{
	enum task_result result;

	if (value->type != PACK_TEXT || !task_result_from_name(value->text, &result) ||
	    result == TASK_RESULT_WAIVED) {
		return "must be erased, nothing-found or retained";
	}
	*to = result;
	return NULL;
}

static const char *decode_guard(const struct pack_value *value, enum guard *to)
{
	return value->type == PACK_TEXT && guard_from_name(value->text, to)
		       ? NULL
		       : "must be clock or mass";
}

static const char *decode_bucket(const struct pack_value *value, span_t *to)
{
	static const struct {
		const char *name;
		span_t width;
	} buckets[] = {{"hour", SPAN_HOUR}, {"day", SPAN_DAY}, {"week", 7 * SPAN_DAY}};

	for (size_t i = 0; value->type == PACK_TEXT && i < ARRAY_LEN(buckets); ++i) {
		if (slice_is(value->text, buckets[i].name)) {
			*to = buckets[i].width;
			return NULL;
		}
	}
	return "must be hour, day or week";
}

/* Numbers */

static const char *span_rule(span_t span)
{
	return span >= 0 && span <= SPAN_MAX ? NULL : "must be 0 to 10000 days in microseconds";
}

static const char *decode_integer(const struct pack_value *value, const char *(*rule)(int64_t),
				  int64_t *to)
{
	const char *fault;

	if (value->type != PACK_INT) {
		return value->type == PACK_UINT ? "is too large" : "must be an integer";
	}
	fault = rule(value->integer);
	if (!fault) {
		*to = value->integer;
	}
	return fault;
}

static const char *decode_guard_min(const struct pack_value *value, uint32_t *to)
{
	int64_t n;
	const char *fault = decode_integer(value, model_guard_min_fault, &n);

	if (!fault) {
		*to = (uint32_t)n;
	}
	return fault;
}

static const char *decode_guard_percent(const struct pack_value *value, uint8_t *to)
{
	int64_t percent;
	const char *fault = decode_integer(value, model_guard_percent_fault, &percent);

	if (!fault) {
		*to = (uint8_t)percent;
	}
	return fault;
}

static const char *decode_positive(const struct pack_value *value, uint64_t *to)
{
	if (value->type != PACK_INT || value->integer < 1) {
		return "must be an integer from 1 on";
	}
	*to = (uint64_t)value->integer;
	return NULL;
}

static const char *decode_limit(const struct pack_value *value, uint32_t *to)
{
	static_assert(MODEL_ACCOUNTS_MAX == 1000, "the text below says so");

	if (value->type != PACK_INT || value->integer < 1 || value->integer > MODEL_ACCOUNTS_MAX) {
		return "must be an integer from 1 to 1000";
	}
	*to = (uint32_t)value->integer;
	return NULL;
}

static const char *decode_bool(const struct pack_value *value, bool *to)
{
	if (value->type != PACK_BOOL) {
		return "must be true or false";
	}
	*to = value->boolean;
	return NULL;
}

static const char *decode_texts(const struct pack_value *value, struct pack_value *to)
{
	if (value->type != PACK_ARRAY) {
		return "must be an array of texts";
	}
	if (value->list.n > MODEL_GROUPS_MAX) {
		return "must have at most 512 entries";
	}
	for (uint32_t i = 0; i < value->list.n; ++i) {
		struct pack_value text = pack_array_at(value, i);
		const char *fault = text.type == PACK_TEXT ? model_group_fault(text.text)
							   : "must be an array of texts";

		if (fault) {
			return fault;
		}
	}
	*to = *value;
	return NULL;
}
static_assert(MODEL_GROUPS_MAX == 512, "the text above says so");

static const char *decode_orgs(const struct pack_value *value, struct pack_value *to)
{
	static_assert(MODEL_KEEPER_ORGS_MAX == 64, "the text says so");

	if (value->type != PACK_ARRAY || value->list.n > MODEL_KEEPER_ORGS_MAX) {
		return "must be an array of at most 64 organizations";
	}
	for (uint32_t i = 0; i < value->list.n; ++i) {
		struct pack_value org = pack_array_at(value, i);

		if (org.type != PACK_TEXT || model_org_fault(org.text)) {
			return "must be an array of organizations: 1 to 64 of a-z 0-9 . _ - each";
		}
	}
	*to = *value;
	return NULL;
}

const char *request_value_decode(enum argument_type type, const struct pack_value *value, void *to)
{
	switch (type) {
	case ARGUMENT_TYPE_ORG:
	case ARGUMENT_TYPE_ID:
	case ARGUMENT_TYPE_ADDRESS:
	case ARGUMENT_TYPE_NAME:
	case ARGUMENT_TYPE_CONTACT:
	case ARGUMENT_TYPE_URL:
	case ARGUMENT_TYPE_REASON:
	case ARGUMENT_TYPE_REF:
	case ARGUMENT_TYPE_REQUEST_ID:
	case ARGUMENT_TYPE_CURSOR:
	case ARGUMENT_TYPE_KEEPER:
	case ARGUMENT_TYPE_HOLD:
	case ARGUMENT_TYPE_GROUND:
	case ARGUMENT_TYPE_NOTE:
	case ARGUMENT_TYPE_TOKEN:
		return decode_text(type, value, to);
	case ARGUMENT_TYPE_RESULT:
		return decode_result(value, to);
	case ARGUMENT_TYPE_ORGS:
		return decode_orgs(value, to);
	case ARGUMENT_TYPE_KIND:
		return decode_kind(value, to);
	case ARGUMENT_TYPE_STATE:
		return decode_state(value, to);
	case ARGUMENT_TYPE_BUCKET:
		return decode_bucket(value, to);
	case ARGUMENT_TYPE_GUARD:
		return decode_guard(value, to);
	case ARGUMENT_TYPE_BOOL:
		return decode_bool(value, to);
	case ARGUMENT_TYPE_WINDOW:
		return decode_integer(value, model_window_fault, to);
	case ARGUMENT_TYPE_REMOVAL:
		return decode_integer(value, model_removal_fault, to);
	case ARGUMENT_TYPE_GUARD_MIN:
		return decode_guard_min(value, to);
	case ARGUMENT_TYPE_GUARD_PERCENT:
		return decode_guard_percent(value, to);
	case ARGUMENT_TYPE_SPAN:
		return decode_integer(value, span_rule, to);
	case ARGUMENT_TYPE_INSTANT:
		return decode_integer(value, model_instant_fault, to);
	case ARGUMENT_TYPE_UID:
	case ARGUMENT_TYPE_SEQ:
	case ARGUMENT_TYPE_COUNT:
		return decode_positive(value, to);
	case ARGUMENT_TYPE_LIMIT:
		return decode_limit(value, to);
	case ARGUMENT_TYPE_TEXTS:
		return decode_texts(value, to);
	case ARGUMENT_TYPE_ACCOUNTS:
	case ARGUMENT_TYPE_IMPORTS:
	case ARGUMENT_TYPE_CONFIRMATIONS:
	case ARGUMENT_TYPE_FAILURES:
	case ARGUMENT_TYPE_LEASES:
	case ARGUMENT_TYPE_REQUESTS:
	case _ARGUMENT_TYPE_MAX:
		break;
	}
	abort();
}
