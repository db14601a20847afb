#!/bin/sh
# SPDX-License-Identifier: MIT
# make dist: the same source makes the same tarball, with exactly the files that git tracks. Without git the tarball builds,
# passes one suite of its tests, and can be installed. The other tests run here, from the same files. Writes TAP.
# shellcheck disable=SC2317 # the functions that are called through try
set -u
: "${ERRPIPE_SRC:?}" "${NOLIBC:?}" "${UAPI:?}"

tmp=$(mktemp -d)
chmod 755 "$tmp" # for the tests that another user runs
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# dist SOURCE BUILD: a make around this one would pass its own variables on.
dist() {
	MAKEFLAGS='' make -s -C "$1" O="$2" dist
}

version=$(sed -n 's/^#define ERRPIPE_VERSION "\(.*\)"/\1/p' "$ERRPIPE_SRC/errpipe/errpipe.h")
name=errpipe-$version
tarball=$tmp/1/$name.tar.gz

# same BUILD: what was made there is the same as at first.
same() {
	cmp "$tarball" "$1/$name.tar.gz" && cmp "$tmp/1/SHA256SUMS" "$1/SHA256SUMS"
}

sums_fit() {
	cd "$tmp/1" && [ "$(ls)" = "SHA256SUMS
$name.tar.gz" ] && sha256sum -c SHA256SUMS && [ "$(wc -l <SHA256SUMS)" = 1 ]
}

again() {
	(umask 077 && TZ=America/New_York LC_ALL=C.UTF-8 dist "$ERRPIPE_SRC" "$tmp/2") && same "$tmp/2"
}

# Of root, with one time, and modes that are for everybody.
members() {
	tar -tvzf "$tarball" --numeric-owner --full-time >"$tmp/members" || return 1
	if awk '{ print $1, $2 }' "$tmp/members" | grep -Evx -e '-rw[x-]r-[x-]r-[x-] 0/0'; then
		return 1
	fi
	awk '{ print $4, $5 }' "$tmp/members" | sort -u >"$tmp/times"
	cat "$tmp/times"
	[ "$(wc -l <"$tmp/times")" = 1 ]
}

unpack() {
	cd "$tmp" && (umask 022 && tar -xzf "$tarball") && [ -x "$name/scripts/dist" ]
}

as_tracked() {
	cd "$ERRPIPE_SRC" && git ls-files | sort >"$tmp/tracked" && [ -s "$tmp/tracked" ] || return 1
	(cd "$tmp/$name" && find . -type f -printf '%P\n' | sort) | diff "$tmp/tracked" - || return 1
	while read -r file; do
		cmp "$file" "$tmp/$name/$file" || return 1
	done <"$tmp/tracked"
}

given_time() {
	SOURCE_DATE_EPOCH=1234567890 dist "$ERRPIPE_SRC" "$tmp/3" && tar -tvzf "$tmp/3/$name.tar.gz" --utc --full-time |
		awk '$4 " " $5 != "2009-02-13 23:31:30" { print; bad = 1 } END { exit bad || !NR }'
}

# Unpacked with modes that are for its owner alone, and with something in the folder for what is built.
without_git() {
	copy=$tmp/copy/$name
	mkdir "$tmp/copy" && (umask 077 && tar -xzf "$tarball" -C "$tmp/copy" --no-same-permissions) || return 1
	dist "$copy" "$copy/out" && same "$copy/out" && dist "$copy" "$copy/out" && same "$copy/out"
}

passes() {
	mkdir "$tmp/bin" && printf '#!/bin/sh\necho "git $*" >>"%s"\nexit 127\n' "$tmp/git" >"$tmp/bin/git" &&
		chmod 755 "$tmp/bin/git" || return 1
	cd "$tmp/$name" || return 1
	PATH=$tmp/bin:$PATH MAKEFLAGS='' make -s -j2 NOLIBC="$NOLIBC" UAPI="$UAPI" CHECKS=build/tests/check_exec check-unit &&
		PATH=$tmp/bin:$PATH MAKEFLAGS='' make -s NOLIBC="$NOLIBC" DESTDIR="$tmp/installed" install || return 1
	[ "$("$tmp/installed/usr/local/bin/errpipe" --version)" = "errpipe $version" ] || return 1
	[ ! -e "$tmp/git" ] || { cat "$tmp/git"; return 1; }
	(cd "$tmp/$name" && find . -path ./build -prune -o -type f -printf '%P\n' | sort) | diff "$tmp/sources" -
}

try "make dist" dist "$ERRPIPE_SRC" "$tmp/1"
try "its SHA256SUMS are right" sums_fit
try "another umask, time zone and locale make the same bytes" again
try "owners, times and modes" members
try "it unpacks" unpack
(cd "$tmp/$name" && find . -type f -printf '%P\n' | sort) >"$tmp/sources"
if [ -e "$ERRPIPE_SRC/.git" ]; then
	try "it has the files that git tracks, and nothing else" as_tracked
fi
try "SOURCE_DATE_EPOCH is its time" given_time
try "a tarball that was unpacked makes itself again" without_git
try "without git it builds, passes its tests and can be installed, and writes to build/ alone" passes

echo "1..$n"
exit "$failed"
