/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_RETENTIOND_REQUEST_H
#define RETENTIOND_TESTS_BENCH_RETENTIOND_REQUEST_H

#include "common/pack.h"

#include "tests/bench/target.h"

/* Sample accounts as arguments of a request: keys and values into the map that is open. */

void request_put_name(struct pack_writer *writer, uint32_t account);   /* org, id */
void request_put_person(struct pack_writer *writer, uint32_t account); /* person */
void request_put_names(struct pack_writer *writer, const struct call *call);
void request_put_imports(struct pack_writer *writer, const struct call *call); /* whole ones */

#endif
