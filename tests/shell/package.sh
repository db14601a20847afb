#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages of packaging/debian: they build from the tarball without a network, have the right content, and leave
# nothing after they were installed and removed. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${NOLIBC:?}"

tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

if ! command -v dh >/dev/null || ! command -v dpkg-buildpackage >/dev/null; then
	echo "ok 1 - a Debian package # SKIP no debhelper"
	echo 1..1
	exit
fi

version=$(sed -n 's/^#define ERRPIPE_VERSION "\(.*\)"/\1/p' "$ERRPIPE_SRC/errpipe/errpipe.h")
triplet=$(dpkg-architecture -q DEB_HOST_MULTIARCH)
source=$tmp/errpipe-$version

# Copy the headers of nolibc, because unpacking the kernel's source takes long.
unpack() {
	MAKEFLAGS='' make -s -C "$ERRPIPE_SRC" O="$tmp/dist" dist && tar -xzf "$tmp/dist/errpipe-$version.tar.gz" -C "$tmp" &&
		cp -r "$source/packaging/debian" "$source/debian" && mkdir "$source/build" &&
		cp -r "$NOLIBC" "$source/build/nolibc" || return 1
	cat >"$source/debian/changelog" <<-END
		errpipe ($version) UNRELEASED; urgency=low

		  * Built by a test.

		 -- The errpipe authors <errpipe@localhost>  Thu, 01 Jan 2026 00:00:00 +0000
	END
}

# Without a network, if that is allowed.
offline() {
	if unshare -n true 2>/dev/null; then
		unshare -n "$@"
	else
		"$@"
	fi
}

build() {
	cd "$source" && MAKEFLAGS='' DEB_BUILD_OPTIONS='nocheck noautodbgsym' offline dpkg-buildpackage -b -nc -us -uc
}

# deb PACKAGE: print the name of its file.
deb() {
	echo "$tmp/$1_$version"_*.deb
}

# has PACKAGE FILE...: the package has exactly these files, with these modes, besides those that debhelper adds to each package.
has() {
	package=$1
	shift
	printf '%s\n' "$@" "-rw-r--r-- ./usr/share/doc/$package/changelog.gz" "-rw-r--r-- ./usr/share/doc/$package/copyright" |
		sort >"$tmp/wanted"
	dpkg-deb -c "$(deb "$package")" >"$tmp/content" || return 1
	awk '$1 !~ /^d/ { print $1, $6, $7, $8 }' "$tmp/content" | sed 's/ *$//' | sort | diff "$tmp/wanted" - &&
		! grep -Ev '^[^ ]* root/root ' "$tmp/content"
}

all_are_there() {
	has errpipe \
		'-rwxr-xr-x ./usr/bin/errpipe' \
		'lrwxrwxrwx ./usr/bin/dmz -> ../libexec/errpipe/dmz' \
		'-rwxr-xr-x ./usr/libexec/errpipe/dmz' \
		'-rw-r--r-- ./usr/share/man/man1/dmz.1.gz' \
		'-rw-r--r-- ./usr/share/man/man1/errpipe.1.gz' \
		'-rw-r--r-- ./usr/share/man/man7/errpipe-causes.7.gz' \
		'-rw-r--r-- ./usr/share/man/man7/errpipe-protocol.7.gz' \
		'-rw-r--r-- ./usr/share/bash-completion/completions/errpipe' \
		'-rw-r--r-- ./usr/share/zsh/vendor-completions/_errpipe' || return 1
	has liberrpipe0 \
		"lrwxrwxrwx ./usr/lib/$triplet/liberrpipe.so.0 -> liberrpipe.so.$version" \
		"-rw-r--r-- ./usr/lib/$triplet/liberrpipe.so.$version" || return 1
	has liberrpipe-explain0 \
		"lrwxrwxrwx ./usr/lib/$triplet/liberrpipe-explain.so.0 -> liberrpipe-explain.so.$version" \
		"-rw-r--r-- ./usr/lib/$triplet/liberrpipe-explain.so.$version" || return 1
	has liberrpipe-dev \
		'-rw-r--r-- ./usr/include/errpipe.h' \
		'-rw-r--r-- ./usr/include/errpipe_explain.h' \
		"-rw-r--r-- ./usr/lib/$triplet/liberrpipe-explain.a" \
		"-rw-r--r-- ./usr/lib/$triplet/liberrpipe.a" \
		"lrwxrwxrwx ./usr/lib/$triplet/liberrpipe-explain.so -> liberrpipe-explain.so.0" \
		"lrwxrwxrwx ./usr/lib/$triplet/liberrpipe.so -> liberrpipe.so.0" \
		"-rw-r--r-- ./usr/lib/$triplet/pkgconfig/errpipe-explain.pc" \
		"-rw-r--r-- ./usr/lib/$triplet/pkgconfig/errpipe.pc" \
		'-rw-r--r-- ./usr/share/man/man3/errpipe.3.gz' \
		'-rw-r--r-- ./usr/share/man/man3/errpipe_explain.3.gz'
}

# field PACKAGE FIELD TEXT
field() {
	got=$(dpkg-deb -f "$(deb "$1")" "$2")
	echo "$1 $2: $got"
	[ "$got" = "$3" ]
}

fields() {
	field errpipe Version "$version" &&
		field liberrpipe-dev Depends "liberrpipe0 (= $version), liberrpipe-explain0 (= $version)" &&
		dpkg-deb -f "$(deb errpipe)" Depends | grep -q '^libc6 (>= ' &&
		dpkg-deb -f "$(deb liberrpipe-explain0)" Depends | grep -w liberrpipe0 || return 1
	# A package that is linked with the libraries will depend on these.
	for library in liberrpipe liberrpipe-explain; do
		dpkg-deb --ctrl-tarfile "$(deb "${library}0")" | tar -xO ./shlibs | grep "^$library 0 ${library}0" || return 1
	done
}

stub_is_untouched() {
	cmp "$source/build/dmz" "$tmp/errpipe/usr/libexec/errpipe/dmz" &&
		"$source/scripts/build/check-stub" "$tmp/errpipe/usr/libexec/errpipe/dmz" "$(uname -m)"
}

all_else_is_stripped() {
	for file in errpipe/usr/bin/errpipe "liberrpipe0/usr/lib/$triplet/liberrpipe.so.$version" \
		"liberrpipe-explain0/usr/lib/$triplet/liberrpipe-explain.so.$version"; do
		readelf -SW "$tmp/$file" >"$tmp/sections" && grep -q '\.text' "$tmp/sections" || return 1
		! grep -E '\.debug_|\.symtab' "$tmp/sections" || return 1
	done
}

# dpkg gets its own database directory, so that it does not change the machine's. The packages have no scripts, which would have to
# run in there.
installed() {
	root=$tmp/root
	mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/usr/bin" "$root/usr/share/man/man1" &&
		: >"$root/var/lib/dpkg/status" && echo other >"$root/usr/bin/other" && echo other >"$root/usr/share/man/man1/other.1" ||
		return 1
	list() { (cd "$root" && find . -path ./var -prune -o -printf '%y %m %p %l\n' | sort); }
	list >"$tmp/before"
	dpkg --root="$root" --log="$tmp/dpkg.log" --force-depends --force-not-root --force-bad-path -i \
		"$(deb errpipe)" "$(deb liberrpipe0)" "$(deb liberrpipe-explain0)" "$(deb liberrpipe-dev)" || return 1
	works || return 1
	dpkg --root="$root" --log="$tmp/dpkg.log" --force-not-root --force-bad-path --purge errpipe liberrpipe-dev \
		liberrpipe-explain0 liberrpipe0 && list | diff "$tmp/before" -
}

works() {
	[ "$("$root/usr/bin/errpipe" --version)" = "errpipe $version" ] || return 1
	status=0
	PATH=$root/usr/bin:$PATH sh -c "exec dmz 3 /nothing nothing 3>$tmp/record" || status=$?
	[ "$status" = 127 ] && [ "$("$root/usr/bin/errpipe" decode "$tmp/record")" = "exec: no such file or directory" ]
}

cleans() {
	cd "$source" && MAKEFLAGS='' debian/rules clean || return 1
	rm -r debian
	(cd "$source" && find . -type f -printf '%P\n' | sort) >"$tmp/left"
	tar -tzf "$tmp/dist/errpipe-$version.tar.gz" | sed 's,^[^/]*/,,' | sort | diff - "$tmp/left"
}

try "the tarball with packaging/debian as its debian/" unpack
try "dpkg-buildpackage" build
try "the packages have the right files" all_are_there
try "version and dependencies" fields
for package in errpipe liberrpipe0 liberrpipe-explain0; do
	dpkg-deb -x "$(deb $package)" "$tmp/$package"
done
try "dmz is the stub that was built, byte for byte" stub_is_untouched
try "the command and the libraries are stripped" all_else_is_stripped
try "they install, work, and leave nothing when purged" installed
try "debian/rules clean leaves the source as it was" cleans

echo "1..$n"
exit "$failed"
