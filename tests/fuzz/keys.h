/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_FUZZ_KEYS_H
#define RETENTIOND_TESTS_FUZZ_KEYS_H

#include "tests/fuzz/fuzz.h"

/* Files that hold keys, as a disk or a hand may have left them; each eats what is left of the feed. */

/* A vault's header, damaged: refused unless it is as it was. */
void keys_try_header(struct feed *feed);

/*
 * A vault with keys given and destroyed, and then damaged: what was sealed under a key whose slot is
 * as it was opens, and nothing else does.
 */
void keys_try_slots(struct feed *feed);

/* A key file; and one in the place of the signing key. */
void keys_try_file(struct feed *feed);
void keys_try_signer(struct feed *feed);

#endif
