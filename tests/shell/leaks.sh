#!/bin/sh
# SPDX-License-Identifier: MIT
# The command under valgrind: it neither leaks nor misuses memory. If valgrind finds an error, it changes the exit status to 99.
# Writes TAP.
set -u

count=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# under STATUS ARG...: the command also exits with STATUS under valgrind.
under() {
	expected=$1 status=0
	shift
	valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite "$ERRPIPE_BUILD/errpipe" "$@" \
		>"$tmp/log" 2>&1 || status=$?
	count=$((count + 1))
	if [ "$status" = "$expected" ]; then
		echo "ok $count - errpipe $*"
	else
		echo "not ok $count - errpipe $*: exit status $status, not $expected"
		cat "$tmp/log" >&2
		failed=1
	fi
}

printf 'dmz\001\076\0\0\0\010\0\0\0\0\0\0\0' >"$tmp/record"
printf 'dmz' >"$tmp/short"
: >"$tmp/refused"
export PATH="$tmp:$PATH"

under 7 run sh -c 'exit 7'
under 126 run "$tmp"
under 126 run refused
under 127 run nothing-of-that-name
under 125 run --policy none true
under 0 decode --path x "$tmp/record"
under 1 decode "$tmp/short"
under 125 decode "$tmp/missing"
printf '{"root": {"path": "/"}, "process": {"args": ["sh"], "cwd": "/", "env": ["PATH=/bin"], "user": {"additionalGids": [1]}}, "linux": {}, "mounts":
	[{"destination": "/x", "options": ["bind"], "source": "/usr"}]}' >"$tmp/config.json"
under 0 explain sh
under 1 explain "$tmp"
under 1 explain --json nothing-of-that-name
under 1 explain --json refused
under 0 explain --json --bundle "$tmp"
under 125 explain --root "$tmp/missing" sh
printf '{"root": {"path": "/"}, "process": {"args": ["sh"], "cwd": "/", "user": {"additionalGids": ["x"]}}}' >"$tmp/config.json"
under 125 explain --bundle "$tmp"
under 0 --help

echo "1..$count"
exit "$failed"
