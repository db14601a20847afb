#!/bin/sh
# SPDX-License-Identifier: MIT
# The order of the layers, read off the objects: no two objects of a layer depend on each other in a circle, and no layer uses one
# above it. The command uses public functions only. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# From the lowest to the highest, a line each. An object is in the layer with the longest name that its path begins with.
layers='
common
lib
explain/finding
explain/facts/
explain/kernel/
explain/program/
explain/hints/
explain
cmd'

# The directories that have no circle inside.
without_circle='common lib explain cmd'

# objects LAYER: the objects of its sources.
objects() {
	kind=pic
	[ "$1" != cmd ] || kind=obj
	find "$ERRPIPE_SRC/errpipe/$1" -name '*.c' -printf "$ERRPIPE_BUILD/$kind/$1/%P\\n" | sed 's/c$/o/'
}

# edges OBJECT...: "FROM TO" for each object that uses a symbol of another one, by their paths below errpipe/.
edges() {
	nm -A -g -P "$@" | awk '
		{
			sub(/:$/, "", $1)
			sub(/.*\/(pic|obj)\//, "", $1)
			if ($3 == "U" || $3 == "w") uses[$1, $2]
			else owner[$2] = $1
		}
		END {
			for (use in uses) {
				split(use, part, SUBSEP)
				if (part[2] in owner && owner[part[2]] != part[1]) print part[1], owner[part[2]]
			}
		}' | sort -u
}

# no_circle OBJECT...
no_circle() {
	edges "$@" >"$tmp/edges" && [ -s "$tmp/edges" ] && tsort "$tmp/edges" >"$tmp/order"
}

# goes_down OBJECT...: no object uses a layer above its own.
goes_down() {
	edges "$@" >"$tmp/edges" && [ -s "$tmp/edges" ] || return 1
	awk -v layers="$(echo "$layers" | tr '\n' ' ')" '
		function rank(object, i, best) {
			best = 0
			for (i = 1; i <= count; i++) {
				if (index(object, layer[i]) == 1 && (!best || length(layer[i]) > length(layer[best]))) best = i
			}
			return best
		}
		BEGIN { count = split(layers, layer, " ") }
		!rank($1) || !rank($2) || rank($1) < rank($2) { print $1, "uses", $2; bad = 1 }
		END { exit bad }' "$tmp/edges"
}

all_go_down() {
	# shellcheck disable=SC2046 # a word for each object
	goes_down $(objects common) $(objects lib) $(objects explain) $(objects cmd)
}

# Private names begin with ep_, and private headers are in the directories of the libraries. Tables are for all.
command_is_a_user() {
	# shellcheck disable=SC2046
	nm -A -u -P $(objects cmd) >"$tmp/used" && grep -q ' errpipe_spawn ' "$tmp/used" && ! grep ' ep_' "$tmp/used" &&
		! grep -E '#include "(common|lib|explain)/.*\.h"' "$ERRPIPE_SRC"/errpipe/cmd/*.[ch]
}

explanation_is_a_user() {
	! grep -rE '#include "lib/' "$ERRPIPE_SRC/errpipe/explain"
}

# --- the command with the shared libraries, which export public names only

shared=$ERRPIPE_BUILD/tests/shared/errpipe
links() {
	"$ERRPIPE_SRC/tests/support/make" O="${ERRPIPE_BUILD#"$ERRPIPE_SRC/"}" "${shared#"$ERRPIPE_SRC/"}" || return 1
	[ "$(readelf -dW "$shared" | grep -Ec 'NEEDED.*liberrpipe(-explain)?\.so\.0')" = 2 ]
}

# same ARG...: it does what the static command does.
same() {
	"$ERRPIPE_BUILD/errpipe" "$@" >"$tmp/1" 2>&1 <"$tmp/record"
	want=$?
	"$shared" "$@" >"$tmp/2" 2>&1 <"$tmp/record"
	[ "$?" = "$want" ] && [ -s "$tmp/1" ] && diff "$tmp/1" "$tmp/2"
}

# --- the test itself

# sample NAME CODE: an object at pic/NAME.o.
sample() {
	mkdir -p "$(dirname "$tmp/pic/$1")" && echo "$2" | "${CC:-cc}" -x c -c -o "$tmp/pic/$1.o" -
}

seen() {
	sample lib/a 'void b(void); void a(void); void a(void) { b(); }' && sample lib/b 'void a(void); void b(void); void b(void) { a(); }' &&
		sample lib/c 'void b(void); void c(void); void c(void) { b(); }' &&
		sample explain/d 'void b(void); void d(void); void d(void) { b(); }' &&
		sample lib/e 'void d(void); void e(void); void e(void) { d(); }' || return 1
	! no_circle "$tmp/pic/lib/a.o" "$tmp/pic/lib/b.o" && no_circle "$tmp/pic/lib/c.o" "$tmp/pic/lib/b.o" &&
		goes_down "$tmp/pic/explain/d.o" "$tmp/pic/lib/b.o" && ! goes_down "$tmp/pic/explain/d.o" "$tmp/pic/lib/e.o"
}

for layer in $without_circle; do
	# shellcheck disable=SC2046
	try "errpipe/$layer: no circle" no_circle $(objects "$layer")
done
try "no layer uses one above it" all_go_down
try "the command uses public functions and headers only" command_is_a_user
try "the explanation uses public headers of the library only" explanation_is_a_user
try "the command links against the shared libraries" links
printf '#!/missing\n' >"$tmp/script"
chmod 755 "$tmp/script"
"$ERRPIPE_BUILD/dmz" 3 /nothing name 3>"$tmp/record"
try "it runs with them: --version" same --version
try "it runs with them: run" same run -- "$tmp/script"
try "it runs with them: exec" same exec -- "$tmp/script"
try "it runs with them: explain" same explain -- "$tmp/script"
try "it runs with them: decode" same decode
try "a circle and a step up would be seen" seen

echo "1..$n"
exit "$failed"
