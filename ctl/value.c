/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/value.h"

#include <strings.h>

/* Bytes that are no text are written "hex:0a1b…", by us and by people who pass them back. */
#define HEX_PREFIX "hex:"

/* How a type is written and read. */
enum form {
	FORM_TEXT,
	FORM_BOOLEAN,
	FORM_SPAN,
	FORM_INSTANT,
	FORM_NUMBER,
	FORM_CURSOR,
	FORM_ORGS, /* one text, with commas between them */
	FORM_LIST, /* comes from operands and files, not from an option */
};

/* clang-format off */
static const struct {
	enum form form;
	const char *value_name;
} type_table[] = {
	[ARGUMENT_TYPE_ORG]        = {FORM_TEXT,    "ORG"},
	[ARGUMENT_TYPE_ID]         = {FORM_TEXT,    "ID"},
	[ARGUMENT_TYPE_ADDRESS]    = {FORM_TEXT,    "ADDRESS"},
	[ARGUMENT_TYPE_NAME]       = {FORM_TEXT,    "TEXT"},
	[ARGUMENT_TYPE_CONTACT]    = {FORM_TEXT,    "ADDRESS|URL"},
	[ARGUMENT_TYPE_URL]        = {FORM_TEXT,    "URL"},
	[ARGUMENT_TYPE_REASON]     = {FORM_TEXT,    "TEXT"},
	[ARGUMENT_TYPE_REF]        = {FORM_TEXT,    "TEXT"},
	[ARGUMENT_TYPE_REQUEST_ID] = {FORM_TEXT,    "ID"},
	[ARGUMENT_TYPE_KEEPER]     = {FORM_TEXT,    "KEEPER"},
	[ARGUMENT_TYPE_HOLD]       = {FORM_TEXT,    "NAME"},
	[ARGUMENT_TYPE_GROUND]     = {FORM_TEXT,    "GROUND"},
	[ARGUMENT_TYPE_NOTE]       = {FORM_TEXT,    "TEXT"},
	[ARGUMENT_TYPE_TOKEN]      = {FORM_TEXT,    "TOKEN"},
	[ARGUMENT_TYPE_RESULT]     = {FORM_TEXT,    "RESULT"},
	[ARGUMENT_TYPE_KIND]       = {FORM_TEXT,    "KIND"},
	[ARGUMENT_TYPE_STATE]      = {FORM_TEXT,    "STATE"},
	[ARGUMENT_TYPE_BUCKET]     = {FORM_TEXT,    "hour|day|week"},
	[ARGUMENT_TYPE_GUARD]      = {FORM_TEXT,    "clock|mass"},
	[ARGUMENT_TYPE_BOOL]       = {FORM_BOOLEAN, "yes|no"},
	[ARGUMENT_TYPE_WINDOW]     = {FORM_SPAN,    "SPAN"},
	[ARGUMENT_TYPE_REMOVAL]    = {FORM_SPAN,    "SPAN"},
	[ARGUMENT_TYPE_GUARD_MIN]  = {FORM_NUMBER,  "NUMBER"},
	[ARGUMENT_TYPE_GUARD_PERCENT] = {FORM_NUMBER, "PERCENT"},
	[ARGUMENT_TYPE_SPAN]       = {FORM_SPAN,    "SPAN"},
	[ARGUMENT_TYPE_INSTANT]    = {FORM_INSTANT, "INSTANT"},
	[ARGUMENT_TYPE_UID]        = {FORM_NUMBER,  "UID"},
	[ARGUMENT_TYPE_SEQ]        = {FORM_NUMBER,  "NUMBER"},
	[ARGUMENT_TYPE_COUNT]      = {FORM_NUMBER,  "NUMBER"},
	[ARGUMENT_TYPE_LIMIT]      = {FORM_NUMBER,  "NUMBER"},
	[ARGUMENT_TYPE_CURSOR]     = {FORM_CURSOR,  "CURSOR"},
	[ARGUMENT_TYPE_TEXTS]      = {FORM_LIST,    "TEXTS"},
	[ARGUMENT_TYPE_ACCOUNTS]   = {FORM_LIST,    "ACCOUNTS"},
	[ARGUMENT_TYPE_IMPORTS]    = {FORM_LIST,    "ACCOUNTS"},
	[ARGUMENT_TYPE_ORGS]       = {FORM_ORGS,    "ORG,ORG"},
	[ARGUMENT_TYPE_REQUESTS]   = {FORM_LIST,    "NUMBERS"},
	[ARGUMENT_TYPE_CONFIRMATIONS] = {FORM_LIST, "TASKS"},
	[ARGUMENT_TYPE_FAILURES]   = {FORM_LIST,    "TASKS"},
	[ARGUMENT_TYPE_LEASES]     = {FORM_LIST,    "TASKS"},
};
/* clang-format on */

static_assert(ARRAY_LEN(type_table) == _ARGUMENT_TYPE_MAX, "every type has a row");

/* What the daemon would say of it. */
static const char *number_fault(enum argument_type type, int64_t number)
{
	if (type == ARGUMENT_TYPE_GUARD_MIN) {
		return model_guard_min_fault(number);
	}
	return type == ARGUMENT_TYPE_GUARD_PERCENT ? model_guard_percent_fault(number) : NULL;
}

static const char *parse_number(struct slice text, enum argument_type type, int64_t *ret_number)
{
	int64_t number = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text.data[i] - '0', &number)) {
			return "is not a whole number above 0";
		}
	}
	if (number < 1) {
		return "is not a whole number above 0";
	}
	*ret_number = number;
	return number_fault(type, number);
}

bool ctl_value_parse_bool(struct slice text, bool *ret_boolean)
{
	static const struct {
		const char *word;
		bool boolean;
	} words[] = {
		{"yes", true}, {"no", false},  {"true", true}, {"false", false},
		{"on", true},  {"off", false}, {"1", true},    {"0", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (text.len == strlen(words[i].word) &&
		    strncasecmp(text.data, words[i].word, text.len) == 0) {
			*ret_boolean = words[i].boolean;
			return true;
		}
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return -1;
}

static const char *parse_cursor(struct slice text, struct ctl_value *value)
{
	const char *hex = text.data + strlen(HEX_PREFIX);
	size_t n;

	if (text.len < strlen(HEX_PREFIX) ||
	    memcmp(text.data, HEX_PREFIX, strlen(HEX_PREFIX)) != 0) {
		value->text = text;
		return text.len >= 1 && text.len <= ARGUMENT_CURSOR_LEN_MAX ? NULL : "is no cursor";
	}
	n = (text.len - strlen(HEX_PREFIX)) / 2;
	if (n < 1 || n > sizeof(value->bytes) || text.len % 2 != 0) {
		return "is no cursor";
	}
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0) {
			return "is no cursor";
		}
		value->bytes[i] = (char)(high << 4 | low);
	}
	value->text = (struct slice){value->bytes, n};
	return NULL;
}

const char *ctl_value_text_fault(enum argument_type type, struct slice text)
{
	enum account_kind kind;
	enum account_state state;
	enum guard guard;
	enum task_result result;

	switch (type) {
	case ARGUMENT_TYPE_ORG:
		return model_org_fault(text);
	case ARGUMENT_TYPE_ID:
		return model_id_fault(text);
	case ARGUMENT_TYPE_ADDRESS:
		return model_address_fault(text);
	case ARGUMENT_TYPE_NAME:
		return text.len ? model_name_fault(text) : NULL;
	case ARGUMENT_TYPE_CONTACT:
		return text.len ? model_contact_fault(text) : NULL;
	case ARGUMENT_TYPE_URL:
		return text.len ? model_url_fault(text) : NULL;
	case ARGUMENT_TYPE_REASON:
		return model_reason_fault(text);
	case ARGUMENT_TYPE_REF:
		return model_ref_fault(text);
	case ARGUMENT_TYPE_REQUEST_ID:
		return model_request_id_fault(text);
	case ARGUMENT_TYPE_KEEPER:
		return model_keeper_fault(text);
	case ARGUMENT_TYPE_HOLD:
		return model_hold_fault(text);
	case ARGUMENT_TYPE_GROUND:
		return model_ground_fault(text);
	case ARGUMENT_TYPE_NOTE:
		return model_note_fault(text);
	case ARGUMENT_TYPE_TOKEN:
		return text.len >= 1 && text.len <= ARGUMENT_TOKEN_LEN_MAX ? NULL : "is no token";
	case ARGUMENT_TYPE_RESULT:
		return task_result_from_name(text, &result) && result != TASK_RESULT_WAIVED
			       ? NULL
			       : "must be erased, nothing-found or retained";
	case ARGUMENT_TYPE_KIND:
		return account_kind_from_name(text, &kind)
			       ? NULL
			       : "must be member, b2b-collaboration or b2b-direct-connect";
	case ARGUMENT_TYPE_STATE:
		return account_state_from_name(text, &state)
			       ? NULL
			       : "must be active, soft-deleted, removing or removed";
	case ARGUMENT_TYPE_BUCKET:
		return slice_is(text, "hour") || slice_is(text, "day") || slice_is(text, "week")
			       ? NULL
			       : "must be hour, day or week";
	case ARGUMENT_TYPE_GUARD:
		return guard_from_name(text, &guard) ? NULL : "must be clock or mass";
	case ARGUMENT_TYPE_BOOL:
	case ARGUMENT_TYPE_WINDOW:
	case ARGUMENT_TYPE_REMOVAL:
	case ARGUMENT_TYPE_GUARD_MIN:
	case ARGUMENT_TYPE_GUARD_PERCENT:
	case ARGUMENT_TYPE_SPAN:
	case ARGUMENT_TYPE_INSTANT:
	case ARGUMENT_TYPE_UID:
	case ARGUMENT_TYPE_SEQ:
	case ARGUMENT_TYPE_COUNT:
	case ARGUMENT_TYPE_LIMIT:
	case ARGUMENT_TYPE_CURSOR:
	case ARGUMENT_TYPE_TEXTS:
	case ARGUMENT_TYPE_ORGS:
	case ARGUMENT_TYPE_ACCOUNTS:
	case ARGUMENT_TYPE_IMPORTS:
	case ARGUMENT_TYPE_CONFIRMATIONS:
	case ARGUMENT_TYPE_FAILURES:
	case ARGUMENT_TYPE_LEASES:
	case ARGUMENT_TYPE_REQUESTS:
	case _ARGUMENT_TYPE_MAX:
		break;
	}
	assert(false); /* a type that is no text */
}

/* No text at all is the empty list: it has no data then. */
static struct slice orgs_of(struct slice text)
{
	return text.len > 0 ? text : (struct slice){NULL, 0};
}

/* The next of "a,b"; false behind the last. */
static bool next_org(struct slice *rest, struct slice *ret_org)
{
	const char *comma;

	if (!rest->data) {
		return false;
	}
	comma = memchr(rest->data, ',', rest->len);
	*ret_org = (struct slice){rest->data, comma ? (size_t)(comma - rest->data) : rest->len};
	*rest = comma ? (struct slice){comma + 1, rest->len - ret_org->len - 1}
		      : (struct slice){NULL, 0};
	return true;
}

static const char *orgs_fault(struct slice text)
{
	struct slice rest = orgs_of(text);
	const char *fault = NULL;
	struct slice org;
	size_t n = 0;

	while (!fault && next_org(&rest, &org)) {
		fault = model_org_fault(org);
		n++;
	}
	return !fault && n > MODEL_KEEPER_ORGS_MAX ? "names more than 64 organizations" : fault;
}

static void write_orgs(struct pack_writer *writer, const char *key, struct slice text)
{
	struct slice rest = orgs_of(text);
	struct slice org;

	pack_put_array(writer, key);
	while (next_org(&rest, &org)) {
		pack_write_text(writer, org);
	}
	pack_write_end(writer);
}

static const char *parse_span(struct slice text, enum argument_type type, int64_t *ret_span)
{
	span_t span;
	int r = span_parse(text, &span);

	static_assert(MODEL_WINDOW_MIN == SPAN_DAY, "the sentence says 1d");
	static_assert(MODEL_WINDOW_MAX == 180 * SPAN_DAY, "the sentence says 180d");
	static_assert(MODEL_REMOVAL_MIN == SPAN_DAY, "the sentence says 1d");
	static_assert(MODEL_REMOVAL_MAX == 30 * SPAN_DAY, "the sentence says 30d");
	if (r != 0) {
		return span_fault(r);
	}
	/* The model's own sentences are for those who write microseconds. */
	if (type == ARGUMENT_TYPE_WINDOW && model_window_fault(span)) {
		return "must be 1d to 180d";
	}
	if (type == ARGUMENT_TYPE_REMOVAL && model_removal_fault(span)) {
		return "must be 1d to 30d";
	}
	*ret_span = span;
	return NULL;
}

static const char *parse_instant(struct slice text, instant_t now, int64_t *ret_at)
{
	int r = instant_parse(text, now, ret_at);

	return r == 0 ? NULL : instant_fault(r);
}

const char *ctl_value_parse(enum argument_type type, const char *written, instant_t now,
			    struct ctl_value *ret_value)
{
	struct slice text = slice_of(written);

	ret_value->type = type;
	switch (type_table[type].form) {
	case FORM_BOOLEAN:
		return ctl_value_parse_bool(text, &ret_value->boolean) ? NULL : "must be yes or no";
	case FORM_SPAN:
		return parse_span(text, type, &ret_value->integer);
	case FORM_INSTANT:
		return parse_instant(text, now, &ret_value->integer);
	case FORM_NUMBER:
		return parse_number(text, type, &ret_value->integer);
	case FORM_CURSOR:
		return parse_cursor(text, ret_value);
	case FORM_TEXT:
		ret_value->text = text;
		return ctl_value_text_fault(type, text);
	case FORM_ORGS:
		ret_value->text = text;
		return orgs_fault(text);
	case FORM_LIST:
		break;
	}
	return "cannot be given as an option";
}

void ctl_value_write(struct pack_writer *writer, const char *key, const struct ctl_value *value)
{
	switch (type_table[value->type].form) {
	case FORM_BOOLEAN:
		pack_put_bool(writer, key, value->boolean);
		return;
	case FORM_SPAN:
	case FORM_INSTANT:
	case FORM_NUMBER:
		pack_put_int(writer, key, value->integer);
		return;
	case FORM_CURSOR:
	case FORM_TEXT:
		pack_put_text(writer, key, value->text);
		return;
	case FORM_ORGS:
		write_orgs(writer, key, value->text);
		return;
	case FORM_LIST:
		break;
	}
	assert(false); /* a value that no option can give */
}

bool ctl_value_is_relative(const char *text)
{
	return text[0] == '+' || text[0] == '-' || strcmp(text, "now") == 0;
}

const char *ctl_value_placeholder(enum argument_type type)
{
	return type_table[type].value_name;
}
