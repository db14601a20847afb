#!/bin/sh
# SPDX-License-Identifier: MIT
# Where binfmt_misc runs foreign programs, foreign stubs and foreign targets start like native ones. Writes TAP.
#
# The test runs in a user namespace that has its own binfmt_misc, so it does not change this machine.
# shellcheck disable=SC2317 # try calls the functions
set -eu
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}" "${UAPI:?}"

stubs=$ERRPIPE_BUILD/stubs
formats=/proc/sys/fs/binfmt_misc

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

# register NAME QEMU: register a handler that matches the ELF header up to e_machine, with any OS ABI.
register() {
	magic=$(od -A n -v -t x1 -N 20 "$stubs/$1/dmz" | tr -d '\n' | sed 's/ /\\x/g')
	mask='\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff'
	printf '%s' ":$1:M::$magic:$mask:$(command -v "qemu-$2-static"):F" >"$formats/register"
}

# starts STUB TARGET: STUB execs TARGET and reports nothing.
starts() {
	line=$("$1" 3 "$2" hello 3>"$tmp/record") || :
	echo "'$line' instead of 'hello from ...', $(wc -c <"$tmp/record") bytes of record"
	[ "${line#hello from }" != "$line" ] && ! [ -s "$tmp/record" ]
}

# reports STUB: STUB fails, and this host can read its record.
reports() {
	status=0
	"$1" 3 /nothing name 3>"$tmp/record" || status=$?
	line=$("$ERRPIPE_BUILD/errpipe" decode --path /nothing "$tmp/record") || :
	echo "'$line', exit status $status"
	[ "$line" = "exec /nothing: no such file or directory" ] && [ "$status" = 127 ]
}

run_is_transparent() {
	line=$("$ERRPIPE_BUILD/errpipe" run -- "$1") || :
	echo "'$line' instead of 'hello from ...'"
	[ "${line#hello from }" != "$line" ]
}

refuses() {
	"$ERRPIPE_BUILD/dmz" 3 "$1" hello 3>"$tmp/record" || :
	line=$("$ERRPIPE_BUILD/errpipe" decode --path it "$tmp/record") || :
	echo "'$line'"
	[ "$line" = "exec it: exec format error" ]
}

# explains STATUS WANT PROGRAM: errpipe explain finds the cause and kinds of links in WANT, and exits with STATUS.
explains() {
	status=0
	line=$("$ERRPIPE_BUILD/errpipe" explain --json "$3" | jq -c '[.cause, .object, .broken, [.links[].kind]]') || :
	"$ERRPIPE_BUILD/errpipe" explain "$3" || status=$?
	echo "'$line' instead of '$2', exit status $status"
	[ "$line" = "$2" ] && [ "$status" = "$1" ]
}

# is_told DISABLED PROGRAM: after a failed exec, run reports that the handler is disabled.
is_told() {
	line=$("$ERRPIPE_BUILD/errpipe" run "$2" 2>&1) || :
	echo "'$line'"
	case $line in
	*'exec format error
errpipe: why: '*" needs the binfmt_misc handler \"$1\", which is disabled
errpipe: fix: enable it, as root: echo 1 >$formats/$1") return 0 ;;
	esac
	return 1
}

# is_explained HANDLER PROGRAM: both while the handler is enabled and while it is disabled.
is_explained() {
	printf '#!%s\n' "$2" >"$tmp/script"
	chmod 755 "$tmp/script"
	explains 0 '["none",null,null,["program","handler"]]' "$2" &&
		explains 0 '["none",null,null,["program","interpreter","handler"]]' "$tmp/script" &&
		echo 0 >"$formats/$1" && is_told "$1" "$2" && is_told "$1" "$tmp/script" &&
		explains 1 "[\"handler-disabled\",\"$1\",0,[\"program\"]]" "$2" &&
		explains 1 "[\"handler-disabled\",\"$1\",1,[\"program\",\"interpreter\"]]" "$tmp/script" &&
		echo 1 >"$formats/$1"
}

inside() {
	while read -r name _; do
		# An x86-64 kernel runs i386 programs by itself.
		[ "$host $name" = "x86_64 i386" ] || try "$name: its programs do not start yet" refuses "$stubs/$name/hello"
	done <"$tmp/list"
	while read -r name qemu; do
		try "$name: is registered" register "$name" "$qemu"
		try "$name: its stub starts its programs" starts "$stubs/$name/dmz" "$stubs/$name/hello"
		try "$name: its stub starts the host's programs" starts "$stubs/$name/dmz" "$stubs/$host/hello"
		try "$name: its stub reports" reports "$stubs/$name/dmz"
		try "$name: the host's stub starts its programs" starts "$ERRPIPE_BUILD/dmz" "$stubs/$name/hello"
		try "$name: errpipe run does" run_is_transparent "$stubs/$name/hello"
		# i386 is not foreign to an x86-64 kernel. The handler for armhf also takes armel's programs.
		[ "$host $name" = "x86_64 i386" ] || [ "$name" = armel ] ||
			try "$name: its handler is explained" is_explained "$name" "$stubs/$name/hello"
	done <"$tmp/list"
	echo "$n" >"$tmp/n"
	return "$failed"
}

state() {
	grep binfmt_misc /proc/self/mountinfo || :
	ls "$formats"
}

host=$(uname -m)
if [ "${1:-}" = inside ]; then
	tmp=$2 n=0 failed=0
	inside
	exit
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
awk -v host="$host" '/^[a-z]/ && $1 != host { print $1, $9 }' "$ERRPIPE_SRC/dmz/architectures" >"$tmp/list"

missing=
command -v clang-19 >/dev/null && command -v ld.lld-19 >/dev/null || missing="no clang-19 with lld"
while read -r _ qemu; do
	command -v "qemu-$qemu-static" >/dev/null || missing="no qemu-$qemu-static"
done <"$tmp/list"
[ -n "$missing" ] || missing=$("$ERRPIPE_SRC/tests/support/lacks" binfmt-misc) || :
if [ -n "$missing" ]; then
	echo "ok 1 - programs of other architectures through binfmt_misc # SKIP $missing"
	echo 1..1
	exit
fi

# shellcheck disable=SC2046 # a target for each line
"$ERRPIPE_SRC/tests/support/make" stubs "$stubs/$host/hello" \
	$(sed "s|\([^ ]*\).*|$stubs/\1/hello|" "$tmp/list") >&2
state >"$tmp/before"
failed=0
# shellcheck disable=SC2016 # the inner shell expands them
unshare -Urm sh -c 'mount -t binfmt_misc binfmt_misc "$1" && exec "$2" inside "$3"' sh "$formats" "$0" "$tmp" || failed=1
state >"$tmp/after"
read -r n <"$tmp/n"
try "the machine is unchanged" cmp "$tmp/before" "$tmp/after"
echo "1..$n"
exit "$failed"
