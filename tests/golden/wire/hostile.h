/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_GOLDEN_WIRE_HOSTILE_H
#define RETENTIOND_GOLDEN_WIRE_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that hurt other MessagePack decoders and MessagePack-RPC servers, each with its source.
 * Rows are only added.
 */

/* A bomb claims or nests more than allowed: it is refused wherever it stands, before anything is allocated. */
enum hostile_expect {
	HOSTILE_BOMB,
	HOSTILE_REFUSED,        /* MessagePack, but not MessagePack-RPC */
	HOSTILE_ANSWERED,       /* a request: the dispatcher answers it, if only with an error */
	HOSTILE_ANSWERED_TWICE, /* two requests */
	HOSTILE_IGNORED,        /* a message that asks for no answer */
	HOSTILE_VALUE,          /* no message; among a request's params it reaches the dispatcher */
};

/**
 * struct hostile - one vector: the bytes of @hex, @n_repeat times @repeat, the bytes of @tail_hex
 */
struct hostile {
	const char *name;
	const char *hex;
	uint8_t repeat;
	size_t n_repeat;
	const char *tail_hex;
	enum hostile_expect expect;
};

/* clang-format off */
static const struct hostile hostile_vectors[] = {
	/* msgpack/msgpack-c#1013 */
	{
		.name = "array32-96GB",
		.hex = "ddff000000",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#1013 */
	{
		.name = "array32-max",
		.hex = "ddffffffff",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#1013 */
	{
		.name = "map32-max",
		.hex = "dfffffffff",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#1013 */
	{
		.name = "array32-512M",
		.hex = "dd20000000",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#1013 */
	{
		.name = "nested-31x-array32-512M",
		.hex = "dd20000000dd20000000dd20000000dd20000000dd20000000dd20000000dd20"
		"000000dd20000000dd20000000dd20000000dd20000000dd20000000dd200000"
		"00dd20000000dd20000000dd20000000dd20000000dd20000000dd20000000dd"
		"20000000dd20000000dd20000000dd20000000dd20000000dd20000000dd2000"
		"0000dd20000000dd20000000dd20000000dd20000000dd20000000",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-python#152 */
	{
		.name = "py-152",
		.hex = "dd7fffffff",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-python#417 */
	{
		.name = "py-417",
		.hex = "9ffd74f7dd74fffdbd",
		.expect = HOSTILE_BOMB,
	},
	/* kriszyp/msgpackr#200 */
	{
		.name = "nested-array16-65535 x 64",
		.hex = "dcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcff"
		"ffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdc"
		"ffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffff"
		"dcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcff"
		"ffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdc"
		"ffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffffdcffff",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#24 */
	{
		.name = "depth32",
		.hex = "9191919191919191919191919191919191919191919191919191919191919191"
		"c0",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#24 */
	{
		.name = "depth33",
		.hex = "9191919191919191919191919191919191919191919191919191919191919191"
		"91c0",
		.expect = HOSTILE_BOMB,
	},
	/* antirez/lua-cmsgpack#70 */
	{
		.name = "depth-100000",
		.hex = "",
		.repeat = 0x91,
		.n_repeat = 100000,
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-c#24 */
	{
		.name = "map-depth33",
		.hex = "81a16181a16181a16181a16181a16181a16181a16181a16181a16181a16181a1"
		"6181a16181a16181a16181a16181a16181a16181a16181a16181a16181a16181"
		"a16181a16181a16181a16181a16181a16181a16181a16181a16181a16181a161"
		"81a161c0",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack spec */
	{
		.name = "reserved-c1",
		.hex = "c1",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack-c unpack_template.h (tmp+1 wraps to 0) */
	{
		.name = "ext32-max",
		.hex = "c9ffffffff01",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-ruby#388 */
	{
		.name = "str32-max",
		.hex = "dbffffffff",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack/msgpack-ruby#388 */
	{
		.name = "bin32-max",
		.hex = "c6ffffffff",
		.expect = HOSTILE_BOMB,
	},
	/* msgpack spec (non-minimal encodings are legal) */
	{
		.name = "rpc-array32-header",
		.hex = "dd0000000400cd0001a17890",
		.expect = HOSTILE_ANSWERED,
	},
	/* pynvim 0.4.2 sends methods as bin8 */
	{
		.name = "rpc-method-bin",
		.hex = "940001c4046e6f6e6590",
		.expect = HOSTILE_ANSWERED,
	},
	/* neovim 0.7.2 truncates to 0xffffffff */
	{
		.name = "rpc-msgid-u64max",
		.hex = "9400cfffffffffffffffffa17890",
		.expect = HOSTILE_REFUSED,
	},
	/* neovim: "ID must be a positive integer" */
	{
		.name = "rpc-msgid-negative",
		.hex = "9400ffa17890",
		.expect = HOSTILE_REFUSED,
	},
	/* msgpack-rpc spec.md */
	{
		.name = "rpc-type-3",
		.hex = "940301a17890",
		.expect = HOSTILE_REFUSED,
	},
	/* msgpack-rpc spec.md */
	{
		.name = "rpc-type-response-unsolicited",
		.hex = "940107c0c0",
		.expect = HOSTILE_IGNORED,
	},
	/* neovim: "Request array size must be 4" */
	{
		.name = "rpc-short",
		.hex = "920001",
		.expect = HOSTILE_REFUSED,
	},
	/* msgpack-rpc spec.md */
	{
		.name = "rpc-long",
		.hex = "950001a17890c0",
		.expect = HOSTILE_REFUSED,
	},
	/* msgpack-rpc spec.md (params is an array) */
	{
		.name = "rpc-params-map",
		.hex = "940001a17880",
		.expect = HOSTILE_REFUSED,
	},
	/* msgpack-rpc spec.md */
	{
		.name = "rpc-params-nil",
		.hex = "940001a178c0",
		.expect = HOSTILE_REFUSED,
	},
	/* msgpack-rpc spec.md */
	{
		.name = "rpc-notification-unknown",
		.hex = "9302a17890",
		.expect = HOSTILE_IGNORED,
	},
	/* msgpack-rpc spec.md */
	{
		.name = "rpc-notification-mutating",
		.hex = "9302ae6163636f756e742e64656c65746590",
		.expect = HOSTILE_IGNORED,
	},
	{
		.name = "rpc-method-empty",
		.hex = "940001a090",
		.expect = HOSTILE_ANSWERED,
	},
	{
		.name = "rpc-method-nul",
		.hex = "940001a378007990",
		.expect = HOSTILE_ANSWERED,
	},
	/* neovim limits method names to 100 */
	{
		.name = "rpc-method-64K",
		.hex = "940001daffff",
		.repeat = 0x61,
		.n_repeat = 65535,
		.tail_hex = "90",
		.expect = HOSTILE_REFUSED,
	},
	{
		.name = "rpc-invalid-utf8-method",
		.hex = "940001a2c32890",
		.expect = HOSTILE_ANSWERED,
	},
	/* msgpack spec leaves duplicates undefined */
	{
		.name = "map-duplicate-keys",
		.hex = "82a16101a16102",
		.expect = HOSTILE_VALUE,
	},
	{
		.name = "map-nonstring-key",
		.hex = "8190c0",
		.expect = HOSTILE_VALUE,
	},
	{
		.name = "float-nan-timestamp",
		.hex = "cb7ff8000000000000",
		.expect = HOSTILE_VALUE,
	},
	{
		.name = "float-2^63",
		.hex = "cb43e0000000000000",
		.expect = HOSTILE_VALUE,
	},
	/* neovim shows v:null for it */
	{
		.name = "uint64-2^63",
		.hex = "cf8000000000000000",
		.expect = HOSTILE_VALUE,
	},
	{
		.name = "int64-min",
		.hex = "d38000000000000000",
		.expect = HOSTILE_VALUE,
	},
	/* msgpack spec: nanoseconds must not be larger than 999999999 */
	{
		.name = "timestamp96-nsec-over",
		.hex = "c70cff3b9aca000000000000000000",
		.expect = HOSTILE_VALUE,
	},
	{
		.name = "timestamp96-sec-max",
		.hex = "c70cff000000007fffffffffffffff",
		.expect = HOSTILE_VALUE,
	},
	/* msgpack spec */
	{
		.name = "timestamp64-nsec-over",
		.hex = "d7ffee6b280000000000",
		.expect = HOSTILE_VALUE,
	},
	/* pynvim and the node client pipeline */
	{
		.name = "two-messages-one-packet",
		.hex = "940001a17890940002a17890",
		.expect = HOSTILE_ANSWERED_TWICE,
	},
	/* measured 24x expansion in msgpack-c 4.0.0 */
	{
		.name = "1MiB-of-nil",
		.hex = "dd00100000",
		.repeat = 0xc0,
		.n_repeat = 1048576,
		.expect = HOSTILE_BOMB,
	},
};
/* clang-format on */

#endif
