#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every source file names its licence in its first two lines, nothing is left for later, and every
# header compiles alone. Prints what breaks this, and fails if anything does.
#
#     CC, CPPFLAGS, CFLAGS     as the build has them
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0

fault()
{
	echo "$*"
	bad=1
}

# Sources by their name, and scripts by their first line.
sources()
{
	find . \( -path ./.git -o -path ./build -o -path ./tests/fuzz/corpus \) -prune -o -type f -print0 |
		while IFS= read -r -d '' file; do
			case $file in
			*.c | *.h | *.def | *.sh | *.py | *.bash | *.zsh | *.fish | */Makefile) echo "$file" ;;
			*) ! LC_ALL=C grep -qam1 '^#!' <(head -c 2 "$file") || echo "$file" ;;
			esac
		done | sort
}

check_licence()
{
	head -n 2 "$1" | grep -q 'SPDX-License-Identifier: Apache-2\.0' ||
		fault "$1: no SPDX-License-Identifier in its first two lines"
}

# The words are cut in two, so that this file may stand among the others.
check_words()
{
	local found

	if found=$(grep -HnwE '(TO''DO|FIX''ME|XX''X)(:.*|\(.*|$| .*)' "$1"); then
		fault "$found"
	fi
}

check_header()
{
	# shellcheck disable=SC2086 # lists of flags
	printf '#include "%s"\n' "${1#./}" |
		${CC:-gcc} ${CPPFLAGS:--D_GNU_SOURCE -I.} ${CFLAGS:--std=gnu17 -Wall -Wextra} \
			-fsyntax-only -x c - || fault "$1: does not compile alone"
}

while read -r file; do
	check_licence "$file"
	check_words "$file"
	case $file in
	./common/*.h | ./daemon/*.h | ./ctl/*.h | ./packaging/*.h) check_header "$file" ;;
	esac
done < <(sources)

exit "$bad"
