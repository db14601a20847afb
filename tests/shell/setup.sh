#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/setup, with stand-ins for the programs that install packages; directories without headers, which scripts/setup and make
# refuse; and scripts/demo. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${NOLIBC:?}" "${UAPI:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

mkdir "$tmp/bin"
# stand_in NAME: install the script on standard input as program NAME.
stand_in() {
	{ echo '#!/bin/sh'; cat; } >"$tmp/bin/$1"
	chmod 755 "$tmp/bin/$1"
}
stand_in dpkg-query <<'END'
shift 3
for package; do
	[ "$package" = "$MISSING" ] || printf '%s=installed ' "$package"
done
END
stand_in id <<'END'
echo "$USER_ID"
END
stand_in sudo <<'END'
echo sudo "$1" >>"$CALLS"
exec "$@" 3>&-
END
stand_in apt-get <<'END'
echo apt-get "$@" >>"$CALLS"
case $* in
*"$FAILS"*) echo "apt-get says why" >&2; exit 100 ;;
*' -s '*) printf 'Inst %s\n' one two three ;;
*Status-Fd*) printf 'pmstatus:%s\n' dpkg-exec:0.0000:Running one:33.3:Unpacking >&3; echo noise ;;
esac
END

# scripts/setup test would otherwise unpack this library.
JANSSON_ARM64=$tmp/jansson
export JANSSON_ARM64
mkdir -p "$JANSSON_ARM64/usr/include"
: >"$JANSSON_ARM64/usr/include/jansson.h"

# setup ARG...: run scripts/setup. Its output goes to $tmp/output, the calls of stand-ins to $tmp/calls.
setup() {
	: >"$tmp/calls"
	status=0
	PATH=$tmp/bin:$PATH CALLS=$tmp/calls MISSING=${missing:-} USER_ID=${user_id:-0} FAILS=${fails:-nothing} \
		"$ERRPIPE_SRC/scripts/setup" "$@" >"$tmp/output" 2>&1 || status=$?
	cat "$tmp/output" "$tmp/calls"
	return "$status"
}

bad_usage() {
	setup "$@"
	[ "$status" = 2 ] && [ ! -s "$tmp/calls" ] && [ "$(wc -l <"$tmp/output")" = 1 ] && grep -q '^usage: ' "$tmp/output"
}

silent() {
	setup "$@" && [ ! -s "$tmp/output" ] && [ ! -s "$tmp/calls" ]
}

# installs PACKAGE ARG...: if PACKAGE is missing, setup installs it.
installs() {
	missing=$1
	shift
	setup "$@" || return 1
	printf '%s\n' "setup: missing: $missing" 'setup: installing these and their dependencies, 3 packages' 'setup: install 0%' |
		diff - "$tmp/output" &&
		diff - "$tmp/calls" <<-END
			apt-get update -q
			apt-get install -s --no-install-recommends $missing
			apt-get -o APT::Status-Fd=3 install -q -y --no-install-recommends $missing
		END
}

does_not_install() {
	missing=$1
	shift
	silent "$@"
}

by_sudo() {
	user_id=1000 missing=gcc
	setup || return 1
	[ "$(grep -A 1 sudo "$tmp/calls" | cut -d ' ' -f 1,2)" = 'sudo apt-get
apt-get update
--
sudo sh
apt-get -o' ] && grep -q '^setup: install 0%' "$tmp/output"
}

# failure WORD: apt-get fails when it is called with WORD.
failure() {
	missing=gcc fails=$1
	setup
	[ "$status" = 1 ] && grep -q '^apt-get says why' "$tmp/output" &&
		tail -n 1 "$tmp/output" | grep -q 'apt-get could not install gcc$'
}

# refuses NAME FILE COMMAND...: the command fails because the directory NAME has no FILE. It does not create the directory.
refuses() {
	name=$1 file=$2 status=0
	shift 2
	"$@" >"$tmp/output" 2>&1 || status=$?
	cat "$tmp/output"
	[ "$status" != 0 ] && [ ! -e "$tmp/typo" ] && grep -q " $name=$tmp/typo has no $file" "$tmp/output"
}

try "an unknown word is bad usage" bad_usage tests
try "an option is bad usage" bad_usage --all
try "two words are bad usage" bad_usage build test
for word in '' compiler build test bench all; do
	# shellcheck disable=SC2086 # '' is no argument
	try "it prints nothing if nothing is missing: ${word:-by default}" silent $word
done
try "it installs missing packages and prints the progress" installs gcc compiler
try "by default it installs packages for building" installs llvm-19
try "by default it does not install packages for testing" does_not_install check
try "test: it installs packages for testing" installs check test
try "bench: it installs packages for benchmarks" installs tini bench
try "bench: it does not install packages for testing" does_not_install check bench
try "all: it installs packages for benchmarks" installs tini all
try "all: it installs the cross compilers" installs gcc-s390x-linux-gnu all
try "as a user, by sudo" by_sudo
for word in update -s Status-Fd; do
	try "apt-get $word fails: its output is shown" failure "$word"
done

try "scripts/setup refuses a wrong NOLIBC" refuses NOLIBC nolibc.h env NOLIBC="$tmp/typo" "$ERRPIPE_SRC/scripts/setup"
try "scripts/setup refuses a wrong UAPI" refuses UAPI include/linux/version.h env UAPI="$tmp/typo" "$ERRPIPE_SRC/scripts/setup"
try "scripts/setup refuses a wrong JANSSON_ARM64" refuses JANSSON_ARM64 usr/include/jansson.h \
	env JANSSON_ARM64="$tmp/typo" "$ERRPIPE_SRC/scripts/setup"

# run_make ARG...: run make without variables from an outer make.
run_make() {
	MAKEFLAGS='' make -s -C "$ERRPIPE_SRC" O="$tmp/out" "$@"
}
try "make refuses a wrong NOLIBC" refuses NOLIBC nolibc.h run_make NOLIBC="$tmp/typo" UAPI="$UAPI"
for goal in stubs cross-aarch64 fuzz coverage check-system; do
	try "make $goal refuses a wrong NOLIBC" refuses NOLIBC nolibc.h run_make NOLIBC="$tmp/typo" UAPI="$UAPI" "$goal"
done
for goal in stubs "$tmp/out/tests/errno.mips" cross-aarch64 coverage check-system; do
	try "make ${goal#"$tmp/"} refuses a wrong UAPI" refuses UAPI include/linux/version.h run_make NOLIBC="$NOLIBC" UAPI="$tmp/typo" "$goal"
done
try "make refuses a wrong UAPI from the environment" refuses UAPI include/linux/version.h env UAPI="$tmp/typo" \
	make MAKEFLAGS= -s -C "$ERRPIPE_SRC" O="$tmp/out" NOLIBC="$NOLIBC" stubs

# The demo prints the message about the foreign program and the right exit status of each command.
demo() {
	MAKEFLAGS='' "$ERRPIPE_SRC/scripts/demo" >"$tmp/output" 2>&1 || status=$?
	cat "$tmp/output"
	[ "$status" = 0 ] && grep -q '^exec \./dmz\.[^:]*: exec format error$' "$tmp/output" &&
		[ "$(sed -n 's/^(exit status \(.*\))$/\1/p' "$tmp/output" | tr '\n' ' ')" = '0 0 126 126 255 127 127 1 126 0 0 7 0 ' ]
}
status=0
try "the demo" demo

echo "1..$n"
exit "$failed"
