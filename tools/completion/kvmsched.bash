# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of kvmsched's command line. It knows no option: commands and options are what --help prints, words what the
# program says when it is given a wrong one, rules and measures what it lists. So a new option needs nothing here.
# Whatever it asks ends with --help, so that nothing is ever traced for a Tab. Works with and without bash-completion.

# _kvmsched_ask ARG...: what the program that is being typed says, errors too.
_kvmsched_ask()
{
	LC_ALL=C COLUMNS=80 command "${COMP_WORDS[0]/#\~/$HOME}" "$@" 2>&1 </dev/null
}

# _kvmsched_options COMMAND: "LONG SHORT ARG" per option, "-" where there is none.
_kvmsched_options()
{
	local line

	while IFS= read -r line; do
		[[ $line =~ ^(\ {2}-(.),\ |\ {6})(--[a-z-]+)(=([^ ]+))? ]] &&
			echo "${BASH_REMATCH[3]} ${BASH_REMATCH[2]:+-}${BASH_REMATCH[2]:--} ${BASH_REMATCH[5]:--}"
	done < <(_kvmsched_ask "$1" --help)
}

# _kvmsched_words COMMAND OPTION: the words that OPTION takes, if it takes one of a few.
_kvmsched_words()
{
	local said words

	said=$(_kvmsched_ask "$1" "$2" '?' --help)
	said=${said%%$'\n'*}
	words=${said##*: not }
	words=${words#of }
	[[ $said == *': not '* && $words =~ ^[a-z0-9_]+(, [a-z0-9_]+)*(, | or )[a-z0-9_]+$ ]] || return
	words=${words//,/}
	echo "${words/ or / }"
}

# _kvmsched_measures COMMAND: of those that it lists, the ones that have a distribution.
_kvmsched_measures()
{
	local name rest

	_kvmsched_ask "$1" --list-measures | while read -r name rest; do
		[[ ! $rest =~ ^(time, )?distribution\  ]] || echo "$name"
	done
}

_kvmsched_rules()
{
	local name

	_kvmsched_ask check --list | while read -r name _; do
		echo "$name"
	done
}

# _kvmsched_reasons COMMAND: what its --on may begin with; the measures it names when it is given another.
_kvmsched_reasons()
{
	local said

	said=$(_kvmsched_ask "$1" --on '?' --help)
	said=${said%%$'\n'*}
	said=${said##*wanted: }
	said=${said//,/}
	echo "check ${said/ or / }"
	_kvmsched_rules | sed 's/^/rule:/'
}

# _kvmsched_of WORDS: those that go on from $cur; into COMPREPLY.
_kvmsched_of()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# The same for the last of a list with commas. Not offered again: what is in it.
_kvmsched_list()
{
	local before='' word words=''

	[[ $cur != *,* ]] || before=${cur%,*},
	for word in $1; do
		[[ ,$before == *,"$word",* ]] || words+=" $before$word"
	done
	_kvmsched_of "$words"
	compopt -o nospace 2>/dev/null
}

# _kvmsched_files -d | -f [SUFFIX]: directories, or also files.
_kvmsched_files()
{
	local name

	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		[[ -d $name || $name == *"${2-}" ]] && COMPREPLY+=("$name")
	done < <(compgen "$1" -- "$cur")
}

_kvmsched_cgroups()
{
	local root=/sys/fs/cgroup name

	compopt -o nospace 2>/dev/null
	while IFS= read -r name; do
		COMPREPLY+=("$(printf %q "${name#"$root"}")")
	done < <(compgen -d -S / -- "$root/${cur#/}")
}

# _kvmsched_value COMMAND OPTION ARG: $cur is what OPTION is given.
_kvmsched_value()
{
	case $3 in
	DIR) _kvmsched_files -d ;;
	FILE.*) _kvmsched_files -f ".${3#*.}" ;;
	FILE) _kvmsched_files -f ;;
	PATH) [[ $2 != --cgroup ]] || _kvmsched_cgroups ;;
	RULE) _kvmsched_of "$(_kvmsched_rules)" ;;
	EXPR) [[ $2 != --on ]] || _kvmsched_of "$(_kvmsched_reasons "$1")" ;;
	NAME*)
		case $2 in
		--rule) _kvmsched_list "$(_kvmsched_rules) none" ;;
		--measure) _kvmsched_list "$(_kvmsched_measures "$1")" ;;
		esac
		;;
	LIST) _kvmsched_list "$(_kvmsched_words "$1" "$2")" ;;
	*) _kvmsched_of "$(_kvmsched_words "$1" "$2")" ;;
	esac
}

# _kvmsched_arg COMMAND WORD: "OPTION ARG" if WORD is an option that wants something; OPTION by its long name.
_kvmsched_arg()
{
	local long short arg

	while read -r long short arg; do
		[[ $arg == - || ($2 != "$long" && $2 != "$short") ]] || echo "$long $arg"
	done < <(_kvmsched_options "$1")
}

# Options as they are typed: those that want something end in =.
_kvmsched_names()
{
	local long short arg names=''

	while read -r long short arg; do
		if [[ $cur != --* && $cur == -? && $cur == "$short" ]]; then
			names+=" $short"
		elif [[ $arg == - ]]; then
			names+=" $long"
		else
			names+=" $long="
		fi
	done < <(_kvmsched_options "$1")
	_kvmsched_of "$names"
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

_kvmsched_commands()
{
	local line

	while IFS= read -r line; do
		[[ ! $line =~ ^\ \ ([a-z]+)\ \ + ]] || echo "${BASH_REMATCH[1]}"
	done < <(_kvmsched_ask --help)
	echo "--help --version"
}

_kvmsched()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} cmd=${COMP_WORDS[1]} i want

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		_kvmsched_of "$(_kvmsched_commands)"
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] || continue
		if declare -F _command_offset >/dev/null; then
			_command_offset $((i + 1))
		elif [ "$COMP_CWORD" = $((i + 1)) ]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			_kvmsched_files -f
		fi
		return
	done
	# bash makes words of their own of what stands before a "=", of it, and of what stands behind.
	if [[ $cur == = ]]; then
		cur=''
	elif [[ $cur == : && $prev == rule ]]; then
		mapfile -t COMPREPLY < <(_kvmsched_rules)
		return
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $prev == : && ${COMP_WORDS[COMP_CWORD - 2]} == rule ]]; then # it breaks words there, too
		_kvmsched_of "$(_kvmsched_rules)"
		return
	fi
	want=$(_kvmsched_arg "$cmd" "$prev")
	if [ -n "$want" ]; then
		_kvmsched_value "$cmd" "${want% *}" "${want#* }"
	elif [[ $cur == -* ]]; then
		_kvmsched_names "$cmd"
	elif [[ $cmd == diff ]]; then
		_kvmsched_files -d
	fi
}
complete -F _kvmsched kvmsched
