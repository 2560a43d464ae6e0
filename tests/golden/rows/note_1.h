/* SPDX-License-Identifier: Apache-2.0 */

/* Notes before they are sealed, form 1. Never changed: a new form gets a file of its own. */

/* clang-format off */
static const uint8_t golden_note[] = {
	0x01,                                           /* form */
	0x00, 0x04, 0x6c, 0x65, 0x66, 0x74,             /* reason: "left" */
	0x00, 0x05, 0x49, 0x4e, 0x43, 0x2d, 0x37,       /* ref: "INC-7" */
};
/* clang-format on */
