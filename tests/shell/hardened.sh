#!/bin/sh
# SPDX-License-Identifier: MIT
# The library and the command are built with the compiler's and the linker's defences, whatever the user's own flags are.
# Writes TAP.
# shellcheck disable=SC2317 # the functions that are called through try
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

shared=$(echo "$ERRPIPE_BUILD"/liberrpipe.so.*)
command=$ERRPIPE_BUILD/errpipe

# elf FILE: what the linker says about it.
elf() {
	readelf -dlW "$1" || echo 'readelf failed'
}

# At once, and before anything else runs: no table of addresses stays writable.
addresses_are_fixed() {
	elf "$1" | grep -q 'GNU_RELRO' && elf "$1" | grep -Eq 'FLAGS.*BIND_NOW|FLAGS_1.*NOW'
}

# No page is both, neither stack nor code.
nothing_is_writable_and_executable() {
	elf "$1" | grep -Eq 'GNU_STACK.* RW ' && ! elf "$1" | grep -Eq ' RWE |TEXTREL|R(UN)?PATH|readelf failed'
}

is_pie() {
	readelf -hW "$1" | grep -q 'Type:.*DYN'
}

guards_its_stack() {
	nm -D --undefined-only "$1" | grep -q ' __stack_chk_fail'
}

# checked FLAGS...: how one object calls strcat(3) when it is built with those.
checked() {
	rm -rf "$tmp/O"
	"$ERRPIPE_SRC/tests/support/make" O="$tmp/O" "$@" "$tmp/O/pic/lib/exec.o" &&
		nm -u "$tmp/O/pic/lib/exec.o" | grep -q ' __strcat_chk$'
}

for file in "$shared" "$command"; do
	name=$(basename "$file")
	try "$name: addresses are bound at the start, and read-only then" addresses_are_fixed "$file"
	try "$name: nothing is writable and executable" nothing_is_writable_and_executable "$file"
	try "$name: can be anywhere in memory" is_pie "$file"
	try "$name: guards its stack" guards_its_stack "$file"
done
try 'the C library checks sizes' checked
try "... with the user's own optimisation" checked CFLAGS=-O1
try "... with the user's own level of it" checked CPPFLAGS=-D_FORTIFY_SOURCE=3
not_checked() {
	! checked "$@" && [ -s "$tmp/O/pic/lib/exec.o" ]
}
try '... but not without optimisation' not_checked CFLAGS=-O0
try '... nor where the user switches it off' not_checked CPPFLAGS=-U_FORTIFY_SOURCE
try '... nor under a sanitizer' not_checked 'CFLAGS=-O1 -fsanitize=address'

echo "1..$n"
exit "$failed"
