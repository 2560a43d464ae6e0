/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_REFUSAL_H
#define RETENTIOND_CTL_SHOW_REFUSAL_H

#include "common/outcome.h"
#include "ctl/show.h"

/* What is not found because it has been removed: its name was written well. */
#define SHOW_GONE "the account has been removed for good: nothing can be done with it any more"

must_check bool show_is_gone(const json_t *object);

/* Whether an outcome is among the reasons of a refusal. */
must_check bool show_has_reason(const json_t *object, enum outcome outcome);

/*
 * Whether a refusal says whom to ask: a person who may not leave is to know whom, or that there is
 * nobody; to administrators' refusals a contact that is missing adds nothing.
 */
must_check bool show_names_contact(const json_t *object);

/* A refusal: its sentences with every reason, and whom to ask. @object has outcome, reasons, state,
 * contact. */
void show_refusal(const struct show *show, const json_t *object);

/* A line: "Ask: privacy contact p@acme.example, statement https://…", or that nobody is named.
 * Nothing if @contact is no object. @before begins the line. */
void show_ask(const struct show *show, const char *before, const json_t *contact);

/* A reason, or an outcome's code, as a sentence. */
void show_reason(const json_t *reason, FILE *out);

#endif
