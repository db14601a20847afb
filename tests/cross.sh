#!/bin/sh
# SPDX-License-Identifier: MIT
# Stubs for other architectures, run by qemu-user: the file, the behaviour, and what this host reads
# from their records.
#
# Big- and little-endian, 32- and 64-bit; and mips because it numbers some errors in its own way.
# shellcheck disable=SC2317 # the functions that are called through try
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cross=$ERRPIPE_BUILD/cross
n=0 failed=0

# try WHAT COMMAND...
try() {
	n=$((n + 1))
	what=$1
	shift
	if "$@" >"$tmp/log" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		echo "$what:" >&2
		cat "$tmp/log" >&2
		failed=1
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# lacks ARCH: what is missing here for it, or nothing.
lacks() {
	for tool in clang-19 ld.lld-19 "qemu-$1-static"; do
		command -v "$tool" >/dev/null || echo "no $tool"
	done
	[ -d "/usr/$1-linux-gnu/include/linux" ] || echo "no kernel headers in /usr/$1-linux-gnu"
}

# A make around this one would pass its own variables on.
build() {
	MAKEFLAGS='' make -C "$ERRPIPE_SRC" O="$cross/$1" NOLIBC="$NOLIBC" \
		CC="clang-19 --target=$1-linux-gnu -fuse-ld=lld" \
		CPPFLAGS="-isystem /usr/$1-linux-gnu/include" "$cross/$1/dmz" "$cross/$1/hello"
}

behaves() {
	ERRPIPE_DMZ="qemu-$1-static $cross/$1/dmz" ERRPIPE_DMZ_MACHINE=$2 \
		"$ERRPIPE_BUILD/tests/check_stub"
}

# decoded PATH STATUS WORDS COMMAND...: the stub COMMAND fails to exec PATH, exits with STATUS, and
# this host knows why.
decoded() {
	path=$1 expected=$2 words="exec $1: $3"
	shift 3
	status=0
	"$@" 3 "$path" name 3>"$tmp/record" || status=$?
	line=$("$ERRPIPE_BUILD/errpipe" decode --path "$path" "$tmp/record") || :
	echo "exit status $status instead of $expected, '$line' instead of '$words'"
	[ "$status" = "$expected" ] && [ "$line" = "$words" ]
}

says() {
	expected=$1
	shift
	line=$("$@") || :
	echo "'$line' instead of '$expected'"
	[ "$line" = "$expected" ]
}

make_targets() {
	: >"$tmp/empty"
	chmod 755 "$tmp/empty"
	ln -s loop "$tmp/loop"
	long=$(printf '%0256d' 0)
}

# each_error ARCH STUB...
each_error() {
	arch=$1
	shift
	try "$arch: ENOENT" decoded "$tmp/nothing" 127 "no such file or directory" "$@"
	try "$arch: EACCES" decoded "$tmp" 126 "permission denied" "$@"
	try "$arch: ENOEXEC" decoded "$tmp/empty" 126 "exec format error" "$@"
	try "$arch: ENOTDIR" decoded "$tmp/empty/x" 126 "not a directory" "$@"
	try "$arch: ELOOP" decoded "$tmp/loop" 126 "too many levels of symbolic links" "$@"
	try "$arch: ENAMETOOLONG" decoded "$tmp/$long" 126 "file name too long" "$@"
}

# all_of ARCH E_MACHINE
all_of() {
	missing=$(lacks "$1" | head -n 1)
	if [ -n "$missing" ]; then
		skip "$1" "$missing"
		return
	fi
	try "$1: builds" build "$1"
	try "$1: the file is as it should be" \
		"$ERRPIPE_SRC/scripts/check-stub" "$cross/$1/dmz" "$2" 640
	try "$1: behaves as the host's own" behaves "$1" "$2"
	each_error "$1" "qemu-$1-static" "$cross/$1/dmz"
	try "$1: a program of that architecture runs emulated" \
		says "hello from $1" "qemu-$1-static" "$cross/$1/hello"
	what="$1: a program of that architecture is refused here"
	if [ "$(uname -m)" = "$1" ] || [ -e "/proc/sys/fs/binfmt_misc/qemu-$1" ]; then
		skip "$what" "this host runs $1 programs"
	else
		try "$what" decoded "$cross/$1/hello" 126 "exec format error" "$ERRPIPE_BUILD/dmz"
	fi
}

make_targets
each_error "this host" "$ERRPIPE_BUILD/dmz"
all_of aarch64 183
all_of s390x 22
all_of mips 8

echo "1..$n"
exit "$failed"
