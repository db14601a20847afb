#!/bin/sh
# SPDX-License-Identifier: MIT
# The header, the help texts, the pages and the completions agree with the tables in dmz/*.def. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${UAPI:?}"
cd "$ERRPIPE_SRC" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# rows FILE DEFINITION...: print the expansion of these macros for each row of a table.
rows() {
	file=$1
	shift
	{ printf '#define %s\n' "$@"; echo "#include \"dmz/$file\""; } | cc -E -P -I. - | grep .
}

# enumerators NAME: print the constants of this enum in errpipe.h, in order, without their prefix.
enumerators() {
	sed -n "/^enum errpipe_$1 {/,/^}/s/^	ERRPIPE_\([A-Z_]*\).*/\1/p" errpipe/errpipe.h
}

# same FILE COMMAND...: the command prints the content of FILE, which is not empty.
same() {
	want=$1
	shift
	[ -s "$want" ] && "$@" | diff "$want" -
}

# has_lines FILE PAGE: PAGE contains each line of FILE.
has_lines() {
	[ -s "$1" ] && ! grep -vxFf "$2" "$1"
}

# --- policies ---------------------------------------------------------------------------------------

policies='POLICY(id, go, name, enoent, eacces, enotdir, eisdir, other, set_up, as_in)'
rows policy.def "$policies id" >"$tmp/ids"
rows policy.def "$policies name" | tr -d '"' >"$tmp/names"
# shellcheck disable=SC2016 # the backquotes are Markdown's
rows policy.def "$policies name enoent | eacces | enotdir | eisdir | other | set_up as_in" |
	sed 's/^"\(.*\)" \([0-9].*[0-9]\) "\(.*\)"$/| `\1` | \2 | \3 |/' >"$tmp/markdown"
rows policy.def "$policies name Ta enoent Ta eacces Ta enotdir Ta eisdir Ta other Ta set_up" |
	sed 's/^"\(.*\)" Ta /.It \1 Ta /' >"$tmp/mdoc"

named_in_help() {
	"$ERRPIPE_BUILD/errpipe" "$1" --help >"$tmp/help"
	while read -r name; do
		grep -qw -- "$name" "$tmp/help" || { echo "errpipe $1 --help: $name is missing"; false; } || return
	done <"$tmp/names"
}
in_bash() {
	sed -n "s/.*--policy) .*compgen -W '\([a-z0-9 ]*\)'.*/\1/p" errpipe/completions/errpipe.bash | tr ' ' '\n'
}
in_zsh() {
	sed -n 's/.*--policy=.*:policy:(\(.*\)).*/\1/p' errpipe/completions/_errpipe | tr ' ' '\n'
}
try 'errpipe.h has the policies of policy.def, in that order' same "$tmp/ids" enumerators policy
for command in run exec; do
	try "errpipe $command --help names each policy" named_in_help "$command"
done
try 'bash offers the policies' same "$tmp/names" in_bash
try 'zsh offers the policies' same "$tmp/names" in_zsh
try 'docs/exit-codes.md has their exit codes' has_lines "$tmp/markdown" docs/exit-codes.md
try 'errpipe(1) has their exit codes' has_lines "$tmp/mdoc" errpipe/man/errpipe.1
tr -s ' ,' '\n' <errpipe/man/errpipe.3 | sed -n 's/^ERRPIPE_\([A-Z]*\)$/\1/p' >"$tmp/manual"
try 'errpipe(3) names them' has_lines "$tmp/ids" "$tmp/manual"

# --- steps ------------------------------------------------------------------------------------------

rows steps.def 'STEP(id, number, systemd, words, document) number' 'STEPS(id, first, last, document) first to last' >"$tmp/steps"
{
	echo '#include "errpipe.h"'
	rows steps.def 'STEP(id, number, systemd, words, document) _Static_assert(ERRPIPE_STEP_##id == number, #id);' \
		'STEPS(id, first, last, document) _Static_assert(ERRPIPE_STEP_##id == first && ERRPIPE_STEP_##id##_LAST == last, #id);'
} >"$tmp/steps.c"
# has_rows BEFORE AFTER PAGE: the page has a row for each step.
has_rows() {
	[ -s "$tmp/steps" ] && while read -r step; do
		grep -q "^$1$step$2" "$3" || { echo "$3: step $step is missing"; false; } || return
	done <"$tmp/steps"
}
try 'errpipe.h has the steps of steps.def' cc -fsyntax-only -Ierrpipe "$tmp/steps.c"
try 'docs/protocol.md has the steps' has_rows '| ' ' | ' docs/protocol.md
try 'errpipe-protocol(7) has the steps' has_rows '\.It ' ' Ta ' errpipe/man/errpipe-protocol.7

# --- verdicts: the table is the enum in errpipe.h -----------------------------------------------------

enumerators verdict >"$tmp/verdicts"
sed 's/.*/VERDICT(&)/' "$tmp/verdicts" >"$tmp/written"
grep -o 'VERDICT([A-Z_]*)' errpipe/cmd/json_outcome.c >"$tmp/in-json"
sed -n 's/^| \([A-Z_]*\) | .*/\1/p' docs/protocol.md >"$tmp/in-protocol"
sed -n 's/^\.It \([A-Z_]*\)$/\1/p' errpipe/man/errpipe-protocol.7 >"$tmp/in-protocol.7"
sed -n 's/^\.Cm \([A-Z_]*\)\( [,.]\)\{0,1\}$/\1/p' errpipe/man/errpipe.1 >"$tmp/in-errpipe.1"
try 'JSON has the verdicts of errpipe.h' has_lines "$tmp/written" "$tmp/in-json"
for page in protocol protocol.7 errpipe.1; do
	try "$page has the verdicts" has_lines "$tmp/verdicts" "$tmp/in-$page"
done

# --- routes, errors ---------------------------------------------------------------------------------

rows routes.def 'ROUTE(id, words, document) id' >"$tmp/routes"
try 'errpipe.h has the routes of routes.def, in that order' same "$tmp/routes" enumerators route

rows errno.def 'E(name, words, generic, mips, alpha, sparc, parisc) name' >"$tmp/errors"
errors_in_bash() {
	sed -n "s/.*--errno) .*compgen -W '\([A-Z0-9 ]*\)'.*/\1/p" errpipe/completions/errpipe.bash | tr ' ' '\n'
}
errors_in_zsh() {
	sed -n 's/.*--errno=.*:errno:(\(.*\)).*/\1/p' errpipe/completions/_errpipe | tr ' ' '\n'
}
errors_in_bash >"$tmp/offered"
try 'bash offers errors of errno.def' has_lines "$tmp/offered" "$tmp/errors"
try 'zsh offers the same' same "$tmp/offered" errors_in_zsh

# --- system calls: those of the kernel's headers ------------------------------------------------------

# column HEADERS CLASS: the parameter of SYSCALL for an architecture, as in dmz/gen.go.
column() {
	case $1$2 in
	x8664) echo x86_64 ;;
	x8632) echo i386 ;;
	mips64) echo mips64 ;;
	s39064) echo s390x ;;
	arm32 | mips32 | powerpc*) echo "$1" ;;
	*) echo generic ;;
	esac
}

# has_numbers HEADERS CLASS CC...: a compiler with these headers accepts the numbers of syscalls.def. A call for 32-bit ids has a name
# of its own where there are two.
has_numbers() {
	column=$(column "$1" "$2")
	sed -n 's/^SYSCALL(\([a-z0-9_]*\),.*/\1/p' dmz/syscalls.def >"$tmp/calls"
	{
		echo '#include <asm/unistd.h>'
		sed 's/.*/#ifdef __NR_&32\n#define NR_& __NR_&32\n#elif defined(__NR_&)\n#define NR_& __NR_&\n#else\n#define NR_& 0\n#endif/' \
			"$tmp/calls"
		rows syscalls.def "SYSCALL(name, x86_64, i386, arm, generic, mips, mips64, powerpc, s390x) \
			_Static_assert(NR_##name == $column, #name);"
	} >"$tmp/numbers.c"
	headers=$1
	shift 2
	[ "$(grep -c _Static_assert "$tmp/numbers.c")" -ge 30 ] || return
	"$@" -fsyntax-only -nostdinc -isystem "$UAPI/$headers" -isystem "$UAPI/include" "$tmp/numbers.c"
}

grep '^[a-z]' dmz/architectures >"$tmp/architectures"
while read -r name goarch headers class _ _ _ _ _ target; do
	what="syscalls.def has the numbers of $name"
	if ! command -v clang-19 >/dev/null; then
		skip "$what" "no clang-19"
	elif [ "$goarch" != - ]; then
		# shellcheck disable=SC2086 # $target is a target with flags
		try "$what" has_numbers "$headers" "$class" clang-19 --target=$target
	fi
done <"$tmp/architectures"

# --- JSON: errpipe(1) has each key, and each name that facts.def gives a fact -------------------------

sed -n 's/.*json_add(&\{0,1\}object, "\([a-z_]*\)".*/\1/p' errpipe/cmd/json_*.c | sort -u >"$tmp/keys"
sed -n 's/^\.\(It\|Cm\|Va\) //p' errpipe/man/errpipe.1 | tr -s ' ,;' '\n' | sort -u >"$tmp/documented"
# The names of details are those of the header, which errpipe_explain(3) refers to.
for fact in CLASS:words BINFMT:words FORMAT:words,object FILE_TYPE:words KIND; do
	arguments=id,name
	[ "${fact#*:}" = "$fact" ] || arguments=$arguments,${fact#*:}
	{ echo "#define ${fact%:*}($arguments) NAME:name"; echo '#include "errpipe/explain/facts.def"'; } | cc -E -P -I. - |
		sed -n 's/^NAME:"\(.*\)"$/\1/p'
done | sort -u >"$tmp/facts"
try 'errpipe(1) has the keys of JSON' has_lines "$tmp/keys" "$tmp/documented"
try 'errpipe(1) has the names of facts' has_lines "$tmp/facts" "$tmp/documented"

echo "1..$n"
exit "$failed"
