#!/bin/sh
# SPDX-License-Identifier: MIT
# The words of errpipe explain: each cause of causes.def has all of them, in the order of the header's enum, and none is what
# container tools take for an errno. And each cause has its tests. Writes TAP.
# shellcheck disable=SC2317 # the functions that are called through try
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

header=$ERRPIPE_SRC/errpipe/errpipe_explain.h
cases=$ERRPIPE_SRC/tests/unit/check_explain_cases.c

# What Docker (daemon/errors.go, cli's container/run.go), podman (libpod/oci_util.go) and containerd look for anywhere in a
# runtime's message.
phrases='not found|no such file|permission denied|is a directory|not a directory|operation not permitted|open executable'

listed() {
	"$ERRPIPE_SRC/scripts/build/causes" list >"$tmp/list" && [ "$(tr -dc '\002' <"$tmp/list" | wc -c)" -gt 50 ]
}

# column N: of each cause, one on a line.
column() {
	awk -v column="$1" 'BEGIN { RS = "\002"; FS = "\001" } { gsub(/\n/, " ", $column); print $column }' "$tmp/list"
}

same_order() {
	cc -E -P "$header" | tr '\n' ' ' | sed 's/.*enum errpipe_cause *{\([^}]*\)}.*/\1/' | grep -o 'ERRPIPE_CAUSE_[A-Z0-9_]*' |
		sed 's/^ERRPIPE_CAUSE_//' >"$tmp/enum"
	[ -s "$tmp/enum" ] && column 1 | diff "$tmp/enum" -
}

# As the enum has it, with dashes.
names() {
	column 2 | grep -Evx '[a-z0-9]+(-[a-z0-9]+)*' && return 1
	column 2 | sort | uniq -d | grep . && return 1
	column 1 | tr 'A-Z_' 'a-z-' >"$tmp/names" && column 2 | diff "$tmp/names" -
}

# Nothing is broken but the process, or nothing at all; and nothing is to be done.
without_link='none argument-too-long arguments-too-large process-limit seccomp stub-refused step-failed'
without_advice='none'

all_texts() {
	awk -v without_link=" $without_link " -v without_advice=" $without_advice " '
		BEGIN { RS = "\002"; FS = "\001" }
		NF != 8 { print $2 ": " NF - 1 " columns"; bad = 1 }
		($3 == "") != (index(without_link, " " $2 " ") > 0) { print $2 ": broken"; bad = 1 }
		$4 == "" { print $2 ": finding"; bad = 1 }
		($5 == "") != (index(without_advice, " " $2 " ") > 0) { print $2 ": advice"; bad = 1 }
		$6 !~ /[.]$/ { print $2 ": document"; bad = 1 }
		$7 == "" { print $2 ": example"; bad = 1 }
		END { exit bad || NR < 50 }' "$tmp/list"
}

# Those that errpipe/explain/text.c replaces.
placeholders() {
	sed -n 's/.*{ "\([a-z-]*\)", .* },$/\1/p; s/.*memcmp(\(p\|key\), "\([a-z-]*\)", .*/\2/p' \
		"$ERRPIPE_SRC/errpipe/explain/text.c" | sort -u >"$tmp/known"
	grep -qx subject "$tmp/known" && grep -qx it "$tmp/known" || return 1
	{ column 3; column 4; column 5; } | grep -o '{[a-z-]*' | tr -d '{' |
		sed 's/-\(none\|other\)$//' | sort -u >"$tmp/used"
	grep -vxF -f "$tmp/known" "$tmp/used" && return 1
	[ -s "$tmp/used" ]
}

# The example shows the finding and the advice, up to where another file would make them differ. Of "none" the command says
# it in other words.
examples_show_them() {
	awk '
		# The longest part of a text that no placeholder is in.
		function constant(text,    part, count, i, longest) {
			gsub(/{[^}]*}/, "\001", text)
			count = split(text, part, "\001")
			for (i = 1; i <= count; i++)
				longest = length(part[i]) > length(longest) ? part[i] : longest
			return longest
		}
		BEGIN { RS = "\002"; FS = "\001" }
		$2 != "none" {
			for (i = 4; i <= 5; i++) {
				if (!index($7, constant($i))) {
					print $2 ": no \"" constant($i) "\" in its example"
					bad = 1
				}
			}
		}
		END { exit bad }' "$tmp/list"
}

# Without the lines that begin an example: there execve(2) itself speaks, in the words that it should have.
no_phrase() {
	{ column 3; column 4; column 5; } >"$tmp/words"
	grep -Ein "$phrases" "$tmp/words" && return 1
	[ -s "$tmp/words" ]
}

# All constants of the objects, in which those that the source has in parts are one. The names of files are not among them.
no_phrase_in_objects() {
	for object in $(cd "$ERRPIPE_SRC/errpipe" && echo explain/*.c explain/*/*.c | sed 's/\.c\>/.o/g'); do
		strings -d -n 2 "$ERRPIPE_BUILD/pic/$object" >"$tmp/strings" || return 1
		if grep -Ei "$phrases" "$tmp/strings"; then
			echo "is in $object"
			return 1
		fi
		cat "$tmp/strings" >>"$tmp/all"
	done
	grep -q '^loader-missing$' "$tmp/all"
}

sees_phrases() {
	cat >"$tmp/bad.c" <<-'END'
		const char *bad(void);
		const char *bad(void) { return "its interpreter is Not " "Found"; }
	END
	cc -c -o "$tmp/bad.o" "$tmp/bad.c" && strings -d -n 2 "$tmp/bad.o" | grep -Eqi "$phrases"
}

# Each cause is made by a row of the table, or by the test that check_explain_cases.c names for it.
tested() {
	sed -n 's/^	{ ERRPIPE_CAUSE_\([A-Z0-9_]*\), "\(.*\)" },$/\1 \2/p' "$cases" >"$tmp/elsewhere"
	[ -s "$tmp/elsewhere" ] || return 1
	while read -r id file; do
		# What only the command finds is known there by its words.
		words=$(awk -v id="$id" 'BEGIN { RS = "\002"; FS = "\001" } $1 == id { print $3 }' "$tmp/list")
		if ! grep -q -e "ERRPIPE_CAUSE_$id\b" -e "${words:-$id}" "$ERRPIPE_SRC"/tests/*/"$file"; then
			echo "$file does not speak of $id"
			return 1
		fi
	done <"$tmp/elsewhere"
	awk -F '|' '!/^#/ && NF { gsub(/ /, "", $9); print $9 }' "$ERRPIPE_SRC/tests/cases.txt" >"$tmp/tested"
	cut -d ' ' -f 1 "$tmp/elsewhere" | tr 'A-Z_' 'a-z-' >>"$tmp/tested"
	column 2 | grep -vxF -f "$tmp/tested" && return 1
	[ -s "$tmp/tested" ]
}

if ! command -v cc >/dev/null; then
	echo "ok 1 - the words of explain # SKIP no compiler"
	echo 1..1
	exit
fi
try "causes.def can be read" listed
try "it has the causes of the header, in the same order" same_order
try "each has a name of its own, which is that in the header" names
try "each has all of its texts" all_texts
try "no text has a placeholder that there is not" placeholders
try "each example shows what errpipe says" examples_show_them
try "no text is taken for an errno by others" no_phrase
try "nor is any other that the library has for it" no_phrase_in_objects
try "which would be seen" sees_phrases
try "each cause has a test that makes it" tested

echo "1..$n"
exit "$failed"
