/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_SUBJECT_H
#define RETENTIOND_SUBJECT_H

#include "common/base.h"

#include "daemon/settings.h"

enum {
	SUBJECT_E_UNKNOWN = 1, /* there is no such user or group */
	SUBJECT_E_NOBODY,      /* it can never have a role; the report was told */
};

/**
 * subject_find() - whom a name, or a number, in a setting means
 * @group:  a group, else a user
 * @report: told if it never can have a role, and if it cannot be looked up
 *
 * A number means itself, whether or not the system knows it by a name.
 *
 * Return: 0, SUBJECT_E_UNKNOWN, SUBJECT_E_NOBODY, or a negative errno: it cannot be looked up now, which
 * says nothing of whether it is there.
 */
must_check int subject_find(const struct setting *setting, bool group, const char *name,
			    struct settings_report *report, uint32_t *ret_id);

#endif
