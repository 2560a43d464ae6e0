/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_send.h"

#include <errno.h>

#include "common/rpc.h"
#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/progress.h"
#include "ctl/request.h"

#define BATCH_BYTES_MAX                                                                            \
	(900 * 1024) /* of RPC_FRAME_LARGE_MAX; the rest is for reason, ref and the frame */
#define BATCH_VALUES_MAX (RPC_OBJECTS_MAX - 1024) /* likewise */

/* The rows of one call. */
struct batch {
	const struct import_set *set;
	size_t begin;
	size_t end;
};

size_t import_batch_end(const struct import_set *set, size_t begin)
{
	size_t bytes = 0;
	size_t values = 0;
	size_t end = begin;

	while (end < set->n && end - begin < MODEL_ACCOUNTS_MAX) {
		bytes += set->entries[end].len;
		values += set->entries[end].n_values;
		if (end > begin && (bytes > BATCH_BYTES_MAX || values > BATCH_VALUES_MAX)) {
			break;
		}
		end++;
	}
	return end;
}

static size_t count_batches(const struct import_set *set)
{
	size_t n = 0;

	for (size_t begin = 0; begin < set->n; begin = import_batch_end(set, begin)) {
		n++;
	}
	return n;
}

static void put_batch(struct pack_writer *writer, const void *context)
{
	const struct batch *batch = context;

	pack_put_array(writer, argument_table[ARGUMENT_imports].name);
	for (size_t i = batch->begin; i < batch->end; i++) {
		const struct import_entry *entry = &batch->set->entries[i];

		pack_write_raw(writer,
			       (struct slice){batch->set->packed.data + entry->offset, entry->len},
			       1);
	}
	pack_write_end(writer);
}

static int take_items(const struct batch *batch, const json_t *items, bool all,
		      struct import_report *report)
{
	size_t i;
	json_t *item;

	json_array_foreach(items, i, item) {
		if (import_report_add(report, item, &batch->set->entries[batch->begin + i].where,
				      all) < 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* The daemon counts the rows of a call, "accounts[7]: …"; people look for them in their files. */
static void name_place(struct ctl_fault *fault, const struct batch *batch)
{
	char place[IMPORT_WHERE_TEXT_MAX];
	struct ctl_fault told = *fault;
	size_t i;
	int len = 0;

	if (sscanf(told.text, "accounts[%zu]%n", &i, &len) < 1 || len == 0 ||
	    i >= batch->end - batch->begin) {
		return;
	}
	import_where_format(&batch->set->entries[batch->begin + i].where, place);
	(void)ctl_fault_set(fault, told.exit, told.code, "%s%s", place, told.text + len);
}

static int send_batch(struct ctl *ctl, const struct batch *batch, struct ctl_request *request,
		      struct import_report *report)
{
	const json_t *items;
	json_t *result = NULL;
	int r;

	request->put_items = put_batch;
	request->context = batch;
	r = ctl_request_call(ctl, request, &result);
	if (r != 0) {
		name_place(&ctl->fault, batch);
		return r;
	}
	items = json_object_get(result, "items");
	if (json_array_size(items) != batch->end - batch->begin) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				  "retentiond did not say what became of each of %zu rows",
				  batch->end - batch->begin);
	} else if (take_items(batch, items, ctl->args.all, report) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	}
	json_decref(result);
	return r;
}

int import_send(struct ctl *ctl, const struct import_set *set, struct import_report *report)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	struct ctl_progress progress;
	struct batch batch = {.set = set};
	int r = 0;

	request.n_parts = count_batches(set);
	ctl_interrupt_catch();
	ctl_progress_begin(&progress, "import", set->n, ctl->args.quiet);
	while (r == 0 && batch.begin < set->n) {
		if (ctl_interrupted()) {
			r = ctl_fault_set(&ctl->fault, CTL_EXIT_INTERRUPTED, "interrupted",
					  "interrupted");
			break;
		}
		batch.end = import_batch_end(set, batch.begin);
		r = send_batch(ctl, &batch, &request, report);
		batch.begin = batch.end;
		request.part++;
		ctl_progress_tell(&progress, report->tally.n);
	}
	ctl_progress_end(&progress);
	return r;
}
