/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/retentiond_request.h"

void request_put_name(struct pack_writer *writer, uint32_t account)
{
	struct sample sample;

	sample_name(account, &sample);
	pack_put_text(writer, "org", (struct slice){sample.org, SAMPLE_ORG_LEN});
	pack_put_text(writer, "id", (struct slice){sample.id, SAMPLE_ID_LEN});
}

void request_put_names(struct pack_writer *writer, const struct call *call)
{
	pack_put_array(writer, "accounts");
	for (uint32_t i = 0; i < call->n; i++) {
		pack_write_map(writer);
		request_put_name(writer, call->accounts[i]);
		pack_write_end(writer);
	}
	pack_write_end(writer);
}

static void put_whole(struct pack_writer *writer, uint32_t account)
{
	struct sample sample;

	sample_fill(account, &sample);
	pack_write_map(writer);
	pack_put_cstr(writer, "org", sample.org);
	pack_put_cstr(writer, "id", sample.id);
	pack_put_cstr(writer, "kind", "b2b-collaboration");
	pack_put_cstr(writer, "person", sample.person);
	pack_put_cstr(writer, "upn", sample.upn);
	pack_put_cstr(writer, "mail", sample.mail);
	pack_put_cstr(writer, "name", sample.name);
	pack_put_array(writer, "groups");
	for (uint32_t i = 0; i < SAMPLE_GROUPS; i++) {
		pack_write_cstr(writer, sample.groups[i]);
	}
	pack_write_end(writer);
	pack_put_array(writer, "permissions");
	for (uint32_t i = 0; i < SAMPLE_PERMISSIONS; i++) {
		pack_write_cstr(writer, sample.permissions[i]);
	}
	pack_write_end(writer);
	pack_write_end(writer);
}

void request_put_imports(struct pack_writer *writer, const struct call *call)
{
	pack_put_array(writer, "accounts");
	for (uint32_t i = 0; i < call->n; i++) {
		put_whole(writer, call->accounts[i]);
	}
	pack_write_end(writer);
}

void request_put_person(struct pack_writer *writer, uint32_t account)
{
	struct sample sample;

	sample_person(account, &sample);
	pack_put_cstr(writer, "person", sample.person);
}
