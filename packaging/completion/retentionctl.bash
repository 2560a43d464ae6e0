# SPDX-License-Identifier: Apache-2.0
#
# Completion of retentionctl for bash 4.4 and later. It asks the program itself, whose verb
# `complete` knows what can follow, and needs nothing of the bash-completion package.

# Reads a part of a line as the shell would, but expands nothing. COMP_WORDS does not serve: it is
# cut at every one of COMP_WORDBREAKS, so that --org=contoso and uid:7 come in pieces.
#
# Sets for its caller:
#     words       the words, without their quotes; the last is the one at the end of the text
#     raw         the last one as it is written
#     quote       the quote that is open at the end of the text, or nothing
#     redirected  not empty if the last word is what < or > reads or writes
__retentionctl_read()
{
	local text=$1 word='' char i

	words=() raw='' quote='' redirected=''
	for ((i = 0; i < ${#text}; i++)); do
		char=${text:i:1}
		case $quote$char in
		"''" | '""') # the quote that was open
			quote=
			raw+=$char
			;;
		\\* | '"'\\)
			((++i))
			raw+=$char${text:i:1}
			if [[ $quote && ${text:i:1} != [\"\\\$\`] ]]; then
				word+=$char
			fi
			word+=${text:i:1}
			;;
		[\'\"]?)
			raw+=$char
			word+=$char
			;;
		[\'\"])
			quote=$char
			raw+=$char
			;;
		[[:space:]] | [\<\>])
			# 2> is no word, and neither is what stands behind >.
			if [[ $raw && ! $redirected && ! ($char != [[:space:]] && $raw == [0-9\&]) ]]; then
				words+=("$word")
			fi
			if [[ $char != [[:space:]] ]]; then
				redirected=1
			elif [[ $raw ]]; then
				redirected=
			fi
			word='' raw=''
			;;
		*)
			raw+=$char
			word+=$char
			;;
		esac
	done
	words+=("$word")
}

# A candidate as it has to be written where the cursor is: in REPLY.
__retentionctl_quote()
{
	case $2 in
	'')
		printf -v REPLY %q "$1"
		REPLY=${REPLY//\\,/,} # as its braces are quoted, a comma need not be
		;;
	\') REPLY=${1//\'/\'\\\'\'} ;;
	\") REPLY=${1//[\\\"\$\`]/\\&} ;;
	esac
}

# Names of files behind what the word begins with, $1; $2 is the part that readline leaves alone.
__retentionctl_files()
{
	local start=$1 left=$2 word=$3 file

	# readline does it best, if what it sees is just the name.
	if [[ $start == "$left" ]]; then
		compopt -o default
		return
	fi
	while IFS= read -r file; do
		if [[ -d $file ]]; then
			file+=/
		fi
		candidates+=("$start$file")
	done < <(compgen -f -- "${word#"$start"}")
}

# What readline shows for several candidates when it is asked for a list: what they mean as well.
# A line of its own for each, as wide as more than half of the screen.
__retentionctl_describe()
{
	local columns=${COLUMNS:-80} width=0 i text

	for text in "${COMPREPLY[@]}"; do
		((${#text} <= width)) || width=${#text}
	done
	for i in "${!COMPREPLY[@]}"; do
		if [[ ${abouts[i]-} ]]; then
			printf -v text "%-${width}s  (%s)" "${COMPREPLY[i]}" "${abouts[i]}"
			printf -v "COMPREPLY[$i]" "%-$((columns / 2))s" "${text:0:columns-3}"
		fi
	done
}

_retentionctl()
{
	local words raw quote redirected left line directive='' word cut REPLY
	local -a candidates=() abouts=()

	COMPREPLY=()
	# $2 is what readline replaces: the end of the word. Candidates are told whole.
	__retentionctl_read "${COMP_LINE:0:COMP_POINT}"
	if [[ $redirected ]]; then
		compopt -o default
		return
	fi
	local -a line_words=("${words[@]:1}") line_quote=$quote
	if [[ $raw == *"$2" ]]; then
		cut=${raw:0:${#raw}-${#2}}
	else
		cut=${raw%"${raw##*["$COMP_WORDBREAKS"]}"}
	fi
	word=${words[-1]}
	__retentionctl_read "$cut"
	left=${words[-1]}

	while IFS= read -r line; do
		if [[ $line == :* ]]; then
			directive=$line
		else
			candidates+=("${line%%$'\t'*}")
			abouts+=("${line#*$'\t'}")
		fi
	done < <(command retentionctl complete -- "${line_words[@]}" 2>/dev/null)

	case $directive in
	':files '*) __retentionctl_files "${directive#:files }" "$left" "$word" ;;
	:commands) mapfile -t candidates < <(compgen -c -- "$word") ;;
	esac

	for line in "${candidates[@]}"; do
		__retentionctl_quote "${line#"$left"}" "$line_quote"
		COMPREPLY+=("$REPLY")
	done
	if ((${#candidates[@]} == 1)); then
		if [[ ${candidates[0]} == *[=/] ]]; then
			compopt -o nospace
		fi
	elif [[ ${COMP_TYPE-} == 63 || ${COMP_TYPE-} == 33 || ${COMP_TYPE-} == 64 ]]; then
		__retentionctl_describe # "?", "!", "@": a list is shown, and nothing chosen from it
	fi
}

complete -F _retentionctl retentionctl
