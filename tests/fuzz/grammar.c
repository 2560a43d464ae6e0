/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/grammar.h"

#include "common/commands.h"
#include "common/rpc.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/house.h"
#include "tests/fuzz/values.h"
#include "tests/support/random.h"

#define HEAD_LEN    2     /* of an input: who sends, and how it is cut */
#define REQUEST_MAX 16384 /* bytes; 1000 accounts by their uids are half of it */
#define ITEMS_MAX   4

static void write_items(struct values *values, enum argument_type list);

static void write_argument(struct values *values, const struct argument *argument)
{
	pack_write_cstr(values->out, argument->name);
	if (argument_is_list(argument->type) && !values_one_in(values, 24)) {
		write_items(values, argument->type);
	} else {
		values_write(values, argument->type);
	}
}

/* Of the ways to name an account one is taken; what else is optional comes now and then. */
static bool is_wanted(struct values *values, const char *name, uint32_t way, bool required)
{
	if (strcmp(name, "uid") == 0) {
		return way == 0;
	}
	if (strcmp(name, "id") == 0) {
		return required || way == 1;
	}
	if (strcmp(name, "person") == 0) {
		return required || way == 2;
	}
	if (strcmp(name, "org") == 0) {
		return required || way > 0;
	}
	return required || values_one_in(values, 3);
}

static void write_items(struct values *values, enum argument_type list)
{
	uint32_t n = 1 + random_below(&values->state, ITEMS_MAX);

	pack_write_array(values->out);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t way = random_below(&values->state, 3);

		pack_write_map(values->out);
		for (enum field_symbol field = 0; field < _FIELD_MAX; field++) {
			if (field_belongs(field, list) &&
			    is_wanted(values, field_table[field].name, way,
				      field_required(field, list))) {
				write_argument(values, &field_table[field]);
			}
		}
		pack_write_end(values->out);
	}
	pack_write_end(values->out);
}

/* Requests */

/* Mostly one that may. */
static uint32_t pick_peer(struct values *values, const struct command *command)
{
	if (command->role == ROLE_KEEPER && !values_one_in(values, 8)) {
		bool crm = values_one_in(values, 2);

		values->keeper = crm ? "crm" : "mail";
		return crm ? HOUSE_CRM : HOUSE_MAIL;
	}
	return values_one_in(values, 4) ? random_below(&values->state, HOUSE_PEERS) : HOUSE_ROOT;
}

static void write_request(struct values *values, uint8_t who)
{
	const struct command *command = &command_table[random_below(&values->state, _COMMAND_MAX)];
	uint32_t way = random_below(&values->state, 4);
	uint32_t peer = pick_peer(values, command);

	rpc_write_request(values->out, (peer + HOUSE_PEERS - who % HOUSE_PEERS) % HOUSE_PEERS,
			  command->method);
	pack_write_map(values->out);
	for (size_t i = 0; i < command->n_arguments; i++) {
		const struct command_argument *row = &command->arguments[i];

		if (is_wanted(values, argument_table[row->symbol].name, way, row->required)) {
			write_argument(values, &argument_table[row->symbol]);
		}
	}
	pack_write_end(values->out);
	rpc_write_request_end(values->out);
}

/* Inputs */

/* Where a whole message ends that begins at the front; the end of all, if none does. */
static size_t message_len(const uint8_t *data, size_t len)
{
	static const struct pack_limits limits = {RPC_FRAME_LARGE_MAX, RPC_OBJECTS_MAX,
						  RPC_DEPTH_MAX};
	struct pack_scanner scanner = {0};
	size_t message;

	return pack_scan(&scanner, &limits, data, len, &message) == 0 ? message : len;
}

/* A message that is there, any as likely as the others; @ret_len is 0 if there is none. */
static size_t pick_message(struct values *values, const uint8_t *data, size_t len, size_t *ret_len)
{
	size_t picked = HEAD_LEN;
	uint32_t n = 0;

	*ret_len = 0;
	for (size_t at = HEAD_LEN; at < len; n++) {
		size_t message = message_len(data + at, len - at);

		if (values_one_in(values, n + 1)) {
			picked = at;
			*ret_len = message;
		}
		at += message;
	}
	return picked;
}

/* Puts bytes in the place of @len_out others. */
static size_t splice(uint8_t *data, size_t len, size_t len_max, size_t at, size_t len_out,
		     struct slice in)
{
	if (len - len_out + in.len > len_max) {
		return len;
	}
	memmove(data + at + in.len, data + at + len_out, len - at - len_out);
	if (in.len > 0) {
		memcpy(data + at, in.data, in.len);
	}
	return len - len_out + in.len;
}

static size_t mutate_message(uint8_t *data, size_t len, size_t len_max, size_t at, size_t message)
{
	uint8_t bytes[REQUEST_MAX];
	size_t n = MIN(message, sizeof(bytes));

	memcpy(bytes, data + at, n);
	n = LLVMFuzzerMutate(bytes, n, sizeof(bytes));
	return splice(data, len, len_max, at, MIN(message, sizeof(bytes)),
		      (struct slice){(const char *)bytes, n});
}

static size_t insert_request(struct values *values, uint8_t *data, size_t len, size_t len_max,
			     size_t at, size_t len_out)
{
	struct pack_writer writer;

	pack_writer_init(&writer, REQUEST_MAX);
	values->out = &writer;
	write_request(values, data[0]);
	if (writer.error == 0) {
		len = splice(data, len, len_max, at, len_out,
			     (struct slice){writer.data, writer.len});
	}
	pack_writer_done(&writer);
	return len;
}

static size_t move_to_end(uint8_t *data, size_t len, size_t at, size_t message)
{
	uint8_t bytes[REQUEST_MAX];
	size_t n = MIN(message, sizeof(bytes));

	memcpy(bytes, data + at, n);
	memmove(data + at, data + at + n, len - at - n);
	memcpy(data + len - n, bytes, n);
	return len;
}

size_t grammar_mutate(uint8_t *data, size_t len, size_t len_max, unsigned seed)
{
	struct values values = {.state = seed};
	size_t at, message;

	if (len < HEAD_LEN || len_max < HEAD_LEN + 1) {
		return LLVMFuzzerMutate(data, len, len_max);
	}
	at = pick_message(&values, data, len, &message);
	switch (random_below(&values.state, 8)) {
	case 0:
		return LLVMFuzzerMutate(data, len, len_max);
	case 1:
		return mutate_message(data, len, len_max, at, message);
	case 2:
		return splice(data, len, len_max, at, message, (struct slice){0});
	case 3:
		return move_to_end(data, len, at, message);
	case 4:
		return insert_request(&values, data, len, len_max, at, message);
	case 5:
		return insert_request(&values, data, len, len_max, at, 0);
	default:
		return insert_request(&values, data, len, len_max, len, 0);
	}
}
