/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model.h"

/* A limit of the header as it stands in a sentence, so that the two cannot differ. */
#define QUOTE_(x)   #x
#define QUOTE(x)    QUOTE_(x)
#define ONE_TO(max) "1 to " QUOTE(max)

static const char *const kind_names[] = {
	[ACCOUNT_KIND_MEMBER] = "member",
	[ACCOUNT_KIND_B2B_COLLABORATION] = "b2b-collaboration",
	[ACCOUNT_KIND_B2B_DIRECT_CONNECT] = "b2b-direct-connect",
};

static const char *const state_names[] = {
	[ACCOUNT_STATE_ACTIVE] = "active",
	[ACCOUNT_STATE_SOFT_DELETED] = "soft-deleted",
	[ACCOUNT_STATE_REMOVING] = "removing",
	[ACCOUNT_STATE_REMOVED] = "removed",
};

static const char *const sla_names[] = {
	[ACCOUNT_SLA_NONE] = "none",
	[ACCOUNT_SLA_ON_TRACK] = "on-track",
	[ACCOUNT_SLA_DUE_SOON] = "due-soon",
	[ACCOUNT_SLA_OVERDUE] = "overdue",
};

static const char *const result_names[] = {
	[TASK_RESULT_ERASED] = "erased",
	[TASK_RESULT_NOTHING_FOUND] = "nothing-found",
	[TASK_RESULT_RETAINED] = "retained",
	[TASK_RESULT_WAIVED] = "waived",
};

static const char *const guard_names[] = {
	[GUARD_CLOCK] = "clock",
	[GUARD_MASS] = "mass",
};

static const char *const request_names[] = {
	[REQUEST_STATE_OPEN] = "open",
	[REQUEST_STATE_APPROVED] = "approved",
	[REQUEST_STATE_DENIED] = "denied",
	[REQUEST_STATE_FULFILLED] = "fulfilled",
};

static const char *const role_names[] = {
	[ROLE_ANY] = "any",         [ROLE_READER] = "reader",
	[ROLE_AUDITOR] = "auditor", [ROLE_SELF_SERVICE] = "self-service",
	[ROLE_ADMIN] = "admin",     [ROLE_KEEPER] = "keeper",
	[ROLE_DAEMON] = "daemon",
};

static_assert(ARRAY_LEN(kind_names) == _ACCOUNT_KIND_MAX, "every kind has a name");
static_assert(ARRAY_LEN(state_names) == _ACCOUNT_STATE_MAX, "every state has a name");
static_assert(ARRAY_LEN(sla_names) == _ACCOUNT_SLA_MAX, "every sla has a name");
static_assert(ARRAY_LEN(result_names) == _TASK_RESULT_MAX, "every result has a name");
static_assert(ARRAY_LEN(guard_names) == _GUARD_MAX, "every guard has a name");
static_assert(ARRAY_LEN(request_names) == _REQUEST_STATE_MAX, "every request's state has a name");
static_assert(ARRAY_LEN(role_names) == _ROLE_MAX, "every role has a name");

const char *account_kind_name(enum account_kind kind)
{
	assert(kind >= ACCOUNT_KIND_MEMBER);
	assert(kind < _ACCOUNT_KIND_MAX);
	return kind_names[kind];
}

const char *account_state_name(enum account_state state)
{
	assert(state < _ACCOUNT_STATE_MAX);
	return state_names[state];
}

const char *account_sla_name(enum account_sla sla)
{
	assert(sla < _ACCOUNT_SLA_MAX);
	return sla_names[sla];
}

const char *task_result_name(enum task_result result)
{
	assert(result >= TASK_RESULT_ERASED);
	assert(result < _TASK_RESULT_MAX);
	return result_names[result];
}

const char *guard_name(enum guard guard)
{
	assert(guard < _GUARD_MAX);
	return guard_names[guard];
}

const char *request_state_name(enum request_state state)
{
	assert(state >= REQUEST_STATE_OPEN);
	assert(state < _REQUEST_STATE_MAX);
	return request_names[state];
}

const char *role_name(enum role role)
{
	assert(role < _ROLE_MAX);
	return role_names[role];
}

/* Some enums begin at 1, so the first place of a table may hold no name. */
static bool name_find(const char *const *names, size_t n_names, struct slice name,
		      size_t *ret_index)
{
	for (size_t i = 0; i < n_names; i++) {
		if (names[i] && slice_is(name, names[i])) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

bool account_kind_from_name(struct slice name, enum account_kind *ret_kind)
{
	size_t i;

	if (!name_find(kind_names, ARRAY_LEN(kind_names), name, &i)) {
		return false;
	}
	*ret_kind = (enum account_kind)i;
	return true;
}

bool account_state_from_name(struct slice name, enum account_state *ret_state)
{
	size_t i;

	if (!name_find(state_names, ARRAY_LEN(state_names), name, &i)) {
		return false;
	}
	*ret_state = (enum account_state)i;
	return true;
}

bool task_result_from_name(struct slice name, enum task_result *ret_result)
{
	size_t i;

	if (!name_find(result_names, ARRAY_LEN(result_names), name, &i)) {
		return false;
	}
	*ret_result = (enum task_result)i;
	return true;
}

bool guard_from_name(struct slice name, enum guard *ret_guard)
{
	size_t i;

	if (!name_find(guard_names, ARRAY_LEN(guard_names), name, &i)) {
		return false;
	}
	*ret_guard = (enum guard)i;
	return true;
}

bool request_state_from_name(struct slice name, enum request_state *ret_state)
{
	size_t i;

	if (!name_find(request_names, ARRAY_LEN(request_names), name, &i)) {
		return false;
	}
	*ret_state = (enum request_state)i;
	return true;
}

bool role_from_name(struct slice name, enum role *ret_role)
{
	size_t i;

	if (!name_find(role_names, ARRAY_LEN(role_names), name, &i)) {
		return false;
	}
	*ret_role = (enum role)i;
	return true;
}

/*
 * One character of UTF-8, as strictly as RFC 3629 has it: no overlong form, no surrogate, nothing
 * over U+10FFFF. The smallest number a length may carry tells overlong forms from right ones.
 *
 * Return: bytes taken, or 0 if they are not a character.
 */
static size_t utf8_decode(struct slice text, uint32_t *ret_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)text.data;
	uint32_t point;
	size_t n;

	if (at[0] < 0x80) {
		*ret_point = at[0];
		return 1;
	}
	n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	if (at[0] < 0xc2 || at[0] > 0xf4 || text.len < n) {
		return 0;
	}
	point = at[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < smallest[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
		return 0;
	}
	*ret_point = point;
	return n;
}

/* C0, DEL and C1: they move a terminal's cursor and split a log's line. */
static bool point_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

static const char *text_fault(struct slice text)
{
	while (text.len > 0) {
		uint32_t point;
		size_t n;

		n = utf8_decode(text, &point);
		if (n == 0) {
			return "must be valid UTF-8";
		}
		if (point_is_control(point)) {
			return "must not hold control characters, such as tabs or line breaks";
		}
		text = (struct slice){text.data + n, text.len - n};
	}
	return NULL;
}

static bool length_is_within(struct slice text, size_t max)
{
	return text.len >= 1 && text.len <= max;
}

static bool text_is_printable_ascii(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= 0x20 || text.data[i] >= 0x7f) {
			return false;
		}
	}
	return true;
}

static bool byte_is_keeper(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
	       byte == '_' || byte == '-';
}

static bool byte_is_org(char byte)
{
	return byte_is_keeper(byte) || (byte >= 'A' && byte <= 'Z');
}

const char *model_org_fault(struct slice org)
{
	static const char fault[] = "must be " ONE_TO(MODEL_ORG_LEN_MAX) " of a-z 0-9 . _ -";

	if (!length_is_within(org, MODEL_ORG_LEN_MAX)) {
		return fault;
	}
	for (size_t i = 0; i < org.len; i++) {
		if (!byte_is_org(org.data[i])) {
			return fault;
		}
	}
	return NULL;
}

const char *model_id_fault(struct slice id)
{
	if (!length_is_within(id, MODEL_ID_LEN_MAX) || !text_is_printable_ascii(id)) {
		return "must be " ONE_TO(
			MODEL_ID_LEN_MAX) " printable ASCII characters without blanks";
	}
	return NULL;
}

const char *model_request_id_fault(struct slice id)
{
	return model_id_fault(id);
}

static bool text_has(struct slice text, char byte)
{
	return text.len > 0 && memchr(text.data, byte, text.len);
}

/* Exactly one @, with something on both sides. */
static bool text_is_at_shaped(struct slice text)
{
	const char *at = memchr(text.data, '@', text.len);
	size_t before, after;

	if (!at) {
		return false;
	}
	before = (size_t)(at - text.data);
	after = text.len - before - 1;
	return before > 0 && after > 0 && !memchr(at + 1, '@', after);
}

const char *model_address_fault(struct slice address)
{
	if (!length_is_within(address, MODEL_ADDRESS_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_ADDRESS_LEN_MAX) " bytes long";
	}
	if (text_has(address, ' ')) {
		return "must not hold blanks";
	}
	if (!text_is_at_shaped(address)) {
		return "must look like somebody@example.com";
	}
	return text_fault(address);
}

const char *model_name_fault(struct slice name)
{
	if (!length_is_within(name, MODEL_NAME_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_NAME_LEN_MAX) " bytes long";
	}
	return text_fault(name);
}

static bool text_begins(struct slice text, struct slice with)
{
	return text.len >= with.len && memcmp(text.data, with.data, with.len) == 0;
}

/* Schemes are compared without case (RFC 3986, 3.1). Return: bytes up to the host, or 0. */
static size_t url_scheme_len(struct slice url)
{
	static const struct slice schemes[] = {SLICE_LITERAL("http://"), SLICE_LITERAL("https://")};
	char lower[sizeof("https://")];
	struct slice start;

	start = model_lower((struct slice){url.data, MIN(url.len, sizeof(lower) - 1)}, lower,
			    sizeof(lower));
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (text_begins(start, schemes[i])) {
			return schemes[i].len;
		}
	}
	return 0;
}

const char *model_url_fault(struct slice url)
{
	size_t scheme_len;

	if (!length_is_within(url, MODEL_URL_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_URL_LEN_MAX) " bytes long";
	}
	if (text_has(url, ' ')) {
		return "must not hold blanks: write them as %20";
	}
	scheme_len = url_scheme_len(url);
	if (scheme_len == 0) {
		return "must begin with http:// or https://";
	}
	if (url.len == scheme_len || strchr("/?#:@", url.data[scheme_len])) {
		return "must name a host, as in https://example.com/privacy";
	}
	return text_fault(url);
}

const char *model_group_fault(struct slice group)
{
	if (!length_is_within(group, MODEL_GROUP_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_GROUP_LEN_MAX) " bytes long";
	}
	return text_fault(group);
}

const char *model_ref_fault(struct slice ref)
{
	if (!length_is_within(ref, MODEL_REF_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_REF_LEN_MAX) " bytes long";
	}
	return text_fault(ref);
}

const char *model_reason_fault(struct slice reason)
{
	if (!length_is_within(reason, MODEL_REASON_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_REASON_LEN_MAX) " bytes long";
	}
	return text_fault(reason);
}

const char *model_contact_fault(struct slice contact)
{
	if (!model_address_fault(contact) || !model_url_fault(contact)) {
		return NULL;
	}
	return "must be an e-mail address or a URL that begins with http:// or https://";
}

const char *model_keeper_fault(struct slice keeper)
{
	static const char fault[] = "must be " ONE_TO(MODEL_KEEPER_LEN_MAX) " of a-z 0-9 . _ -";

	if (!length_is_within(keeper, MODEL_KEEPER_LEN_MAX)) {
		return fault;
	}
	for (size_t i = 0; i < keeper.len; i++) {
		if (!byte_is_keeper(keeper.data[i])) {
			return fault;
		}
	}
	return NULL;
}

const char *model_ground_fault(struct slice ground)
{
	if (!length_is_within(ground, MODEL_GROUND_LEN_MAX) || !text_is_printable_ascii(ground)) {
		return "must be " ONE_TO(
			MODEL_GROUND_LEN_MAX) " printable ASCII characters without blanks";
	}
	return NULL;
}

const char *model_hold_fault(struct slice hold)
{
	if (!length_is_within(hold, MODEL_HOLD_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_HOLD_LEN_MAX) " bytes long";
	}
	return text_fault(hold);
}

const char *model_note_fault(struct slice note)
{
	if (!length_is_within(note, MODEL_NOTE_LEN_MAX)) {
		return "must be " ONE_TO(MODEL_NOTE_LEN_MAX) " bytes long";
	}
	return text_fault(note);
}

const char *model_window_fault(span_t window)
{
	static_assert(MODEL_WINDOW_MIN == SPAN_DAY, "the sentence says 1 d");
	static_assert(MODEL_WINDOW_MAX == 180 * SPAN_DAY, "the sentence says 180 d");

	if (window < MODEL_WINDOW_MIN || window > MODEL_WINDOW_MAX) {
		return "must be 1 d to 180 d, in microseconds";
	}
	return NULL;
}

const char *model_removal_fault(span_t removal)
{
	static_assert(MODEL_REMOVAL_MIN == SPAN_DAY, "the sentence says 1 d");
	static_assert(MODEL_REMOVAL_MAX == 30 * SPAN_DAY, "the sentence says 30 d");

	if (removal < MODEL_REMOVAL_MIN || removal > MODEL_REMOVAL_MAX) {
		return "must be 1 d to 30 d, in microseconds";
	}
	return NULL;
}

const char *model_guard_min_fault(int64_t n)
{
	static_assert(MODEL_GUARD_MIN_MAX == 1000000000, "the sentence says so");

	return n >= 1 && n <= MODEL_GUARD_MIN_MAX ? NULL : "must be 1 to 1000000000";
}

const char *model_guard_percent_fault(int64_t percent)
{
	static_assert(MODEL_GUARD_PERCENT_OFF == 100, "the sentence says so");

	return percent >= 1 && percent <= MODEL_GUARD_PERCENT_OFF ? NULL : "must be 1 to 100";
}

const char *model_instant_fault(int64_t at)
{
	if (at < 0 || at > INSTANT_MAX) {
		return "must be microseconds since 1970, up to the end of the year 9999";
	}
	return NULL;
}

struct slice model_lower(struct slice from, char *to, size_t size)
{
	assert(from.len < size);
	for (size_t i = 0; i < from.len; i++) {
		char byte = from.data[i];

		to[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
	}
	to[from.len] = '\0';
	return (struct slice){to, from.len};
}
