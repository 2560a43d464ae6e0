# SPDX-License-Identifier: Apache-2.0
"""What somebody can read who has a data file and a vault, and knows the daemon's source.

Nothing is taken from LMDB's tree: every place that looks like a row is tried, in free pages too.
"""

import ctypes
import re
import struct

KEY_BYTES = 32
FIRST_SLOT = 4096  # where the key of uid 1 stands; see daemon/store/vault.h
NONCE_BYTES, TAG_BYTES = 24, 16

PROFILE, NOTE, HOLD, TASK = 1, 2, 3, 4  # the purposes that are sealed with the text
UID_MAX = 1 << 16

# A leaf of LMDB: bytes of the value, zeros while it is short, bytes of the key; then key and value.
LEAF = re.compile(rb"\0\0\0\0(?=[\x08\x09\x10\x18]\0)")

# A change in the journal: put or append, table, bytes of the key, bytes of the value (under 64 KiB).
CHANGE = re.compile(rb"[\1\2][\0-\x10](?=[\x08\x09\x10\x18]\0\0)")

# By the length of the key: what is sealed, where the uid stands in the key, and what stands in the
# value before it; see schema.h and rows_duty.c.
ROWS = {8: (PROFILE, 0, 0), 16: (NOTE, 0, 0), 24: (HOLD, 0, 0), 9: (TASK, 1, 23)}

sodium = ctypes.CDLL("libsodium.so.23")
open_sealed = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt


def keys(vault):
    """The keys of a vault, by uid."""
    slots = range(FIRST_SLOT, len(vault) - KEY_BYTES + 1, KEY_BYTES)
    found = {1 + n: vault[at : at + KEY_BYTES] for n, at in enumerate(slots)}
    return {uid: key for uid, key in found.items() if key != bytes(KEY_BYTES)}


def unseal(sealed, uid, purpose, key):
    """The text, or None if it was not sealed under this key."""
    n = len(sealed) - NONCE_BYTES - TAG_BYTES
    if n < 0:
        return None
    plain = ctypes.create_string_buffer(n + 1)
    associated = struct.pack(">QB", uid, purpose)
    text = sealed[NONCE_BYTES:]
    failed = open_sealed(
        plain, None, None, text, ctypes.c_ulonglong(len(text)),
        associated, ctypes.c_ulonglong(len(associated)), sealed[:NONCE_BYTES], key,
    )
    return None if failed else plain.raw[:n]


def places(data):
    """(where the key begins, bytes of the key, bytes of the value) of what looks like a row."""
    for leaf in LEAF.finditer(data):
        value_len, _, _, key_len = struct.unpack_from("<HHHH", data, leaf.start() - 2)
        yield leaf.start() + 6, key_len, value_len
    for change in CHANGE.finditer(data):
        key_len, value_len = struct.unpack_from(">BI", data, change.start() + 2)
        yield change.start() + 7, key_len, value_len


def rows(data):
    """(uid, purpose, sealed) of everything that looks like a row."""
    for at, key_len, value_len in places(data):
        purpose, uid_at, sealed_at = ROWS[key_len]
        key = data[at : at + key_len]
        value = data[at + key_len : at + key_len + value_len]
        if len(key) == key_len:
            (uid,) = struct.unpack_from(">Q", key, uid_at)
            if 1 <= uid <= UID_MAX:
                yield uid, purpose, value[sealed_at:]


def readable(data, vault):
    """Every text of a data file that can be read with the keys of this vault."""
    known = keys(vault)
    for uid, purpose, sealed in rows(data):
        if uid in known:
            text = unseal(sealed, uid, purpose, known[uid])
            if text is not None:
                yield text
