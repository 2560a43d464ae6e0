/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_VALUE_H
#define RETENTIOND_CTL_VALUE_H

#include "common/commands.h"
#include "common/pack.h"

/**
 * struct ctl_value - an argument as the daemon takes it
 * @type:    says which of the others counts
 * @text:    points into what was parsed, or into @bytes
 * @bytes:   a cursor that was written in hex
 */
struct ctl_value {
	enum argument_type type;
	bool boolean;
	int64_t integer;
	struct slice text;
	char bytes[ARGUMENT_CURSOR_LEN_MAX];
};

/**
 * ctl_value_parse() - read an argument as people write it
 * @type:      what it must be
 * @text:      borrowed: the value points into it
 * @now:       what relative instants count from
 * @ret_value: set when NULL is returned
 *
 * Return: NULL, or what is wrong as the end of a sentence; static.
 */
must_check const char *ctl_value_parse(enum argument_type type, const char *text, instant_t now,
				       struct ctl_value *ret_value);

/* What is wrong with a text of one of the types that are texts, or NULL; static. */
must_check const char *ctl_value_text_fault(enum argument_type type, struct slice text);

/* Key and value of a map of arguments. */
void ctl_value_write(struct pack_writer *writer, const char *key, const struct ctl_value *value);

/* Whether an instant is written relative to now. */
bool ctl_value_is_relative(const char *text);

/* "yes", "no" and their usual relatives; false for anything else. */
must_check bool ctl_value_parse_bool(struct slice text, bool *ret_boolean);

/* What stands after "--option=" in help: "SPAN", "yes|no"; static. */
const char *ctl_value_placeholder(enum argument_type type);

#endif
