#!/bin/sh
# SPDX-License-Identifier: MIT
# The stub of every architecture: its file, its behaviour under qemu-user, and its records as this host reads them. The host's
# own stub runs natively. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -eu
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}" "${UAPI:?}"

stubs=$ERRPIPE_BUILD/stubs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

build() {
	"$ERRPIPE_SRC/tests/support/make" "$@"
}

# behaves PROGRAM MACHINE COMMAND...: the test PROGRAM passes with COMMAND as the stub.
behaves() {
	program=$1 machine=$2
	shift 2
	ERRPIPE_DMZ="$*" ERRPIPE_DMZ_MACHINE=$machine "$ERRPIPE_BUILD/tests/$program"
}

# decoded PATH WORDS COMMAND...: the stub COMMAND fails to exec PATH, and this host can read its record.
decoded() {
	path=$1 words="exec $1: $2"
	shift 2
	"$@" 3 "$path" name 3>"$tmp/record" || :
	line=$("$ERRPIPE_BUILD/errpipe" decode --path "$path" "$tmp/record") || :
	echo "'$line' instead of '$words'"
	[ "$line" = "$words" ]
}

says() {
	expected=$1
	shift
	line=$("$@") || :
	echo "'$line' instead of '$expected...'"
	[ "${line#"$expected"}" != "$line" ]
}

# all_of NAME MACHINE EMULATOR
all_of() {
	name=$1 machine=$2 emulator=$3
	if [ "$name" = "$host" ]; then set --; else set -- "$emulator"; fi
	try "$name: hello builds" build "$stubs/$name/hello"
	try "$name: the file passes check-stub" "$ERRPIPE_SRC/scripts/build/check-stub" "$stubs/$name/dmz" "$name"
	# Other users must be able to read it.
	cp "$stubs/$name/dmz" "$tmp/dmz"
	try "$name: behaves like the host's own" behaves check_stub "$machine" "$@" "$tmp/dmz"
	# Emulate the host's own stub too, because the emulator is where landlock allows programs.
	try "$name: fails as the table of cases requires" behaves check_table "$machine" "$emulator" "$tmp/dmz"
	try "$name: the command reads its record" \
		decoded "$tmp/nothing" "no such file or directory" "$@" "$tmp/dmz"
	try "$name: a program of that architecture runs" says "hello from " "$@" "$stubs/$name/hello"
	what="$name: a program of another architecture is refused"
	if has "$what" foreign-programs-fail; then
		try "$what" decoded "$stubs/$foreign/hello" "exec format error" "$@" "$tmp/dmz"
	fi
}

# If the list does not have uname's name for the host, all stubs count as foreign.
host=$(uname -m)
foreign=aarch64
[ "$host" != aarch64 ] || foreign=s390x

if command -v clang-19 >/dev/null && command -v ld.lld-19 >/dev/null; then
	try "all stubs build" build stubs
	build "$stubs/$foreign/hello" || :
	grep '^[a-z]' "$ERRPIPE_SRC/dmz/architectures" >"$tmp/list"
	while read -r name _ _ _ _ machine _ _ qemu _; do
		if emulator=$(command -v "qemu-$qemu-static"); then
			all_of "$name" "$machine" "$emulator"
		else
			skip "$name" "no qemu-$qemu-static"
		fi
	done <"$tmp/list"
else
	skip "stubs of other architectures" "no clang-19 with lld"
fi

echo "1..$n"
exit "$failed"
