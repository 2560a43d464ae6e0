#compdef retentionctl
# SPDX-License-Identifier: Apache-2.0
#
# Completion of retentionctl for zsh: as _retentionctl in a directory of $fpath, or sourced after
# compinit. It asks the program itself, whose verb `complete` knows what can follow.

# Offers what is told in `plain` and, where no space belongs behind it, in `open`: both hold
# "candidate:what it means". What the candidates begin with alike is not repeated in the list.
_retentionctl_describe()
{
	case $PREFIX in
	--*=*) compset -P 1 '*=' ;;
	*/*) compset -P 1 '*/' ;;
	esac
	plain=("${(@)plain#"$IPREFIX"}")
	open=("${(@)open#"$IPREFIX"}")
	_describe 'candidate' plain -- open -S ''
}

_retentionctl()
{
	local -a plain open
	local line directive start about

	for line in "${(@f)$(command retentionctl complete -- \
		"${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
		case $line in
		:*) directive=$line ;;
		*)
			start=${line%%$'\t'*}
			about=${line#*$'\t'}
			line=${${start//\\/\\\\}//:/\\:}${about:+:$about}
			if [[ $start == *[=/] ]]; then
				open+=("$line")
			else
				plain+=("$line")
			fi
			;;
		esac
	done

	case $directive in
	(:done) _retentionctl_describe ;;
	(:files\ *)
		start=${directive#:files }
		compset -P "${(b)start}"
		_files
		;;
	(:commands)
		_command_names -e
		;;
	esac
}

if [[ $funcstack[1] == _retentionctl ]]; then
	_retentionctl "$@"
else
	compdef _retentionctl retentionctl
fi
