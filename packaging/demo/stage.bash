# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The stage for the demonstration: a daemon of its own in a directory of its own, steps that are
# shown as they run, and promises that are checked. Sourced; stage_open comes first.

stage_step=0
stage_promises=0
stage_said=
stage_directory=
stage_daemon=
stage_ended=
stage_ended_with=0 # the daemon's status
stage_stderr=2
stage_wait_max=10 # seconds for the daemon to start: a machine may be busy

stage_bold=
stage_faint=
stage_green=
stage_red=
stage_plain=

# The commands are typed in the story as a person would type them.
retentionctl() { "$RETENTIONCTL" "$@"; }
retentiond() { exec "$RETENTIOND" "$@"; }

stage_choose_colors()
{
	if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
		stage_bold=$'\e[1m'
		stage_faint=$'\e[2m'
		stage_green=$'\e[32m'
		stage_red=$'\e[31m'
		stage_plain=$'\e[0m'
	fi
}

# Nothing of the caller's environment changes what the programs do or how times are shown. A daemon
# that was given a service manager's variables would talk to it. The socket's path must be absolute,
# and short however long the scratch directory's is: it is named from where we are.
stage_set_environment()
{
	unset NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES WATCHDOG_USEC WATCHDOG_PID
	export LC_ALL=C TZ=UTC RETENTIOND_SOCKET=/proc/self/cwd/socket
}

# A scratch directory to be in: paths stay short then, the socket's too. A signal may come while
# stderr leads into a file, and is answered where the caller reads it.
stage_open()
{
	exec {stage_stderr}>&2
	stage_choose_colors
	stage_set_environment
	trap stage_close EXIT
	trap 'stage_end "Interrupted. Nothing was left behind." 130' INT
	trap 'stage_end "Terminated. Nothing was left behind." 143' TERM
	trap 'exit 129' HUP
	stage_directory=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/retentiond-demo.XXXXXX")")
	cd "$stage_directory" || exit
}

# stage_kill SIGNAL: sends it to the daemon, and waits until that has ended.
# shellcheck disable=SC2034 # the story asks for the status
stage_kill()
{
	stage_ended_with=0
	if [ -n "$stage_daemon" ]; then
		{
			kill -s "$1" "$stage_daemon"
			wait "$stage_daemon"
		} 2>/dev/null || stage_ended_with=$?
		stage_daemon=
	fi
}

# Ends the daemon by its number, at once: it has nothing to save. Then takes everything away.
stage_clear()
{
	stage_kill KILL
	cd /
	rm -rf "$stage_directory"
}

stage_close()
{
	local status=$?

	trap '' INT TERM HUP
	stage_clear
	if [ "$status" -ne 0 ] && [ -z "$stage_ended" ]; then
		echo "The demonstration broke off in step $stage_step. Nothing was left behind." \
			>&"$stage_stderr"
	fi
	exit "$status"
}

# stage_end SENTENCE STATUS
stage_end()
{
	stage_ended=yes
	printf '\n%s\n' "$1" >&"$stage_stderr"
	exit "$2"
}

# begin_daemon 'retentiond …': shows the command, and returns once the daemon answers.
begin_daemon()
{
	local deadline=$((SECONDS + stage_wait_max))

	show_command "$1 &"
	eval "$1" </dev/null >>log 2>&1 {stage_stderr}>&- &
	stage_daemon=$!
	until retentionctl --quiet info >answer 2>&1; do
		if ! kill -0 "$stage_daemon" 2>/dev/null; then
			broken "the daemon starts" "an answer" "it has ended"
		fi
		if [ "$SECONDS" -ge "$deadline" ]; then
			broken "the daemon starts in $stage_wait_max s" "an answer" "$(cat answer)"
		fi
		sleep 0.02
	done
}

# end_daemon SIGNAL
end_daemon()
{
	show_command "kill -$1 $stage_daemon"
	stage_kill "$1"
}

# scene DAY DATE
scene()
{
	printf '\n\n%s%s%s  %s\n' "$stage_bold" "$1" "$stage_plain" "$2"
	printf '%s\n' "------------------------------------------------------------------------"
}

# say SENTENCE...: begins a step.
say()
{
	stage_step=$((stage_step + 1))
	stage_said=$*
	printf '\n%s\n\n' "$stage_step. $stage_said" | fold -s -w 96 | sed 's/ $//'
}

show_command() { printf '    %s$ %s%s\n' "$stage_bold" "$1" "$stage_plain"; }

# run STATUS COMMAND...: shows the command and its output; it must end with that status.
run()
{
	local want=$1 status=0

	shift
	show_command "$*"
	eval "$*" </dev/null >output 2>&1 || status=$?
	sed 's/^/    /' output
	if [ "$status" -ne "$want" ]; then
		broken "'$*' ends with status $want" "$want" "$status"
	fi
}

# ask STATUS ARGUMENT...: what retentionctl answers in JSON, unseen, for fact to look into.
ask()
{
	local want=$1 status=0

	shift
	answer=$(retentionctl -j "$@" 2>&1) || status=$?
	if [ "$status" -ne "$want" ]; then
		broken "'retentionctl -j $*' ends with status $want" "$want" "$status: $answer"
	fi
}

# fact KEY: the first value of this name in the answer; the items of a list with commas between.
fact()
{
	local pattern='"'$1'": ("[^"]*"|\[[^]]*\]|[^],{}]+)'

	if [[ $answer =~ $pattern ]]; then
		tr -d '\n"[]' <<<"${BASH_REMATCH[1]}" | sed 's/^ *//; s/ *$//; s/, */,/g'
	else
		printf 'none'
	fi
}

# promise SENTENCE WANTED GOT
promise()
{
	if [ "$2" != "$3" ]; then
		broken "$1" "$2" "$3"
	fi
	stage_promises=$((stage_promises + 1))
	printf '    %skept%s  %s%s%s\n' "$stage_green" "$stage_plain" \
		"$stage_faint" "$1" "$stage_plain"
}

# broken SENTENCE WANTED GOT: ends it all.
broken()
{
	{
		printf '\n%sBROKEN in step %s:%s %s\n' \
			"$stage_red" "$stage_step" "$stage_plain" "$stage_said"
		printf '    promise:   %s\n    expected:  %s\n    came:      %s\n' "$1" "$2" "$3"
		if [ -s log ]; then
			printf '    the daemon said last:\n'
			tail -n 5 log | sed 's/^/        /'
		fi
	} >&"$stage_stderr"
	stage_end "Nothing was left behind." 1
}
