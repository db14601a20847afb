#!/bin/sh
# SPDX-License-Identifier: MIT
# The completions: bash offers the right words, zsh can parse its file, and both know every option. Writes TAP.
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"
count=0 failures=0

# is WHAT WANT GOT
is() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		echo "'$3' instead of '$2'" >&2
		failures=$((failures + 1))
	fi
}

# offers WORD...: print bash's completions for the last word of this line.
offers() {
	bash -c '
		. "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_errpipe errpipe "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
		echo "${COMPREPLY[@]}"' "$ERRPIPE_SRC/errpipe/completions/errpipe.bash" "$@"
}

is 'bash: commands' 'run exec decode explain stub help --help --version' "$(offers errpipe '')"
is 'bash: a command' 'decode' "$(offers errpipe d)"
is 'bash: a command to help with' 'run exec decode explain stub' "$(offers errpipe help '')"
setup='--user --groups --chdir --umask --limit --capabilities --no-new-privs --new-session --seccomp --process --close-fds'
is 'bash: options of run' "--policy --argv0 --explain --route --report --report-fd $setup --help" "$(offers errpipe run --)"
is 'bash: a policy' 'dockerd' "$(offers errpipe exec --policy d)"
is 'bash: a route' 'auto stub direct' "$(offers errpipe run --policy runc --route '')"
is 'bash: yes or no' 'yes no' "$(offers errpipe exec --explain '')"
is 'bash: a root' '/etc' "$(offers errpipe explain --root /et)"
is 'bash: an errno' 'ENOEXEC' "$(offers errpipe explain --errno ENOEX)"
is 'bash: a program to explain' readelf "$(offers errpipe explain --as 0 readel | tr " " "\n" | sort -u)"
is 'bash: a program' readelf "$(offers errpipe run --policy runc readel | tr " " "\n" | sort -u)"
is 'bash: a program after --' readelf "$(offers errpipe exec -- readel | tr " " "\n" | sort -u)"
is "bash: the program's arguments are files" '/etc/passwd' "$(offers errpipe run cat --policy /etc/passw | tr ' ' '\n' | grep -x /etc/passwd)"
is 'bash: a record' '/etc/passwd' "$(offers errpipe decode /etc/passw | tr ' ' '\n' | grep -x /etc/passwd)"

is 'zsh can parse its completion' '' "$(zsh -n "$ERRPIPE_SRC/errpipe/completions/_errpipe" 2>&1)"

# The options that each command's help lists.
for command in run exec decode explain stub; do
	for option in $("$ERRPIPE_BUILD/errpipe" "$command" --help | grep -o -- '--[a-z][a-z0-9-]*' | sort -u); do
		is "bash: $command $option" "$option" "$(offers errpipe "$command" "$option" | tr ' ' '\n' | grep -x -- "$option")"
		is "zsh: $command $option" "$option" "$(grep -o -- "${option}[=[]" "$ERRPIPE_SRC/errpipe/completions/_errpipe" | head -n 1 | tr -d '=[')"
	done
done

echo "1..$count"
[ "$failures" = 0 ]
