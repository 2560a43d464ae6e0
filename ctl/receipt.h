/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_RECEIPT_H
#define RETENTIOND_CTL_RECEIPT_H

#include "ctl/ctl.h"

#define CTL_RECEIPT_VERIFY "verify" /* as the first operand: checks a file */

#define CTL_RECEIPT_KEY_LEN   32
#define CTL_RECEIPT_BYTES_MAX (2 * 1024 * 1024) /* the daemon's longest is half of that */

/*
 * Receipts: the signed evidence of a removal. In a file the text that is signed stands first, two
 * lines behind it:
 *
 *     retentiond receipt 1
 *     …
 *     made at: 2026-02-10T00:00:00Z
 *     signature: 128 hexadecimal digits
 *     public-key: 64 hexadecimal digits
 */

/* The verb receipt: fetches an account's receipt, or checks one that is in a file. */
int ctl_receipt_run(struct ctl *ctl);

/* Whether the operands ask to check a file: an account has a / or a : in it. */
must_check bool ctl_receipt_is_verify(const struct ctl_args *args);

/* Checks a file; needs no daemon. */
int ctl_receipt_verify(struct ctl *ctl);

/**
 * ctl_receipt_check() - whether bytes are a receipt as it was signed, to the last bit
 * @key:     whose signature it must be; NULL for the key that stands in it
 * @ret_key: set on 0: the key that signed it
 *
 * Return: 0 or CTL_EXIT_VERIFICATION with the fault set: not-a-receipt, truncated, other-key or
 * tampered.
 */
must_check int ctl_receipt_check(struct slice bytes, const uint8_t *key,
				 uint8_t ret_key[static CTL_RECEIPT_KEY_LEN],
				 struct ctl_fault *fault);

#endif
