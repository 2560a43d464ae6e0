/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/params.h"

#include <stdio.h>

#define BYTES_MAX (4 << 20)

struct pack_writer params_writer;
struct request *params_request;
char params_fault[REQUEST_FAULT_MAX];

static struct pack_reader *reader;

void params_init(void)
{
	int r = pack_reader_new(&reader);

	assert(r == 0);
	pack_writer_init(&params_writer, BYTES_MAX);
	params_request = calloc(1, sizeof(*params_request));
	assert(params_request);
}

void params_done(void)
{
	reader = pack_reader_free(reader);
	pack_writer_done(&params_writer);
	free(TAKE_PTR(params_request));
}

void params_begin(void)
{
	pack_writer_reset(&params_writer);
	params_fault[0] = '\0';
	pack_write_array(&params_writer);
	pack_write_map(&params_writer);
}

int params_decode(const char *method)
{
	pack_write_end(&params_writer);
	pack_write_end(&params_writer);
	return params_decode_written(method);
}

int params_decode_written(const char *method)
{
	static const struct pack_limits limits = {BYTES_MAX, UINT32_MAX, PACK_DEPTH_MAX};
	const struct command *command = command_by_method(slice_of(method));
	struct pack_scanner scanner = {0};
	struct pack_value params;
	size_t len;
	int r;

	assert(command);
	assert(params_writer.error == 0);
	r = pack_scan(&scanner, &limits, params_writer.data, params_writer.len, &len);
	assert(r == 0);
	r = pack_read(reader, params_writer.data, len, &params);
	assert(r == 0);
	return request_decode(command, &params, params_request, params_fault);
}

bool params_refused(const char *method, const char *fault)
{
	if (params_decode(method) != REQUEST_E_WRONG) {
		(void)fprintf(stderr, "%s is not refused\n", method);
		return false;
	}
	if (strcmp(params_fault, fault) != 0) {
		(void)fprintf(stderr, "%s is refused with: %s\n", method, params_fault);
		return false;
	}
	return true;
}
