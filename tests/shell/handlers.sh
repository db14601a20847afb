#!/bin/sh
# SPDX-License-Identifier: MIT
# explain, run and binfmt_misc: which handler takes a file, or why none does. Writes TAP.
#
# The test runs in a user namespace that has its own binfmt_misc, so it does not change this machine.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"

PATH=$PATH:/usr/sbin # chroot
errpipe=$ERRPIPE_BUILD/errpipe
formats=/proc/sys/fs/binfmt_misc

if [ "${1:-}" != inside ]; then
	if missing=$("$ERRPIPE_SRC/tests/support/lacks" binfmt-misc); then
		echo "ok 1 - binfmt_misc # SKIP $missing"
		echo 1..1
		exit
	fi
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	find "$formats" >"$tmp/before" 2>&1
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare -Urm sh -c 'mount -t binfmt_misc binfmt_misc "$1" && exec "$2" inside "$3"' sh "$formats" "$0" "$tmp"
	status=$?
	find "$formats" 2>&1 | cmp - "$tmp/before" || status=1
	exit "$status"
fi
tmp=$2
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"
cd "$tmp" || exit 1

# explains STATUS CAUSE TEXT... -- ARG...: explain exits with STATUS, its JSON has CAUSE, and it prints each TEXT, or, after a "!",
# does not.
explains() {
	want=$1 cause=$2 status=0
	shift 2
	: >texts
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>texts
		shift
	done
	shift
	"$errpipe" explain "$@" >out 2>&1 || status=$?
	got=$("$errpipe" explain --json "$@" | jq -r .cause)
	cat out
	while IFS= read -r text; do
		if [ "${text#!}" != "$text" ]; then
			grep -qF -e "${text#!}" out && echo "it has: ${text#!}" && return 1
		else
			grep -qF -e "$text" out || { echo "it lacks: $text" && return 1; }
		fi
	done <texts
	[ "$status $got" = "$want $cause" ] || { echo "$status $got" && return 1; }
}

# runs STATUS TEXT... -- PROGRAM: the same of run, whose exec really fails.
runs() {
	want=$1 status=0
	shift
	: >texts
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>texts
		shift
	done
	"$errpipe" run "$@" >out 2>&1 || status=$?
	cat out
	while IFS= read -r text; do
		grep -qF -e "$text" out || { echo "it lacks: $text" && return 1; }
	done <texts
	[ "$status" = "$want" ] || { echo "$status" && return 1; }
}

# register NAME MAGIC MASK INTERPRETER FLAGS
register() {
	printf '%s' ":$1:M::$2:$3:$4:$5" >"$formats/register"
}

remove() {
	echo -1 >"$formats/$1"
}

# foreign FILE BYTES-FROM-4-TO-15 MACHINE: a header of a 64-bit little-endian program.
foreign() {
	{ printf '\177ELF'; printf '%b' "$2"; printf '\2\0'; printf '%b' "$3"; head -c 500 /dev/zero; } >"$1"
	chmod 755 "$1"
}

# Machine 0x1234 has neither an emulator nor a handler.
elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x34\x12'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
plain='\002\001\001\0\0\0\0\0\0\0\0\0' machine='\064\022'
foreign plain "$plain" "$machine"
foreign image '\002\001\001\0AI\002\0\0\0\0\0' "$machine"
foreign abi '\002\001\001\003\0\0\0\0\0\0\0\0' "$machine"
foreign padded '\002\001\001\0\0\0\0\0\007\0\010\0' "$machine"
foreign versioned '\002\001\002\0\0\0\0\0\0\0\0\0' "$machine"
foreign other '\002\001\001\0AI\002\0\0\0\0\0' '\065\022'
cp plain typed && printf '\007' | dd of=typed bs=1 seek=16 conv=notrunc status=none
printf '#!%s/image\n' "$tmp" >script
printf 'MZ\220\0\3\0\0\0\4\0\0\0\377\377' >notepad.exe
printf '#!%s/notepad.exe\n' "$tmp" >by-script
ln -s notepad.exe by-link
chmod 755 script notepad.exe by-script
printf '#!/bin/sh\nexit 7\n' >emulator
chmod 755 emulator

# --- bytes that the mask compares

register errpipe-test "$elf" "$mask" "$tmp/emulator" F
try 'a handler that fits' explains 0 none -- ./plain
try 'an AppImage' explains 1 handler-mismatch \
	'why: "./image" is an AppImage: it has 41 49 02 at byte 8, which handler "errpipe-test" refuses (ENOEXEC)' \
	'fix: clear them: dd if=/dev/zero of=./image bs=1 seek=8 count=3 conv=notrunc' -- ./image
try 'an AppImage that fails' runs 126 'exec format error' 'is an AppImage' -- ./image
try 'as an interpreter' explains 1 handler-mismatch "its interpreter \"$tmp/image\" is an AppImage" -- ./script
try 'other bytes that nobody reads' explains 1 handler-mismatch 'why: "./padded" has 07 00 08 at byte 12' 'seek=12 count=3' \
	'!AppImage' -- ./padded
try 'another type is another thing' explains 1 bad-elf-type '!byte' -- ./typed
try 'another version is another thing' explains 1 other-architecture '!byte' -- ./versioned
try 'another machine is another thing' explains 1 appimage '!dd if' '!errpipe-test' -- ./other
advised() {
	cp image cleared && dd if=/dev/zero of=cleared bs=1 seek=8 count=3 conv=notrunc status=none &&
		explains 0 none -- ./cleared && runs 7 -- ./cleared
}
try 'the advice helps' advised
echo 0 >"$formats/errpipe-test"
try 'a handler that is disabled is not that near' explains 1 appimage '!dd if' '!errpipe-test' -- ./image
remove errpipe-test
register errpipe-test "$elf" '' "$tmp/emulator" F
try 'an ABI that the handler compares' explains 1 handler-mismatch 'why: "./abi" has 03 at byte 7, which handler "errpipe-test"' \
	'fix: register the handler with a mask of 00 there' -- ./abi
remove errpipe-test

register errpipe-test "$elf" "$mask" "$tmp" ''
try 'a directory as handler' explains 1 not-a-file "why: its handler \"$tmp\" is not a regular file" \
	'fix: use the path of a program to register the handler' -- ./plain
echo 0 >"$formats/status"
try 'all handlers are disabled' explains 1 handler-disabled \
	'why: "./plain" needs the binfmt_misc handler "errpipe-test", but binfmt_misc is disabled' \
	'echo 1 >/proc/sys/fs/binfmt_misc/status' -- ./plain
echo 1 >"$formats/status"
remove errpipe-test

# --- an emulator looks for the loader in the same root

# dynamic FILE: a foreign program with the loader /lib/ld-strange.so.
dynamic() {
	{
		printf '\177ELF%b\2\0%b\1\0\0\0\0\0\0\0\0\0\0\0' "$plain" "$machine"
		printf '\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\070\0\1\0\0\0\0\0\0\0'
		printf '\3\0\0\0\4\0\0\0\170\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
		printf '\023\0\0\0\0\0\0\0\023\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0/lib/ld-strange.so\0'
		head -c 500 /dev/zero
	} >"$1"
	chmod 755 "$1"
}
cp "$ERRPIPE_BUILD/dmz" qemu-strange && cp qemu-strange static-emulator
mkdir -p emulated/bin emulated/lib
dynamic emulated/bin/app
register errpipe-test "$elf" "$mask" "$tmp/qemu-strange" F
try 'a foreign program whose loader is missing' explains 1 loader-missing \
	'the kernel would start it, but it would stop at once' 'loader "/lib/ld-strange.so"' 'QEMU_LD_PREFIX' -- --root emulated /bin/app
try 'with another root for the loader' env QEMU_LD_PREFIX=/x "$errpipe" explain --root emulated /bin/app
: >emulated/lib/ld-strange.so
try 'a foreign program with its loader' explains 0 none -- --root emulated /bin/app
remove errpipe-test
register errpipe-test "$elf" "$mask" "$tmp/static-emulator" F
rm emulated/lib/ld-strange.so
try 'another emulator has its own ways' explains 0 none -- --root emulated /bin/app
remove errpipe-test

# --- the two ABIs of ARM for floating-point numbers

# arm ABI FILE FLAG...: compile standard input for armel (eabi) or armhf (eabihf).
arm() {
	abi=$1 file=$2
	shift 2
	"${CLANG:-clang-19}" "--target=arm-linux-gnu$abi" -marm -O1 -fuse-ld=lld -nostdlib -fPIC -x c -o "$file" - -x none "$@"
}
arm_library() {
	echo 'int f(void); int f(void) { return 42; }' | arm "$1" "$2" -shared -Wl,-soname,libf.so.1
}
# arm_root ABI LOADER: a root with a program for this ABI.
arm_root() {
	rm -rf float && mkdir -p float/lib && cp "/usr/arm-linux-gnu$1/lib/${2##*/}" float/lib && arm_library "$1" libf.so.1 &&
		echo 'int f(void); void _start(void) { register int status __asm__("r0") = f(); __asm__ volatile("mov r7, #1; svc 0" : : "r"(status) : "r7"); }' |
		arm "$1" float/app -pie libf.so.1 "-Wl,--dynamic-linker=$2"
}
# arm_starts STATUS CAUSE TEXT ABI: with the library for this ABI, the program really exits with STATUS, and explain says TEXT.
arm_starts() {
	status=0
	arm_library "$4" float/lib/libf.so.1 && { chroot float /app >out 2>&1 || status=$?; }
	[ "$status" = "$1" ] || { cat out && echo "status $status" && return 1; }
	explains "$([ "$1" = 42 ] && echo 0 || echo 1)" "$2" "$3" -- --root float /app
}
if command -v qemu-arm-static "${CLANG:-clang-19}" >/dev/null && [ -e /usr/arm-linux-gnueabi/lib/ld-linux.so.3 ] &&
	[ -e /usr/arm-linux-gnueabihf/lib/ld-linux-armhf.so.3 ]; then
	register qemu-arm '\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00' "$mask" "$(command -v qemu-arm-static)" F
	try 'build for armhf' arm_root eabihf /lib/ld-linux-armhf.so.3
	try 'armhf: its library' arm_starts 42 none 'would' eabihf
	try 'armhf: the library of armel' arm_starts 127 library-other-architecture \
		'needs the library "/lib/libf.so.1", which is built for soft-float arm, not for hard-float arm' eabi
	try 'build for armel' arm_root eabi /lib/ld-linux.so.3
	try 'armel: its library' arm_starts 42 none 'would' eabi
	try 'armel: the library of armhf' arm_starts 127 library-other-architecture 'fix: install the soft-float arm library' eabihf
	remove qemu-arm
else
	skip 'the ABIs of ARM' 'scripts/setup test installs their loaders'
fi

# --- a handler whose program is missing

mkdir -p root/bin root/proc
cp plain root/bin/sh
printf '#!/bin/sh\n' >root/bin/script && chmod 755 root/bin/script
register errpipe-test "$elf" "$mask" /errpipe/qemu ''
try 'in another root' explains 1 handler-missing \
	'why: the binfmt_misc handler "errpipe-test" runs it with "/errpipe/qemu", which does not exist (ENOENT)' \
	'fix: register it again with flag F, or copy a static "/errpipe/qemu" into the image' -- --root root /bin/sh
try 'in another root, as an interpreter' explains 1 handler-missing 'handler "errpipe-test" runs it with "/errpipe/qemu"' \
	-- --root root /bin/script
try 'in our own root' explains 1 handler-missing \
	'fix: install it, or disable the handler, as root: echo 0 >/proc/sys/fs/binfmt_misc/errpipe-test' -- ./plain
try 'in our own root, really' runs 127 'no such file or directory' 'the binfmt_misc handler "errpipe-test" runs it' -- ./plain
mkdir -p root/errpipe
echo 'int main(void) { return 0; }' | cc -x c -o root/errpipe/qemu -
try 'a dynamic emulator without its loader' explains 1 handler-dynamic \
	'why: its handler "/errpipe/qemu" is dynamic, but "/' 'fix: use a static emulator' -- --root root /bin/sh
remove errpipe-test
cp root/errpipe/qemu dynamic
foreign wrong "$plain" '\065\022'
register errpipe-test "$elf" "$mask" "$tmp/wrong" F
try 'an opened emulator for another machine' explains 1 other-architecture \
	"why (likely): its handler \"$tmp/wrong\" is built for" 'fix: register a build of it for this machine' -- ./plain
try 'an opened emulator for another machine, really' runs 126 'exec format error' "its handler \"$tmp/wrong\"" -- ./plain
try 'an opened emulator for another machine, in another root' explains 1 other-architecture \
	"its handler \"$tmp/wrong\"" -- --root root /bin/sh
rm wrong
try 'an opened emulator that was deleted' explains 0 none -- ./plain
remove errpipe-test
printf '#!/errpipe/none\n' >wrong && chmod 755 wrong
register errpipe-test "$elf" "$mask" "$tmp/wrong" F
try 'an opened script whose interpreter is missing' explains 1 interpreter-missing \
	"why (likely): the interpreter \"/errpipe/none\" of \"$tmp/wrong\" does not exist" -- ./plain
try 'an opened script whose interpreter is missing, really' runs 127 '"/errpipe/none"' -- ./plain
printf 'no program\n' >new && mv new wrong
try 'an opened handler that is text' explains 1 no-interpreter-line "why (likely): its handler \"$tmp/wrong\"" -- ./plain
remove errpipe-test
register errpipe-test "$elf" "$mask" "$tmp/dynamic" F
try 'a dynamic emulator that was opened when it was registered' explains 1 handler-dynamic \
	"why (likely): its handler \"$tmp/dynamic\" is dynamic, but \"/" -- --root root /bin/sh
chroot root /bin/sh >chrooted 2>&1
try 'and that is so' test "$?" = 127
try 'in our own root it has its loader' explains 0 none -- ./plain
remove errpipe-test
cp "$ERRPIPE_BUILD/dmz" static
register errpipe-test "$elf" "$mask" "$tmp/static" F
try 'a static emulator that was opened' explains 0 none -- --root root /bin/sh
remove errpipe-test
register errpipe-test "$elf" "$mask" /errpipe/qemu ''
cp "$ERRPIPE_BUILD/dmz" root/errpipe/qemu
try 'a static emulator' explains 0 none -- --root root /bin/sh
remove errpipe-test

# --- Windows programs

export WSL_DISTRO_NAME=Ubuntu
try 'WSLInterop is lost' explains 1 wsl-interop-lost \
	"why (likely): \"./notepad.exe\" is a Windows program (PE), and WSL's handler WSLInterop is gone from binfmt_misc (ENOEXEC)" \
	'fix: as root: echo :WSLInterop:M::MZ::/init:PF >/proc/sys/fs/binfmt_misc/register' -- ./notepad.exe
try 'WSLInterop is lost, really' runs 126 'WSLInterop is gone' -- ./notepad.exe
try 'WSLInterop is lost, for an interpreter' explains 1 wsl-interop-lost 'its interpreter' -- ./by-script
try 'WSLInterop is lost, by a link' explains 1 wsl-interop-lost '"./by-link" is' -- ./by-link
register cli MZ '' /errpipe/cli ''
try "Mono's handler takes it, and WSL's is lost" explains 1 handler-missing \
	'why: the binfmt_misc handler "cli" runs it with "/errpipe/cli", which does not exist, and WSLInterop is gone (ENOENT)' \
	'fix: as root: cd /proc/sys/fs/binfmt_misc; echo 0 >cli; echo :WSLInterop:M::MZ::/init:PF >register' -- ./notepad.exe
advised_for_mono() {
	sh -c "$("$errpipe" explain ./notepad.exe | sed -n "s,/init,$tmp/emulator,; s/^fix: as root: //p")" &&
		explains 0 none -- ./notepad.exe
}
try 'the advice for that helps' advised_for_mono
remove WSLInterop
register WSLInterop MZ '' "$tmp/emulator" PF
remove cli
register cli MZ '' /errpipe/cli ''
try "Mono's handler takes it before WSL's" explains 1 handler-missing 'runs it with "/errpipe/cli"' '!WSLInterop' \
	'fix: install it, or disable the handler, as root: echo 0 >/proc/sys/fs/binfmt_misc/cli' -- ./notepad.exe
remove WSLInterop
printf '#!/bin/sh\r\n' >text.exe && chmod 755 text.exe
register errpipe-test '#!/bin/sh' '' /errpipe/cli ''
try 'another file in WSL' explains 1 handler-missing '!WSLInterop' -- ./text.exe
remove errpipe-test
printf 'MZ=3\necho\n' >begins && printf '#!%s/begins\n' "$tmp" >by-begins && chmod 755 begins by-begins
cp begins root/bin
for again in 1 2; do
	try 'text that begins with MZ' explains 1 taken-for-windows \
		'"./begins" is text that begins with "MZ", so handler "cli" takes it for a Windows program' 'fix: begin it with #!' -- ./begins
	try 'text that begins with MZ, as an interpreter' explains 1 taken-for-windows "its interpreter \"$tmp/begins\" is text" -- ./by-begins
	try 'text that begins with MZ, in another root' explains 1 taken-for-windows '"/bin/begins" is text' -- --root root /bin/begins
	# The second time, the handler's program exists.
	[ "$again" = 2 ] || try 'text that begins with MZ, really' runs 127 'no such file or directory' 'is text that begins with "MZ"' -- ./begins
	remove cli
	mkdir -p "root/$tmp" && cp static-emulator "root/$tmp"
	register cli MZ '' "$tmp/static-emulator" ''
done
try 'a Windows program is none' explains 0 none -- ./notepad.exe
printf 'MY=3\n' >other-text && chmod 755 other-text
try 'other text' explains 1 no-interpreter-line '!cli' -- ./other-text
echo 0 >"$formats/cli"
try 'a handler that does not take it' explains 1 no-interpreter-line '!cli' -- ./begins
remove cli
register cli MZ=3 '' "$tmp/emulator" ''
try 'a handler for such text' explains 0 none -- ./begins
remove cli
register cli MZ '' /errpipe/cli ''
try "Mono's handler takes it, really" runs 127 'handler "cli" runs it' -- ./notepad.exe
echo 0 >"$formats/cli"
try 'a handler that is disabled' explains 1 handler-disabled 'why: "./notepad.exe" needs the binfmt_misc handler "cli", which is' \
	'echo 1 >/proc/sys/fs/binfmt_misc/cli' -- ./notepad.exe
remove cli
register WSLInterop MZ '' "$tmp/emulator" PF
try 'WSLInterop is there' explains 0 none -- ./notepad.exe
remove WSLInterop
unset WSL_DISTRO_NAME
try 'a Windows program elsewhere' explains 1 windows-program '!WSLInterop' -- ./notepad.exe
echo 'no program' >text && chmod 755 text
export WSL_INTEROP=/run/WSL/8_interop
try 'text in WSL' explains 1 no-interpreter-line '!WSL' -- ./text

# --- a handler that was registered once

if [ -x /usr/libexec/qemu-binfmt/aarch64-binfmt-P ] && [ -e /usr/lib/binfmt.d/qemu-aarch64.conf ] && [ "$(uname -m)" != aarch64 ]; then
	foreign arm "$plain" '\267\0'
	try 'binfmt.d has a handler for it' explains 1 other-architecture 'or, as root: systemctl restart systemd-binfmt' -- ./arm
	got=$("$errpipe" explain --json ./arm | jq -c '[.detail, .object]')
	try 'binfmt.d: as JSON' test "$got" = '["emulator-configured","/usr/lib/binfmt.d/qemu-aarch64.conf"]'
else
	skip 'binfmt.d' 'no handler of qemu-user-static there'
fi
try 'binfmt.d has none' explains 1 other-architecture '!systemd' -- ./plain

echo "1..$n"
exit "$failed"
