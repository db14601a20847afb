#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/bench compares like with like: every row starts the same target with the same signal mask and descriptors, and learns
# the errno of a failed exec if it claims to. Nothing here depends on time. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -eu
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

bench=$ERRPIPE_SRC/tests/bench
dir=$ERRPIPE_BUILD/bench

build() {
	"$ERRPIPE_SRC/tests/support/make" bench-programs
}

# Two rounds of one start each. The signals are reset because a Go program passes on those that nohup or a background job ignores.
run() {
	env --default-signal "$dir/bench" --directory "$dir" --turn 1 --base c/posix_spawn "$@"
}

measure() {
	# shellcheck disable=SC2046 # a list
	run --target "$dir/target" --checker "$dir/checker" --faults $("$bench/rows" started "$dir") >"$tmp/started" &&
		run --target "$dir/foreign" $("$bench/rows" failed "$dir") >"$tmp/failed"
}

# holds FILE FILTER: the filter is true for each row. Other rows are shown.
holds() {
	jq -c "select($2 | not)" "$1" >"$tmp/others" && [ -s "$1" ] && ! grep . "$tmp/others"
}

# The rows whose programs scripts/setup test installs.
all_are_there() {
	for row in vfork posix_spawn fork direct stub stub-ask exec-direct exec-stub floor floor-disk dmz dmz-disk nolibc musl glibc \
		clone env busybox-env; do
		grep -q "\"row\": \"c/$row\"" "$tmp/started" || { echo "no c/$row"; return 1; }
	done
	grep -q '"row": "go/exec"' "$tmp/started" && grep -q '"row": "go/dmz"' "$tmp/started"
}

ordered='.low <= .median and .median <= .high and .q1 <= .median and .median <= .q3 and .low > 0'
well_formed() {
	holds "$tmp/started" "(.us | $ordered) and (.ratio | $ordered) and (.also | $ordered) and .rounds == 2" &&
		holds "$tmp/failed" "(.us | $ordered) and (.ratio | $ordered)"
}

# catatonit leaves some signals blocked, which scripts/bench warns about.
same_for_all() {
	holds "$tmp/started" '.agrees or .row == "c/catatonit"' &&
		[ "$(jq -r '.inherited' "$tmp/started" | head -n 1)" = 'mask 0000000000000000, ignored, descriptors 0 1 2' ]
}

mute='(.row | IN("c/fork", "c/fork-changes", "c/setpriv", "c/floor", "c/floor-disk", "c/nolibc", "c/musl", "c/glibc", "c/env", "c/busybox-env", "c/tini",
	"c/catatonit", "c/dumb-init", "c/execline", "rust/pre_exec"))'
errno_is_learnt() {
	holds "$tmp/failed" ".errno == 8 or $mute"
}
nothing_is_learnt() {
	holds "$tmp/failed" "($mute | not) or (.errno == 0 and .status != 0)"
}

refused() {
	! run --target "$dir/target" "$@" && grep -q "bench: " "$tmp/log"
}

# A row whose target inherits something else is detected.
leaks() {
	mkdir -p "$tmp/leaky" && cp "$dir/target" "$dir/checker" "$dir/floor" "$dir/dmz" "$tmp/leaky" && cp "$dir/c" "$tmp/leaky/c" || return 1
	printf '#!/bin/sh\nexec "%s" "$@" 9<&0\n' "$dir/c" >"$tmp/leaky/leaky" && chmod +x "$tmp/leaky/leaky" || return 1
	run --directory "$tmp/leaky" --target "$dir/target" --checker "$dir/checker" c/posix_spawn leaky/vfork >"$tmp/leak" || return 1
	[ "$(jq -c .agrees "$tmp/leak" | paste -sd ' ')" = 'true false' ]
}

tables() {
	cd "$tmp" || return 1
	echo '{ "cpu": "x", "cores": 2, "load": 0, "steal": 0 }' >machine
	sed '/^#/d; s/ *; */;/g' "$bench/rows.txt" >words
	echo 'another row' >absent
	# Only root can start containers, so these rows have the figures of another.
	for row in $("$bench/rows" container "$dir"); do
		jq -c --arg row "$row" 'select(.row == "c/posix_spawn") | .row = $row' started
	done >containers
	jq -n --slurpfile machine machine --slurpfile started started --slurpfile failed failed --argjson between '[]' --slurpfile containers containers --argjson growth '[]' --argjson series '[]' \
		--argjson calls '[]' --argjson programs '[]' --rawfile absent absent --rawfile words words -f "$bench/combine.jq" >bench.json &&
		jq -r -L "$bench" -f "$bench/tables.jq" bench.json >bench.md || return 1
	sed '/^#/d; s/.*; *//' "$bench/rows.txt" >names
	while read -r name; do
		grep -qF "| $name |" bench.md || "$bench/rows" absent "$dir" | grep -qxF "$name" || { echo "no $name"; return 1; }
	done <names
	grep -qF '| another row | not installed |' bench.md
}

# The documents contain all the rows and plots of this version of scripts/bench.
documented() {
	cd "$ERRPIPE_SRC" || return 1
	grep -o 'plots/[a-z]*\.svg' docs/performance.md >"$tmp/plots"
	while read -r plot; do
		grep -q '</svg>' "docs/$plot" || { echo "no docs/$plot"; return 1; }
	done <"$tmp/plots"
	for plot in docs/plots/*; do
		grep -q "plots/$(basename "$plot")" docs/performance.md || { echo "$plot is not shown"; return 1; }
	done
	sed '/^#/d; s/.*; *//' "$bench/rows.txt" | while read -r name; do
		grep -qF "| $name |" docs/performance.md || { echo "no $name"; exit 1; }
	done
}

inspected() {
	(cd "$dir" && ./inspect dmz dmz 3 "$dir/target" target 3>/dev/null) >"$tmp/inspected" &&
		holds "$tmp/inspected" '.calls == 2 and .instructions > 10 and .rss > 0'
}

missing=$("$ERRPIPE_SRC/tests/support/lacks" x86-64) || :
command -v go >/dev/null && command -v musl-gcc >/dev/null || missing='no Go or musl-gcc'
if [ -n "$missing" ]; then
	echo "ok 1 - the benchmarks # SKIP $missing"
	echo 1..1
	exit
fi
try "all programs build" build
try "all rows run" measure
try "no row of the default set-up is missing" all_are_there
try "the figures are well-formed" well_formed
try "a target that starts ends well" holds "$tmp/started" '.errno == 0 and .status == 0'
try "all rows pass on the same mask and descriptors" same_for_all
try "a row that does not is detected" leaks
try "rows that claim to learn the errno of a failed exec do" errno_is_learnt
try "the other rows learn an exit code" nothing_is_learnt
try "an unknown row is refused" refused c/nonsense
try "an unknown option is refused" refused --nonsense 1 c/vfork
try "a helper that does not start is detected" refused nonsense/vfork
try "the tables have every row" tables
try "the cost of a stub is counted" inspected
try "docs/performance.md has the rows and the plots" documented

echo "1..$n"
exit "$failed"
