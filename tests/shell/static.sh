#!/bin/sh
# SPDX-License-Identifier: MIT
# make STATIC=1: the command needs no other files. It runs in a root with busybox and in an empty one, both without /proc and /dev;
# for this machine, and for arm64 under qemu-user. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}" "${JANSSON_ARM64:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# build BUILD ARG...
build() {
	build=$1
	shift
	"$ERRPIPE_SRC/tests/support/make" O="$build" "$@"
}

is_static() {
	readelf -lW "$1/errpipe" >"$tmp/segments" && grep -q LOAD "$tmp/segments" &&
		! grep -qE 'INTERP|DYNAMIC' "$tmp/segments"
}

# Build in the same directory, alternately with and without STATIC=1.
follows() {
	build "$static" STATIC=1 && is_static "$static" && build "$static" && ! is_static "$static" &&
		build "$static" STATIC=1 && is_static "$static"
}

# inside ROOT COMMAND...
inside() {
	if [ "$(id -u)" = 0 ]; then
		PATH=/bin:/usr/bin:/usr/sbin chroot "$@"
	else
		PATH=/bin:/usr/bin:/usr/sbin unshare -r chroot "$@"
	fi
}

# run STREAM TEXT STATUS ROOT COMMAND...: the command writes exactly TEXT to standard output (1) or standard error (2), and exits
# with STATUS.
run() {
	stream=$1 want=$2 want_status=$3 status=0
	shift 3
	inside "$@" >"$tmp/1" 2>"$tmp/2" </dev/null || status=$?
	echo "$*: exit status $status"
	cat "$tmp/1" "$tmp/2"
	[ "$(cat "$tmp/$stream")" = "$want" ] && [ "$status" = "$want_status" ]
}

# tells LINE STATUS ROOT COMMAND...: standard error is LINE and the two lines of the diagnosis, and the exit status is STATUS.
tells() {
	want=$1 want_status=$2 status=0
	shift 2
	inside "$@" >"$tmp/1" 2>"$tmp/2" </dev/null || status=$?
	cat "$tmp/2"
	[ "$(head -n 1 "$tmp/2")" = "$want" ] && [ "$status" = "$want_status" ] && [ "$(grep -c '^errpipe: \(why\|fix\): ' "$tmp/2")" = 2 ]
}

# explain also works without /proc.
explains() {
	inside "$@" >"$tmp/1" 2>&1 <"$tmp/record"
	[ "$?" = 1 ] && grep -q '^why: "/missing" does not exist (ENOENT)$' "$tmp/1"
}

decodes() {
	[ "$(inside "$@" decode --path x <"$tmp/record")" = "exec x: no such file or directory" ]
}

# reports VERDICT ROOT COMMAND...: the report comes after the output, and decode prints a record as JSON.
reports() {
	verdict=$1
	shift
	inside "$@" run --report - -- /errpipe --version >"$tmp/1" 2>"$tmp/2" &&
		inside "$@" decode --json <"$tmp/record" >>"$tmp/1" 2>>"$tmp/2"
	cat "$tmp/1" "$tmp/2"
	[ "$(jq -Rr 'fromjson? // . | .verdict? // .' "$tmp/1" | paste -sd ' ')" = "$version $verdict EXEC_FAILED" ]
}

# root NAME: make a root with only the command and a foreign program.
root() {
	mkdir -p "$tmp/$1" && cp "$static/errpipe" "$ERRPIPE_BUILD/stubs/aarch64/hello" "$tmp/$1"
}

# everywhere NAME VERDICT COMMAND...: test the command in each root. A program that ends at once gets VERDICT.
everywhere() {
	name=$1 verdict=$2
	shift 2
	for root in empty busybox; do
		try "$name, $root root: it reports a missing program" run 2 'exec /missing: no such file or directory' 127 \
			"$tmp/$root" "$@" run --explain=no -- /missing
		try "$name, $root root: it reports a foreign program" run 2 'exec /hello: exec format error' 126 \
			"$tmp/$root" "$@" run --explain=no -- /hello
		try "$name, $root root: it explains a missing program" explains "$tmp/$root" "$@" explain /missing
		try "$name, $root root: it starts a program" run 1 "$version" 0 "$tmp/$root" "$@" run -- /errpipe --version
		try "$name, $root root: it reads a record" decodes "$tmp/$root" "$@"
		try "$name, $root root: it writes JSON" reports "$verdict" "$tmp/$root" "$@"
	done
	try "$name, busybox root: it finds a program along PATH" run 1 hello 7 \
		"$tmp/busybox" "$@" run -- sh -c 'echo hello; exit 7'
	# shellcheck disable=SC2016 # the inner shell expands them
	try "$name, busybox root: a signal kills the target" run 1 hello 143 \
		"$tmp/busybox" "$@" run -- sh -c 'echo hello; kill $$'
}

static=$ERRPIPE_BUILD/static
try "make STATIC=1" build "$static" STATIC=1
try "make with and without it, in one directory" follows
try "a program for another machine" build "$ERRPIPE_BUILD" "$ERRPIPE_BUILD/stubs/aarch64/hello"
version=$("$static/errpipe" --version)
"$ERRPIPE_BUILD/dmz" 3 /nothing name 3>"$tmp/record"
try "an empty root" root empty
try "a root with busybox" root busybox
mkdir "$tmp/busybox/bin" && cp /bin/busybox "$tmp/busybox/bin" && ln -s busybox "$tmp/busybox/bin/sh"
if [ "$(id -u)" != 0 ] && ! has 'in other roots' user-namespaces; then
	echo "1..$n"
	exit "$failed"
fi
everywhere native STARTED /errpipe

# The ENTRYPOINT of docs/ci.md, with a foreign program and with a native one.
entrypoint=$(sed -n 's/^    ENTRYPOINT //p' "$ERRPIPE_SRC/docs/ci.md" | jq -r '.[]')
app() {
	build "$ERRPIPE_BUILD" "$ERRPIPE_BUILD/stubs/$1/hello" && cp "$ERRPIPE_BUILD/stubs/$1/hello" "$tmp/busybox/bin/app"
}
try "a foreign application" app aarch64
# shellcheck disable=SC2086 # a word for each argument
try "the ENTRYPOINT of docs/ci.md reports it" tells 'exec /bin/app: exec format error' 126 "$tmp/busybox" $entrypoint
try "an application" app "$(uname -m)"
# shellcheck disable=SC2086
try "the ENTRYPOINT of docs/ci.md starts it" run 1 "hello from $(uname -m)" 0 "$tmp/busybox" $entrypoint

# The emulated command starts native programs, because every kernel can run those.
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64-static >/dev/null; then
	try "make STATIC=1 CROSS_COMPILE=aarch64-linux-gnu-" build "$static/aarch64" STATIC=1 \
		CROSS_COMPILE=aarch64-linux-gnu- JANSSON_DIR="$JANSSON_ARM64"
	try "the command for arm64 is static" is_static "$static/aarch64"
	for root in empty busybox; do
		cp "$static/aarch64/errpipe" "$tmp/$root/errpipe.aarch64"
		cp "$(command -v qemu-aarch64-static)" "$tmp/$root/qemu"
	done
	# Under qemu the child does not share memory with the command. Without /proc nothing else shows whether it has exec'd.
	everywhere aarch64 CLOSED /qemu /errpipe.aarch64
else
	skip 'make STATIC=1 CROSS_COMPILE=aarch64-linux-gnu-' 'no aarch64-linux-gnu-gcc, or no qemu-user-static'
fi

echo "1..$n"
exit "$failed"
