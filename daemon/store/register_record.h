/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_REGISTER_RECORD_H
#define RETENTIOND_STORE_REGISTER_RECORD_H

#include "common/base.h"

#include "daemon/store/register.h"

/* The records of a removal register as bytes; register.h shows them. */

#define REGISTER_RECORD_LEN   32
#define REGISTER_RECORD_CHECK 24 /* where in it its check is */

/* Whether it is one that can be: bytes of the disk may say anything. */
bool register_record_is_sound(const struct register_record *record);

/* All but the check. */
void register_record_encode(const struct register_record *record,
			    uint8_t bytes[static REGISTER_RECORD_CHECK]);
void register_record_decode(const uint8_t bytes[static REGISTER_RECORD_CHECK],
			    struct register_record *ret_record);

/* The check that a record has behind one whose check is @before. */
void register_record_check(const uint8_t before[static REGISTER_CHECK_LEN],
			   const uint8_t bytes[static REGISTER_RECORD_CHECK],
			   uint8_t ret_check[static REGISTER_CHECK_LEN]);

#endif
