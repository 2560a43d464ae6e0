/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_GRAPH_H
#define RETENTIOND_CTL_IMPORT_GRAPH_H

#include <jansson.h>

#include "ctl/import_set.h"

/* Users and deleted items as Microsoft Graph describes them (v1.0, resource types user and
 * directoryObject). */

/* Whether an object has a name that only Graph's have. */
bool import_graph_is_user(const json_t *object);

/**
 * import_graph_fill() - a row of a user
 *
 * Of the kind, an own field "kind" decides, else userType: a Guest is b2b-collaboration, a Member a
 * member. The person of a guest is the home identity: "person" if it is there, the mail address,
 * else what the UPN was made of. A deleted user's UPN is given back its own form: Graph puts the id
 * before it. What else Graph tells is passed over.
 */
void import_graph_fill(struct import_set *set, struct import_row *row, const json_t *object,
		       const struct import_where *where);

/**
 * import_graph_home() - the address that a guest's UPN was made of
 * @upn:  "jane_fabrikam.example#EXT#@contoso.example"
 * @text: the caller's buffer
 *
 * Return: "jane@fabrikam.example" in @text, or @upn itself if it is of another form.
 */
struct slice import_graph_home(struct slice upn, char text[static MODEL_ADDRESS_LEN_MAX]);

/* The UPN of a deleted user without the 32 digits of its id in front; @upn itself if they are not
 * there. */
struct slice import_graph_deleted_upn(struct slice upn, struct slice id);

#endif
