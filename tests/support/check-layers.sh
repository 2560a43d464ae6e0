#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Folders are layers: a file includes its own layer and those before it, nothing else. A library
# is seen by its one room only. Prints every include that breaks this, and fails if there is one.
set -euo pipefail
cd "$(dirname "$0")/../.."

# FILE:LINE:INCLUDED of every include, INCLUDED with its quotes or brackets.
includes()
{
	find common daemon ctl packaging -name '*.[ch]' -o -name '*.def' | sort | xargs -r \
		grep -HnoP '^\s*#\s*include\s+\K(<[^>]+>|"[^"]+")' || true
}

includes | awk -F: '
	BEGIN {
		split("common daemon/core daemon/store daemon/work daemon/io daemon", order, " ")
		for (i in order)
			rank[order[i]] = i

		# What only some may include, and who: prefixes of paths.
		room["lmdb.h"] = "daemon/store/kv_inside.h"
		room["event2/"] = "daemon/io/"
		room["event2/dns"] = room["event2/http"] = "nobody"
		room["event2/rpc"] = room["event2/tag"] = "nobody"
		room["event.h"] = "nobody"
		room["systemd/"] = "daemon/service.c"
		room["msgpack.h"] = "common/pack.c"
		room["msgpack/"] = "common/pack.c"
		room["libsmartcols"] = "ctl/"
		room["jansson.h"] = "ctl/"
		room["sodium.h"] = "daemon/store/ daemon/main.c ctl/receipt.c"
		room["sodium/"] = "nobody"
	}

	function fault(what) {
		printf "%s:%s: %s\n", $1, $2, what
		bad = 1
	}

	function folder(path) {
		sub("/[^/]*$", "", path)
		return path
	}

	function begins(text, with) {
		return substr(text, 1, length(with)) == with
	}

	function is_let_in(file, rooms,   list, n, i) {
		n = split(rooms, list, " ")
		for (i = 1; i <= n; i++)
			if (begins(file, list[i]))
				return 1
		return 0
	}

	{
		from = folder($1)
		name = substr($3, 2, length($3) - 2)
		to = folder(name)
	}

	begins($3, "<") {
		for (library in room)
			if (begins(name, library) && !is_let_in($1, room[library]))
				fault("<" name "> belongs to: " room[library])
		next
	}

	from == "ctl" {
		if (to != "ctl" && to != "common")
			fault("ctl stands on common alone, and includes \"" name "\"")
		next
	}

	# What makes the manual reads the tables of all of them, and is read by none.
	from == "packaging/man" {
		if (to != from && to != "ctl" && !(to in rank))
			fault("the manual is made of our tables, and includes \"" name "\"")
		next
	}

	!(from in rank) { fault("the folder " from " is no layer"); next }
	!(to in rank) { fault("\"" name "\" is in no layer that " from " may see"); next }
	rank[to] > rank[from] { fault(from " stands below " to ", and includes \"" name "\"") }

	END { exit bad }
'
