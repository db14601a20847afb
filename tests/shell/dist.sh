#!/bin/sh
# SPDX-License-Identifier: MIT
# make dist: the tarball is reproducible and contains exactly the files that git tracks. Without git it builds, passes one test
# suite, and installs. The other tests already run here, from the same files. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${NOLIBC:?}" "${UAPI:?}"

tmp=$(mktemp -d)
chmod 755 "$tmp" # some tests run as another user
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# dist SOURCE BUILD: run make dist, without variables from an outer make.
dist() {
	MAKEFLAGS='' make -s -C "$1" O="$2" dist
}

version=$(sed -n 's/^#define ERRPIPE_VERSION "\(.*\)"/\1/p' "$ERRPIPE_SRC/errpipe/errpipe.h")
name=errpipe-$version
tarball=$tmp/1/$name.tar.gz

# same BUILD: the files made there equal the first ones.
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

# All members belong to root, have the same time, and are readable by everyone.
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

# It is unpacked with private modes, and built again while the build directory is not empty.
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
	try "it has exactly the files that git tracks" as_tracked
fi
try "SOURCE_DATE_EPOCH sets the time" given_time
try "an unpacked tarball makes the same tarball again" without_git
try "without git it builds, passes its tests and installs, and writes only to build/" passes

echo "1..$n"
exit "$failed"
