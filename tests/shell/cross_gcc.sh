#!/bin/sh
# SPDX-License-Identifier: MIT
# make CROSS_COMPILE=..., the way distributions build: stub, library and command for arm64, and the stub for every other
# architecture whose gcc is installed (scripts/setup all). Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -eu
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}" "${UAPI:?}" "${JANSSON_ARM64:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# build TARGET GOAL...
build() {
	target=$1
	shift
	"$ERRPIPE_SRC/tests/support/make" O="$ERRPIPE_BUILD/gcc/$target" \
		CROSS_COMPILE="$target-" "$@"
}

behaves() {
	ERRPIPE_DMZ="qemu-$1-static $ERRPIPE_BUILD/gcc/$2/dmz" ERRPIPE_DMZ_MACHINE=$3 "$ERRPIPE_BUILD/tests/check_stub"
}

# stub NAME TARGET MACHINE QEMU
stub() {
	try "$2-gcc: the stub passes check-stub" "$ERRPIPE_SRC/scripts/build/check-stub" "$ERRPIPE_BUILD/gcc/$2/dmz" "$1"
	try "$2-gcc: the stub behaves like the host's own" behaves "$4" "$2" "$3"
}

emulated() {
	qemu=$1 target=$2
	shift 2
	"qemu-$qemu-static" -L "/usr/$target" "$ERRPIPE_BUILD/gcc/$target/errpipe" "$@"
}

decodes() {
	line=$(emulated "$@" decode --path x "$tmp/record") || :
	echo "'$line'"
	[ "$line" = "exec x: no such file or directory" ]
}

reports() {
	emulated "$@" run --report "$tmp/report.json" /bin/true && cat "$tmp/report.json" &&
		[ "$(jq -r .verdict "$tmp/report.json")" = STARTED ]
}

"$ERRPIPE_BUILD/dmz" 3 /nothing name 3>"$tmp/record" || :
grep '^[a-z]' "$ERRPIPE_SRC/dmz/architectures" >"$tmp/list"
while read -r name _ headers _ _ machine _ _ qemu target _; do
	if [ "$name" = "$(uname -m)" ]; then
		continue # make builds this one without CROSS_COMPILE
	elif [ "$name" = aarch64 ] && [ -e "/usr/$target/include/stdio.h" ]; then
		try "$target-gcc builds all" build "$target" all JANSSON_DIR="$JANSSON_ARM64"
		stub "$name" "$target" "$machine" "$qemu"
		try "$target-gcc: the command reads a record from this host" decodes "$qemu" "$target"
		try "$target-gcc: the command writes JSON" reports "$qemu" "$target"
	elif command -v "$target-gcc" >/dev/null; then
		try "$target-gcc builds the stub" build "$target" "$ERRPIPE_BUILD/gcc/$target/dmz" \
			CPPFLAGS="-isystem $UAPI/$headers -isystem $UAPI/include"
		stub "$name" "$target" "$machine" "$qemu"
	elif [ "$name" = aarch64 ]; then
		n=$((n + 1))
		echo "ok $n - make CROSS_COMPILE=$target- # SKIP no $target-gcc"
	else
		echo "# no $target-gcc"
	fi
done <"$tmp/list"

echo "1..$n"
exit "$failed"
