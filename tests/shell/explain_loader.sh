#!/bin/sh
# SPDX-License-Identifier: MIT
# errpipe explain and run with dynamic programs, compared with the real loaders of this machine: whether the program starts, the
# words, and the exit status. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
# shellcheck disable=SC2016 # $ORIGIN is the loader's
set -u
# shellcheck source=tests/support/command
. "${ERRPIPE_SRC:?}/tests/support/command"
unset LD_LIBRARY_PATH LD_PRELOAD

if ! command -v cc >/dev/null; then
	echo "ok 1 - dynamic programs # SKIP no compiler"
	echo 1..1
	exit
fi

# library SONAME [FLAG...]: makes the library of that name here.
library() {
	name=$1
	shift
	echo 'int f(void) { return 0; }' | ${compiler:-cc} -x c - -x none -shared -fPIC "-Wl,-soname,$name" -o "$name" "$@"
}

# program NAME FLAG...: it needs what the flags name, and exits with 42.
program() {
	name=$1
	shift
	echo 'int f(void); int main(void) { return f() + 42; }' | ${compiler:-cc} -x c - -x none -o "$name" "$@"
}

# with VARIABLES COMMAND...: run it with these variables, separated by blanks.
with() {
	variables=$1
	shift
	# shellcheck disable=SC2086 # a word for each variable
	env $variables "$@"
}

# starts VARIABLES PROGRAM: it really starts, and explain says so.
starts() {
	with "$1" "$2" >out 2>&1
	[ $? = 42 ] && with "$1" "$errpipe" explain "$2" >>out 2>&1 && return
	cat out
	return 1
}

# stops STATUS TEXT VARIABLES PROGRAM: it does not start. explain says TEXT, and so does run, which exits as the loader does.
stops() {
	want=$1 text=$2 got=0 explained=0
	with "$3" "$errpipe" explain "$4" >explained 2>&1 || explained=$?
	with "$3" "$errpipe" run "$4" >ran 2>&1 || got=$?
	[ "$explained $got" = "1 $want" ] && grep -qF -e "$text" explained && grep -qF -e "$text" ran &&
		grep -qF 'the kernel would start it, but it would stop at once' explained && return
	echo "$explained $got" && cat explained ran
	return 1
}

rules() {
	mkdir -p a b && library libone.so.1 && mv libone.so.1 a && program app a/libone.so.1 &&
		program with-runpath a/libone.so.1 -Wl,-rpath,'$ORIGIN/a' -Wl,--enable-new-dtags &&
		program with-rpath a/libone.so.1 -Wl,-rpath,"$tmp/a" -Wl,--disable-new-dtags
}
try 'build programs' rules
try 'a library that is missing' stops 127 'needs the library "libone.so.1", which its loader does not find' '' ./app
try 'LD_LIBRARY_PATH' starts "LD_LIBRARY_PATH=$tmp/a" ./app
try 'LD_LIBRARY_PATH, other places' starts "LD_LIBRARY_PATH=/nothing:;a/" ./app
try 'RUNPATH' starts '' ./with-runpath
try 'RPATH' starts '' ./with-rpath
try 'the wrong LD_LIBRARY_PATH' stops 127 "the loader searched $tmp/b and the system directories" "LD_LIBRARY_PATH=$tmp/b" ./app
try 'a preloaded library that is missing' starts "LD_PRELOAD=/nothing.so LD_LIBRARY_PATH=$tmp/a" ./app

seq 100 >b/libone.so.1
try 'text in its place' stops 127 'which looks like plain text' "LD_LIBRARY_PATH=$tmp/b:$tmp/a" ./app
: >b/libone.so.1
try 'an empty file in its place' stops 127 'which is an empty file' "LD_LIBRARY_PATH=$tmp/b:$tmp/a" ./app
rm b/libone.so.1
mkdir b/libone.so.1
try 'a directory in its place' stops 127 'is not a regular file' "LD_LIBRARY_PATH=$tmp/b:$tmp/a" ./app
rmdir b/libone.so.1
echo 'INPUT(libone.so.1.2) /* so long that it is no shorter than the header of an ELF file would be */' >b/libone.so.1
try 'a linker script in its place' stops 127 'which is a linker script' "LD_LIBRARY_PATH=$tmp/b:$tmp/a" ./app
rm b/libone.so.1
ln -s libone.so.1.2 b/libone.so.1
try 'a symbolic link that leads nowhere' stops 127 "\"$tmp/b/libone.so.1\" leads to \"libone.so.1.2\", which is missing" \
	"LD_LIBRARY_PATH=$tmp/b" ./app
try 'a symbolic link that leads nowhere, and the library after it' starts "LD_LIBRARY_PATH=$tmp/b:$tmp/a" ./app
rm b/libone.so.1
cp a/libone.so.1 b/libone.so.1.5
try 'the same library under another name' stops 127 "ln -s $tmp/b/libone.so.1.5 $tmp/b/libone.so.1" "LD_LIBRARY_PATH=$tmp/b" ./app
rm b/libone.so.1.5
other_version() { library libone.so.2 && mv libone.so.2 b; }
try 'build another version' other_version
try 'another version of it' stops 127 "was not built for \"$tmp/b/libone.so.2\"" "LD_LIBRARY_PATH=$tmp/b" ./app
rm b/libone.so.2

# inherits: RUNPATH does not, RPATH does.
inherits() {
	mkdir -p c && library libtwo.so.1 && mv libtwo.so.1 c &&
		echo 'int f(void); int g(void) { return f(); }' | cc -x c - -x none -shared -fPIC -Wl,-soname,libthree.so.1 -o c/libthree.so.1 c/libtwo.so.1 &&
		echo 'int g(void); int main(void) { return g() + 42; }' >main.c &&
		cc main.c -o by-runpath c/libthree.so.1 -Wl,-rpath-link,c -Wl,-rpath,"$tmp/c" -Wl,--enable-new-dtags &&
		cc main.c -o by-rpath c/libthree.so.1 -Wl,-rpath-link,c -Wl,-rpath,"$tmp/c" -Wl,--disable-new-dtags
}
try 'build libraries beside each other' inherits
try 'RUNPATH is not inherited' stops 127 "in a RUNPATH that is not inherited: patchelf --add-rpath '\$ORIGIN' $tmp/c/libthree.so.1" '' ./by-runpath
try 'RPATH is inherited' starts '' ./by-rpath

# cut_everywhere: whatever explain says of a library of that size, the loader does. It may be lucky where that is only likely.
cut_everywhere() {
	mkdir -p cut && echo 'char zeros[9999]; int numbers[9999] = { 1 }; int *f(void) { return numbers; }' | cc -x c - -shared -fPIC -Wl,-soname,libcut.so.1 -o whole.so &&
		cp whole.so cut/libcut.so.1 && echo 'int *f(void); int main(void) { return *f() + 41; }' | cc -x c - -x none -o uses-cut cut/libcut.so.1 -Wl,-rpath,"$tmp/cut" || return
	size=$(stat -c %s whole.so) at=4096 stopped=0 started=0
	while [ "$at" -le "$((size + 4095))" ]; do
		head -c "$at" whole.so >cut/libcut.so.1
		said=$("$errpipe" explain --json ./uses-cut | jq -c '[.starts, .certainty, .detail]') got=0
		./uses-cut >out 2>&1 || got=$?
		at=$((at + 4096))
		case "$said $got" in
		'[false,"certain","library-cut-off"] 42' | '[true,"certain",'*' 135') echo "$at: $said, but the status is $got" && return 1 ;;
		'[false,"certain","library-cut-off"] '*) stopped=$((stopped + 1)) ;;
		'[true,"certain",null] 42') started=$((started + 1)) ;;
		esac
	done
	[ "$stopped" -gt 2 ] && [ "$started" -gt 0 ]
}
try 'a library that is cut off anywhere' cut_everywhere
cut_off() {
	head -c 8192 whole.so >cut/libcut.so.1
	"$errpipe" run ./uses-cut >ran 2>&1
	[ $? = 135 ] && grep -qF 'errpipe: why: "./uses-cut" needs the library' ran && grep -qF 'which is truncated: it ends after 8192 bytes' ran
}
try 'run: a library that is cut off' cut_off

# limited LIMIT PROGRAM...: explain's answer about a bundle with that limit, and in $got the real status.
limited() {
	limit=$1
	shift
	jq -n --arg type "RLIMIT_$(echo "${limit%=*}" | tr '[:lower:]' '[:upper:]')" --argjson bytes "${limit#*=}" --args \
		'{root: {path: "/"}, process: {args: $ARGS.positional, cwd: "/", env: [], rlimits: [{type: $type, soft: $bytes, hard: $bytes}]}}' "$@" >limited/config.json
	said=$("$errpipe" explain --json --bundle limited | jq -c '[.starts, .certainty, .cause]')
	got=0
	env -i "$prlimit" "--$limit" "$@" >out 2>&1 || got=$?
}

# limits NAME FIRST LAST STEP PROGRAM...: where explain says for certain that it stops, it does.
limits() {
	name=$1 at=$2 last=$3 step=$4 stopped=0
	shift 4
	mkdir -p limited && prlimit=$(command -v prlimit) || return
	while [ "$at" -le "$last" ]; do
		limited "$name=$at" "$@" || return
		case "$said $got" in
		'[false,"certain",'*' 0') echo "$name=$at $*: $said, but it starts" && return 1 ;;
		'[false,"certain","library-limit"] 127') stopped=$((stopped + 1)) ;;
		'[false,"certain","library-limit"] '*) echo "$name=$at $*: $said, but the status is $got" && return 1 ;;
		esac
		at=$((at + step))
	done
	[ "$stopped" -gt 1 ]
}
try 'little address space' limits as 300000 3000000 300000 /bin/true
try 'little address space for another program' limits as 1000000 4500000 500000 "$(command -v bash)" -c :
try 'little data' limits data 20000 160000 20000 /bin/true

# The cause small-limit is only for run.
# limit_says LIMIT STATUS TEXT PROGRAM...: run has the text, and exits with that status. An empty text: nothing is said.
limit_says() {
	limit=$1 want=$2 text=$3 got=0
	shift 3
	"$errpipe" run --limit "$limit" -- "$@" >ran 2>&1 </dev/null || got=$?
	if [ "$got" = "$want" ] && { [ -z "$text" ] || grep -qF -e "$text" ran; } && { [ "$text" ] || ! grep -F errpipe: ran; }; then
		return
	fi
	echo "$got" && cat ran
	return 1
}
try 'run: too little address space for the kernel' limit_says as=100000 139 'so the kernel kills it' /bin/true
try 'run: too little for the libraries' limit_says as=500000 127 'RLIMIT_AS is 500000, so its loader stops' /bin/true
try 'run: too little data' limit_says data=50000 127 'so its loader stops' /bin/true
try 'run: too little stack' limit_says stack=4096 139 'why (likely): "/bin/true" may have ended because RLIMIT_STACK is only 4096 bytes' /bin/true
try 'run: another crash' limit_says stack=8388608 139 'was started, and was then killed by SIGSEGV' sh -c 'kill -SEGV $$'
try 'run: another status' limit_says as=1073741824 127 '' sh -c 'exit 127'
try 'run: enough' limit_says as=1073741824 42 '' sh -c 'exit 42'
try 'run: no descriptor for a library' limit_says nofile=3 127 'can have only 3 files open (RLIMIT_NOFILE), so its loader cannot open "libc.so.6"' /bin/true
try 'run: a limit of 0' limit_says nofile=0 127 'can have only 0 files open (RLIMIT_NOFILE)' /bin/true
try 'run: a limit of 1' limit_says nofile=1 127 'can have only 1 file open (RLIMIT_NOFILE)' /bin/true
try 'run: one descriptor' limit_says nofile=4 0 '' /bin/true
try 'run: a stack of 0 bytes' limit_says stack=0 139 'because RLIMIT_STACK is only 0 bytes' /bin/true
try 'run: an address space of 0 bytes' limit_says as=0 139 'RLIMIT_AS is 0, so the kernel kills it' /bin/true
try 'run: data of 0 bytes' limit_says data=0 139 'RLIMIT_DATA is 0, so the kernel kills it' /bin/true

# Some shells move their script to descriptor 10 or above.
# script_of SHELL LINE: a script with that first line, if there is such a shell.
script_of() { command -v "$1" >/dev/null && printf '#!%s\nexit 42\n' "$2" >"of-$1" && chmod +x "of-$1"; }
# moves SHELL STATUS: with few descriptors it ends with that status.
moves() {
	for limit in 4 10; do
		limit_says "nofile=$limit" "$2" "$limit files open (RLIMIT_NOFILE), so it cannot open \"./of-$1\"" "./of-$1" || return
	done
	grep -qF 'to at least 11: it moves the script to descriptor 10 or above' ran && limit_says nofile=64 42 '' "./of-$1"
}
script_of dash "$(command -v dash)" && try 'run: dash moves its script' moves dash 2
script_of zsh "$(command -v zsh) -e" && try 'run: zsh moves its script' moves zsh 127
if script_of busybox "$tmp/busybox-sh/sh"; then
	mkdir busybox-sh && ln -s "$(command -v busybox)" busybox-sh/sh
	try 'run: busybox moves its script' moves busybox 2
fi
if script_of env '/usr/bin/env dash' && command -v dash >/dev/null; then
	try 'run: the shell of env moves its script' moves env 2
fi
script_of bash "$(command -v bash)" && try 'run: bash has room' limit_says nofile=4 42 '' ./of-bash
command -v dash >/dev/null && try 'run: a command needs no descriptor' limit_says nofile=4 2 '' dash -c 'exit 2'

# The cause debug-file is of files that objcopy --only-keep-debug leaves.
# is_debug FILE: it does not start, and explain knows it.
is_debug() {
	chmod +x "$1" && ! "$1" >out 2>&1 && ! "$errpipe" explain "$1" >out && grep -qF 'has only the debug information of a program' out
}
debug_files() {
	echo 'int main(void) { return 42; }' >whole.c && cc -g whole.c -o whole && cc -g -static whole.c -o whole-static &&
		objcopy --only-keep-debug whole whole.debug && objcopy --only-keep-debug whole-static static.debug &&
		strip whole && strip whole-static && is_debug ./whole.debug && is_debug ./static.debug && starts '' ./whole &&
		starts '' ./whole-static
}
try 'files that only debuggers read' debug_files

# on_nixos: is that said of the root?
on_nixos() { "$errpipe" explain --root nixos /app | grep -qF 'on NixOS: enable programs.nix-ld'; }
nixos() {
	mkdir -p nixos/etc nixos/nix/store && cp app nixos && ! on_nixos && echo 'ID=nixos' >nixos/etc/os-release && on_nixos &&
		echo 'ID=debian' >nixos/etc/os-release && ! on_nixos && : >nixos/etc/NIXOS && on_nixos && rmdir nixos/nix/store && ! on_nixos
}
try 'the root of NixOS' nixos

# Without a SONAME, the linker takes the path that it was given.
by_path() {
	mkdir -p by/build && echo 'int f(void) { return 0; }' | cc -x c -shared -fPIC -o by/build/libpath.so - &&
		(cd by && program by-path build/libpath.so && starts '' ./by-path)
}
try 'a library by its path' by_path
try 'a library by its path, from elsewhere' stops 127 \
	"start it in $tmp/by, or: patchelf --replace-needed build/libpath.so '\$ORIGIN/build/libpath.so' by/by-path" '' by/by-path
by_origin() {
	echo 'int f(void) { return 0; }' | cc -x c -shared -fPIC -Wl,-soname,'$ORIGIN/build/libpath.so' -o by/build/libpath.so - &&
		program by/by-origin by/build/libpath.so && starts '' by/by-origin
}
try 'the same, with $ORIGIN' by_origin

# $ORIGIN in a Makefile: make and the shell expand a part of it, or it is escaped too often.
# lost WORD RUNPATH TEXT: with WORD in a Makefile, the program has this RUNPATH and does not start.
lost() {
	printf 'app-of-make: a/libone.so.1\n\techo "int f(void); int main(void) { return f() + 42; }" | cc -x c - -x none -o $@ $< -Wl,-rpath,%s\n' "$1" >Makefile
	rm -f app-of-make && make -s app-of-make && readelf -d app-of-make | grep -qF "[$2]" && stops 127 "$3" '' ./app-of-make
}
if command -v make >/dev/null && command -v readelf >/dev/null; then
	meant="fix: write \$ORIGIN in its RPATH (in make: '\$\$ORIGIN'): patchelf --set-rpath '\$ORIGIN/a' ./app-of-make"
	try 'make expands $O' lost '$ORIGIN/a' RIGIN/a "$meant"
	try 'the shell expands $ORIGIN' lost '$$ORIGIN/a' /a "$meant"
	try '$ORIGIN is escaped twice' lost "'\\\$\$ORIGIN/a'" '\$ORIGIN/a' "$meant"
	try '$ORIGIN with braces is escaped twice' lost "'\\\$\${ORIGIN}/a:/none'" '\${ORIGIN}/a:/none' "--set-rpath '\$ORIGIN/a:/none'"
	try 'a dollar too many' lost "/none:'\$\$\$\$ORIGIN/a'" '/none:$$ORIGIN/a' "--set-rpath '/none:\$ORIGIN/a'"
	try 'no library there' lost '$ORIGIN/b' RIGIN/b 'add its directory to LD_LIBRARY_PATH'
	as_meant() { lost "'\$\$ORIGIN/a'" '$ORIGIN/a' '' || starts '' ./app-of-make; }
	try 'as it was meant' as_meant
	a_directory() { lost '$ORIGIN/b' RIGIN/b '' && mkdir RIGIN && cp -r a RIGIN/b && starts '' ./app-of-make; }
	try 'a directory of that name' a_directory
else
	skip '$ORIGIN in a Makefile' 'needs make and readelf'
fi

# A library of a library. RUNPATH is for its own needs only, RPATH for all.
second() {
	library libtwo.so.1 && mv libtwo.so.1 b && library libmiddle.so.1 -Wl,--no-as-needed b/libtwo.so.1 && mv libmiddle.so.1 b &&
		program nested -Wl,--no-as-needed b/libmiddle.so.1 -Wl,-rpath-link,b -Wl,-rpath,"$tmp/b" -Wl,--enable-new-dtags &&
		program nested-rpath -Wl,--no-as-needed b/libmiddle.so.1 -Wl,-rpath-link,b -Wl,-rpath,"$tmp/b" -Wl,--disable-new-dtags
}
try 'build nested libraries' second
try 'RUNPATH is not inherited' stops 127 "\"$tmp/b/libmiddle.so.1\" needs the library \"libtwo.so.1\"" '' ./nested
try 'RPATH is' starts '' ./nested-rpath

versions() {
	echo 'V_2.34 { global: f; };' >new
	echo 'V_2.4 { global: f; };' >old
	library libv.so.1 -Wl,--version-script=new && program versioned ./libv.so.1 -Wl,-rpath,"$tmp" && starts '' ./versioned &&
		library libv.so.1 -Wl,--version-script=old
}
try 'build versions' versions
try 'a version that is missing' stops 1 "needs V_2.34, which \"$tmp/libv.so.1\" does not have: its newest is V_2.4" '' ./versioned

# An older library that LD_LIBRARY_PATH puts before the right one.
shadow() { mkdir -p older && mv libv.so.1 older && library libv.so.1 -Wl,--version-script=new; }
try 'build an older library' shadow
try 'a library that hides the right one' stops 1 "remove that entry, so that \"$tmp/libv.so.1\" is used" "LD_LIBRARY_PATH=$tmp/older" ./versioned
try 'the right one comes first' starts "LD_LIBRARY_PATH=$tmp:$tmp/older" ./versioned

# The loader of glibc aborts. Whether another file has the symbol is not known, so run says nothing.
no_versions() {
	mkdir -p none && (cd none && library libv.so.1 -nostdlib) &&
		program bound ./libv.so.1 -Wl,-rpath,"$tmp" -Wl,-z,now && starts '' ./bound &&
		! with "LD_LIBRARY_PATH=$tmp/none" ./bound >out 2>&1 && ! with "LD_LIBRARY_PATH=$tmp/none" "$errpipe" explain ./bound >out &&
		grep -qF "why (likely): \"./bound\" needs V_2.34, which \"$tmp/none/libv.so.1\" does not have" out
}
try 'a library without versions' no_versions

# --- symbols

symbols() {
	library libs.so.1 && program lazy ./libs.so.1 -Wl,-rpath,"$tmp" -Wl,-z,lazy && program now ./libs.so.1 -Wl,-rpath,"$tmp" -Wl,-z,now &&
		echo 'extern int f(void); int (*volatile pointer)(void) = f; int main(void) { return 42; }' |
		cc -x c - -x none -o pointer ./libs.so.1 -Wl,-rpath,"$tmp" -Wl,-z,lazy &&
		echo 'int f(void) __attribute__((weak)); int main(void) { return f ? 1 : 42; }' |
		cc -x c - -x none -o weak -Wl,--no-as-needed ./libs.so.1 -Wl,-rpath,"$tmp" -Wl,-z,now &&
		starts '' ./now && starts '' ./lazy && starts '' ./pointer &&
		echo 'int g(void) { return 0; }' | cc -x c - -shared -fPIC -Wl,-soname,libs.so.1 -o libs.so.1
}
# It ends with 127 when it calls the function, which nobody can know.
calls() {
	"$errpipe" explain ./lazy >out 2>&1 || { cat out && return 1; }
}
try 'build symbols' symbols
try 'a function that is missing' stops 127 '"./now" needs the function or variable "f", which none of its libraries has' '' ./now
try 'a function that is bound later' calls
try 'the same with LD_BIND_NOW' stops 127 '"./lazy" needs the function or variable "f"' LD_BIND_NOW=1 ./lazy
try 'a pointer to it' stops 127 '"./pointer" needs the function or variable "f"' '' ./pointer
try 'a weak function' starts '' ./weak
# The library has the version, but not all of its symbols.
part_of_version() {
	echo 'V_1 { global: f; g; };' >both && echo 'V_1 { global: f; };' >part &&
		echo 'int f(void) { return 0; } int g(void) { return 0; }' | cc -x c - -shared -fPIC -Wl,-soname,libp.so.1 -Wl,--version-script=both -o libp.so.1 &&
		echo 'int g(void); int main(void) { return g() + 42; }' | cc -x c - -x none -o part-now ./libp.so.1 -Wl,-rpath,"$tmp" -Wl,-z,now &&
		echo 'extern int (g)(void); int (*volatile pointer)(void) = g; int main(void) { return 42; }' |
		cc -x c - -x none -o part-pointer ./libp.so.1 -Wl,-rpath,"$tmp" -Wl,-z,lazy &&
		echo 'int g(void); int main(int n, char **v) { return n > 5 ? g() : 42; }' | cc -x c - -x none -o part-lazy ./libp.so.1 -Wl,-rpath,"$tmp" -Wl,-z,lazy &&
		starts '' ./part-now && starts '' ./part-pointer && starts '' ./part-lazy &&
		echo 'int f(void) { return 0; }' | cc -x c - -shared -fPIC -Wl,-soname,libp.so.1 -Wl,--version-script=part -o libp.so.1
}
try 'build a version with fewer symbols' part_of_version
try 'a symbol of a version' stops 127 '"./part-now" needs the function or variable "g", which none of its libraries has' '' ./part-now
try 'a pointer to a symbol of a version' stops 127 '"./part-pointer" needs the function or variable "g"' '' ./part-pointer
try 'a symbol of a version that is bound later' starts '' ./part-lazy
try 'the same with LD_BIND_NOW' stops 127 '"./part-lazy" needs the function or variable "g"' LD_BIND_NOW=1 ./part-lazy
other_has_it() { echo 'int g(void) { return 0; }' | cc -x c - -shared -fPIC -o libg.so && starts "LD_PRELOAD=$tmp/libg.so" ./part-now; }
try 'a symbol of a version that a preloaded library has' other_has_it
copied() {
	echo 'int data = 42;' | cc -x c - -shared -fPIC -Wl,-soname,libd.so.1 -o libd.so.1 &&
		echo 'extern int data; int main(void) { return data; }' | cc -no-pie -fno-pie -x c - -x none -o copied ./libd.so.1 -Wl,-rpath,"$tmp" &&
		starts '' ./copied && echo 'int other = 42;' | cc -x c - -shared -fPIC -Wl,-soname,libd.so.1 -o libd.so.1
}
try 'data of a library' copied
try 'data that is missing' stops 127 '"./copied" needs the function or variable "data"' '' ./copied
preloaded_symbol() { library libf.so.1 && starts "LD_PRELOAD=$tmp/libf.so.1" ./now; }
try 'a function of a preloaded library' preloaded_symbol

# --- the programs of this machine start

healthy() {
	for target in /bin/sh /bin/ls /usr/bin/env "$(command -v cc)" "$(command -v git || command -v make)"; do
		"$errpipe" explain "$target" >out 2>&1 || { echo "$target" && cat out && return 1; }
	done
}
try 'programs of this machine start' healthy
libraries() {
	"$errpipe" explain --json ./nested-rpath | jq -r '.libraries[] | .name + " " + .path' >got &&
		grep -qx "libmiddle.so.1 $tmp/b/libmiddle.so.1" got && grep -qx "libtwo.so.1 $tmp/b/libtwo.so.1" got
}
cause() {
	[ "$("$errpipe" explain --json ./now | jq -r .cause)" = symbol-missing ] || "$errpipe" explain ./now
}
# The paths of the host are in the advice and in JSON.
# root LIBRARY: a root with the program, its loader, and its library at this path.
root() {
	rm -rf root && mkdir -p root/etc root/opt root/usr/lib && cp app root && cp a/libone.so.1 "root/$1" && echo /opt >root/etc/ld.so.conf &&
		loader=$("$errpipe" explain --json ./app | jq -r '.links[1].path') && mkdir -p "root${loader%/*}" && cp "$loader" "root$loader"
}
# here TEXT KEYS FILTER LIBRARY
here() {
	root "$4" && "$errpipe" explain --root root /app >out
	grep -qF -e "$1" out && "$errpipe" explain --root root --json /app >json
	[ "$(jq -c "$3" json)" = "$2" ] && return
	cat out json
	return 1
}
# no_rest: a fault of the bundle replaces the finding, and all that belongs to it.
no_rest() {
	echo '{"root": {"path": "../root"}, "process": {"args": ["/app"], "cwd": "none"}}' >bundle/config.json
	"$errpipe" explain --bundle bundle --json >json
	[ "$(jq -c '[.cause, .needer, .available, .needer_here, .root_here]' json)" = '["bundle-cwd",null,null,null,null]' ] && return
	cat json
	return 1
}
if "$errpipe" explain --json /bin/sh >/dev/null 2>&1; then
	try 'JSON: the root of ldconfig' here 'fix: run ldconfig -r root: "/opt/libone.so.1" is not in ld.so.cache yet' \
		'[null,null,"root/app","root"]' '[.subject_here, .object_here, .needer_here, .root_here]' opt/libone.so.1
	try 'JSON: a symlink to create' here "ln -s /usr/lib/libone.so.1.5 root/usr/lib/libone.so.1" \
		'["root/usr/lib/libone.so.1",null]' '[.object_here, .root_here]' usr/lib/libone.so.1.5
	# in_tmpfs COMMAND...: run it where the root has a file system that is mounted noexec.
	in_tmpfs() {
		root opt/libone.so.1 && unshare -rm sh -c 'mount -t tmpfs -o noexec none root/usr/lib && cp a/libone.so.1 root/usr/lib && "$@"' sh "$@"
	}
	noexec_here() {
		in_tmpfs "$errpipe" explain --root root --json /app >json
		[ "$(jq -r .advice json)" = "mount $tmp/root/usr/lib without noexec, or put the library elsewhere (for PyInstaller set TMPDIR)" ] &&
			[ "$(jq -c '[.object, .object_here]' json)" = "[\"/usr/lib\",\"$tmp/root/usr/lib\"]" ] && return
		cat json
		return 1
	}
	if has 'JSON: a mount in the root' user-namespaces; then
		try 'JSON: a mount in the root' noexec_here
	fi
	mkdir -p bundle
	try 'JSON: a fault of the bundle' no_rest
	try 'JSON: the libraries' libraries
	try 'JSON: a function that is missing' cause
fi

# --- musl

if command -v musl-gcc >/dev/null; then
	compiler=musl-gcc
	small() {
		library libm1.so.1 && mv libm1.so.1 a && library libm2.so.1 a/libm1.so.1 -Wl,--no-as-needed a/libm1.so.1 && mv libm2.so.1 a &&
			program small -Wl,--no-as-needed a/libm2.so.1 -Wl,-rpath-link,a && program small-runpath -Wl,--no-as-needed a/libm2.so.1 -Wl,-rpath-link,a \
			-Wl,-rpath,'$ORIGIN/a' -Wl,--enable-new-dtags
	}
	try 'musl: build' small
	try 'musl: a library that is missing' stops 127 'needs the library "libm2.so.1", which its loader does not find' '' ./small
	try 'musl: LD_LIBRARY_PATH' starts "LD_LIBRARY_PATH=$tmp/a" ./small
	try 'musl: RUNPATH is inherited' starts '' ./small-runpath
	# preloads TEXT TARGET CODE: a library for that machine with this code. glibc ignores it. musl does so if it has no relocations.
	preloads() {
		echo "$3" | "${CLANG:-clang-19}" --target="$2-linux-gnu" -fuse-ld=lld -nostdlib -fPIC -shared -Wl,-z,notext -x c -o foreign.so - || return
		small=$(env "LD_PRELOAD=$tmp/foreign.so" ./small-runpath >out 2>&1; echo $?) said=0
		env "LD_PRELOAD=$tmp/foreign.so" "$ERRPIPE_BUILD/errpipe" explain ./small-runpath >said 2>/dev/null || said=$?
		if [ "$1" ]; then
			[ "$small $said" = '127 1' ] && grep -qF -e "$1" said && return
		else
			[ "$small $said" = '42 0' ] && return
		fi
		echo "$small $said" && cat out said
		return 1
	}
	if command -v "${CLANG:-clang-19}" >/dev/null; then
		other=aarch64
		[ "$(uname -m)" != aarch64 ] || other=riscv64
		pointer='int f(void) { return 0; } int (*const pointer)(void) = f;'
		try 'musl: a preloaded library for another machine' preloads \
			"why (likely): LD_PRELOAD names the library \"$tmp/foreign.so\", which is built for $other, not for $(uname -m)" "$other" "$pointer"
		try 'musl: the same without relocations' preloads '' "$other" 'static int f(void) { return 0; }'
		try 'musl: the same with 32 bits' preloads '' i686 "$pointer"
		try 'musl: the same in the other byte order' preloads '' s390x "$pointer"
	else
		skip 'musl: a preloaded library for another machine' 'no clang'
	fi
	mixed() {
		library libmusl.so.1 && compiler=cc && program on-glibc ./libmusl.so.1 -Wl,-rpath,"$tmp" -Wl,--allow-shlib-undefined &&
			echo 'int puts_chk(const char *) __asm__("__printf_chk"); int f(void) { return puts_chk(""); }' |
			cc -x c - -shared -fPIC -Wl,-soname,libglibc.so.1 -o libglibc.so.1 &&
			compiler=musl-gcc && program on-musl ./libglibc.so.1 -Wl,-rpath,"$tmp" -Wl,--allow-shlib-undefined
	}
	try 'build with both C libraries' mixed
	try "glibc: musl's library" stops 127 "\"$tmp/libmusl.so.1\" is built for musl, but the program's loader is from glibc" '' ./on-glibc
	# only_loader: the loader of glibc, alone in a root of musl.
	only_loader() {
		rm -rf alone && mkdir -p alone/lib alone/usr/lib && cp on-musl alone/small && cp -L "$("$errpipe" explain --json ./on-musl | jq -r '.links[1].path')" alone/lib &&
			echo 'int main(void) { return 42; }' | cc -x c -o alone/large - -Wl,--no-as-needed -lm &&
			loader=$("$errpipe" explain --json alone/large | jq -r '.links[1].path') && mkdir -p "alone${loader%/*}" && cp "$loader" "alone$loader" || return
		if [ "$(id -u)" = 0 ]; then
			chroot alone /large >out 2>&1
			[ $? = 127 ] || return
		fi
		! "$errpipe" explain --root alone /large >out && cat out &&
			grep -qF '"/large" is built for glibc, but the image has musl, and only the loader of glibc' out &&
			grep -qF 'install gcompat (Alpine), or use an image with glibc' out || return
		"$errpipe" explain --json alone/large | jq -r '.libraries[].path' | xargs cp -t alone/usr/lib && "$errpipe" explain --root alone /large
	}
	try "glibc's loader alone, with musl" only_loader
	damaged() {
		rm alone/usr/lib/libc.so.6 && ! "$errpipe" explain --root alone /large >out && cat out && grep -qF 'needs the library "libc.so.6"' out && ! grep -F musl out
	}
	try "glibc without its C library, beside musl" damaged
	not_alone() {
		rm -r alone/lib/ld-musl* alone/usr/lib/* && ! "$errpipe" explain --root alone /large >out && ! grep -F musl out
	}
	try "glibc's loader alone, without musl" not_alone
	try "musl: glibc's library" stops 127 "\"$tmp/libglibc.so.1\" is built for glibc, but the program's loader is from musl" '' ./on-musl
fi

echo "1..$n"
exit "$failed"
