#!/bin/sh
# SPDX-License-Identifier: MIT
# The texts of errpipe explain: causes.def has all of them for each cause, in the order of the header's enum. None contains a phrase
# that container tools parse as an errno. Each cause has a test. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

header=$ERRPIPE_SRC/errpipe/errpipe_explain.h
cases=$ERRPIPE_SRC/tests/unit/check_explain_cases.c

# The phrases that Docker (daemon/errors.go, cli's container/run.go), podman (libpod/oci_util.go), containerd and CRI-O
# look for anywhere in a runtime's message.
phrases='not found|no such file|permission denied|is a directory|not a directory|operation not permitted|open executable'
phrases="$phrases|no such process|container not running|invalid process"

listed() {
	"$ERRPIPE_SRC/scripts/build/causes" list >"$tmp/list" && [ "$(tr -dc '\002' <"$tmp/list" | wc -c)" -gt 50 ]
}

# column N: print this column of each cause, one a line.
column() {
	awk -v column="$1" 'BEGIN { RS = "\002"; FS = "\001" } { gsub(/\n/, " ", $column); print $column }' "$tmp/list"
}

same_order() {
	cc -E -P "$header" | tr '\n' ' ' | sed 's/.*enum errpipe_cause *{\([^}]*\)}.*/\1/' | grep -o 'ERRPIPE_CAUSE_[A-Z0-9_]*' |
		sed 's/^ERRPIPE_CAUSE_//' >"$tmp/enum"
	[ -s "$tmp/enum" ] && column 1 | diff "$tmp/enum" -
}

# Each name is that of the enum in lower case, with dashes.
names() {
	column 2 | grep -Evx '[a-z0-9]+(-[a-z0-9]+)*' && return 1
	column 2 | sort | uniq -d | grep . && return 1
	column 1 | tr 'A-Z_' 'a-z-' >"$tmp/names" && column 2 | diff "$tmp/names" -
}

# These causes break no link of the chain; the second list needs no advice.
without_link='none setup-failed cwd-unsearchable bundle-without-path bundle-capabilities bundle-cwd bundle-relative-path bundle-variable bundle-open-files bundle-limit bundle-label bundle-seccomp argument-too-long arguments-too-large process-limit no-process seccomp stub-refused step-failed'
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

# errpipe/explain/text.c ends a placeholder at its first brace.
not_nested() {
	{ column 3; column 4; column 5; cat "$ERRPIPE_SRC/errpipe/explain/facts.def"; } >"$tmp/words"
	grep -nE '[{][^{}"]*[{]' "$tmp/words" && return 1
	[ -s "$tmp/words" ]
}

# errpipe/explain/text.c replaces every placeholder that is used.
placeholders() {
	sed -n 's/.*{ "\([a-z-]*\)", .* },$/\1/p; s/.*memcmp(\(p\|key\), "\([a-z-]*\)", .*/\2/p' \
		"$ERRPIPE_SRC/errpipe/explain/text.c" | sort -u >"$tmp/known"
	grep -qx subject "$tmp/known" && grep -qx it "$tmp/known" || return 1
	{ column 3; column 4; column 5; } | grep -o '{[a-z-]*' | tr -d '{' |
		sed 's/-\(none\|other\|same\|name\|word\|inside\|file\)$//' | sort -u >"$tmp/used"
	grep -vxF -f "$tmp/known" "$tmp/used" && return 1
	[ -s "$tmp/used" ]
}

# Each example shows the constant parts of the finding and the advice. The command words "none" differently.
examples_show_them() {
	awk '
		# Return the longest part of a text without a placeholder.
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
				if (constant($i) != "" && !index($7, constant($i))) {
					print $2 ": no \"" constant($i) "\" in its example"
					bad = 1
				}
			}
		}
		END { exit bad }' "$tmp/list"
}

# Examples are left out, because they show messages about execve(2) itself, which should have these phrases.
no_phrase() {
	{ column 3; column 4; column 5; } >"$tmp/words"
	grep -Ein "$phrases" "$tmp/words" && return 1
	[ -s "$tmp/words" ]
}

# Search the strings in the objects, where the compiler has joined adjacent literals. Names of files are not among them.
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

# Without the label and the errno. A path of 100 bytes would be too much for any text.
at_most_100_columns() {
	awk 'BEGIN { RS = "\002"; FS = "\001" } { print $7 }' "$tmp/list" | sed -n 's/^\(errpipe: \)\{0,1\}\(why\|fix\)\( ([a-z]*)\)\{0,1\}: //p' | sed 's/ (E[A-Z0-9]*)$//' >"$tmp/lines"
	awk 'length($0) > 100 { print length($0) ": " $0; wide = 1 } END { exit wide || NR < 100 }' "$tmp/lines"
}

# detail_rows: the rows of facts.def's DETAIL, each after the causes that the header names for it: "CAUSE CAUSE ID words".
detail_rows() {
	awk '
		FNR == NR && /^enum errpipe_detail/ { inside = 1 }
		FNR == NR && inside && /^};/ { inside = 0 }
		FNR == NR && inside && /^\t\/\* [A-Z]/ { causes = $0; gsub(/:.*/, "", causes); gsub(/[^A-Z_0-9 ]/, " ", causes); next }
		FNR == NR && inside && match($0, /ERRPIPE_DETAIL_[A-Z0-9_]+/) {
			of[substr($0, RSTART + 15, RLENGTH - 15)] = causes
			next
		}
		FNR != NR && /^DETAIL\(/ {
			id = $0
			sub(/^DETAIL\(/, "", id)
			sub(/,.*/, "", id)
			words = $0
			sub(/^DETAIL\([A-Z0-9_]*, "[a-z0-9-]*", "/, "", words)
			sub(/"\)$/, "", words)
			print of[id] "\001" id "\001" words
		}' "$header" "$ERRPIPE_SRC/errpipe/explain/facts.def"
}

# Each advice with each row of facts.def that can stand in it, with names of a usual length.
rows_in_100_columns() {
	detail_rows >"$tmp/rows"
	{ awk '{ print "R\001" $0 }' "$tmp/rows" && awk 'BEGIN { RS = "\002"; FS = "\001" } $1 { gsub(/\n/, " "); print "C\001" $1 "\001" $5 }' "$tmp/list"; } |
		awk '
			# The text with all that a row leaves open filled in.
			function filled(text, id,    left, key, body, value) {
				while (match(text, /{[^{}]*}/)) {
					left = substr(text, 1, RSTART - 1)
					key = body = substr(text, RSTART + 1, RLENGTH - 2)
					sub(/:.*/, "", key)
					body = index(body, ":") ? substr(body, length(key) + 2) : "%"
					text = substr(text, RSTART + RLENGTH)
					value = value_of(key, id)
					gsub(/%/, value, body)
					text = left (value == "" ? "" : body) text
				}
				return text
			}
			function value_of(key, id) {
				sub(/-(name|word|inside|file|other)$/, "", key)
				if (key == "detail")
					return words
				if (key ~ /-(none|same)$/ || key ~ /^(unmapped|both|remount|disable|looked|registered)$/)
					return ""
				if (key == "host-platform")
					return "linux/mips64le"
				if (key == "object")
					return id == "EMULATOR_INSTALLED" ? "/usr/bin/qemu-sparc32plus-static" : id == "EMULATOR_IN_PACKAGE" ? "qemu-user-static" : "object"
				if (key == "arch")
					return "sparc32plus"
				return key ~ /^(number|limit|uid|gid)$/ ? "1048576" : "./app"
			}
			BEGIN { FS = "\001" }
			$1 == "R" { causes[++rows] = " " $2 " "; ids[rows] = $3; texts[rows] = $4; next }
			index($3, "{detail") {
				for (i = 1; i <= rows; i++) {
					if (!index(causes[i], " " $2 " "))
						continue
					words = texts[i]
					line = filled($3, ids[i])
					seen++
					if (length(line) > 100) {
						print length(line) ": " $2 ", " ids[i] ": " line
						wide = 1
					}
				}
			}
			END { print seen " forms"; exit wide || seen < 5 }'
}

sees_phrases() {
	cat >"$tmp/bad.c" <<-'END'
		const char *bad(void);
		const char *bad(void) { return "its interpreter is Not " "Found"; }
	END
	cc -c -o "$tmp/bad.o" "$tmp/bad.c" && strings -d -n 2 "$tmp/bad.o" | grep -Eqi "$phrases"
}

# Each cause is produced by a row of the table or by the test that check_explain_cases.c names for it.
tested() {
	sed -n 's/^	{ ERRPIPE_CAUSE_\([A-Z0-9_]*\), "\(.*\)" },$/\1 \2/p' "$cases" >"$tmp/elsewhere"
	[ -s "$tmp/elsewhere" ] || return 1
	while read -r id file; do
		# A cause that only the command finds appears in the test by its words.
		words=$(awk -v id="$id" 'BEGIN { RS = "\002"; FS = "\001" } $1 == id { print $3 }' "$tmp/list")
		name=$(printf '%s\n' "$id" | tr 'A-Z_' 'a-z-')
		if ! grep -q -e "ERRPIPE_CAUSE_$id\b" -e "${words:-$id}" -e " $name " "$ERRPIPE_SRC"/tests/*/"$file"; then
			echo "$file does not mention $id"
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
try "each cause has a unique name, which matches the header" names
try "each cause has all of its texts" all_texts
try "no text has an unknown placeholder" placeholders
try "no placeholder is inside another one" not_nested
try "each example shows the finding and the advice" examples_show_them
try "no text has a phrase that tools parse as an errno" no_phrase
try "no other string of the library has one" no_phrase_in_objects
try "such a phrase would be detected" sees_phrases
try 'each finding and each advice fits 100 columns' at_most_100_columns
try 'each advice does with each of its details' rows_in_100_columns
try "each cause has a test that produces it" tested

echo "1..$n"
exit "$failed"
