#!/bin/sh
# SPDX-License-Identifier: MIT
# make install and make uninstall: the right files are installed, programs can be built with them and run, and uninstalling leaves
# nothing. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"

# The build directory by the relative name that scripts/test uses, because make records dependencies on headers under this name.
O=${ERRPIPE_BUILD#"$ERRPIPE_SRC/"}

# run_make ARG...
run_make() {
	"$ERRPIPE_SRC/tests/support/make" O="$O" "$@"
}

headers=$ERRPIPE_SRC/errpipe
header=$headers/errpipe.h
version=$(sed -n 's/^#define ERRPIPE_VERSION "\(.*\)"/\1/p' "$header")

# --- installing

installs_only() {
	touch "$tmp/stamp" && run_make DESTDIR="$tmp/root" install || return 1
	# Leave out Go's cache, because tests/shell/go.sh may fill it at the same time.
	if find "$ERRPIPE_BUILD" -path "$ERRPIPE_BUILD/go" -prune -o -newer "$tmp/stamp" -print | grep .; then
		echo "make install wrote these files of the build"
		return 1
	fi
}

# files ROOT: print the modes and names of the files installed there.
files() {
	(cd "$1" && find . ! -type d -printf '%m %p %l\n' | sed 's/ $//' | sort -k 2)
}

installed_as_listed() {
	files "$tmp/root/usr/local" >"$tmp/files"
	{
		cat <<-END
			777 ./bin/dmz ../libexec/errpipe/dmz
			755 ./bin/errpipe
			644 ./include/errpipe.h
			644 ./include/errpipe_explain.h
			644 ./lib/liberrpipe-explain.a
			777 ./lib/liberrpipe-explain.so liberrpipe-explain.so.0
			777 ./lib/liberrpipe-explain.so.0 liberrpipe-explain.so.$version
			644 ./lib/liberrpipe-explain.so.$version
			644 ./lib/liberrpipe.a
			777 ./lib/liberrpipe.so liberrpipe.so.0
			777 ./lib/liberrpipe.so.0 liberrpipe.so.$version
			644 ./lib/liberrpipe.so.$version
			644 ./lib/pkgconfig/errpipe-explain.pc
			644 ./lib/pkgconfig/errpipe.pc
			755 ./libexec/errpipe/dmz
			644 ./share/bash-completion/completions/errpipe
			644 ./share/zsh/site-functions/_errpipe
		END
		(cd "$ERRPIPE_SRC/errpipe/man" && ls ./*.[1-8]) | sed 's,^\./\(.*\.\([1-8]\)\)$,644 ./share/man/man\2/\1,'
	} | sort -k 2 | diff - "$tmp/files"
}

same_files() {
	cmp "$ERRPIPE_BUILD/dmz" "$tmp/root/usr/local/libexec/errpipe/dmz" &&
		cmp "$ERRPIPE_BUILD/errpipe" "$tmp/root/usr/local/bin/errpipe" &&
		cmp "$header" "$tmp/root/usr/local/include/errpipe.h" &&
		cmp "$headers/errpipe_explain.h" "$tmp/root/usr/local/include/errpipe_explain.h"
}

# The umask of the installing user may be for private files.
private_umask() {
	(umask 077 && run_make DESTDIR="$tmp/private" install) || return 1
	files "$tmp/private/usr/local" | diff "$tmp/files" - || return 1
	if find "$tmp/private/usr" -type d ! -perm 755 | grep .; then
		echo "these directories are not accessible to everyone"
		return 1
	fi
}

stub_by_name() {
	status=0
	(PATH=$tmp/root/usr/local/bin:$PATH && dmz 3 "$tmp/nothing" nothing 3>"$tmp/record") || status=$?
	[ "$status" = 127 ] || return 1
	[ "$("$tmp/root/usr/local/bin/errpipe" decode --path x "$tmp/record")" = "exec x: no such file or directory" ]
}

# docs/embedding.md tells runtimes to mount the stub from this path.
place_in_documents() {
	place=$(sed -n 's/.*"destination": "\/dmz".*"source": "\([^"]*\)".*/\1/p' "$ERRPIPE_SRC/docs/embedding.md")
	[ -n "$place" ] && [ -f "$tmp/root$place" ] && ! [ -L "$tmp/root$place" ]
}

# pc ROOT ARG...: run pkg-config for a tree that is not in its final place.
pc() {
	root=$1
	shift
	PKG_CONFIG_LIBDIR=$root/usr/local/lib/pkgconfig pkg-config --define-variable=prefix="$root/usr/local" "$@"
}

one_version() {
	"$tmp/root/usr/local/bin/errpipe" --version >"$tmp/version" || return 1
	cat "$tmp/version"
	[ -n "$version" ] && grep -qwF "$version" "$tmp/version" && [ "$(pc "$tmp/root" --modversion errpipe)" = "$version" ] &&
		[ "$(pc "$tmp/root" --modversion errpipe-explain)" = "$version" ]
}

every_directory() {
	set -- DESTDIR="$tmp/directories" PREFIX=/usr BINDIR=/b LIBDIR=/usr/lib/triplet LIBEXECDIR=/e INCLUDEDIR=/i MANDIR=/m \
		PKGCONFIGDIR=/p BASHCOMPDIR=/c/bash ZSHCOMPDIR=/c/zsh
	run_make "$@" install || return 1
	(cd "$tmp/directories" && find . -type d | sort) >"$tmp/directories.list"
	{
		printf '%s\n' . ./b ./c ./c/bash ./c/zsh ./e ./e/errpipe ./i ./m ./p ./usr ./usr/lib ./usr/lib/triplet
		sed -n 's,.* \./share/man/\(man.\)/.*,./m/\1,p' "$tmp/files"
	} | sort -u | diff - "$tmp/directories.list" || return 1
	# Directories below prefix move with it, others stay.
	flags=$(PKG_CONFIG_LIBDIR=$tmp/directories/p pkg-config --define-variable=prefix=/other --cflags --libs errpipe)
	echo "$flags"
	[ "${flags% }" = "-I/i -L/other/lib/triplet -lerrpipe" ] || return 1
	flags=$(PKG_CONFIG_LIBDIR=$tmp/directories/p pkg-config --define-variable=prefix=/other --cflags --libs errpipe-explain)
	echo "$flags"
	[ "${flags% }" = "-I/i -L/other/lib/triplet -lerrpipe-explain -lerrpipe" ] || return 1
	run_make "$@" uninstall && [ -z "$(ls -A "$tmp/directories")" ]
}

try "make install does not rebuild" installs_only
try "it installs the right files, with the right modes" installed_as_listed
try "the installed files are those that were built" same_files
try "it installs for everyone, whatever the umask" private_umask
try "dmz can be started by its name" stub_by_name
try "the stub is where the documents say, and not a link" place_in_documents
try "errpipe.h, errpipe --version and pkg-config agree on the version" one_version
try "each directory can be chosen" every_directory

# --- the committed stub, which needs neither llvm nor the kernel's headers

committed_stub() {
	stub=$(awk -v name="$(uname -m)" '$1 == name { print $2 }' "$ERRPIPE_SRC/dmz/architectures")
	set -- O="$O/committed" STUB=committed STATIC=1 OBJCOPY= PKG_CONFIG=false NOLIBC="$tmp/nothing"
	run_make "$@" && run_make "$@" DESTDIR="$tmp/committed" install || return
	set -- "$tmp/committed/usr/local/libexec/errpipe/dmz" "$tmp/committed/usr/local/bin/errpipe"
	cmp "$ERRPIPE_SRC/dmz/stubs/$stub" "$1" && [ -x "$1" ] && ! readelf -lW "$2" | grep INTERP
}

built_again() {
	run_make O="$O/committed" "$O/committed/dmz" && cmp "$ERRPIPE_BUILD/dmz" "$ERRPIPE_BUILD/committed/dmz"
}

refused() {
	! run_make O="$O/committed" "$@" "$O/committed/dmz" >"$tmp/refused" 2>&1 && cat "$tmp/refused" &&
		grep -q "$refusal" "$tmp/refused"
}

try "make STUB=committed takes the stub from dmz/stubs, and so does make install" committed_stub
try "make without STUB=committed builds the stub again" built_again
refusal='STUB is committed or nothing'
try "another STUB is refused" refused STUB=amd64
refusal='no stub for powerpc-linux-gnu'
try "STUB=committed is refused without a stub for the compiler's machine" refused STUB=committed CC='echo powerpc-linux-gnu'

# --- the shared libraries

# declared HEADER: the functions that it and the headers that it includes declare, comments aside.
declared() {
	cc -fsyntax-only "$headers/$1" && cc -E -P "$headers/$1" | grep -o '\berrpipe_[a-z_]*(' | tr -d '(' | sort -u
}
declared errpipe_explain.h >"$tmp/functions"
declared errpipe.h >"$tmp/liberrpipe"
comm -13 "$tmp/liberrpipe" "$tmp/functions" >"$tmp/liberrpipe-explain"

# exports DIRECTORY LIBRARY NODE
exports() {
	[ "$(wc -l <"$tmp/$2")" -ge 6 ] || { echo "too few functions in the header"; return 1; }
	nm -D --defined-only "$1/$2.so.$version" | awk '$2 != "A" { print $3 }' | sort >"$tmp/exported"
	sed "s/\$/@@$3/" "$tmp/$2" | diff - "$tmp/exported"
}

# hides DIRECTORY LIBRARY: somebody else's shared library that contains the static one must not export the other names either.
hides() {
	readelf -sW "$1/$2.a" | awk '$5 == "GLOBAL" && $7 != "UND" { print $6, $8 }' | sort -u >"$tmp/globals"
	sed -n 's/^DEFAULT //p' "$tmp/globals" | diff "$tmp/$2" - && grep -q '^HIDDEN ep_' "$tmp/globals"
}

# bound_at_load DIRECTORY LIBRARY: nothing is looked up later, neither a function at its first call nor an address in the code.
bound_at_load() {
	readelf -dW "$1/$2.so.$version" >"$tmp/dynamic"
	cat "$tmp/dynamic"
	grep -q "SONAME.*\[$2\.so\.0\]" "$tmp/dynamic" && grep -q BIND_NOW "$tmp/dynamic" &&
		! grep -q TEXTREL "$tmp/dynamic"
}

needs_the_other() {
	readelf -dW "$1/liberrpipe-explain.so.$version" | grep 'NEEDED.*\[liberrpipe\.so\.0\]'
}

try "clang-19 builds all" run_make O="$O/clang" CC=clang-19 all
try "musl-gcc builds all" run_make O="$O/musl" CC=musl-gcc LDFLAGS=-static all
try "the musl build installs" run_make O="$O/musl" CC=musl-gcc LDFLAGS=-static DESTDIR="$tmp/musl" install
for build in "$ERRPIPE_BUILD" "$ERRPIPE_BUILD/clang" "$ERRPIPE_BUILD/musl"; do
	name=build${build#"$ERRPIPE_BUILD"}
	for library in liberrpipe:ERRPIPE_0.1 liberrpipe-explain:ERRPIPE_EXPLAIN_0.1; do
		node=${library#*:} library=${library%:*}
		try "$name: $library.so exports exactly the functions of its header" exports "$build" "$library" "$node"
		try "$name: all other names are hidden in $library.a" hides "$build" "$library"
		try "$name: $library.so has its SONAME and is bound at load time" bound_at_load "$build" "$library"
	done
	try "$name: liberrpipe-explain.so needs liberrpipe.so" needs_the_other "$build"
done

# --- the static libraries inside another shared one

# shared ROOT CC: each of their objects can be linked in, without text relocations.
shared() {
	for library in liberrpipe liberrpipe-explain; do
		"$2" -shared -Wl,-z,text -Wl,-z,defs -o "$tmp/all.so" -Wl,--whole-archive "$1/usr/local/lib/$library.a" \
			-Wl,--no-whole-archive -L"$1/usr/local/lib" -l:liberrpipe.a -lpthread || return 1
		! readelf -dW "$tmp/all.so" | grep TEXTREL || return 1
	done
}

# A runtime that uses only the report.
cat >"$tmp/report.c" <<-END
	#include "errpipe.h"
	int report(struct errpipe_child *, const struct errpipe_spawn *, char **, char *, size_t);
	int report(struct errpipe_child *child, const struct errpipe_spawn *spawn, char **argv, char *line, size_t size)
	{
		struct errpipe_report report;

		if (errpipe_spawn(child, spawn, argv[0], argv, argv) < 0 || errpipe_wait(child, &report) < 0)
			return -1;
		errpipe_message(line, size, &report, argv[0]);
		return errpipe_exit_code(&report, ERRPIPE_POSIX);
	}
END

# at_most BYTES FILE
at_most() {
	echo "$2: $(stat -c %s "$2") bytes, at most $1"
	[ "$(stat -c %s "$2")" -le "$1" ]
}

# small ROOT CC: the libraries have no debug information. A shared library that contains them can hide the functions.
small() {
	archive=$1/usr/local/lib/liberrpipe.a
	explain=$1/usr/local/lib/liberrpipe-explain.a
	"$2" -shared -fPIC -s -Wl,-z,text -Wl,-z,defs -Wl,--exclude-libs,ALL -I"$headers" -o "$tmp/report.so" "$tmp/report.c" "$archive" -lpthread &&
		! nm -D --defined-only "$tmp/report.so" | grep errpipe_ &&
		! readelf -SW "$archive" "$explain" | grep '\.debug' && at_most 90000 "$archive" && at_most 650000 "$explain" &&
		at_most 70000 "$tmp/report.so"
}

for cc in gcc clang-19 musl-gcc; do
	root=$tmp/root
	[ "$cc" != musl-gcc ] || root=$tmp/musl
	try "the static libraries inside a shared one, by $cc" shared "$root" "$cc"
	try "they are small, and the report alone is smaller, by $cc" small "$root" "$cc"
done

# --- programs

sed 's/.*/{ "&", (void (*)(void))& },/' "$tmp/functions" >"$tmp/functions.h"
echo text >"$tmp/text"
chmod 755 "$tmp/text"

# prints TEXT STATUS COMMAND...
prints() {
	want=$1 want_status=$2 status=0
	shift 2
	got=$(LD_LIBRARY_PATH=$library_path "$@" 2>&1) || status=$?
	echo "$*: '$got', exit status $status"
	[ "$got" = "$want" ] && [ "$status" = "$want_status" ]
}

# program CC STD HOW ROOT
program() {
	std=$2
	case $3 in
	static) option=-static library_path='' needed=0 ;;
	dynamic) option='' library_path=$4/usr/local/lib needed=2 ;;
	esac
	rm -f "$tmp/user"
	# shellcheck disable=SC2046,SC2086 # lists of options
	"$1" -x "${std%%[0-9]*}" -std="$std" -pedantic -Wall -Wextra -Werror -I"$tmp" $(pc "$4" --cflags errpipe-explain) -c \
		-o "$tmp/user.o" "$ERRPIPE_SRC/tests/installed/user.c" &&
		"$1" $option -o "$tmp/user" "$tmp/user.o" $(pc "$4" ${option:+--static} --libs errpipe-explain) || return 1
	if [ "$(readelf -dW "$tmp/user" | grep -Ec 'NEEDED.*liberrpipe(-explain)?\.so\.0')" != "$needed" ]; then
		echo "it is not linked as requested"
		return 1
	fi
	prints "exec $tmp/text: exec format error" 126 "$tmp/user" "$tmp/text" &&
		prints '' 7 "$tmp/user" /bin/sh -c 'exit 7'
}

for std in c99 c++11; do
	for how in static dynamic; do
		try "a program in $std with gcc, $how" program gcc "$std" "$how" "$tmp/root"
		try "a program in $std with clang-19, $how" program clang-19 "$std" "$how" "$tmp/root"
		try "a program in $std with musl-gcc, $how" program musl-gcc "$std" "$how" "$tmp/musl"
	done
done

# --- uninstalling

snapshot() {
	(cd "$1" && find . -printf '%y %m %u %p %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

# as_before ROOT ARG...: install twice, like an upgrade, and uninstall. Afterwards the root is unchanged.
as_before() {
	root=$1
	shift
	snapshot "$root" >"$tmp/before"
	run_make "$@" install && run_make "$@" install || return 1
	snapshot "$root" >"$tmp/between"
	if cmp -s "$tmp/before" "$tmp/between"; then
		echo "nothing was installed"
		return 1
	fi
	run_make "$@" uninstall && snapshot "$root" | diff "$tmp/before" -
}

# neighbours DIR: make files of other packages in every shared directory below DIR.
neighbours() {
	for file in bin/other lib/libother.so.0 lib/pkgconfig/other.pc libexec/other include/other.h share/man/man1/other.1 \
		share/man/man3/other.3 share/man/man7/other.7 share/bash-completion/completions/other \
		share/zsh/site-functions/_other; do
		mkdir -p "$(dirname "$1/$file")" && echo other >"$1/$file" || return 1
	done
}

mkdir "$tmp/empty" "$tmp/a blank" "$tmp/living" "$tmp/fresh"
neighbours "$tmp/a blank/usr/local"
neighbours "$tmp/living"
mkdir -p "$tmp/fresh/bin" "$tmp/fresh/lib" "$tmp/fresh/include" "$tmp/fresh/share/man"
try "make uninstall leaves an empty DESTDIR empty" as_before "$tmp/empty" DESTDIR="$tmp/empty"
try "make uninstall keeps files of others, in a directory with a blank" as_before "$tmp/a blank" DESTDIR="$tmp/a blank"
try "make uninstall keeps files of others without DESTDIR" as_before "$tmp/living" PREFIX="$tmp/living"
try "make uninstall without DESTDIR keeps the empty directories of a system" as_before "$tmp/fresh" PREFIX="$tmp/fresh"
try "make uninstall succeeds if nothing is installed" run_make DESTDIR="$tmp/empty" uninstall

echo "1..$n"
exit "$failed"
