#!/bin/sh
# SPDX-License-Identifier: MIT
# Spin checks a model of the protocol (tests/prove/protocol.pml) in every order of events: its claims hold, and each rule is needed,
# because without it a claim fails. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u

model=$ERRPIPE_SRC/tests/prove/protocol.pml
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# search MUTANT: search all possible runs for an error, without the rule MUTANT; 0 keeps all rules.
search() {
	(cd "$tmp" && rm -f ./*.trail && spin -DMUTANT="$1" -a "$model" && gcc -w -O0 -DSAFETY -o pan pan.c && ./pan -m100000) \
		>"$tmp/search" 2>&1 && grep -q 'errors: ' "$tmp/search"
}

holds() {
	search 0
	cat "$tmp/search"
	grep -q 'errors: 0$' "$tmp/search" && ! grep -q 'depth too small' "$tmp/search"
}

# fails MUTANT CLAIM: without this rule, this claim fails.
fails() {
	search "$1"
	cat "$tmp/search"
	grep -q "^pan:1: $2" "$tmp/search"
}

try 'every claim holds' holds
mutants=$(sed -n 's/^#define \([A-Z_]*\)[	 ]*[1-9][0-9]*[	 ].*/\1/p' "$model")
for mutant in $mutants; do
	case $mutant in
	NO_END_RULE | NO_KILL | NOT_CLOEXEC) claim='invalid end state' ;;
	ANY_NAME | NO_PATIENCE) claim='assertion violated ((verdict!=3)' ;;
	LEAVE_SECOND) claim='assertion violated ( !(twice)' ;;
	*) claim='assertion violated ((verdict!=6)' ;;
	esac
	try "not without $mutant" fails "$mutant" "$claim"
done

echo "1..$n"
exit "$failed"
