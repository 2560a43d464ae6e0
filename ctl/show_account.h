/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_ACCOUNT_H
#define RETENTIOND_CTL_SHOW_ACCOUNT_H

#include "ctl/show.h"

/* The answers of account.get, account.explain and retention.api in people's form. Return: 0 or -ENOMEM. */
must_check int show_account(const struct show *show, const json_t *result);
must_check int show_explain(const struct show *show, const json_t *result);
must_check int show_api(const struct show *show, const json_t *result);

/* "Next: …", "Waits for: …": sentences of an answer of account.explain, a line each. */
void show_next(const struct show *show, const json_t *next, const json_t *account);
void show_tasks(const struct show *show, const json_t *tasks);

#endif
