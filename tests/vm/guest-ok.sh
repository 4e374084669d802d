# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Sourced by the guest-*.sh whose stdout is a list of tests: "ok NAME" or "not ok NAME: why" followed by what
# was said as comments. $tmp is their directory, $err the file that the programs' stderr goes to.
: "${tmp:?}" "${err:?}"

ok()
{
	echo "ok $1"
}

not_ok()
{
	echo "not ok $1: $2"
	sed 's/^/# /' "$err"
}

# judge GOT WANTED NAME [TEXT...]: a command ended with status GOT and left its stderr in $err. WANTED
# may be several, as in "0|3". Each TEXT, a basic regular expression, must be in stderr; "!TEXT" must not.
judge()
{
	judge_got=$1 judge_wanted=$2 judge_name=$3
	shift 3
	case "|$judge_wanted|" in
	*"|$judge_got|"*) ;;
	*) not_ok "$judge_name" "exit status $judge_got, not $judge_wanted" && return ;;
	esac
	for text; do
		case $text in
		!*) ! grep -q -e "${text#!}" "$err" || { not_ok "$judge_name" "says: ${text#!}" && return; } ;;
		*) grep -q -e "$text" "$err" || { not_ok "$judge_name" "does not say: $text" && return; } ;;
		esac
	done
	ok "$judge_name"
}

# run WANTED NAME [TEXT...] -- CMD...: runs and judges it. Its stdout is in $tmp/stdout.
run()
{
	run_texts=$tmp/texts
	: >"$run_texts"
	run_wanted=$1 run_name=$2
	shift 2
	while [ "$1" != -- ]; do
		echo "$1" >>"$run_texts"
		shift
	done
	shift
	timeout -s KILL 60 "$@" >"$tmp/stdout" 2>"$err"
	run_got=$?
	set --
	while read -r text; do
		set -- "$@" "$text"
	done <"$run_texts"
	judge $run_got "$run_wanted" "$run_name" "$@"
}

# check NAME WHY CMD...: CMD must succeed.
check()
{
	check_name=$1 check_why=$2
	shift 2
	if "$@" >"$err" 2>&1; then ok "$check_name"; else not_ok "$check_name" "$check_why"; fi
}
