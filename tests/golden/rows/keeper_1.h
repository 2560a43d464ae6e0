/* SPDX-License-Identifier: Apache-2.0 */

/* Keepers, form 1. Never changed: a new form gets a file of its own. */

/* clang-format off */
static const uint8_t golden_keeper[] = {
	0x01,                                           /* form */
	0x01,                                           /* enabled */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, /* ledger entry */
	0x00, 0x04, 0x6d, 0x61, 0x69, 0x6c,             /* name: "mail" */
	0x00, 0x02,                                     /* organizations */
	0x00, 0x00, 0x00, 0x07,
	0x00, 0x00, 0x00, 0x03,
};
/* clang-format on */
