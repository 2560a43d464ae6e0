/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_TEXT_H
#define RETENTIOND_CTL_TEXT_H

#include <stdio.h>

#include "common/base.h"

/**
 * ctl_text_put() - write text that came from data, so that it cannot steer a terminal
 * @out:  where to
 * @text: any bytes
 *
 * Control characters (C0, DEL, C1) come out as \xNN, and so do bytes that are not UTF-8. So do the
 * characters that turn the direction of writing: they make a name look like another one.
 */
void ctl_text_put(FILE *out, struct slice text);

/* Whether ctl_text_put() would write the text as it is. */
must_check bool ctl_text_is_harmless(struct slice text);

/**
 * ctl_text_sequence() - bytes of the UTF-8 character that @text begins with
 *
 * Return: 1 to 4 with its number in *@ret_code, or 0 if the bytes are not UTF-8.
 */
size_t ctl_text_sequence(struct slice text, uint32_t *ret_code);

#endif
