#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the objects call, as the linker sees it:
#   - daemon/core computes and does nothing else: no I/O, no clock, no memory of its own, no log.
#   - The clock is read in daemon/io, daemon/main.c and the client, nowhere else.
#   - common, daemon/core and daemon/store say nothing: whoever called them does.
# Prints every call that breaks this, and fails if there is one.
#
#     BUILD     the folder of the objects: build/default
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/default}

# Objects under some folders, but for those whose source is gone.
objects()
{
	local object source

	find "$@" -name '*.o' 2>/dev/null | sort | while read -r object; do
		source=${object#"$build"/}
		if [ -e "${source%.o}.c" ]; then
			echo "$object"
		fi
	done
}

# FILE SYMBOL of everything that objects take from elsewhere; FILE without the folder of the build.
taken_by()
{
	local object

	while read -r object; do
		nm -u "$object" | awk -v file="${object#"$build"/}" '{ print file, $NF }'
	done
}

# What the pure part may call: itself, and the parts of common that are as pure.
pure_symbols()
{
	{
		objects "$build/daemon/core"
		printf '%s\n' "$build"/common/{instant,model,outcome}.o
	} | while read -r object; do
		if [ -e "$object" ]; then
			nm --defined-only --extern-only "$object"
		fi
	done | awk '{ print $NF }'
}

# Bytes moved and compared in place, what a failed assertion calls, and what compilers add.
pure_functions='^(mem(cmp|cpy|move|set|chr)|bcmp|str(len|nlen|cmp|ncmp|chr)'
pure_functions+='|__mem(cpy|move|set)_chk|__stack_chk_fail|__assert_fail|abort'
pure_functions+='|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm)_.*|__(start|stop)___sancov.*)$'

clock_functions='^(clock|clock_gettime|ftime|gettimeofday|time|timespec_get)$'
log_functions='^(__)?(v?f?printf(_chk)?|perror|f?puts|v?syslog(_chk)?|sd_journal_.*)$'

bad=0

# forbid RULE: what comes in as FILE SYMBOL breaks it.
forbid()
{
	local file symbol

	while read -r file symbol; do
		echo "${file%.o}.c: calls $symbol: $1"
		bad=1
	done
}

if [ -z "$(objects "$build/common")" ]; then
	echo "no objects in $build: build them first"
	exit 1
fi

forbid "daemon/core is pure" < <(
	objects "$build/daemon/core" | taken_by | awk -v pure="$pure_functions" '
		NR == FNR { own[$1] = 1; next }
		!($2 in own) && $2 !~ pure
	' <(pure_symbols) -
)

forbid "the clock is read in daemon/io, daemon/main.c and ctl only" < <(
	objects "$build/common" "$build/daemon" | taken_by | awk -v clock="$clock_functions" '
		$2 ~ clock && $1 !~ "^daemon/(io/|main\\.o)"
	'
)

forbid "common, daemon/core and daemon/store never log" < <(
	objects "$build/common" "$build/daemon/core" "$build/daemon/store" | taken_by |
		awk -v log_functions="$log_functions" '$2 ~ log_functions'
)

exit "$bad"
