/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_MAN_PARTS_H
#define RETENTIOND_MAN_PARTS_H

#include <stdio.h>

/*
 * The parts of the manual that come from the tables of daemon and client. A line "@verbs@" in a
 * page's source stands for what part_verbs() writes.
 */

/* retentionctl(1) */
void part_verbs(FILE *out);            /* the daemon's commands by heading, with their options */
void part_own_verbs(FILE *out);        /* what the client does by itself */
void part_options(FILE *out);          /* of every verb */
void part_changing_options(FILE *out); /* of every verb that changes something */
void part_exit_codes(FILE *out);

/* retention-protocol(7) */
void part_methods(FILE *out);
void part_arguments(FILE *out);
void part_fields(FILE *out);
void part_outcomes(FILE *out);
void part_errors(FILE *out);
void part_limits(FILE *out);

#endif
