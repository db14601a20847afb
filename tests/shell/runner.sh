#!/bin/sh
# SPDX-License-Identifier: MIT
# The counts and the output of scripts/build/run-tests and scripts/test, with stand-ins for the tests and for make. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"
cd "$tmp" || exit 1

# executable FILE: write the script on standard input to FILE.
executable() {
	mkdir -p "$(dirname "$1")"
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod 755 "$1"
}

# --- scripts/build/run-tests

printf 'present\t\nabsent\tno such kernel\n' >machine

# outcome STATUS LINES TAP: for a test that prints TAP, run-tests exits with STATUS, and its last lines are LINES.
outcome() {
	printf 'printf "%%s\\n" "%s"\n' "$3" | executable a.sh
	status=0
	CI=true ERRPIPE_MACHINE=$tmp/machine "$ERRPIPE_SRC/scripts/build/run-tests" "$tmp" "$tmp/a.sh" >out 2>&1 || status=$?
	cat out
	[ "$status" = "$1" ] && [ "$(tail -n "$(echo "$2" | wc -l)" out)" = "$2" ]
}

try 'a test that passes' outcome 0 '1 passed, 0 failed, 0 skipped' 'ok 1 - a
1..1'
try 'the line of a test' grep -qx '\[1 of 1\] a.sh: 1 tests, [0-9]* s' out
try 'a test that fails' outcome 1 'not ok 2 - b
1 passed, 1 failed, 0 skipped' 'ok 1 - a
not ok 2 - b
1..2'
try 'a skip' outcome 1 '--- skipped
ok 1 - a # SKIP why
0 passed, 0 failed, 1 skipped' 'ok 1 - a # SKIP why
1..1'
try 'a missing ability' outcome 0 'not on this machine: no such kernel (2 tests)
1 passed, 0 failed, 0 skipped' 'ok 1 - a # SKIP needs absent
ok 2 - b
ok 3 - c # SKIP needs absent
1..3'
try 'a skip for an ability that the machine has' outcome 1 '--- skipped
ok 1 - a # SKIP needs present
0 passed, 0 failed, 1 skipped' 'ok 1 - a # SKIP needs present
1..1'
try 'an ability that is not on the list' outcome 1 'not ok - ok 1 - a # SKIP needs unknown, which scripts/build/machine does not try
0 passed, 1 failed, 0 skipped' 'ok 1 - a # SKIP needs unknown
1..1'
try 'a test that dies' outcome 1 'not ok - a.sh ran 1 of unknown tests, exit status 0
1 passed, 1 failed, 0 skipped' 'ok 1 - a'

# The first test kills its runner, so the second one is lost as well.
lost() {
	# shellcheck disable=SC2016 # the test expands it
	printf 'echo "ok 1 - a"\necho 1..1\nkill -9 $PPID\n' | executable killer.sh
	executable later.sh <<-'END'
		echo 'not ok 1 - a'
		echo 1..1
	END
	status=0
	CI=true ERRPIPE_MACHINE=$tmp/machine PATH=$tmp/one:$PATH "$ERRPIPE_SRC/scripts/build/run-tests" "$tmp" "$tmp/killer.sh" "$tmp/later.sh" \
		>out 2>&1 || status=$?
	cat out
	[ "$status" = 1 ] && grep -qx 'not ok - killer.sh did not run to its end' out &&
		grep -qx 'not ok - later.sh did not run to its end' out
}
executable one/nproc <<'END'
echo 1
END
try 'tests that are lost with their runner' lost

# lacking WANT NAME...: tests/support/lacks prints WANT.
lacking() {
	want=$1
	shift
	got=$(ERRPIPE_MACHINE=$tmp/machine "$ERRPIPE_SRC/tests/support/lacks" "$@")
	echo "'$got'"
	[ "$got" = "$want" ]
}
try 'tests/support/lacks: nothing' lacking '' present
try 'tests/support/lacks: a missing ability' lacking 'needs absent' present absent
try 'tests/support/lacks: an ability that is not on the list' lacking 'needs unknown' unknown

# --- scripts/test, in a separate source tree

mkdir -p tree/scripts/build tree/tests bin
cp "$ERRPIPE_SRC/scripts/test" tree/scripts
mkdir -p tree/tests/support && cp "$ERRPIPE_SRC/tests/support/lacks" tree/tests/support
executable tree/scripts/setup </dev/null
executable tree/scripts/analyse <<'END'
echo '4 passed, 0 failed, 0 skipped'
END
executable tree/scripts/build/machine <<'END'
printf 'binfmt-misc\tno such kernel\n'
END
executable bin/sudo <<'END'
exec "$@"
END
# This imitates run-tests under make: a failure, after which make adds a line; a build that fails; and a skip that CI does not
# expect.
executable bin/make <<'END'
case $* in
*prog_machine) exit ;;
*O=build/clang*) echo '  CC      build/clang/a.o'; echo 'a.c:1: error'; status=2 ;;
*O=build/musl*) echo 'not on this machine: no such seal (3 tests)'; echo '5 passed, 0 failed, 1 skipped'; status=2 ;;
*O=build/address*) echo 'not on this machine: no such seal (1 test)'; echo '5 passed, 0 failed, 0 skipped' ;;
*check) echo 'not ok 1 - a'; echo '10 passed, 1 failed, 0 skipped'; status=2 ;;
*) echo '1 passed, 0 failed, 0 skipped' ;;
esac
[ "${status:-0}" = 0 ] || echo "make: *** [Makefile:1: check] Error 1"
exit "${status:-0}"
END
executable tree/scripts/build/run-tests <<'END'
echo '1 passed, 0 failed, 0 skipped'
END

counts_all() {
	status=0
	PATH=$tmp/bin:$PATH NOLIBC=x UAPI=x sh tree/scripts/test >out 2>&1 || status=$?
	cat out
	stages=$(grep -c '^=== ' out)
	# For an ordinary user there is one more stage.
	passed=27
	[ "$stages" = 10 ] || passed=28
	sed -n '/^$/,$p' out | sed 1d | sort >summary
	printf '%s\n' 'failed:' \
		'gcc: 1 - a' \
		'clang: exit status 2, before any test was counted' \
		'musl-gcc: exit status 2, though no test failed' \
		'not on this machine: no such kernel (all tests of aarch64)' \
		'not on this machine: no such kernel (all tests of s390x)' \
		'not on this machine: no such seal (4 tests)' \
		"$passed passed, 3 failed, 1 skipped" | sort | diff - summary &&
		[ "$(tail -n 1 out)" = "$passed passed, 3 failed, 1 skipped" ] && [ "$status" = 1 ]
}
try 'scripts/test counts all stages, whatever make prints last' counts_all
shows() {
	[ "$(grep -c "^=== \[[0-9]* of $stages\] " out)" = "$stages" ] && [ "$(grep -c '^--- .* in [0-9]* s$' out)" = "$stages" ] &&
		grep -qx 'building: build/clang/a.o' out && grep -qx 'a.c:1: error' out
}
try 'scripts/test shows each stage, the files that it builds, and the error of a build' shows

echo "1..$n"
exit "$failed"
