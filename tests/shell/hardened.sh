#!/bin/sh
# SPDX-License-Identifier: MIT
# The libraries and the command are built with the compiler's and the linker's hardening, whatever flags the user gives. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# elf FILE: print its segments and dynamic section.
elf() {
	readelf -dlW "$1" || echo 'readelf failed'
}

# All addresses are bound at load time, and their tables are then read-only.
addresses_are_fixed() {
	elf "$1" | grep -q 'GNU_RELRO' && elf "$1" | grep -Eq 'FLAGS.*BIND_NOW|FLAGS_1.*NOW'
}

# No page is both writable and executable, including the stack.
nothing_is_writable_and_executable() {
	elf "$1" | grep -Eq 'GNU_STACK.* RW ' && ! elf "$1" | grep -Eq ' RWE |TEXTREL|R(UN)?PATH|readelf failed'
}

is_pie() {
	readelf -hW "$1" | grep -q 'Type:.*DYN'
}

guards_its_stack() {
	nm -D --undefined-only "$1" | grep -q ' __stack_chk_fail'
}

# checked FLAGS...: an object that copies strings calls the checked variants of string(3), when it is built with these flags.
checked() {
	rm -rf "$tmp/O"
	"$ERRPIPE_SRC/tests/support/make" O="$tmp/O" "$@" "$tmp/O/pic/lib/settle.o" &&
		nm -u "$tmp/O/pic/lib/settle.o" | grep -Eq ' __(mem|st[rp])(cpy|cat)_chk$'
}

for file in "$ERRPIPE_BUILD"/liberrpipe.so.* "$ERRPIPE_BUILD"/liberrpipe-explain.so.* "$ERRPIPE_BUILD/errpipe"; do
	name=$(basename "$file")
	try "$name: addresses are bound at load time, then read-only" addresses_are_fixed "$file"
	try "$name: nothing is writable and executable" nothing_is_writable_and_executable "$file"
	try "$name: is position-independent" is_pie "$file"
	try "$name: guards its stack" guards_its_stack "$file"
done
try 'the C library checks sizes' checked
try "... with the user's own optimisation" checked CFLAGS=-O1
try "... with the user's own level of _FORTIFY_SOURCE" checked CPPFLAGS=-D_FORTIFY_SOURCE=3
not_checked() {
	! checked "$@" && [ -s "$tmp/O/pic/lib/settle.o" ]
}
try '... but not without optimisation' not_checked CFLAGS=-O0
try '... nor if the user switches it off' not_checked CPPFLAGS=-U_FORTIFY_SOURCE
try '... nor under a sanitizer' not_checked 'CFLAGS=-O1 -fsanitize=address'

echo "1..$n"
exit "$failed"
