#!/bin/sh
# SPDX-License-Identifier: MIT
# What the command does where its own surroundings fail it: full disks, no memory for paths, broken files. Writes TAP.
# shellcheck disable=SC2317 # the functions that are called through try
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

# to_full ARG...: with a full standard output; 125 is a failure of the command's own.
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
try 'a directory is no record' exits 125 decode "$tmp"

echo "1..$n"
exit "$failed"
