#!/bin/sh
# SPDX-License-Identifier: MIT
# A short make soak. Writes TAP.
set -u
: "${ERRPIPE_BUILD:?}"
exec "$ERRPIPE_BUILD/tests/soak_children" "$ERRPIPE_BUILD/tests/soak_target" 4000
