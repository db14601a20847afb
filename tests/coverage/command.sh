#!/bin/sh
# SPDX-License-Identifier: MIT
# Failures of the command itself: full disks and bad files. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

command=$ERRPIPE_BUILD/errpipe
printf 'dmz\001\076\0\0\0\010\0\0\0\0\0\0\0' >"$tmp/record"

# exits STATUS ARG...
exits() {
	expected=$1 status=0
	shift
	"$command" "$@" >"$tmp/out" 2>&1 || status=$?
	cat "$tmp/out"
	[ "$status" = "$expected" ]
}

# to_full ARG...: with a full standard output the command exits with 125, its own failure.
to_full() {
	status=0
	"$command" "$@" >/dev/full 2>"$tmp/out" || status=$?
	cat "$tmp/out"
	[ "$status" = 125 ] && [ -s "$tmp/out" ]
}

try 'help to a full disk' to_full --help
try 'version to a full disk' to_full --version
try 'decode to a full disk' to_full decode "$tmp/record"
try 'decode to a full disk, as JSON' to_full decode --json "$tmp/record"
try 'explain to a full disk' to_full explain /bin/sh
try 'explain to a full disk, as JSON' to_full explain --json /bin/sh
try 'report to a full disk' exits 125 run --report /dev/full true
try 'a directory is not a record' exits 125 decode "$tmp"

echo "1..$n"
exit "$failed"
