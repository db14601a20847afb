#!/bin/sh
# SPDX-License-Identifier: MIT
# The stub makes only the system calls that it needs, and the number of arguments does not matter. Writes TAP.
set -eu

dmz=$ERRPIPE_BUILD/dmz
steps=$ERRPIPE_BUILD/tests/prog_steps
true=$(command -v true)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
case $true in
/*) ;;
*) true=/bin/true ;;
esac
n=0 failed=0

# same EXPECTED GOT WHAT
same() {
	n=$((n + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3"
		printf '%s: expected:\n%s\ngot:\n%s\n' "$3" "$1" "$2" >&2
		failed=1
	fi
}

# calls OPERAND...: print the system calls after the stub's own exec, up to the next successful one or the stub's end.
calls() {
	strace -s 64 -o "$tmp/log" "$dmz" "$@" 3>"$tmp/record" >/dev/null || :
	sed -n -e '1d' -e '/^execve(.* = 0$/{s/(.*//p;q;}' -e 's/ *= .*//' \
		-e 's/^\(execve\)(.*/\1/' -e '/^+++/!p' "$tmp/log"
}

arguments() {
	i=0
	while [ "$i" -lt "$1" ]; do
		i=$((i + 1))
		echo "argument$i"
	done
}

success='fcntl(3, F_SETFD, FD_CLOEXEC)
execve'

if command -v strace >/dev/null; then
	same "$success" "$(calls 3 "$true" true)" "a success takes fcntl and execve"
	# shellcheck disable=SC2046 # one operand for each line
	same "$success" "$(calls 3 "$true" true $(arguments 10000))" "a success with 10000 arguments takes the same"

	got=$(calls 3 "/no such file" name)
	record=$(printf '%s\n' "$got" | sed -n 's/^write(3, "dmz\\1.*", 16)$/&/p')
	same "$success
rt_sigprocmask(SIG_BLOCK, ~[], NULL, 8)
$record
exit_group(127)" "$got" "a failure also takes rt_sigprocmask, write and exit_group"
	same "16" "$(wc -c <"$tmp/record")" "the record is complete"

	same "exit_group(125)" "$(calls 3 "$true")" "too few operands: exit_group only"
	same "fcntl(-1, F_SETFD, FD_CLOEXEC)
exit_group(125)" "$(calls 4294967299 "$true" true)" "a descriptor that is too large: fcntl as well"
else
	n=$((n + 1))
	echo "ok $n - the system calls of the stub # SKIP no strace"
fi

few=$("$steps" "$dmz" 3 "$true" name 3>/dev/null) || few=failed
# shellcheck disable=SC2046 # one operand for each line
many=$("$steps" "$dmz" 3 "$true" name $(arguments 1000) 3>/dev/null) || many="failed too"
same "$few" "$many" "1000 arguments take as many instructions as none"
[ "$few" -gt 2 ] 2>/dev/null && counted=yes || counted=no
same yes "$counted" "instructions are counted: $few"

echo "1..$n"
exit "$failed"
