/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_REQUEST_VALUE_H
#define RETENTIOND_WORK_REQUEST_VALUE_H

#include "common/commands.h"
#include "common/pack.h"

/**
 * request_value_decode() - one value of a request, checked by the rule of its type
 * @type: any but a list of items
 * @to:   of the C type that goes with @type: see REQUEST_C_… in request.h; set when it is right.
 *        Texts point into the request's bytes
 *
 * Return: NULL, or what is wrong, as a sentence's end: "must be an integer".
 */
const char *request_value_decode(enum argument_type type, const struct pack_value *value, void *to);

#endif
