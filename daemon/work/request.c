/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/request.h"

#include <stdarg.h>
#include <stdio.h>

#define LIMIT_DEFAULT 100

/* Where each argument and each field is put. */
static const size_t argument_offsets[] = {
#define ARGUMENT(symbol, type, help) [ARGUMENT_##symbol] = offsetof(struct request, symbol),
#include "common/commands.def"
#undef ARGUMENT
};

static const size_t field_offsets[] = {
#define FIELD(symbol, type, help) [FIELD_##symbol] = offsetof(struct item, symbol),
#include "common/commands.def"
#undef FIELD
};

/* Where a fault is: "accounts[3].org", "limit". */
struct place {
	const char *list; /* NULL for an argument itself */
	uint32_t index;
	const char *name;
};

static int say_fault(char *fault, const struct place *place, const char *what)
{
	if (place->list && place->name) {
		(void)snprintf(fault, REQUEST_FAULT_MAX, "%s[%u].%s: %s", place->list, place->index,
			       place->name, what);
	} else if (place->list) {
		(void)snprintf(fault, REQUEST_FAULT_MAX, "%s[%u]: %s", place->list, place->index,
			       what);
	} else {
		(void)snprintf(fault, REQUEST_FAULT_MAX, "%s: %s", place->name, what);
	}
	return REQUEST_E_WRONG;
}

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

/* Decodes any value but a list of items. Return: NULL, or what is wrong. */
static const char *decode_value(enum argument_type type, const struct pack_value *value, void *to)
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

/* Items */

static int find_field(struct slice name, enum argument_type items)
{
	for (int i = 0; i < _FIELD_MAX; ++i) {
		if (field_belongs((enum field_symbol)i, items) &&
		    slice_is(name, field_table[i].name)) {
			return i;
		}
	}
	return -1;
}

const char *request_account_fault(const struct item *item)
{
	bool org = ITEM_HAS(item, org), id = ITEM_HAS(item, id), person = ITEM_HAS(item, person);

	if (ITEM_HAS(item, uid) ? org || id || person : !org || id == person) {
		return "name the account by org and id, by org and person, or by uid";
	}
	return NULL;
}

static int check_required_fields(const struct item *item, enum argument_type items,
				 struct place place, char *fault)
{
	for (int i = 0; i < _FIELD_MAX; ++i) {
		if (field_required((enum field_symbol)i, items) && !((item->given >> i) & 1)) {
			place.name = field_table[i].name;
			return say_fault(fault, &place, "is missing");
		}
	}
	return 0;
}

static int decode_field(const struct pack_value *key, const struct pack_value *value,
			enum argument_type items, struct place place, struct item *item,
			char *fault)
{
	const char *what;
	int field = key->type == PACK_TEXT ? find_field(key->text, items) : -1;

	if (field < 0) {
		return say_fault(fault, &place,
				 "has a field that is not known; retention.api lists them");
	}
	place.name = field_table[field].name;
	if ((item->given >> field) & 1) {
		return say_fault(fault, &place, "is there twice");
	}
	what = decode_value(field_table[field].type, value, (char *)item + field_offsets[field]);
	if (what) {
		return say_fault(fault, &place, what);
	}
	item->given |= UINT32_C(1) << field;
	return 0;
}

static int decode_item(const struct pack_value *value, enum argument_type items, struct place place,
		       struct item *item, char *fault)
{
	const char *what;

	*item = (struct item){0};
	if (value->type != PACK_MAP) {
		return say_fault(fault, &place, "must be a map");
	}
	for (uint32_t i = 0; i < value->list.n; ++i) {
		struct pack_value key, field;

		pack_map_at(value, i, &key, &field);
		if (decode_field(&key, &field, items, place, item, fault) != 0) {
			return REQUEST_E_WRONG;
		}
	}
	what = items == ARGUMENT_TYPE_ACCOUNTS ? request_account_fault(item) : NULL;
	return what ? say_fault(fault, &place, what)
		    : check_required_fields(item, items, place, fault);
}

static int decode_items(const struct argument *argument, const struct pack_value *value,
			struct request *request, struct items *to, char *fault)
{
	struct place place = {.name = argument->name};

	if (value->type != PACK_ARRAY || value->list.n < 1 || value->list.n > MODEL_ACCOUNTS_MAX) {
		return say_fault(fault, &place, "must be an array of 1 to 1000 maps");
	}
	for (uint32_t i = 0; i < value->list.n; ++i) {
		struct pack_value item = pack_array_at(value, i);

		place = (struct place){.list = argument->name, .index = i};
		if (decode_item(&item, argument->type, place, &request->room[i], fault) != 0) {
			return REQUEST_E_WRONG;
		}
	}
	*to = (struct items){request->room, value->list.n};
	return 0;
}

/* Arguments */

static int find_argument(const struct command *command, const struct pack_value *key)
{
	for (uint16_t i = 0; key->type == PACK_TEXT && i < command->n_arguments; ++i) {
		if (slice_is(key->text, argument_table[command->arguments[i].symbol].name)) {
			return (int)command->arguments[i].symbol;
		}
	}
	return -1;
}

/* What a peer calls an argument may hold anything; the client shows it. */
static int say_unknown(const struct command *command, const struct pack_value *key, char *fault)
{
	char shown[33] = "";

	for (size_t i = 0; key->type == PACK_TEXT && i < MIN(key->text.len, sizeof(shown) - 1);
	     ++i) {
		unsigned char c = (unsigned char)key->text.data[i];

		shown[i] = c > 0x20 && c < 0x7f ? (char)c : '?';
	}
	(void)snprintf(fault, REQUEST_FAULT_MAX,
		       "%s: is not an argument of %s; retention.api lists them",
		       shown[0] ? shown : "a key", command->method);
	return REQUEST_E_WRONG;
}

static int decode_argument(const struct command *command, const struct pack_value *key,
			   const struct pack_value *value, struct request *request, char *fault)
{
	int symbol = find_argument(command, key);
	const struct argument *argument;
	struct place place;
	const char *what;
	void *to;

	if (symbol < 0) {
		return say_unknown(command, key, fault);
	}
	argument = &argument_table[symbol];
	place = (struct place){.name = argument->name};
	if ((request->given >> symbol) & 1) {
		return say_fault(fault, &place, "is there twice");
	}
	request->given |= UINT64_C(1) << symbol;
	to = (char *)request + argument_offsets[symbol];
	if (argument_is_list(argument->type)) {
		return decode_items(argument, value, request, to, fault);
	}
	what = decode_value(argument->type, value, to);
	return what ? say_fault(fault, &place, what) : 0;
}

static int check_required(const struct command *command, const struct request *request, char *fault)
{
	for (uint16_t i = 0; i < command->n_arguments; ++i) {
		enum argument_symbol symbol = command->arguments[i].symbol;
		struct place place = {.name = argument_table[symbol].name};

		if (command->arguments[i].required && !((request->given >> symbol) & 1)) {
			return say_fault(fault, &place, "is missing");
		}
	}
	return 0;
}

static void request_clear(struct request *request)
{
	memset(request, 0, offsetof(struct request, room));
	request->limit = LIMIT_DEFAULT;
}

int request_decode(const struct command *command, const struct pack_value *params,
		   struct request *request, char fault[static REQUEST_FAULT_MAX])
{
	struct pack_value arguments = {.type = PACK_MAP};

	request_clear(request);
	assert(params->type == PACK_ARRAY);
	if (params->list.n > 0) {
		arguments = pack_array_at(params, 0);
	}
	if (params->list.n > 1 || arguments.type != PACK_MAP) {
		(void)snprintf(fault, REQUEST_FAULT_MAX,
			       "the arguments must be one map of names and values");
		return REQUEST_E_WRONG;
	}
	for (uint32_t i = 0; i < arguments.list.n; ++i) {
		struct pack_value key, value;

		pack_map_at(&arguments, i, &key, &value);
		if (decode_argument(command, &key, &value, request, fault) != 0) {
			return REQUEST_E_WRONG;
		}
	}
	return check_required(command, request, fault);
}

struct item request_account(const struct request *request)
{
	struct item item = {
		.org = request->org,
		.id = request->id,
		.person = request->person,
		.uid = request->uid,
	};

	item.given = (uint32_t)(REQUEST_HAS(request, org) << FIELD_org |
				REQUEST_HAS(request, id) << FIELD_id |
				REQUEST_HAS(request, person) << FIELD_person |
				REQUEST_HAS(request, uid) << FIELD_uid);
	return item;
}
