/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/request.h"

#include <stdio.h>

#include "daemon/work/request_value.h"

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
	what = request_value_decode(field_table[field].type, value,
				    (char *)item + field_offsets[field]);
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
	what = request_value_decode(argument->type, value, to);
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
