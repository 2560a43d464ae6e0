# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What breaks the daemon on purpose, for scripts that see a harness notice. A mutant is one source
# under build/, changed by sed, compiled, and linked in place of the sound one. It needs
#
#     BUILD, CC, CPPFLAGS, CFLAGS     as the build has them
#     LINK, LIBS, OBJECTS             how the harness is linked, and of what
#     ONLY                            names of mutants, if not all
#     folder                          below build/, where the mutants go
#     hunt NAME                       runs $folder/mutant and counts whether that was noticed

# say MUTANT CAUGHT_BY WHERE
say()
{
	printf '%-34s  %-12s  %s\n' "$1" "$2" "$3"
}

# mutate SOURCE EXPRESSION...: each of them must change something.
mutate()
{
	local source=$1 to=$folder/$1 before expression

	mkdir -p "$(dirname "$to")"
	cp "$source" "$to"
	shift
	for expression; do
		before=$(cksum <"$to")
		sed -i -E "$expression" "$to"
		if [ "$before" = "$(cksum <"$to")" ]; then
			return 1
		fi
	done
}

# build_mutant SOURCE
build_mutant()
{
	local object=$BUILD/${1%.c}.o

	# shellcheck disable=SC2086 # lists of flags and files
	$CC $CPPFLAGS $CFLAGS -w -c -o "$folder/mutant.o" "$folder/$1" &&
		$LINK -o "$folder/mutant" "$folder/mutant.o" ${OBJECTS//"$object"/} $LIBS
}

# mutant NAME SOURCE EXPRESSION...
mutant()
{
	local name=$1 source=$2

	shift 2
	if [[ -n $ONLY && " $ONLY " != *" $name "* ]]; then
		return
	fi
	if ! mutate "$source" "$@"; then
		say "$name" "-" "$source does not have what it changes"
		tally 0 1 0
	elif ! build_mutant "$source"; then
		say "$name" "-" "does not compile"
		tally 0 1 0
	else
		hunt "$name"
	fi
}
