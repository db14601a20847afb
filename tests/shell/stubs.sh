#!/bin/sh
# SPDX-License-Identifier: MIT
# The committed stubs equal those built from the source, in any directory, and the table in the documents describes them. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -eu
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}" "${UAPI:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# build SOURCE OUT NOLIBC: run make stubs, without variables from an outer make.
build() {
	MAKEFLAGS='' make -s -j2 -C "$1" O="$2" NOLIBC="$3" stubs
}

# Everything moves except the kernel's headers in UAPI.
build_elsewhere() {
	mkdir -p "$tmp/another place with a longer name" && cd "$tmp/another place with a longer name" || return 1
	cp -r "$ERRPIPE_SRC/dmz" "$ERRPIPE_SRC/errpipe" "$ERRPIPE_SRC/tests" "$ERRPIPE_SRC/scripts" "$ERRPIPE_SRC/Makefile" . &&
		cp -r "$NOLIBC" nolibc || return 1
	build . out nolibc
}

same_bytes() {
	cd "$ERRPIPE_BUILD/stubs" || return 1
	for stub in */dmz; do
		cmp "$stub" "$tmp/another place with a longer name/out/stubs/$stub" || return 1
	done
}

# explain: print the reason for a difference.
explain() {
	cat "$tmp/difference"
	why=
	for part in compiler linker nolibc uapi; do
		if ! [ "$(grep "^$part " "$committed/MANIFEST")" = "$(grep "^$part " "$tmp/manifest")" ]; then
			echo "the $part differs: see dmz/stubs/MANIFEST"
			why=yes
		fi
	done
	[ -n "$why" ] || echo "compiler and headers are the same, so the source has changed"
	echo "If the new bytes are right: make update-stubs"
	return 1
}

rebuilt_as_committed() {
	grep '^stubs/' "$committed/MANIFEST" >"$tmp/old"
	grep '^stubs/' "$tmp/manifest" >"$tmp/new"
	diff "$tmp/old" "$tmp/new" >"$tmp/difference" || explain
}

# The directory holds exactly the files that the manifest lists.
files_as_listed() {
	cd "$committed/.." || return 1
	for stub in stubs/*; do
		case $stub in
		stubs/MANIFEST | stubs/NOTICE) ;;
		*) echo "$stub $(sha256sum <"$stub" | cut -d ' ' -f 1)" ;;
		esac
	done >"$tmp/files"
	grep '^stubs/' stubs/MANIFEST | LC_ALL=C sort | diff - "$tmp/files"
}

table_is_true() {
	sed -n '/^| architecture /,/^$/{/^$/d;p}' "$ERRPIPE_SRC/$1" | diff - "$tmp/table" || {
		echo "make update-stubs writes it"
		return 1
	}
}

# qemu and ptrace count the same number of instructions.
counted_as_ptrace_does() {
	emulated=$("$ERRPIPE_SRC/scripts/build/count-instructions" qemu-x86_64-static "$ERRPIPE_BUILD/stubs/x86_64/dmz")
	stepped=$("$ERRPIPE_BUILD/tests/prog_steps" "$ERRPIPE_BUILD/stubs/x86_64/dmz" 3 /bin/true name 3>/dev/null)
	echo "$emulated with qemu, $stepped with ptrace"
	[ "$emulated" = "$stepped" ]
}

if ! command -v clang-19 >/dev/null || ! command -v ld.lld-19 >/dev/null || ! command -v qemu-x86_64-static >/dev/null; then
	echo "ok 1 - the committed stubs # SKIP no clang-19 with lld, or no qemu-user-static"
	echo 1..1
	exit
fi
committed=$ERRPIPE_SRC/dmz/stubs
try "all stubs build" build "$ERRPIPE_SRC" "$ERRPIPE_BUILD" "$NOLIBC"
try "all stubs build in another directory" build_elsewhere
try "both builds give the same bytes" same_bytes
"$ERRPIPE_SRC/scripts/build/stub-manifest" "$ERRPIPE_BUILD" >"$tmp/manifest" || :
try "the committed stubs are the same" rebuilt_as_committed
try "the committed files match their manifest" files_as_listed
"$ERRPIPE_SRC/scripts/build/architecture-table" "$ERRPIPE_BUILD" >"$tmp/table" || :
try "the table in docs/architectures.md is correct" table_is_true docs/architectures.md
if [ "$(uname -m)" = x86_64 ]; then
	try "instructions are counted correctly" counted_as_ptrace_does
fi

echo "1..$n"
exit "$failed"
