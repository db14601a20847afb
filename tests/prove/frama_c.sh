#!/bin/sh
# SPDX-License-Identifier: MIT
# Frama-C proves that decoder and stub have no undefined behaviour, whatever their input, and that they fulfil their contracts.
# Each proof fails if the code is broken. Writes TAP.
#
# Needs the packages of scripts/setup all. The proof is for the code of x86-64.
# shellcheck disable=SC2317 # try calls the functions
set -u

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

WHY3CONFIG=$tmp/why3.conf
export WHY3CONFIG
why3 config detect -C "$WHY3CONFIG" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }

# fresh: make a copy of the code, which without() can break.
fresh() {
	rm -rf "$tmp/src"
	mkdir -p "$tmp/src/tests"
	cp -r "$ERRPIPE_SRC/dmz" "$ERRPIPE_SRC/errpipe" "$tmp/src"
	cp -r "$ERRPIPE_SRC/tests/prove" "$tmp/src/tests"
}

# frama FILES OPTION...: run Frama-C on these files, in tests/prove.
frama() {
	files=$1
	shift
	# $files is a list.
	# shellcheck disable=SC2086
	(cd "$tmp/src/tests/prove" && frama-c -machdep gcc_x86_64 -cpp-extra-args='-Imodel -I../.. -I../../errpipe' $files "$@") >"$tmp/out" 2>&1
	status=$?
	cat "$tmp/out"
	return "$status"
}

# wp FILE OPTION...: WP proves every goal: "Proved goals: 143 / 143".
wp() {
	frama "$@" -wp -wp-rte -wp-par 2 -wp-prover cvc4,z3 -wp-timeout 10 &&
		awk '/Proved goals:/ { seen = 1; if ($4 == 0 || $4 != $6) bad = 1 } END { exit !seen || bad }' "$tmp/out"
}

# eva FILES OPTION...: Eva raises no alarm and proves every assertion.
eva() {
	frama "$@" -eva -eva-precision 2 -eva-split-return full -eva-slevel 5000 &&
		grep -q '^  0 alarms generated' "$tmp/out" && grep -q '^  100% of the logical properties reached have been proven' "$tmp/out"
}

# WP treats void and unsigned char as different types, hence the casts. ep_is_zero() of common.h is not the decoder's.
decoder_contract() {
	wp decode.c -wp-model Typed+Cast -wp-skip-fct ep_is_zero
}

decoder_is_defined() {
	eva 'decode_eva.c ../../errpipe/lib/words.c ../../errpipe/common/decimal.c' -main every_input
}

number_contract() {
	wp stub.c -wp-fct number && wp stub.c -wp-prop @lemma
}

stub_is_defined() {
	eva stub.c -main every_stack -eva-use-spec number
}

# without PROOF FILE SED: the proof fails once the code is edited.
without() {
	fresh
	sed "$3" "$tmp/src/$2" >"$tmp/edited"
	if cmp -s "$tmp/edited" "$tmp/src/$2"; then
		echo "nothing to edit in $2"
		return 1
	fi
	cp "$tmp/edited" "$tmp/src/$2"
	! "$1" >"$tmp/broken" 2>&1 && grep -Eq 'Proved goals:|ANALYSIS SUMMARY' "$tmp/broken"
}

fresh
try 'decoder: the result follows the protocol, and encoded records decode to the same values' decoder_contract
try 'decoder: no undefined behaviour, with every input of every size' decoder_is_defined
try 'stub: a descriptor is a string of every length' number_contract
try 'stub: no undefined behaviour, with every stack and every answer of the kernel' stub_is_defined

try 'not if a partial record is accepted' without decoder_contract errpipe/lib/decode.c 's/size != DMZ_RECORD_SIZE/size < 12/'
try 'not if a machine of 0 is accepted' without decoder_contract errpipe/lib/decode.c 's/!machine || //'
try 'not if a reserved step is accepted' without decoder_contract errpipe/lib/decode.c 's/step >= DMZ_STEP_CALLER \&\&/step >= 2 \&\&/'
try 'not if bytes are swapped' without decoder_contract errpipe/lib/decode.c 's/p\[0\] + p\[1\]/p[1] + p[0]/'
try 'not if invalid input changes the report' without decoder_contract errpipe/lib/decode.c \
	's/^	machine = le16/	report->step = 0; machine = le16/'
try 'not if bytes are read before the size is checked' without decoder_is_defined errpipe/lib/decode.c \
	's/size != DMZ_RECORD_SIZE || le32(p) != DMZ_MAGIC/le32(p) != DMZ_MAGIC || size != DMZ_RECORD_SIZE/'
try 'not if the list of errors is read beyond its end' without decoder_is_defined errpipe/lib/words.c \
	's/i < sizeof(table)/i <= sizeof(table)/'
try 'not if a letter in a number is accepted' without number_contract dmz/_dmz.c 's/digit > 9 || //'
try 'not if a number that is too large is accepted' without number_contract dmz/_dmz.c 's, || n > INT_MAX / 10,,'
try 'not if a missing argument is used' without stub_is_defined dmz/_dmz.c 's/argc > 3/argc > 2/'
try 'not if the target inherits the descriptor' without stub_is_defined dmz/_dmz.c 's/while (ret >= 0)/while (ret != -9)/'
try 'not if an action that fails does not stop it' without stub_is_defined dmz/_dmz.c 's/if (action->flags & DMZ_IGNORE_FAILURE)/if (action->flags)/'
try 'not if actions have no end' without stub_is_defined dmz/_dmz.c 's/action ? action->step : DMZ_LAST/action ? action->step | 2 : DMZ_LAST/'
try 'not if lost actions are skipped' without stub_is_defined dmz/_dmz.c 's/step == DMZ_LAST/step <= DMZ_LAST/'
try 'not if signals are not blocked' without stub_is_defined dmz/_dmz.c '/my_syscall4(/d'
try 'not if a part of the signal set is not filled in' without stub_is_defined dmz/_dmz.c 's/all\[i\] = -1UL/all[i] = -2UL/'
try 'not if a successful execve has an error' without stub_is_defined dmz/_dmz.c 's/ret < 0 \&\& ret >= -DMZ_ERROR_MAX/ret < 0/'

encode() {
	cc -O2 -Wall -Wextra -Werror -o "$tmp/encode" "$ERRPIPE_SRC/tests/prove/encode.c" && "$tmp/encode"
}

try 'encoder: every machine with every step, and every error' encode

echo "1..$n"
exit "$failed"
