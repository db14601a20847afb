#!/bin/sh
# SPDX-License-Identifier: MIT
# A sample of make faults: one fault of each kind. Writes TAP.
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"

if [ ! -e "$ERRPIPE_BUILD/tests/inject_faults" ]; then
	echo 'ok 1 - faults # SKIP needs x86-64'
	echo 1..1
	exit
fi
SAMPLE=1 OCCURRENCES=1 exec "$ERRPIPE_SRC/scripts/build/faults" "$ERRPIPE_BUILD"
