/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_KEYFILE_H
#define RETENTIOND_STORE_KEYFILE_H

#include "common/base.h"

/*
 * A file that holds a key of 32 bytes: as they are, or as 64 hexadecimal digits and a line's end.
 *
 *     9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
 *
 * A credential is such a file that the service manager gives: $CREDENTIALS_DIRECTORY/NAME.
 */

#define KEYFILE_KEY_LEN 32

#define KEYFILE_SIGNING "signing-key" /* signs receipts, see signer.h */
#define KEYFILE_MASTER  "master-key"  /* wraps the vault, see vault_wrap.h */

enum {
	KEYFILE_E_MALFORMED = 1, /* neither form */
};

/* Return: 0, KEYFILE_E_MALFORMED, or a negative errno. */
must_check int keyfile_read(const char *path, uint8_t ret_key[static KEYFILE_KEY_LEN]);

/**
 * keyfile_read_credential() - a key that the service manager gives
 * @name:    KEYFILE_SIGNING or KEYFILE_MASTER
 * @ret_key: set on 0; the caller wipes it
 *
 * Return: 0; STORE_E_NONE if it gives none; STORE_E_CREDENTIAL if what it gives is no key, or if
 * others may read it: store_fault() says so; or a negative errno.
 */
must_check int keyfile_read_credential(const char *name, uint8_t ret_key[static KEYFILE_KEY_LEN]);

#endif
