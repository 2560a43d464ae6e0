/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_PERSON_H
#define RETENTIOND_CTL_SHOW_PERSON_H

#include "ctl/show.h"

/* The answer of person.organizations in people's form: the home first. Return: 0. */
must_check int show_organizations(const struct show *show, const json_t *result);

#endif
