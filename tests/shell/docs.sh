#!/bin/sh
# SPDX-License-Identifier: MIT
# The documents are correct: examples print the output shown, programs compile and work, and the manual pages and the header are
# well-formed. Writes TAP.
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"
cd "$ERRPIPE_SRC" || exit 1
PATH=$PATH:/usr/sbin:/sbin # Debian installs setcap there, and an ordinary user's PATH lacks it

count=0 failures=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# check TITLE COMMAND...: the command succeeds without output.
check() {
	what=$1
	shift
	count=$((count + 1))
	if "$@" >"$dir/log" 2>&1 && ! [ -s "$dir/log" ]; then
		echo "ok $count - $what"
	else
		echo "not ok $count - $what"
		cat "$dir/log" >&2
		failures=$((failures + 1))
	fi
}

# quietly COMMAND...: show the output of a command only if it fails.
quietly() {
	"$@" >"$dir/output" 2>&1 || { cat "$dir/output"; return 1; }
}

# prints TEXT STATUS COMMAND...: the command prints exactly TEXT and exits with STATUS.
prints() {
	want=$1 want_status=$2
	shift 2
	status=0
	got=$("$@" 2>&1) || status=$?
	if [ "$got" != "$want" ] || [ "$status" != "$want_status" ]; then
		echo "$*: '$got', exit status $status"
		return 1
	fi
}

examples() {
	for arch in aarch64 s390x "$(uname -m)"; do
		"$ERRPIPE_SRC/tests/support/make" "$ERRPIPE_BUILD/stubs/$arch/hello" || return
	done
	tests/support/examples.bash "$PWD/README.md" "$PWD/docs/protocol.md" "$PWD/docs/ci.md" "$PWD/errpipe/man/errpipe.1" \
		"$PWD/errpipe/man/dmz.1" "$PWD/errpipe/man/errpipe-protocol.7" "$PWD/docs/causes.md" "$PWD/errpipe/man/errpipe-causes.7"
}

examples >"$dir/examples"
sed '/^1\.\./d' "$dir/examples"
count=$(grep -Ec '^(not )?ok' "$dir/examples")
failures=$(grep -c '^not ok' "$dir/examples")

# shellcheck disable=SC2016 # the backquotes are Markdown's
sed -n '/^```c$/,/^```$/{/^```/d;p}' README.md >"$dir/readme.c"
check "README's program is there" test -s "$dir/readme.c"
check "README's program compiles" cc -std=gnu99 -Wall -Wextra -Werror -Ierrpipe \
	-o "$dir/readme" "$dir/readme.c" "$ERRPIPE_BUILD/liberrpipe.a"
check "README's program reports a foreign program" \
	prints "exec $ERRPIPE_BUILD/stubs/aarch64/hello: exec format error" 126 \
	"$dir/readme" "$ERRPIPE_BUILD/stubs/aarch64/hello"
check "README's program without arguments" prints 'readme: usage: PATH [ARG...]' 125 "$dir/readme"
check "README's program starts one" prints hello 7 "$dir/readme" /bin/sh -c 'echo hello; exit 7'

# functions HEADER: print the functions that it declares itself, without those of its includes.
functions() {
	cc -E -Ierrpipe "errpipe/$1" | awk -v header="/$1\"" '
		/^# / { inside = substr($3, length($3) - length(header) + 1) == header; next }
		inside' | tr '\n' ' ' | grep -o '\berrpipe_[a-z_]*(' | tr -d '(' | sort -u
}
same_functions() {
	functions "$1" | diff - "$dir/shown"
}
described() {
	sed -n 's/^\.It Fn //p' "$1" | sort | diff "$dir/shown" -
}

# manual NAME: errpipe/man/NAME.3 has the functions of errpipe/NAME.h. A compiler checks that the page's declarations, one a line,
# match those of the header.
manual() {
	mandoc -T ascii -O width=500 "errpipe/man/$1.3" | sed 's/.\x08//g' >"$dir/page"
	sed -n '/^SYNOPSIS/,/^DESCRIPTION/{/^     [a-z]/p}' "$dir/page" | sed '/;$/!{N;s/\n */ /}' >"$dir/synopsis"
	sed -n 's/.*\(errpipe_[a-z_]*\)(.*/\1/p' "$dir/synopsis" | sort >"$dir/shown"
	check "$1(3) has the header's functions" same_functions "$1.h"
	{ echo "#include \"$1.h\""; cat "$dir/synopsis"; } >"$dir/synopsis.c"
	check "$1(3) declares them as the header does" cc -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only -Ierrpipe \
		"$dir/synopsis.c"
	check "$1(3) describes each, once" described "errpipe/man/$1.3"
	sed -n '/^\.Bd -literal/,/^\.Ed/{/^\./d;s/\\e/\\/g;p}' "errpipe/man/$1.3" >"$dir/$1.c"
	check "$1(3)'s program compiles" cc -std=gnu99 -Wall -Wextra -Werror -Ierrpipe \
		-o "$dir/$1" "$dir/$1.c" "$ERRPIPE_BUILD/liberrpipe-explain.a" "$ERRPIPE_BUILD/liberrpipe.a"
	for std in c99 c11 c++11; do
		check "$1.h as $std" clang-19 -x "${std%%[0-9]*}" -std="$std" -pedantic -Wall -Wextra -Werror \
			-fsyntax-only "errpipe/$1.h"
	done
}
manual errpipe
check "errpipe(3)'s program reports a foreign program" \
	prints "exec $ERRPIPE_BUILD/stubs/aarch64/hello: exec format error" 126 \
	"$dir/errpipe" "$ERRPIPE_BUILD/stubs/aarch64/hello"
check "errpipe(3)'s program without arguments" prints 'errpipe: usage: PATH [ARG...]' 125 "$dir/errpipe"
check "errpipe(3)'s program starts one" prints hello 7 "$dir/errpipe" /bin/sh -c 'echo hello; exit 7'
manual errpipe_explain
: >"$dir/empty"
chmod 755 "$dir/empty"
check "errpipe_explain(3)'s program reports a cause" prints "\"$dir/empty\" is an empty file
build, copy or download it again" 1 "$dir/errpipe_explain" "$dir/empty"
check "errpipe_explain(3)'s program without arguments" prints 'errpipe_explain: usage: PATH' 125 "$dir/errpipe_explain"
check "errpipe_explain(3)'s program accepts a program that works" prints '' 0 "$dir/errpipe_explain" /bin/sh

# docs/ci.md: run the steps of its workflow like GitHub, in a repository with the files that the page asks for.
workflow() {
	mkdir -p "$dir/steps" "$dir/bin" "$dir/repository/ci" "$dir/repository/errpipe" &&
		tar -C "$ERRPIPE_SRC" --exclude=./build --exclude=./.git -cf - . | tar -C "$dir/repository/errpipe" -xf - || return
	awk -v dir="$dir/repository/ci" '/^```sh$/ { text = ""; name = ""; inside = 1; next }
		/^```$/ { if (name) printf "%s", text >(dir "/" name); inside = 0; name = "" }
		inside { text = text $0 "\n"; if (!name && /^# /) name = $2 }' docs/ci.md
	awk -v dir="$dir/steps" '/^```yaml$/ { inside = 1 } /^```$/ { inside = 0 } !inside { next }
		/^      - name: / { step = dir "/" substr($0, 15); where = "."; run = 0; next }
		/^        working-directory: / { where = $2 }
		/^        run: \|$/ { run = 1; print "cd " where >step; next }
		run { print substr($0, 11) >step }' docs/ci.md
	# Without the network, the packages must be here already. git was needed for the checkout.
	cat >"$dir/bin/apt-get" <<-'EOF'
		#!/bin/sh
		[ "$1" = update ] && exit
		[ "$1" = install ] || exit 100
		for package; do
			case $package in install | -* | git | ca-certificates) continue ;; esac
			dpkg-query -W "$package" >/dev/null || exit 100
		done
	EOF
	chmod 755 "$dir/bin/apt-get"
}
# step NAME
step() {
	(cd "$dir/repository" && PATH=$dir/bin:$dir/usr/bin:$PATH MAKEFLAGS="PREFIX=$dir/usr" CI=true GITHUB_ACTIONS=true \
		GITHUB_WORKSPACE=$dir/repository sh -e "$dir/steps/$1")
}
check "docs/ci.md: the workflow has steps" workflow
for name in 'Install git' 'Install jq, emulators and a compiler' 'Install errpipe' Build; do
	check "docs/ci.md: $name" quietly step "$name"
done
check "docs/ci.md: Smoke test" prints 'out/hello.aarch64: STARTED, exit code 0
out/hello.x86_64: STARTED, exit code 0' 0 step 'Smoke test'
: >"$dir/repository/out/100% :: a, b
c"
chmod 755 "$dir/repository/out/100%"*
smoke_test_fails() {
	status=0
	step 'Smoke test' >"$dir/output" 2>&1 || status=$?
	[ "$status" = 1 ] && grep -q 'EXEC_FAILED, exit code 126' "$dir/output"
}
check "docs/ci.md: Smoke test, with a failure" smoke_test_fails
check "docs/ci.md: Annotate" prints '::error title=out/100%25 %3A%3A a%2C b%0Ac::exec out/100%25 :: a, b\nc: exec format error; "out/100%25 :: a, b\nc" is an empty file' 0 step Annotate

printf '#!/bin/sh\nkill -SEGV $$\n' >"$dir/crash"
chmod 755 "$dir/crash"
crash_is_named() {
	! (cd "$dir" && PATH=$dir/usr/bin:$PATH sh repository/ci/smoke.sh ./crash) >"$dir/output" 2>&1 &&
		prints '::error title=./crash::exec ./crash: started; killed by signal 11' 0 sh "$dir/repository/ci/annotate.sh" "$dir/smoke.json"
}
check "docs/ci.md: a program that crashed" crash_is_named
# smoke_test_needs TEXT: with only the tools in $dir/lacking, the script does nothing but print TEXT, which names the missing tool.
smoke_test_needs() {
	! (cd "$dir/lacking" && PATH=$dir/lacking sh "$dir/repository/ci/smoke.sh" ./crash) >"$dir/output" 2>&1 &&
		! [ -e "$dir/lacking/smoke.json" ] && grep -q "$1" "$dir/output" && ! grep -v "$1" "$dir/output"
}
mkdir "$dir/lacking"
for tool in sh jq rm mkdir true; do
	ln -s "$(command -v "$tool")" "$dir/lacking/$tool"
done
check "docs/ci.md: smoke.sh without errpipe" smoke_test_needs 'errpipe: not found'
make_without_json() {
	tests/support/make O="$dir/plain" PKG_CONFIG=false "$dir/plain/errpipe" && ln -s "$dir/plain/errpipe" "$dir/lacking/errpipe"
}
check "errpipe without JSON" quietly make_without_json
check "docs/ci.md: smoke.sh with an errpipe that cannot write JSON" smoke_test_needs 'errpipe: built without JSON support: install jansson and build errpipe again'
rm "$dir/lacking/jq"
check "docs/ci.md: smoke.sh without jq" smoke_test_needs 'jq: not found'

# up_to_date FORMAT PAGE
up_to_date() {
	scripts/build/causes "$1" | diff - "$2"
}
check "docs/causes.md matches causes.def: make update-causes" up_to_date md docs/causes.md
check "errpipe-causes(7) matches causes.def: make update-causes" up_to_date mdoc errpipe/man/errpipe-causes.7

# Links within the documents lead to a file and heading that exist. anchors() imitates GitHub.
# shellcheck disable=SC2016 # the backquotes are Markdown's
anchors() {
	sed -n '/^```/,/^```/!s/^#\{1,6\} //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}
broken_links() {
	for page in *.md docs/*.md tests/README.md; do
		grep -o '](\([^():]*\))' "$page" | sed 's/^](//; s/)$//' | while IFS='#' read -r file anchor; do
			target=${file:+$(dirname "$page")/$file}
			target=${target:-$page}
			[ -e "$target" ] || echo "$page: $file is missing"
			[ -z "$anchor" ] || anchors "$target" | grep -qx -- "$anchor" || echo "$page: no heading for $file#$anchor"
		done
	done
}
check 'links have a target' broken_links

# Each path, written in backquotes with a slash, exists.
# shellcheck disable=SC2016 # the backquotes are Markdown's
missing_paths() {
	for page in CONTRIBUTING.md tests/README.md; do
		grep -o '`[a-z._]*/[a-zA-Z0-9._/-]*`' "$page" | tr -d '`' | sort -u | while read -r path; do
			[ -e "$path" ] || [ -e "tests/$path" ] || echo "$page: $path is missing"
		done
	done
}
check 'each path in CONTRIBUTING.md and tests/README.md exists' missing_paths

# docs/security.md: each guarantee has a test, the tests exist, and each figure has a result.
# shellcheck disable=SC2016 # the backquotes are Markdown's
missing_tests() {
	grep -o '`[a-z_.]*:[^`]*`' docs/security.md | tr -d '`' | while IFS=: read -r suite name; do
		case $suite in
		fuzz) test -e "tests/fuzz/$name.c" ;;
		dmz) grep -q "^func $name(" dmz/*_test.go ;;
		*.sh) grep -qF "try '$name' " "tests/shell/$suite" ;;
		*) grep -q "^START_TEST($name)$" "tests/unit/$suite.c" ;;
		esac || echo "$suite:$name"
	done
}
# shellcheck disable=SC2016 # likewise
untested_guarantees() {
	sed -n '/^## Guarantees/,/^## Not guaranteed/{/^| /p}' docs/security.md |
		grep -v -e '`[a-z_.]*:[^`]*` |$' -e '^| --- |' -e '^| guarantee | tested by |$'
}
missing_figures() {
	scripts/build/security-figures --list | while read -r name; do
		grep -q "^| $name | \`.*\` | [^|]*[1-9][^|]* | 20[^|]* |$" docs/security.md || echo "$name"
	done
}
# says_nothing COMMAND: the exit status of the command does not matter, only its output.
says_nothing() {
	"$@" || :
}
check "docs/security.md: the tests that it names" says_nothing missing_tests
check "docs/security.md: each guarantee has a test" says_nothing untested_guarantees
check "docs/security.md: the figures: scripts/build/security-figures" says_nothing missing_figures

# The locale C cannot show other characters.
ascii_only() {
	! LC_ALL=C grep -n -e '[^[:print:][:blank:]]' -e '\\\[u' "$1"
}

for page in errpipe/man/*.[1-8]; do
	check "$page" mandoc -T lint -W warning "$page"
	check "$page: for any locale" ascii_only "$page"
done
# The exceptions are the licence, inputs for fuzzing, and the stubs, which NOTICE and MANIFEST cover.
unlicensed() {
	find . \( -path ./build -o -path ./.git -o -path ./compile_commands.json -o -path "./dmz/stubs/[!A-Z]*" -o -path ./tests/fuzz/seeds -o -path ./tests/fuzz/regressions \) -prune -o -type f ! -name LICENSE \
		-exec grep -L SPDX-License-Identifier {} +
}
check 'each file names its licence' unlicensed
check 'shell scripts' shellcheck scripts/[!.b]* scripts/bench scripts/build/[!.]* .ci/run tests/*/*.sh tests/bench/rows tests/system/init tests/support/tap tests/support/command

echo "1..$count"
[ "$failures" = 0 ]
