/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/bytes.h"
#include "daemon/store/rows.h"
#include "daemon/store/rows_inside.h"

static bool keeper_is_sound(const struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->n_orgs; i++) {
		if (keeper->orgs[i] == 0) {
			return false;
		}
	}
	return keeper->number >= 1 && keeper->number <= MODEL_KEEPERS_MAX &&
	       keeper->last_seq != 0 && !model_keeper_fault(slice_of(keeper->name));
}

/*
 * A keeper:
 *
 *     01                         form
 *     01                         flags: 1 enabled
 *     00 00 00 00 00 00 00 05    ledger entry
 *     00 04 6d 61 69 6c          name: 4 bytes, "mail"
 *     00 01                      organizations: 1; with none it keeps data of all
 *     00 00 00 07                number of the organization
 */
#define KEEPER_ENABLED 0x01

#define KEEPER_LEN_MAX (1 + 1 + 8 + 2 + MODEL_KEEPER_LEN_MAX + 2 + 4 * MODEL_KEEPER_ORGS_MAX)

static_assert(KEEPER_LEN_MAX <= ROWS_KEEPER_LEN_MAX, "every keeper fits");

size_t rows_encode_keeper(const struct keeper *keeper, uint8_t bytes[static ROWS_KEEPER_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(keeper->n_orgs <= MODEL_KEEPER_ORGS_MAX);
	assert(keeper_is_sound(keeper));
	at = put_u8(at, FORM);
	at = put_u8(at, keeper->enabled ? KEEPER_ENABLED : 0);
	at = put_u64(at, keeper->last_seq);
	at = put_text(at, slice_of(keeper->name), MODEL_KEEPER_LEN_MAX);
	at = put_u16(at, keeper->n_orgs);
	for (size_t i = 0; i < keeper->n_orgs; i++) {
		at = put_u32(at, keeper->orgs[i]);
	}
	return (size_t)(at - bytes);
}

int rows_decode_keeper(uint8_t number, struct slice bytes, struct keeper *ret_keeper)
{
	struct reader reader = reader_of(bytes);
	struct keeper keeper = {.number = number};
	uint8_t flags;

	get_form(&reader);
	flags = get_u8(&reader);
	reader_require(&reader, (flags & ~KEEPER_ENABLED) == 0);
	keeper.enabled = flags & KEEPER_ENABLED;
	keeper.last_seq = get_u64(&reader);
	get_string(&reader, keeper.name, MODEL_KEEPER_LEN_MAX);
	keeper.n_orgs = get_u16(&reader);
	reader_require(&reader, keeper.n_orgs <= MODEL_KEEPER_ORGS_MAX);
	for (size_t i = 0; i < keeper.n_orgs && !reader.faulty; i++) {
		keeper.orgs[i] = get_u32(&reader);
	}
	if (!reader_is_done(&reader) || !keeper_is_sound(&keeper)) {
		return ROWS_E_CORRUPT;
	}
	*ret_keeper = keeper;
	return 0;
}

/* A task that was never claimed has no row. */
static bool task_is_sound(const struct task *task)
{
	return task->generation != 0 && is_instant_or_none(task->lease_until) &&
	       is_instant(task->next_at);
}

/*
 * A task, claimed for the third time and failed:
 *
 *     01                         form
 *     00 00 00 03                generation
 *     80 00 00 00 00 00 00 00    lease until: given back
 *     00 06 4b f5 35 af 10 00    next at
 *     00 2c 9f 31 ...            error: 44 bytes, sealed; 00 00 for none
 */
#define TASK_ERROR_LEN_MAX (MODEL_NOTE_LEN_MAX + 64) /* with what sealing adds */

static_assert(1 + 4 + 8 + 8 + 2 + TASK_ERROR_LEN_MAX <= ROWS_TASK_LEN_MAX, "every task fits");

size_t rows_encode_task(const struct task *task, uint8_t bytes[static ROWS_TASK_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(task_is_sound(task));
	at = put_u8(at, FORM);
	at = put_u32(at, task->generation);
	at = put_i64(at, task->lease_until);
	at = put_i64(at, task->next_at);
	at = put_text(at, task->error, TASK_ERROR_LEN_MAX);
	return (size_t)(at - bytes);
}

int rows_decode_task(struct slice bytes, struct task *ret_task)
{
	struct reader reader = reader_of(bytes);
	struct task task;

	get_form(&reader);
	task.generation = get_u32(&reader);
	reader_require(&reader, task.generation < UINT32_MAX); /* it can be claimed once more */
	task.lease_until = get_i64(&reader);
	task.next_at = get_i64(&reader);
	task.error = get_text(&reader, TASK_ERROR_LEN_MAX);
	if (!reader_is_done(&reader) || !task_is_sound(&task)) {
		return ROWS_E_CORRUPT;
	}
	*ret_task = task;
	return 0;
}

static bool hold_is_sound(const struct hold *hold)
{
	return hold->name.len > 0 && is_instant(hold->added_at) && is_instant(hold->until);
}

/*
 * A hold, before it is sealed:
 *
 *     01                         form
 *     00 06 4b f5 35 af 10 00    added at
 *     03 84 44 0c cc 73 5f ff    until: without an end
 *     00 06 63 61 73 65 2d 37    name: 6 bytes, "case-7"
 *     00 00                      reason: none
 */
static_assert(1 + 8 + 8 + 2 + MODEL_HOLD_LEN_MAX + 2 + MODEL_REASON_LEN_MAX <= ROWS_HOLD_LEN_MAX,
	      "every hold fits");

size_t rows_encode_hold(const struct hold *hold, uint8_t bytes[static ROWS_HOLD_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(hold_is_sound(hold));
	at = put_u8(at, FORM);
	at = put_i64(at, hold->added_at);
	at = put_i64(at, hold->until);
	at = put_text(at, hold->name, MODEL_HOLD_LEN_MAX);
	at = put_text(at, hold->reason, MODEL_REASON_LEN_MAX);
	return (size_t)(at - bytes);
}

int rows_decode_hold(struct slice bytes, struct hold *ret_hold)
{
	struct reader reader = reader_of(bytes);
	struct hold hold;

	get_form(&reader);
	hold.added_at = get_i64(&reader);
	hold.until = get_i64(&reader);
	hold.name = get_text(&reader, MODEL_HOLD_LEN_MAX);
	hold.reason = get_text(&reader, MODEL_REASON_LEN_MAX);
	if (!reader_is_done(&reader) || !hold_is_sound(&hold)) {
		return ROWS_E_CORRUPT;
	}
	*ret_hold = hold;
	return 0;
}

/*
 * A request is decided, at an instant and by an entry, or it is open and neither is there. That one
 * is fulfilled is computed.
 */
static bool request_is_sound(const struct removal_request *request)
{
	if (request->number == 0 || request->org == 0 || request->uid == 0 ||
	    request->filed_seq == 0 || !is_instant(request->filed_at) ||
	    !is_instant(request->due_at) || request->state < REQUEST_STATE_OPEN ||
	    request->state > REQUEST_STATE_DENIED) {
		return false;
	}
	if (request->state == REQUEST_STATE_OPEN) {
		return request->decided_at == INSTANT_NONE && request->decided_seq == 0;
	}
	return is_instant(request->decided_at) && request->decided_seq > request->filed_seq;
}

/*
 * A removal request, 56 bytes; filed on 2026-03-01 at 12:00 UTC:
 *
 *     01                         form
 *     01                         state: open
 *     00 00                      nothing
 *     00 00 00 07                organization
 *     00 00 00 00 00 00 00 09    account
 *     00 06 4b f5 35 af 10 00    filed at
 *     00 06 4e 50 b4 ec 50 00    due at
 *     80 00 00 00 00 00 00 00    decided at: not yet
 *     00 00 00 00 00 00 00 2b    ledger entry that filed it
 *     00 00 00 00 00 00 00 00    ledger entry that decided it: none
 */
size_t rows_encode_request(const struct removal_request *request,
			   uint8_t bytes[static ROWS_REQUEST_LEN])
{
	uint8_t *at = bytes;

	assert(request_is_sound(request));
	at = put_u8(at, FORM);
	at = put_u8(at, (uint8_t)request->state);
	at = put_u16(at, 0);
	at = put_u32(at, request->org);
	at = put_u64(at, request->uid);
	at = put_i64(at, request->filed_at);
	at = put_i64(at, request->due_at);
	at = put_i64(at, request->decided_at);
	at = put_u64(at, request->filed_seq);
	at = put_u64(at, request->decided_seq);
	assert(at == bytes + ROWS_REQUEST_LEN);
	return ROWS_REQUEST_LEN;
}

int rows_decode_request(uint64_t number, struct slice bytes, struct removal_request *ret_request)
{
	struct reader reader = reader_of(bytes);
	struct removal_request request = {.number = number};

	get_form(&reader);
	request.state = (enum request_state)get_u8(&reader);
	reader_require(&reader, get_u16(&reader) == 0);
	request.org = get_u32(&reader);
	request.uid = get_u64(&reader);
	request.filed_at = get_i64(&reader);
	request.due_at = get_i64(&reader);
	request.decided_at = get_i64(&reader);
	request.filed_seq = get_u64(&reader);
	request.decided_seq = get_u64(&reader);
	if (!reader_is_done(&reader) || !request_is_sound(&request)) {
		return ROWS_E_CORRUPT;
	}
	*ret_request = request;
	return 0;
}
