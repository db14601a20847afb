#!/bin/sh
# SPDX-License-Identifier: MIT
# The Go package: vetted, tested, tested with the race detector, and tested for other GOARCHes under qemu-user. A module in another
# directory uses it without make, with the README's program. Writes TAP.
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}" "${UAPI:?}"
export ERRPIPE_SRC ERRPIPE_BUILD NOLIBC UAPI
cd "$ERRPIPE_SRC" || exit 1

count=0 failures=0
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
# Use nothing from the network, and write nothing outside the build directory.
export GOFLAGS=-mod=mod GOPROXY=off GOCACHE="$ERRPIPE_BUILD/go" GOPATH="$ERRPIPE_BUILD/go" CGO_ENABLED=0

result() {
	count=$((count + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $count - $2"
}

# check TITLE COMMAND...: the command succeeds without output.
check() {
	what=$1
	shift
	if "$@" >"$dir/log" 2>&1 && ! [ -s "$dir/log" ]; then
		result ok "$what"
	else
		cat "$dir/log" >&2
		result 'not ok' "$what"
	fi
}

# suite NAME FLAG...: print a line for each test that "go test" runs.
suite() {
	name=$1 status=0
	shift
	go test -count=1 -timeout 10m -v "$@" ./dmz >"$dir/log" 2>&1 || status=$?
	# The log of a test comes before its line. The last line of the log is the reason for a skip.
	awk '
		/^ *--- [A-Z]*: / { sub(":", "", $2); print $2, $3, reason; reason = "" }
		match($0, /^ +[a-z_]+\.go:[0-9]+: /) { reason = substr($0, RLENGTH + 1) }' "$dir/log" >"$dir/tests"
	while read -r verdict test reason; do
		case $verdict in
		PASS) result ok "$name: $test" ;;
		SKIP) result ok "$name: $test # SKIP $reason" ;;
		*) result 'not ok' "$name: $test" ;;
		esac
	done <"$dir/tests"
	if [ "$status" != 0 ] || ! grep -q PASS "$dir/tests"; then
		cat "$dir/log" >&2
		result 'not ok' "$name: exit status $status"
	fi
}

# images NAME GOARCH QEMU: write the images that C makes of some setups, for TestSetupImages. This machine's are those of the library
# as it is built here.
images() {
	mkdir -p "$DMZ_TEST_IMAGES/$2"
	if [ "$2" = "$(go env GOARCH)" ]; then
		"$ERRPIPE_BUILD/tests/prog_images" "$DMZ_TEST_IMAGES/$2"
	else
		tests/support/make "$ERRPIPE_BUILD/stubs/$1/images" &&
			"qemu-$3-static" "$ERRPIPE_BUILD/stubs/$1/images" "$DMZ_TEST_IMAGES/$2"
	fi
}
export DMZ_TEST_IMAGES="$dir/images"
grep '^[a-z]' dmz/architectures | awk '$2 != "-"' >"$dir/architectures"
while read -r name goarch _ _ _ _ _ _ qemu _; do
	if command -v clang-19 ld.lld-19 "qemu-$qemu-static" >/dev/null || [ "$goarch" = "$(go env GOARCH)" ]; then
		check "images for $goarch" images "$name" "$goarch" "$qemu"
	else
		result ok "images for $goarch # SKIP no clang-19 with lld, or no qemu-$qemu-static"
	fi
done <"$dir/architectures"

check 'go vet' go vet ./...
check 'gofmt' gofmt -l dmz
suite go
CGO_ENABLED=1 suite 'go, race detector' -race
# 386 needs a kernel that runs it natively: under qemu-i386 7.2 all threads of a program share one GDT, which breaks Go.
# tests/shell/cross.sh and tests/shell/binfmt.sh run the stub for i386 under qemu-i386.
if needs=$(tests/support/lacks 32-bit-programs); then
	GOARCH=386 check 'go vet, 386' go vet ./dmz
	result ok "go, 386 # SKIP $needs"
else
	GOARCH=386 suite 'go, 386'
fi
# This uses the seeds of the C library's fuzzer and compares the results with the C library.
suite 'go, fuzzing' -run '^$' -fuzz '^FuzzDecode$' -fuzztime 10000x -parallel 1

# These tests can pass though the kernel cannot exec a program for that machine by itself.
emulated='^(TestWords|TestNumbers|TestErrorUnwraps|TestErrorText$|TestExitCode|TestDecode|FuzzDecode|TestReadWhat|TestReadEnd)'
emulated="$emulated|^(TestReadDesc|TestExecFails|TestFail|TestExecRefuses|TestStub|TestSettleWhat|TestVerdict|ExampleDecode)"
emulated="$emulated|^(TestSetup(Images|Refuses|StubIsSealed)|TestCapabilitySet|TestResource)"
# One GOARCH for each word size, byte order, and numbering of errors and system calls. For the package, loong64 and riscv64 equal
# arm64, and mips64, mipsle and ppc64le equal one of these. exec_test.go compares its table of machines with the stubs. Most of the
# time goes into building Go's own packages; skipping inlining and vet saves a third.
while read -r goarch qemu; do
	DMZ_TEST_EMULATOR=qemu-$qemu-static GOARCH=$goarch suite "go, $goarch" -exec "qemu-$qemu-static" -run "$emulated" \
		-vet=off -gcflags=all=-l
done <<EOT
arm arm
arm64 aarch64
mips mips
mips64le mips64el
ppc64 ppc64
s390x s390x
EOT

# A user's module elsewhere, with the README's program, that of docs/go.md and its own test.
mkdir "$dir/user"
# shellcheck disable=SC2016 # the backquotes are Markdown's
sed -n '/^```go$/,/^```$/{/^```/d;p}' README.md >"$dir/user/main.go"
# module_lines FILE: print the lines for a go.mod that FILE shows.
module_lines() {
	sed 's/^[[:space:]]*//' "$1" | grep -E '^(require|replace) errpipe '
}
module_lines README.md >"$dir/user/lines"
for document in dmz/doc.go docs/go.md; do
	module_lines "$document" >"$dir/lines"
	check "$document shows README's lines for a go.mod" diff "$dir/user/lines" "$dir/lines"
done
mkdir "$dir/user/setup"
# shellcheck disable=SC2016 # the backquotes are Markdown's
{
	sed -n '/^```go$/,/^```$/{/^```/d;p}' docs/go.md >"$dir/user/setup/main.go"
	sed -n '/^It prints:$/,/^- /{/^```$/,/^```$/{/^```/d;p}}' docs/go.md >"$dir/printed"
}
{
	printf 'module user\n\ngo 1.19\n'
	sed "s,=>.*,=> $ERRPIPE_SRC," "$dir/user/lines"
} >"$dir/user/go.mod"
cat >"$dir/user/user_test.go" <<'EOT'
package main

import (
	"os/exec"
	"testing"

	"errpipe/dmz"
)

func TestIt(t *testing.T) {
	err := dmz.Start(exec.Command("/etc/passwd"))
	if err == nil || err.Error() != "exec /etc/passwd: permission denied" {
		t.Error(err)
	}
}
EOT
cd "$dir/user" || exit 1
unset GOFLAGS # go.mod must be correct without changes
passes() {
	env -u ERRPIPE_BUILD -u ERRPIPE_SRC go test -count=1 . >test.log 2>&1 && return
	cat test.log
	return 1
}

check "a module that uses it passes its test" passes
check "README's Go program builds" go build -o user .

# prints TEXT STATUS ARG...: the program prints exactly TEXT and exits with STATUS.
prints() {
	want=$1 want_status=$2 status=0
	shift 2
	got=$(./user "$@" 2>&1) || status=$?
	if [ "$got" != "$want" ] || [ "$status" != "$want_status" ]; then
		echo "$*: '$got', exit status $status"
		return 1
	fi
}

check "README's Go program prints its usage" prints 'usage: start PROGRAM [ARG...]' 125
# shellcheck disable=SC2016 # Go prints a literal $PATH
check "README's Go program names a program that is not in PATH" prints \
	'exec: "no-such-program": executable file not found in $PATH' 127 no-such-program
check "README's Go program reports a failure" prints 'exec /etc/passwd: permission denied' 126 /etc/passwd
check "README's Go program starts one" prints hello 7 /bin/sh -c 'echo hello; exit 7'

# What go.mod names is gone, as in a build elsewhere.
vendored() {
	go mod vendor && sed -i 's,=> /.*,=> ./nowhere,' go.mod vendor/modules.txt && go build -mod=vendor -o vendored ./setup
}

prints_what_the_page_says() {
	./vendored >printed 2>&1
	diff "$dir/printed" printed
}

check "docs/go.md's program builds from a vendored copy" vendored
check "docs/go.md's program prints what the page says" prints_what_the_page_says

echo "1..$count"
[ "$failures" = 0 ]
