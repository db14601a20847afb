#!/bin/sh
# SPDX-License-Identifier: MIT
# The stub's file passes scripts/build/check-stub, and check-stub detects each kind of error. Writes TAP.
set -eu

check=$ERRPIPE_SRC/scripts/build/check-stub
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

# result STATUS WHAT
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

# approved WHAT [ARCHITECTURE]: check-stub finds nothing wrong with $tmp/stub.
approved() {
	status=0
	"$check" "$tmp/stub" "${2:-x86_64}" || status=$?
	result "$status" "accepts $1"
}

# bites WHAT LINE [ARCHITECTURE]: check-stub refuses $tmp/stub for the reason LINE.
bites() {
	if "$check" "$tmp/stub" "${3:-x86_64}" 2>"$tmp/lines"; then
		result 1 "refuses $1"
	elif grep -q "stub: $2" "$tmp/lines"; then
		result 0 "refuses $1"
	else
		cat "$tmp/lines" >&2
		result 1 "refuses $1 because of '$2'"
	fi
}

# bytes VALUE COUNT: print a number as it is stored in a file: little-endian, or big-endian with order=big.
bytes() {
	value=$1 count=$2 octal=
	while [ "$count" -gt 0 ]; do
		byte=$(printf '\\%03o' $((value % 256)))
		case $order in
		little) octal=$octal$byte ;;
		big) octal=$byte$octal ;;
		esac
		value=$((value / 256)) count=$((count - 1))
	done
	# shellcheck disable=SC2059 # made of octal escapes
	printf "$octal"
}
two() { bytes "$1" 2; }
four() { bytes "$1" 4; }
eight() { bytes "$1" 8; }

# The parts of a correct stub. The arguments of doctored replace some of them.
defaults() {
	order=little data=1 type=2 machine=62 entry=0x4000b0 shoff=0 flags=0 shentsize=0 shnum=0 shstrndx=0
	load=1 load_flags=5 offset=0 vaddr=0x400000 filesz=200 memsz=200 align=0x10000
	stack=0x6474e551 stack_flags=6 paddr=0 code=24
}

# segment TYPE FLAGS OFFSET VADDR PADDR FILESZ MEMSZ
segment() {
	four "$1"; four "$2"; eight "$3"; eight "$4"; eight "$5"; eight "$6"; eight "$7"; eight "$align"
}

# doctored [NAME=VALUE...]: write a 64-bit stub with these changes to $tmp/stub.
doctored() {
	defaults
	for assignment; do
		eval "$assignment"
	done
	{
		printf '\177ELF\002'; bytes "$data" 1; bytes 1 1; eight 0; bytes 0 1
		two "$type"; two "$machine"; four 1
		eight "$entry"; eight 64; eight "$shoff"; four "$flags"
		two 64; two 56; two 2; two "$shentsize"; two "$shnum"; two "$shstrndx"
		segment "$load" "$load_flags" "$offset" "$vaddr" "$vaddr" "$filesz" "$memsz"
		segment "$stack" "$stack_flags" 0 0 "$paddr" 0 0
		printf "%${code}s" ''
	} >"$tmp/stub"
}

# The stub that was built, for the machine of the other programs. Two architectures can match, because kinds of arm differ only
# in their flags.
# shellcheck disable=SC2046 # one operand for each byte
set -- $(od -A n -t u1 -N 20 "$ERRPIPE_BUILD/tests/prog_args")
class=$(($5 * 32))
case $6 in
1) order=little machine=$((${19} + ${20} * 256)) ;;
*) order=big machine=$((${20} + ${19} * 256)) ;;
esac
names=$(awk -v is="$class $order $machine" '$4 " " $5 " " $6 == is { print $1 }' "$ERRPIPE_SRC/dmz/architectures")
status=1
for name in $names; do
	"$check" "$ERRPIPE_BUILD/dmz" "$name" && status=0
done
result "$status" "accepts the stub that was built"
[ -x "$ERRPIPE_BUILD/dmz" ] && status=0 || status=1
result "$status" "the stub that was built is executable"

# Made-up stubs. The correct ones show that the others fail because of the change.
doctored
approved "an unchanged stub"
doctored code=408
approved "a stub of the largest size"
doctored order=big data=2 machine=22
approved "a big-endian stub" s390x
doctored order=big data=2 machine=21 flags=2
approved "a stub with flags" ppc64
doctored order=big data=2 machine=8 flags=0x60000001
approved "a stub for a later instruction set of mips" mips64

rm "$tmp/stub"
bites "a missing file" "no such file"
: >"$tmp/stub"
bites "an empty file" "not an ELF file"
echo '#!/bin/sh -- as long as the start of an ELF header' >"$tmp/stub"
bites "a script" "not an ELF file"
printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000\076\000' >"$tmp/stub"
bites "a torn header" "readelf cannot read it"
doctored
bites "another machine" "machine 62 instead of 183" aarch64
bites "another class" "class 64 instead of 32" i386
bites "another byte order" "little-endian instead of big-endian" s390x
doctored code=409
bites "one byte too many" "585 bytes, more than 584"
doctored order=big data=2 machine=8
bites "another machine of the other byte order" "machine 8 instead of 22" s390x
doctored flags=1
bites "flags" "e_flags 0x1 instead of 0x0"
doctored machine=21
bites "no flags" "e_flags 0x0 instead of 0x2" ppc64le
doctored order=big data=2 machine=21 flags=1
bites "flags of another ABI" "e_flags 0x1 instead of 0x2" ppc64
doctored entry=0x3fffff
bites "an entry point before the segment" "the entry point 0x3fffff is outside"
doctored entry=0x4000c8
bites "an entry point after the segment" "the entry point 0x4000c8 is outside"
doctored align=4096
bites "an alignment for small pages only" "PT_LOAD is aligned to 0x1000,"
doctored align=0x18000
bites "an alignment that is not a power of two" "PT_LOAD is aligned to 0x18000,"
doctored type=3
bites "a PIE" "type DYN instead of EXEC"
doctored shoff=64
bites "a section header offset" "section headers: e_shoff"
doctored shnum=2 shentsize=64 shoff=64
bites "section headers" "section headers: e_shnum"
doctored shstrndx=1
bites "a section name index" "section headers: e_shstrndx"
doctored load=0
bites "no PT_LOAD" "0 PT_LOAD instead of one"
doctored stack=1
bites "two PT_LOAD" "2 PT_LOAD instead of one"
doctored load_flags=7
bites "a writable and executable segment" "PT_LOAD is writable"
doctored load_flags=6
bites "a writable segment" "PT_LOAD is writable"
doctored load_flags=4
bites "a segment that is not executable" "PT_LOAD is not readable and executable"
doctored load_flags=1
bites "a segment that is not readable" "PT_LOAD is not readable and executable"
doctored offset=8
bites "a segment without the headers" "PT_LOAD begins at offset"
doctored vaddr=0x410000
bites "another address" "PT_LOAD's address is 0x0*410000 instead of 4194304, which is DMZ_BASE"
doctored paddr=0x4000c8
bites "actions" "PT_GNU_STACK's physical address is 0x0*4000c8: there are actions"
doctored load=0x6474e551 stack=1
bites "the stack before the code" "PT_GNU_STACK is not the second program header"
doctored memsz=201
bites "more memory than file" "PT_LOAD has 0x0*c8 bytes in the file but 0x0*c9 in memory"
doctored filesz=4097 memsz=4097
bites "two pages" "PT_LOAD is on more than one page"
doctored stack=0
bites "no PT_GNU_STACK" "0 PT_GNU_STACK instead of one"
doctored stack_flags=7
bites "an executable stack" "PT_GNU_STACK is executable"
doctored stack=3
bites "an interpreter" "has a PT_INTERP"
doctored stack=2
bites "dynamic linking" "has a PT_DYNAMIC"
doctored order=big data=2 load_flags=7
bites "a writable segment of the other byte order" "PT_LOAD is writable"

# A file from a real linker: a test program, with all its section headers.
cp "$ERRPIPE_BUILD/tests/prog_args" "$tmp/stub"
bites "an ordinary program" "section headers: e_shnum" "${name:-x86_64}"

echo "1..$n"
exit "$failed"
