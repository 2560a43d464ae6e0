/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_FAIL_H
#define RETENTIOND_TESTS_BENCH_FAIL_H

#include "common/base.h"

/*
 * A figure that was measured while something failed is worth nothing: whatever goes wrong ends the
 * program with one line. The kernel ends what it started (see child.h).
 */
_Noreturn void fail(const char *format, ...) printf_like(1, 2);

/* "…: what the errno says". */
_Noreturn void fail_errno(int error, const char *format, ...) printf_like(2, 3);

/* malloc() and calloc() that never answer NULL. */
void *must_alloc(size_t size);

#endif
