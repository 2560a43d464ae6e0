/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_PARAMS_H
#define RETENTIOND_TESTS_SUPPORT_PARAMS_H

#include "common/base.h"
#include "common/pack.h"

#include "daemon/work/request.h"

/*
 * The parameters of a request, written value by value and decoded. One at a time: a test writes
 * to the map that params_begin() opens.
 */
extern struct pack_writer params_writer;
extern struct request *params_request; /* what params_decode() made of it */
extern char params_fault[REQUEST_FAULT_MAX];

void params_init(void);
void params_done(void);

/* An array with one map, open. */
void params_begin(void);

/* Closes both and decodes them for a method. Return: as request_decode(). */
int params_decode(const char *method);

/* The same for whatever has been written, as it is. */
int params_decode_written(const char *method);

/* Whether they are refused with exactly this fault. */
bool params_refused(const char *method, const char *fault);

#endif
