#!/bin/sh
# SPDX-License-Identifier: MIT
# A short make soak. Writes TAP.
set -u
: "${ERRPIPE_BUILD:?}"
exec "$ERRPIPE_BUILD/tests/soak" "$ERRPIPE_BUILD/tests/soak_target" 4000
