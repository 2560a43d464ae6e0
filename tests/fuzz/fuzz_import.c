/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "common/rpc.h"
#include "ctl/import_file.h"
#include "ctl/import_send.h"

#include "tests/fuzz/fuzz.h"
#include "tests/support/params.h"

/*
 * Files of accounts: CSV, JSON lines, what Microsoft Graph returns. The first byte says which form
 * the rest is read as, and whether rows have defaults.
 *
 * Reading ends; a row that is accepted is one that the daemon accepts, so that no import stops
 * half-way over what could have been told before its first change.
 */

#define WITH_ORG  4
#define WITH_KIND 8

static const struct pack_limits limits = {RPC_FRAME_LARGE_MAX, RPC_OBJECTS_MAX, PACK_DEPTH_MAX};

/* Each row is one value, made of as many as it says. */
static void prove_row(const struct import_set *set, const struct import_entry *entry)
{
	struct pack_scanner scanner = {0};
	size_t len;
	int r = pack_scan(&scanner, &limits, set->packed.data + entry->offset, entry->len, &len);

	assert(r == 0 && len == entry->len && scanner.n_objects == entry->n_values);
}

/* As it is sent: one array of rows in a map of arguments. */
static void prove_call(const struct import_set *set, size_t begin, size_t end)
{
	params_begin();
	pack_put_array(&params_writer, "accounts");
	for (size_t i = begin; i < end; i++) {
		struct slice row = {set->packed.data + set->entries[i].offset, set->entries[i].len};

		pack_write_raw(&params_writer, row, 1);
	}
	pack_write_end(&params_writer);
	assert(params_writer.len <= RPC_FRAME_LARGE_MAX);
	if (params_decode("account.import") != 0) {
		(void)fprintf(stderr, "the daemon refuses it: %s\n", params_fault);
		abort();
	}
}

static void prove_set(const struct import_set *set)
{
	size_t end;

	for (size_t i = 0; i < set->n; i++) {
		prove_row(set, &set->entries[i]);
	}
	for (size_t begin = 0; begin < set->n; begin = end) {
		end = import_batch_end(set, begin);
		assert(end > begin && end <= set->n && end - begin <= MODEL_ACCOUNTS_MAX);
		prove_call(set, begin, end);
	}
}

static void print_faults(const struct import_faults *faults)
{
	cleanup(freep) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert(out);
	import_faults_print(faults, out);
	(void)fclose(out); /* in memory */
	assert((faults->n > 0) == (len > 0));
	for (size_t i = 0; i < len; i++) {
		assert(text[i] == '\n' || ((uint8_t)text[i] >= 0x20 && text[i] != 0x7f));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};
	uint8_t how = feed_u8(&feed);
	struct slice bytes = feed_rest(&feed);
	cleanup(freep) char *text = malloc(MAX(bytes.len, (size_t)1)); /* reading changes it */
	struct import_set set;
	bool incomplete;
	int r;

	assert(text);
	if (bytes.len > 0) {
		memcpy(text, bytes.data, bytes.len);
	}
	if (!params_request) {
		params_init();
	}
	import_set_init(&set);
	set.default_org = how & WITH_ORG ? SLICE_LITERAL("contoso") : (struct slice){0};
	set.default_kind = how & WITH_KIND ? SLICE_LITERAL("member") : (struct slice){0};
	r = import_text_read(&set, "f", (enum import_format)(how % _IMPORT_FORMAT_MAX), text,
			     bytes.len, &incomplete);
	assert(r == 0);
	if (set.faults.n == 0) {
		prove_set(&set);
	}
	print_faults(&set.faults);
	import_set_done(&set);
	return 0;
}
