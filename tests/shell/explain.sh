#!/bin/sh
# SPDX-License-Identifier: MIT
# errpipe explain, and the diagnosis that run and exec print after a failure: in a small root, in a bundle, for other users, with
# hostile names, and on a file system that does not respond. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
# shellcheck source=tests/support/command
. "${ERRPIPE_SRC:?}/tests/support/command"
: "${NOLIBC:?}"
PATH=$PATH:/usr/sbin:/sbin # Debian installs runc there, and an ordinary user's PATH lacks it

# same WANT GOT: they are equal.
same() {
	[ "$1" = "$2" ] || {
		printf 'expected\n%s\nand got\n%s\n' "$1" "$2"
		return 1
	}
}

# prints STATUS TEXT ARG...: errpipe prints exactly TEXT on both outputs together, and exits with STATUS.
prints() {
	want_status=$1 want=$2 status=0
	shift 2
	got=$("$errpipe" "$@" 2>&1) || status=$?
	same "$want_status $want" "$status $got"
}

# shows TEXT OUTPUT: OUTPUT contains TEXT; "..." in it stands for any text.
shows() {
	case $2 in
	*"${1%%...*}"*) after=${2#*"${1%%...*}"} ;;
	*) return 1 ;;
	esac
	case $1 in
	*...*) case $after in *"${1#*...}"*) ;; *) return 1 ;; esac ;;
	esac
}

# says STATUS TEXT ARG...: errpipe explain shows TEXT, and exits with STATUS.
says() {
	want_status=$1 want=$2 status=0
	shift 2
	got=$("$errpipe" explain "$@" 2>&1) || status=$?
	if shows "$want" "$got"; then
		same "$want_status" "$status"
	else
		same "$want_status ...$want..." "$status $got"
	fi
}

# knows STATUS WANT FILTER ARG...: jq extracts WANT from the JSON, and errpipe explain exits with STATUS.
knows() {
	want_status=$1 want=$2 filter=$3 status=0
	shift 3
	got=$("$errpipe" explain --json "$@" 2>&1) || status=$?
	same "$want_status $want" "$status $(printf '%s\n' "$got" | jq -c "$filter" 2>&1)"
}

# --- a root with musl's loader and programs for glibc. The loader is just any ELF file of this machine.

make_root() {
	mkdir -p root/bin root/lib root/usr/bin root/none root/data &&
		printf '#include <fcntl.h>\nint main(void) { return open("%s/ran", O_CREAT, 0600) < 0; }\n' "$tmp" >main.c &&
		cc -o root/usr/bin/app main.c &&
		cc -static -o root/bin/static main.c && chmod 755 root/usr/bin/app root/bin/static || return 1
	loader=$(readelf -lW root/usr/bin/app | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	machine=$(uname -m)
	cp root/bin/static "root/lib/ld-musl-$machine.so.1" || return 1
	printf '#!/bin/sh\r\necho hello\r\n' >root/bin/crlf
	printf '#!/bin/nothing -x\n' >root/bin/script
	printf '#!/bin/script\n' >root/bin/nested
	printf '#!/usr/bin/app\n' >root/bin/of-app
	printf '#!/bin/static\necho ran >%s\n' "$tmp/ran" >root/bin/good
	printf 'echo ran >%s\n' "$tmp/ran" >root/bin/text
	: >root/bin/empty
	chmod 755 root/bin/*
	printf '#!/bin/static\n' >root/data/tool
	chmod 644 root/data/tool
	cp root/bin/good root/usr/bin/tool
	ln -s /bin/good root/bin/link
	ln -s ../../../../../../../bin/good root/bin/climbing
	mkdir -m 700 root/private && cp root/bin/good root/private/tool
}
try 'a root' make_root

try 'the picture of the chain' prints 1 "\
/usr/bin/app             ELF 64-bit, $machine, dynamic, mode 0755
└─ $loader   missing
why: \"/usr/bin/app\" needs glibc, but the image has musl: \"$loader\" does not exist (ENOENT)
fix: use an image with the same C library, or link \"/usr/bin/app\" statically" \
	explain --root ./root /usr/bin/app
try 'a script: its interpreter lacks its loader' says 1 "\
why: \"/usr/bin/app\" needs glibc, but the image has musl: \"$loader\" does not exist (ENOENT)
fix: use an image with the same C library, or link \"/usr/bin/app\" statically" --root root /bin/of-app
in_ascii() {
	LC_ALL='' LC_CTYPE=C LANG=C.UTF-8 "$errpipe" explain --root root /usr/bin/app | sed -n 2p >second
	same "\`- $loader   missing" "$(cat second)"
}
try 'in ASCII, without UTF-8' in_ascii
try 'each link hangs from the one before' prints 1 "\
/bin/nested              script, mode 0755
└─ /bin/script           script, mode 0755
   └─ /bin/nothing       missing
why: the interpreter \"/bin/nothing\" of \"/bin/script\" does not exist (ENOENT)
fix: install it, or correct the first line of \"/bin/script\"" \
	explain --root root /bin/nested
# Only data is missing, which the program may never read.
make_cut() {
	echo 'char data[100000] = { 1 }; void _start(void) { }' >cut.c &&
		cc -nostdlib -static -no-pie -fno-pie -o cut cut.c && head -c 60000 cut >root/bin/cut && chmod 755 root/bin/cut
}
try 'a truncated program' make_cut
try 'a truncated program would start, but may crash' says 0 \
	'it would start, but may crash
why (likely): "/bin/cut" is truncated: it has only 60000 of its ' --root root /bin/cut
# A program for another machine: e_machine is set to aarch64, or on aarch64 to x86_64. explain also reports the loader that an
# emulator would need.
make_foreign() {
	case $machine in
	aarch64) foreign=x86_64 byte='\0076' ;;
	*) foreign=aarch64 byte='\0267' ;;
	esac
	cp root/usr/bin/app root/usr/bin/foreign && cp root/bin/static "root/lib/ld-musl-$foreign.so.1" &&
		printf %b "$byte" | dd of=root/usr/bin/foreign bs=1 seek=18 conv=notrunc status=none
}
try 'a program for another machine' make_foreign
try 'its loader is inspected as well' says 1 "
└─ $loader   missing; \"/lib/ld-musl-$foreign.so.1\" exists: the program needs glibc, the image has musl
why (likely): \"/usr/bin/foreign\" is built for $foreign, but this machine is $machine...(ENOEXEC)" --root root /usr/bin/foreign
try 'its loader is not the cause' knows 1 \
	"[\"other-architecture\",0,null,\"missing; \\\"/lib/ld-musl-$foreign.so.1\\\" exists: the program needs glibc, the image has musl\"]" \
	'[.cause, .broken, .links[0].wrong, .links[1].wrong]' --root root /usr/bin/foreign
try 'a program that would start' prints 0 "\
/bin/good                script, mode 0755
└─ /bin/static           ELF 64-bit, $machine, static, mode 0755
it would start" \
	explain --root root /bin/good
try 'an absolute link stays in the root' says 0 'it would start' --root root /bin/link
try '".." stays in the root' says 0 'it would start' --root root /bin/climbing
try 'text' says 1 'why: "/bin/text" is a text file...(ENOEXEC)' --root root -- /bin/text --json
try 'our own root' says 0 'it would start' /bin/sh
try 'our own working directory' says 1 'why: "root/bin/text" is a text file...(ENOEXEC)' root/bin/text
try 'an empty path' says 1 'why: the path is empty (ENOENT)' ''
try 'nothing was run' test ! -e ran
# The previous test can detect a run.
runs() {
	root/bin/static && test -e ran && rm ran
}
try 'a run would be detected' runs

# explain can follow the name of a descriptor, though the inspecting process keeps no descriptors open.
descriptor() {
	want=$1 file=$2
	shift 2
	got=$("$@" "$errpipe" explain "$file" 5<root/bin/text 2>&1)
	case $got in
	*"$want"*) ;;
	*) same "...$want..." "$got" ;;
	esac
}
try 'a descriptor: a file' descriptor '"/dev/fd/5" is a text file' /dev/fd/5
try 'a descriptor: a pipe' same 'why: "/dev/stdin" is not a regular file but a FIFO (EACCES)' \
	"$(: | "$errpipe" explain /dev/stdin | sed -n 2p)"
busy_once() {
	cp root/bin/static busy && exec 9>>busy || return
	"$errpipe" explain ./busy >out
	exec 9>&-
	cat out
	[ "$(grep -o ' process [0-9]* (errpipe)' out | sort -u | wc -l)" = 1 ]
}
try 'the inspecting process is not among the writers of a busy file' busy_once

# --- options

try '--cwd' says 0 'it would start' --root root --cwd /bin ./good
try '--cwd: a missing directory' prints 1 'why: the working directory cannot be entered: "/nowhere" does not exist (ENOENT)
fix: create it or correct the path' explain --root root --cwd /nowhere /bin/good
try '--cwd: a missing directory in our own root' says 1 'entered: "nodir/x" does not exist: "nodir" is missing' --cwd nodir/x sh
try '--cwd: a relative path' says 0 'it would start' --cwd root /bin/sh
try '--cwd: a file' says 1 'the working directory cannot be entered: "/bin/good" is a file' --root root --cwd /bin/good /bin/good
try '--cwd: a directory without search permission' says 1 'entered: "/private" cannot be reached: "/private" has no x permission' \
	--root root --as 4711 --cwd /private /bin/good
# shellcheck disable=SC2088 # nothing expands it
try '--chdir: a directory for a shell' prints 125 'exec ls: cannot change to the working directory "~/none" (ENOENT)
errpipe: why: the working directory "~/none" does not exist; only a shell expands $ and ~
errpipe: fix: write the path out: shells leave ~ alone in quotes and after "=", and $ in single quotes' run --chdir '~/none' ls
try '--cwd in JSON' knows 1 '["/nowhere",false,"missing","ENOENT",null,[]]' '[.path, .works, .cause, .errno, .broken, .links]' \
	--root root --cwd /nowhere /bin/good
try 'without it, / of the root' says 0 'it would start' --root root bin/good

try '--path: the first match is used' says 0 '/usr/bin/tool ' --root root --path /none:/usr/bin:/data tool
try '--path: a file without x bit does not hide a later match' says 0 '/usr/bin/tool ' --root root \
	--path /data:/usr/bin tool
try '--path: a file without x bit is reported if it is the only match' says 1 'why: "/data/tool" has no x permission...(EACCES)' --root root \
	--path /none:/data:/bin tool
try '--path: any other match is used, even if it fails' says 1 'why: its interpreter "/bin/nothing" does not exist (ENOENT)' --root root \
	--path /bin:/usr/bin script
try '--path: nowhere' prints 1 "\
gone                     missing
why: \"gone\" is not in PATH (ENOENT)
fix: install it, use its full path, or correct PATH, which is \"/bin:/none\"" \
	explain --root root --path /bin:/none gone
try '--path: nowhere, as JSON' knows 1 '["gone","gone","not-in-path","certain","ENOENT","/bin:/none"]' \
	'[.path, .links[0].path, .cause, .certainty, .errno, .object]' --root root --path /bin:/none gone
try '--path: not for a name with a slash' says 1 'why:...(ENOENT)' --root root --path /bin ./good
try '--path: an empty entry is the working directory' says 0 'it would start' --root root --cwd /bin --path /none: good
searches_by_environment() {
	env PATH=/none:/usr/bin "$errpipe" explain --root root tool >out
	same '0 /usr/bin/tool' "$? $(cut -d ' ' -f 1 out | head -n 1)"
}
try 'PATH of the environment' searches_by_environment

# --- the command itself: what a person most likely did. tests/unit/check_explain_command.c has all kinds.

try 'a whole command in one word' prints 1 '/bin/good --all x        missing
why (likely): "/bin/good --all x" looks like a whole command in one word; no file has that name (ENOENT)
fix: split it into "/bin/good", "--all", "x"' explain --root root '/bin/good --all x'
try 'a list that is not JSON' says 1 'fix: write the list as valid JSON' --root root '["/bin/good",'
try 'another case of a letter' says 1 'why: "/bin/Good" does not exist, but "/bin/good" does (ENOENT)' --root root /bin/Good
try 'a carriage return' says 1 'why: "/bin/good\r" does not exist, but "/bin/good" does (ENOENT)' --root root "$(printf '/bin/good\r')"
try 'a near miss, as JSON' knows 1 '["near-miss","certain","ENOENT","letter","/bin/script"]' \
	'[.cause, .certainty, .errno, .detail, .object]' --root root /bin/scirpt
try 'an option' says 1 'why (likely): "--rm" looks like an option' --root root -- --rm
try 'a shell builtin' says 1 'why: "source" is a bash builtin, not a program' --root root source x
cp root/bin/good outside
try 'a path of this machine' says 1 "does not exist in the image, but it does on this machine (ENOENT)" \
	--root root "$tmp/outside"
try 'a path of this machine, into the root' says 1 'fix: that is a path of this machine; inside the root, use "/bin/good"' \
	--root root "$tmp/root/bin/good"
try 'without "./"' says 1 'why: "good" is not in PATH, but "./good" exists (ENOENT)
fix: use "./good": the working directory is not searched' --root root --cwd /bin --path /none good
try 'in a directory of programs' says 1 'why: "good" is not in PATH, but "/bin/good" exists' --root root --path /none good
# shellcheck disable=SC2016 # nothing expands it
try 'PATH that no shell has expanded' says 1 'why: "tool" is not in PATH, where "$PATH" was never expanded' \
	--root root --path '$PATH:/none' tool
# shellcheck disable=SC2016 # nothing expands it
try 'a variable' says 1 'why (likely): "$TOOL" does not exist; only a shell expands $ and ~' --root root '$TOOL'
cp root/bin/good 'root/bin/good x'
try 'a file with a blank in its name' says 0 'it would start' --root root '/bin/good x'

chmod 750 root/bin/text root/bin/good
chmod 711 root/bin/static
if [ "$(id -u)" = 0 ]; then
	chown 1000:1001 root/bin/good
	try '--as: the owner' says 0 'it would start' --root root --as 1000 /bin/good
	try '--as: the group' says 0 'it would start' --root root --as 5:1001 /bin/good
	try '--as: neither' says 1 'why: "/bin/good" has no x permission for others...(EACCES)' --root root --as 5 /bin/good
	try '--as: the group is as the user' says 0 'it would start' --root root --as 1001 /bin/good
	try '--as: root' says 0 'it would start' --root root --as 0:0 /bin/good
	try '--as: a directory' says 1 '"/private" has no x permission' --root root --as 5:5 /private/tool
	try '--as: our own path' says 1 'EACCES' --as 5 "$tmp/root/private/tool"
	# Root gets only capabilities that are in the caller's bounding set.
	without_capabilities() {
		setpriv --bounding-set=-all "$errpipe" explain --root root --as 0 /private/tool >out
		same 1 "$?" || return
		grep -q '^why: "/private/tool" .*(EACCES)$' out || cat out
	}
	chown 5:5 root/private
	try '--as: root without capabilities' without_capabilities
	chown 0:0 root/private
	unreadable() {
		setpriv --reuid 5 --clear-groups "$errpipe" explain --root root /bin/static >out
		same 'fix: if it is a script: chmod a+r root/bin/static; else ask root: errpipe explain --as 5 --root root /bin/static' \
			"$(grep ^fix: out)"
	}
	try 'a program that the user may not read' unreadable
else
	skip '--as' 'needs root'
fi
chmod 755 root/bin/text root/bin/good root/bin/static

try '--errno: the cause explains it' knows 1 '["no-interpreter-line","certain","ENOEXEC"]' '[.cause, .certainty, .errno]' \
	--errno ENOEXEC --root root /bin/text
try '--errno: by number' knows 1 '["no-interpreter-line","certain","ENOEXEC"]' '[.cause, .certainty, .errno]' \
	--errno 8 --root root /bin/text
try '--errno: the cause does not explain it' knows 1 '["no-interpreter-line","likely","ENOENT",true]' \
	'[.cause, .certainty, .errno, (.finding | endswith("; that gives ENOEXEC, not ENOENT"))]' --errno ENOENT --root root /bin/text
try '--errno: the cause does not explain it, in words' says 1 'why (likely): "/bin/text" is a text file...; that gives ENOEXEC, not ENOENT' --errno ENOENT --root root /bin/text
try '--errno: the cause does not explain it, along PATH' says 1 \
	'why (likely): "none" is not in PATH; that gives ENOENT, not EIO' --errno EIO --root root --path /bin none
try '--errno: without a name' says 1 '; that gives ENOEXEC, not errno 4000' --errno 4000 --root root /bin/text
try '--errno: a program that would start' knows 1 '[false,"unknown","unknown","ENOMEM"]' '[.works, .cause, .certainty, .errno]' \
	--errno ENOMEM --root root /bin/good
try '--errno: 0 is a seccomp filter' knows 1 '["seccomp",null]' '[.cause, .errno]' --errno 0 --root root /bin/good
try '--errno: text busy, and no more' says 1 'why (likely): "/bin/good"...(ETXTBSY)' \
	--errno ETXTBSY --root root /bin/good

# --- names

nbsp=$(printf 'no\302\240break')
try 'a no-break space is seen' says 1 'why: "root/no\xc2\xa0break" does not exist' "root/$nbsp"
try 'a blank at the end is seen' says 1 'why: "root/blank " does not exist' 'root/blank '
# shellcheck disable=SC1003 # the path ends in a backslash
try 'quotes are escaped' says 1 'why: "root/\"\\" does not exist' 'root/"\'
# the_advice_helps NAME: a shell that is given the advice makes the file executable.
the_advice_helps() {
	echo '#!/bin/sh' >"$1" && chmod 644 "$1" || return
	advice=$("$errpipe" explain "./$1" | sed -n 's/^fix: //p')
	echo "$advice"
	bash -c "$advice" && [ -x "$1" ] && rm "$1"
}
# shellcheck disable=SC2016 # that is a name
for name in 'a b' "it's" "$nbsp" "$(printf 'line\nfeed')" 'a$b`c"d\e;f'; do
	try "a name for a shell: $(printf %s "$name" | tr '\n' ' ')" the_advice_helps "$name"
done

# A relative path that begins with "-" must not become an option.
an_option() {
	mkdir -p ./-R && echo '#!/bin/sh' >./-R/x && chmod 644 ./-R/x || return
	same 'fix: chmod a+x ./-R/x' "$("$errpipe" explain -- -R/x | grep -o '^fix: [^,]*')"
}
try 'a path that begins with "-"' an_option
# UTF-8 has no surrogates and ends with U+10FFFF.
try 'bytes that only look like UTF-8' says 1 'why: "root/\xed\xa0\x80\xf4\x90\x80\x80" does not exist' \
	"root/$(printf '\355\240\200\364\220\200\200')"

# --- JSON

keys='path works starts status cause certainty errno broken finding advice subject object subject_here object_here needer_here root_here number limit arguments argument_bytes variables variable_bytes detail needer searched available shadowing shadowed subject_content who uid gid mode acl acl_mask writers'
keys="$keys more_writers needs_libc has_libc host host_platform platform binfmt handler modules links libraries more_libraries"
link_keys='kind parent path resolved here format content architecture machine class byte_order type dynamic mode file_type uid gid size acl noexec'
link_keys="$link_keys nosuid mount argument fault wrong"
json_is_one_line() {
	"$errpipe" explain --json --root root /bin/nested >out
	same '1 1' "$(wc -l <out) $(jq -s length out)"
}
try 'JSON: one line' json_is_one_line
try 'JSON: its keys, in this order' knows 1 "\"$keys\"" 'keys_unsorted | join(" ")' --root root /bin/nested
try 'JSON: the keys of a link' knows 1 "\"$link_keys\"" '.links[2] | keys_unsorted | join(" ")' --root root /bin/nested
try 'JSON: the same when it works' knows 0 "[\"$keys\",\"$link_keys\"]" \
	'[(keys_unsorted | join(" ")), (.links[1] | keys_unsorted | join(" "))]' --root root /bin/good
try 'JSON: it works' knows 0 '[true,"none",null,null,null]' '[.works, .cause, .errno, .broken, .advice]' --root root /bin/good
try 'JSON: it does not' knows 1 '[false,"interpreter-missing","ENOENT",2,"/bin/nothing"]' \
	'[.works, .cause, .errno, .broken, .subject]' --root root /bin/nested
try 'JSON: the kinds' knows 1 '["program","interpreter","interpreter"]' '[.links[].kind]' --root root /bin/nested
try 'JSON: a script' knows 1 '["script","0755","file","-x"]' '[.links[0] | (.format, .mode, .file_type, .argument)]' \
	--root root /bin/script
try 'JSON: a missing file' knows 1 '[null,null,null,null,null]' '[.links[1] | (.resolved, .format, .mode, .uid, .size)]' \
	--root root /bin/script
try 'JSON: ELF' knows 1 "[\"elf\",\"$machine\",64,\"little\",true]" \
	'[.links[0] | (.format, .architecture, .class, .byte_order, .dynamic)]' --root root /usr/bin/app
try 'JSON: the loader' knows 1 '["loader","loader-of-other-libc"]' '[.links[1].kind, .cause]' --root root /usr/bin/app
try 'JSON: the C libraries' knows 1 '["glibc","musl",null]' '[.needs_libc, .has_libc, .detail]' --root root /usr/bin/app
try 'JSON: whom the mode denies' knows 1 '["not-executable","other",1234,null,"0644",false,false,null]' \
	'[.cause, .who, .uid, .gid, .mode, .acl, .acl_mask, .object]' --root root --as 1234 /data/tool
try 'JSON: nobody, if it is another cause' knows 1 '[null,null,null,null,null,null]' \
	'[.who, .uid, .gid, .mode, .acl, .acl_mask]' --root root /bin/nested
try 'JSON: empty arrays' knows 1 '[[],false,[],false]' '[.libraries, .more_libraries, .writers, .more_writers]' \
	--root root /bin/nested
try 'JSON: which link leads to which' knows 1 '[null,0,1]' '[.links[].parent]' --root root /bin/nested
try 'JSON: symbolic links are followed' knows 0 '["/bin/link","/bin/good"]' '[.links[0] | (.path, .resolved)]' \
	--root root /bin/link
try 'JSON: a directory' knows 1 '["directory","EACCES"]' '[.links[0].file_type, .errno]' --root root /none

# --- hostile names

hostile=$(printf 'a\nb\033]0;c\007\302\233d\377e')
hostile_file() {
	printf '#!/bin/\033[31mred\n' >"root/bin/$hostile" && chmod 755 "root/bin/$hostile"
}
try 'a hostile name' hostile_file
no_control_characters() {
	"$errpipe" explain --root root --path /bin "$@" >out 2>&1
	cat -v out
	[ -s out ] && ! tr -d '\n' <out | LC_ALL=C grep -q '[[:cntrl:]]'
}
try 'its control characters are escaped' no_control_characters "/bin/$hostile"
try 'the control characters of its interpreter are escaped' says 1 'its interpreter "/bin/\x1b[31mred" does not exist' --root root "/bin/$hostile"
try 'the control characters of a missing program are escaped' no_control_characters "$(printf 'no\033here\n')"
try 'the control characters of PATH are escaped' no_control_characters --path "$(printf '/\033:/\r')" nowhere
bad_root=$(printf 'x\033y')
try 'the control characters of a missing root are escaped' prints 125 'errpipe: cannot inspect "x\x1by" (ENOENT)' \
	explain --root "$bad_root" /x
hostile_json() {
	"$errpipe" explain --json --root root "/bin/$hostile" >out
	same "$(printf '/bin/a\nb\033]0;c\007\302\233d\357\277\275e')" "$(jq -r .path out)" &&
		same "$(printf '/bin/\033[31mred')" "$(jq -r '.links[1].path' out)"
}
try 'JSON: invalid UTF-8 is replaced' hostile_json
# JSON allows these characters unescaped in a string: DEL, and U+009b, which terminals take for CSI.
harmless_json() {
	name=$(printf '/x\177\302\233y\303\244')
	"$errpipe" explain --json --root root "$name" >out
	cat -v out
	same "$name" "$(jq -r .path out)" &&
		LC_ALL=C grep -q '"/x\\u007f\\u009by'"$(printf '\303\244')"'"' out &&
		! LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]\\|\302[\200-\237]')" out
}
try 'JSON: no control characters' harmless_json

# --- run and exec

cp root/bin/crlf entrypoint.sh
finding='errpipe: why: the first line of "./entrypoint.sh" contains a carriage return, so the kernel looks for "/bin/sh\r"'
advice='errpipe: fix: remove it: sed -i '\''s/\r//g'\'' ./entrypoint.sh'
line='exec ./entrypoint.sh: no such file or directory'
finds_refused() {
	status=0
	env PATH="/none:$tmp/root/data" "$errpipe" "$1" tool >out 2>&1 || status=$?
	cat out
	[ "$status" = 126 ] && [ "$(sed -n '1p; 3p; 4p' out)" = "exec $tmp/root/data/tool: permission denied
errpipe: fix: chmod a+x $tmp/root/data/tool" ] &&
		sed -n 2p out | grep -q "^errpipe: why: \"$tmp/root/data/tool\" has no x permission for "
}
for command in run exec; do
	try "$command: the message and two lines" prints 127 "$line
$finding
$advice" $command -- ./entrypoint.sh
	try "$command --explain=yes: the same" prints 127 "$line
$finding
$advice" $command --explain=yes -- ./entrypoint.sh
	try "$command --explain=no: the message" prints 127 "$line" $command --explain no -- ./entrypoint.sh
	try "$command: the exit code follows the policy" prints 255 "$line
$finding
$advice" $command --policy runc ./entrypoint.sh
	try "$command: no output for a program that starts" prints 7 '' $command -- sh -c 'exit 7'
	try "$command: nowhere along PATH" prints 127 "exec no-such-program: no such file or directory
errpipe: why: \"no-such-program\" is not in PATH
errpipe: fix: install it, use its full path, or correct PATH, which is \"$PATH\"" $command no-such-program
	try "$command: along PATH, but of no use" finds_refused $command
done

diagnosis() {
	want=$1
	shift
	"$errpipe" run --report report.json "$@" >out 2>&1
	same "$want" "$(jq -c '[.diagnosis.cause, .diagnosis.finding == null, (keys_unsorted[-1])]' report.json)"
}
try 'the report has it' diagnosis '["carriage-return",false,"diagnosis"]' ./entrypoint.sh
try 'the report has none: --explain=no' diagnosis '[null,true,"diagnosis"]' --explain=no ./entrypoint.sh
try 'the report has none: it has started' diagnosis '[null,true,"diagnosis"]' sh -c 'exit 126'
# shellcheck disable=SC2016 # for the shell that is killed
try 'the report has none: it was killed by another' diagnosis '[null,true,"diagnosis"]' sh -c 'kill -SEGV $$'
same_object() {
	"$errpipe" run --report report.json ./entrypoint.sh 2>err
	"$errpipe" explain --json ./entrypoint.sh >out
	same "$(jq -c . out)" "$(jq -c .diagnosis report.json)"
}
try 'it is the object of explain' same_object

# The first segment is smaller in memory than in the file, so the kernel kills the program while loading it.
make_killed() {
	cp root/bin/static killed || return
	index=$(readelf -lW killed | awk '/^  [A-Z]/ && $2 ~ /^0x/ { if ($1 == "LOAD") { print n + 0; exit } n++ }')
	printf '\001\000\000\000\000\000\000\000' | dd of=killed bs=1 seek=$((64 + 56 * index + 40)) conv=notrunc 2>dd.log
}
try 'a program that is killed while it is loaded' make_killed
status=0
"$errpipe" run ./killed 2>err || status=$?
try 'run: why it was killed, in two lines and no message' same \
	'139 2 errpipe: why: segment 0 of "./killed" is larger in the file than in memory' "$status $(wc -l <err) $(head -n 1 err | cut -d , -f 1)"
try 'run --explain=no: no output' prints 139 '' run --explain=no ./killed
try 'explain: it would go wrong' says 1 'why: segment 0 of "./killed"' ./killed

# As process 1, errpipe reaps the inspecting process, and no process is left.
if has 'process 1' pid-namespaces; then
	# shellcheck disable=SC2016
	try 'exec as process 1' same "127 3" "$(unshare -pf "$errpipe" exec ./entrypoint.sh 2>err; echo "$? $(wc -l <err)")"
	try 'run as process 1' same "127 3" "$(unshare -pf "$errpipe" run ./entrypoint.sh 2>err; echo "$? $(wc -l <err)")"
fi
# mended END: the script's first line ends in END, and the advice repairs it.
mended() {
	printf %b "#!/bin/sh$1exit 7\\n" >returns && chmod 755 returns && "$errpipe" run ./returns 2>err
	cat err
	grep -q '^errpipe: why: the first line of "./returns" contains a carriage return' err &&
		sh -c "$(sed -n 's/^errpipe: fix: remove it: //p' err)" && prints 7 '' run ./returns
}
for line_end in '\r\n' '\r\r\n' '\r \n' '\r -e\n' '\r\t-e\r\n'; do
	try 'a carriage return: the advice helps' mended "$line_end"
done

# Running out of descriptors is a failure of errpipe itself, not of the file system. With some limits it cannot even start a
# process.
few_descriptors() {
	seen=no
	for limit in 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		got=$(prlimit --nofile="$limit" "$errpipe" run ./nonexist 2>&1)
		case $got in
		"exec ./nonexist: no such file or directory
errpipe: why: \"./nonexist\" cannot be inspected: errpipe itself failed with EMFILE
errpipe: fix: raise the limit of open files (ulimit -n), now $limit") seen=yes ;;
		*'errpipe: why: "./nonexist" does not exist'*) ;;
		*'cannot start a process for "./nonexist" (EMFILE)' | *'while loading shared libraries'*) ;;
		*)
			same "a limit of $limit: not this" "$got"
			return
			;;
		esac
	done
	same yes "$seen"
}
try 'without descriptors errpipe itself cannot look' few_descriptors

# Without a second process errpipe prints no diagnosis.
no_descriptors() {
	status=0
	prlimit --nofile=6 "$errpipe" exec ./entrypoint.sh 2>err || status=$?
	grep -qxF "$line" err && same 127 "$status"
}
try 'without resources the message is there' no_descriptors

# --- a bundle


make_bundle() {
	mkdir -p bundle/real && cp -a root bundle/rootfs && runc spec -b bundle && mv bundle/config.json base.json &&
		cp root/bin/good bundle/real/tool && mkdir -p bundle/rootfs/noexec bundle/rootfs/mounted
}
# configure FILTER: write config.json: the output of runc spec, changed by jq.
configure() {
	jq "$1" base.json >bundle/config.json
}
# bundled STATUS TEXT FILTER ARG...: explain --bundle prints TEXT among other text, and exits with STATUS.
bundled() {
	want_status=$1 want=$2
	configure "$3" || return
	shift 3
	says "$want_status" "$want" --bundle bundle "$@"
}
# mistaken TEXT FILTER: explain --bundle reports the error TEXT in config.json.
mistaken() {
	configure "$2" || return
	prints 125 "errpipe: config.json: $1" explain --bundle bundle
}

if command -v runc >/dev/null; then
	try 'a bundle' make_bundle
	user='.process.user = {uid: 5, gid: 5} | .process.capabilities = null'
	try 'bundle: process.args' bundled 0 'it would start' '.process.args = ["/bin/good", "x"]'
	try 'bundle: PROGRAM replaces them' bundled 1 '"/bin/text" is a text file' '.process.args = ["/bin/good", "x"]' /bin/text
	without_sigchld() {
		configure '.process.args = ["/bin/text"]'
		status=0 got=$(env --ignore-signal=CHLD "$errpipe" explain --bundle bundle) || status=$?
		echo "$got"
		[ "$status" = 1 ] && echo "$got" | grep -q '"/bin/text" is a text file'
	}
	try 'bundle: where SIGCHLD is ignored' without_sigchld
	try 'bundle: PATH of process.env' bundled 0 '/usr/bin/tool ' \
		'.process.args = ["tool"] | .process.env = ["PATH=/data", "A=1", "PATH=/none:/usr/bin"]'
	try 'bundle: --path takes precedence' bundled 1 '/data/tool ' \
		'.process.args = ["tool"] | .process.env = ["PATH=/usr/bin"]' --path /data
	try 'bundle: a whole command in one word' bundled 1 'fix: split it into "/bin/good", "y"' '.process.args = ["/bin/good y"]'
	# shellcheck disable=SC2016 # nothing expands it
	try 'bundle: a variable of process.env' bundled 1 'fix: use "/bin/good", or let a shell run it' \
		'.process.args = ["$HOME/good"] | .process.env = ["HOME=/bin"]'
	try 'bundle: process.cwd' bundled 0 'it would start' '.process.args = ["./good"] | .process.cwd = "/bin"'
	try 'bundle: --cwd takes precedence' bundled 1 'ENOENT' '.process.args = ["./good"] | .process.cwd = "/bin"' --cwd /usr
	try 'bundle: its root is not ours' bundled 1 'missing' ".process.args = [\"$tmp/root/bin/good\"]"
	try 'bundle: root.path may be absolute' bundled 0 'it would start' \
		".root.path = \"$tmp/root\" | .process.args = [\"/bin/good\"]"
	chmod 750 bundle/rootfs/bin/good
	[ "$(id -u)" != 0 ] || chown 1000:1001 bundle/rootfs/bin/good
	if [ "$(id -u)" = 0 ]; then
		try 'bundle: process.user' bundled 1 'has no x permission for others' "$user | .process.args = [\"/bin/good\"]"
		try 'bundle: process.user.gid' bundled 0 'it would start' \
			"$user | .process.user.gid = 1001 | .process.args = [\"/bin/good\"]"
		try 'bundle: process.user.additionalGids' bundled 0 'it would start' \
			"$user | .process.user.additionalGids = [7, 1001] | .process.args = [\"/bin/good\"]"
		try 'bundle: --as takes precedence' bundled 0 'it would start' "$user | .process.args = [\"/bin/good\"]" --as 1000
		chmod 700 bundle/rootfs/private
		chown 5:5 bundle/rootfs/private
		try 'bundle: root without capabilities' bundled 1 '"/private" has no x permission' \
			'.process.args = ["/private/tool"]'
		try 'bundle: process.capabilities' bundled 0 'it would start' \
			'.process.args = ["/private/tool"] | .process.capabilities.effective = ["CAP_DAC_OVERRIDE", "CAP_NEW"] |
				.process.capabilities.permitted = ["CAP_DAC_OVERRIDE"]'
		try 'bundle: the ids of a user namespace' bundled 0 'it would start' \
			'.process.args = ["/private/tool"] | .process.user = {uid: 3, gid: 4} | .linux.uidMappings =
				[{containerID: 0, hostID: 100000, size: 3}, {containerID: 3, hostID: 5, size: 1}]'
		chmod 070 bundle/rootfs/private
		try 'bundle: a group of a user namespace' bundled 0 'it would start' \
			"$user"' | .process.args = ["/private/tool"] | .process.user = {uid: 3, gid: 4} | .linux.gidMappings =
				[{containerID: 4, hostID: 5, size: 1}]'
		try 'bundle: additionalGids of a user namespace' bundled 0 'it would start' \
			"$user"' | .process.args = ["/private/tool"] | .process.user = {uid: 3, gid: 9, additionalGids: [1, 4]} |
				.linux.gidMappings = [{containerID: 4, hostID: 5, size: 1}]'
		try 'bundle: a group that is not mapped' bundled 1 '"/private" has no x permission' \
			"$user"' | .process.args = ["/private/tool"] | .process.user = {uid: 3, gid: 4} | .linux.gidMappings =
				[{containerID: 5, hostID: 5, size: 1}]'
		chown 0:0 bundle/rootfs/private
	else
		skip 'bundle: users' 'needs root'
	fi
	chmod 755 bundle/rootfs/bin/good

	# File systems that are mounted later, by the runtime.
	later='.mounts += [{destination: "/noexec", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec"]},
		{destination: "/mounted", type: "none", source: "real", options: ["rbind", "ro"]}]'
	try 'bundle: a bind mount' bundled 0 'it would start' "$later | .process.args = [\"/mounted/tool\"]"
	try 'bundle: nothing in a bind mount' bundled 1 'ENOENT' "$later | .process.args = [\"/mounted/gone\"]"
	try 'bundle: on a tmpfs' bundled 1 'cannot tell whether it would start
why: "/noexec/tool" is on "/noexec",' \
		"$later | .mounts[-2].options = [] | .process.args = [\"/noexec/tool\"]"
	try 'bundle: on a tmpfs with noexec' bundled 1 'why (likely): "/noexec/tool" is on "/noexec",...(EACCES)' \
		"$later | .process.args = [\"/noexec/tool\"]"
	try 'bundle: on /proc' bundled 1 'cannot tell whether it would start
why: "/proc/tool" is on "/proc",' \
		'.process.args = ["/proc/tool"]'
	try 'bundle: on /proc with noexec, where links lead away' bundled 1 'cannot tell whether it would start' \
		'.mounts |= map(if .type == "proc" then .options = ["noexec"] else . end) | .process.args = ["/proc/self/exe"]'
	try 'bundle: a bind mount with noexec' bundled 1 'why: "/mounted/tool" is on "/mounted", which is mounted noexec (EACCES)' \
		"$later | .mounts[-1].options += [\"noexec\"] | .process.args = [\"/mounted/tool\"]"
	try 'bundle: the last option counts' bundled 0 'it would start' \
		"$later | .mounts[-1].options += [\"noexec\", \"exec\"] | .process.args = [\"/mounted/tool\"]"
	# Recursive options are applied after the others, in any order.
	while read -r options want; do
		try "bundle: a bind mount with $options" bundled "$([ "$want" = starts ] && echo 0 || echo 1)" \
			"$([ "$want" = starts ] && echo 'it would start' || echo 'which is mounted noexec')" \
			"$later | .mounts[-1].options = (\"rbind,$options\" | split(\",\")) | .process.args = [\"/mounted/tool\"]"
	done <<-'EOF'
		rnoexec refused
		rnoexec,exec refused
		exec,rnoexec refused
		rexec,noexec starts
		noexec,rexec starts
		rexec,rnoexec refused
		rnoexec,rexec refused
		noexec,rro,rnodev,rnosuid refused
		exec,rro,rnodev,rnosuid starts
	EOF
	# For other kinds of mounts only crun applies them.
	for options in '"rnoexec"' '"noexec", "rexec"'; do
		try "bundle: a tmpfs with $options" bundled 1 'cannot tell whether it would start
why: "/noexec/tool" is on "/noexec",' \
			"$later | .mounts[-2].options = [$options] | .process.args = [\"/noexec/tool\"]"
	done
	try 'bundle: a tmpfs with noexec and rnoexec' bundled 1 'why (likely): "/noexec/tool" is on "/noexec",...(EACCES)' \
		"$later | .mounts[-2].options = [\"rnoexec\", \"noexec\"] | .process.args = [\"/noexec/tool\"]"
	for options in '"rnosuid", "suid"' '"rnosuid", "rsuid"' '"nosuid"'; do
		configure "$later | .mounts[-1].options += [$options] | .process.args = [\"/mounted/tool\"]"
		try "bundle: a bind mount with $options" knows 0 true '.links[0].nosuid' --bundle bundle
	done
	configure "$later | .mounts[-1].options += [\"nosuid\", \"rsuid\"] | .process.args = [\"/mounted/tool\"]"
	try 'bundle: a bind mount with nosuid and rsuid' knows 0 false '.links[0].nosuid' --bundle bundle
	try 'bundle: a mount on the root' bundled 1 'cannot tell whether it would start
why: "/bin/good" is on "/",' \
		'.mounts += [{destination: "/", type: "bind", source: "real"}] | .process.args = ["/bin/good"]'
	ln -s none bundle/rootfs/to-none
	try 'bundle: a bind mount onto a link' bundled 0 'it would start' \
		'.mounts += [{destination: "/to-none", type: "bind", source: "real"}] | .process.args = ["/none/tool"]'
	try 'bundle: nothing there without it' bundled 1 'ENOENT' '.process.args = ["/none/tool"]'
	try 'bundle: a bind mount of a file' bundled 0 'it would start' \
		'.mounts += [{destination: "/new", type: "bind", source: "real/tool"}] | .process.args = ["/new"]'
	try 'bundle: a bind mount of nothing' bundled 1 'the source "bundle/gone" of the mount on "/none" does not exist (ENOENT)' \
		'.mounts += [{destination: "/none", type: "bind", source: "gone"}] | .process.args = ["/none/tool"]'

	limited='.process.rlimits = [{type: "RLIMIT_STACK", soft: 200000, hard: 18446744073709551615}]'
	try 'bundle: process.rlimits, and process.env counts' bundled 1 'why:...(E2BIG)' \
		"$limited | .process.args = [\"/bin/good\"] | .process.env += [\"A=\" + \"x\" * 100000, \"B=\" + \"y\" * 100000]"
	try 'bundle: services in a Kubernetes namespace' bundled 1 'fix: set enableServiceLinks: false in the spec of the pod...' \
		"$limited | .process.args = [\"/bin/good\"] |
			.process.env += [range(3000) | \"S\(.)_SERVICE_HOST=10.0.0.1\", \"S\(.)_PORT_80_TCP_ADDR=10.0.0.1\"]"
	try 'bundle: no limit is 2^64 - 1' bundled 0 'it would start' \
		'.process.rlimits = [{type: "RLIMIT_AS", soft: 18446744073709551615, hard: 18446744073709551615}] |
			.process.args = ["/bin/good"]'
	try 'bundle: an address space' bundled 1 'address space' \
		'.process.rlimits = [{type: "RLIMIT_AS", soft: 4096, hard: 4096}] | .process.args = ["/bin/static"]'
	try 'bundle: a limit of data' bundled 1 'RLIMIT_DATA is 4096' \
		'.process.rlimits = [{type: "RLIMIT_DATA", soft: 4096, hard: 4096}] | .process.args = ["/bin/static"]'
	configure '.process.args = ["/bin/good"]'
	try 'bundle: as JSON' knows 0 '[true,"/bin/good"]' '[.works, .path]' --bundle bundle
	try 'bundle: no PROGRAM but with it' prints 125 "errpipe: no program given
Try 'errpipe explain --help'." explain

	try 'config.json: process' mistaken 'process is not an object' '.process = 1'
	try 'config.json: process.args' mistaken 'process.args is not an array of strings' '.process.args = "sh"'
	try 'config.json: a number in process.args' mistaken 'process.args is not an array of strings' '.process.args = ["sh", 1]'
	try 'config.json: no process.args' mistaken 'process.args is empty' 'del(.process.args)'
	try 'config.json: process.args is empty' mistaken 'process.args is empty' '.process.args = []'
	try 'config.json: no process' mistaken 'process.args is empty' 'del(.process)'
	try 'config.json: process.env' mistaken 'process.env is not an array of strings' '.process.env = {}'
	try 'config.json: process.cwd' mistaken 'process.cwd is not a string' '.process.cwd = 1'
	try 'config.json: process.user' mistaken 'process.user is not an object' '.process.user = "root"'
	try 'config.json: process.user.uid' mistaken 'process.user.uid is not an integer of 0 or more' '.process.user.uid = "root"'
	try 'config.json: a negative uid' mistaken 'process.user.uid is not an integer of 0 or more' '.process.user.uid = -1'
	try 'config.json: half a uid' mistaken 'process.user.uid is not an integer of 0 or more' '.process.user.uid = 0.5'
	try 'config.json: a large uid' mistaken 'process.user.uid is not an id' '.process.user.uid = 4294967295'
	try 'config.json: process.user.gid' mistaken 'process.user.gid is not an integer of 0 or more' '.process.user.gid = []'
	try 'config.json: additionalGids' mistaken 'process.user.additionalGids is not an array of ids' \
		'.process.user.additionalGids = [1, "x"]'
	try 'config.json: more additionalGids than a process can have' mistaken \
		'process.user.additionalGids has too many entries' '.process.user.additionalGids = [range(65537)]'
	try 'config.json: process.capabilities' mistaken 'process.capabilities is not an object' '.process.capabilities = []'
	try 'config.json: process.capabilities.effective' mistaken \
		'process.capabilities.effective is not an array of strings' '.process.capabilities.effective = 1'
	try 'config.json: process.capabilities.bounding' mistaken \
		'process.capabilities.bounding is not an array of strings' '.process.capabilities.bounding = [1]'
	try 'config.json: process.noNewPrivileges' mistaken 'process.noNewPrivileges is not true or false' \
		'.process.noNewPrivileges = 1'
	try 'config.json: process.rlimits' mistaken 'process.rlimits is not an array of objects' '.process.rlimits = {}'
	try 'config.json: an entry of process.rlimits' mistaken 'process.rlimits is not an array of objects' \
		'.process.rlimits = ["x"]'
	try 'config.json: process.rlimits[1].soft' mistaken 'process.rlimits[1].soft is not an integer of 0 or more' \
		'.process.rlimits[1] = {type: "RLIMIT_AS", soft: "x"}'
	try 'config.json: process.rlimits[0].type' mistaken 'process.rlimits[0].type is not a string' \
		'.process.rlimits[0].type = 1'
	try 'config.json: root' mistaken 'root is not an object' '.root = "rootfs"'
	try 'config.json: root.path' mistaken 'root.path is not a string' '.root.path = 1'
	try 'config.json: no root' mistaken 'root.path is missing' 'del(.root)'
	try 'config.json: mounts' mistaken 'mounts is not an array of objects' '.mounts = 1'
	try 'config.json: an entry of mounts' mistaken 'mounts is not an array of objects' '.mounts[0] = 1'
	try 'config.json: mounts[0].destination' mistaken 'mounts[0].destination is not a string' '.mounts[0].destination = 1'
	try 'config.json: no mounts[1].destination' mistaken 'mounts[1].destination is missing' 'del(.mounts[1].destination)'
	try 'config.json: mounts[0].type' mistaken 'mounts[0].type is not a string' '.mounts[0].type = 1'
	try 'config.json: mounts[0].source' mistaken 'mounts[0].source is not a string' '.mounts[0].source = 1'
	try 'config.json: mounts[2].options' mistaken 'mounts[2].options is not an array of strings' '.mounts[2].options = [1]'
	try 'config.json: too many mounts' mistaken 'mounts has too many entries' \
		'.mounts = [range(501) | {destination: "/x"}]'
	try 'config.json: linux' mistaken 'linux is not an object' '.linux = 1'
	try 'config.json: linux.uidMappings' mistaken 'linux.uidMappings is not an array of objects' '.linux.uidMappings = 1'
	try 'config.json: linux.gidMappings[0].size' mistaken 'linux.gidMappings[0].size is not an integer of 0 or more' \
		'.linux.gidMappings = [{size: "x"}]'
	try 'config.json: a mapping to an id that is too large' mistaken 'linux.uidMappings[0].hostID is not an id' \
		'.linux.uidMappings = [{containerID: 0, hostID: 4294967296, size: 1}]'
	try 'config.json: a mapping to more than all ids' mistaken 'linux.uidMappings[0].size is not a range of ids' \
		'.linux.uidMappings = [{containerID: 0, hostID: 4294967294, size: 3}]'
	try 'config.json: more mappings than there can be' mistaken 'linux.gidMappings has too many entries' \
		'.linux.gidMappings = [range(341) | {}]'
	try 'config.json: an array' mistaken 'the file is not an object' '[.]'

	# Searching every entry of this PATH would take a minute.
	long_path() {
		configure '.process.args = ["x"] | .process.env = ["PATH=" + ":" * 4000000]' || return
		status=0 got=$(timeout 60 "$errpipe" explain --bundle bundle 2>&1) || status=$?
		same '1 why: "x" cannot be looked up: errpipe gave up at "/" (after 20000 steps)' "$status $(echo "$got" | sed -n 3p)"
	}
	try 'config.json: a PATH without an end' long_path

	# This is not JSON at all.
	garbage() {
		printf '{"process": \033[31m}' >bundle/config.json
		"$errpipe" explain --bundle bundle >out 2>&1
		same 125 "$?" && grep -q '^errpipe: config.json: line 1: ' out && ! grep -q "$(printf '\033')" out
	}
	try 'config.json: no JSON' garbage
	truncate -s 4194305 bundle/config.json
	try 'config.json: too large' prints 125 'errpipe: cannot read config.json (EFBIG)' explain --bundle bundle
	rm bundle/config.json
	ln -s /dev/null bundle/config.json
	try 'config.json: a device' prints 125 'errpipe: cannot read config.json (EINVAL)' explain --bundle bundle
	not_opened() {
		strace -f -o calls -e trace=open,openat "$errpipe" explain --bundle bundle >/dev/null 2>&1
		cat calls
		grep -q 'config.json' calls && ! grep -vw O_PATH calls | grep -e config.json -e /proc/self/fd/
	}
	try 'config.json: a device is not opened' not_opened
	rm bundle/config.json
	try 'config.json: missing' prints 125 'errpipe: cannot read config.json (ENOENT)' explain --bundle bundle
	mkfifo bundle/config.json
	try 'config.json: a FIFO' prints 125 'errpipe: cannot read config.json (EINVAL)' explain --bundle bundle
	try 'no bundle' prints 125 'errpipe: cannot open the bundle "nowhere" (ENOENT)' explain --bundle nowhere
	rm bundle/config.json
	configure '.root.path = "no\u001bwhere"'
	try 'a root that is not there' prints 125 'errpipe: cannot inspect "bundle/no\x1bwhere" (ENOENT)' explain --bundle bundle
else
	skip 'bundles' 'runc is missing: scripts/setup test installs it'
fi

# --- a file system that does not respond

mkdir hangs root/hangs
# hangs STATUS TEXT MOUNT ARG...: errpipe explain prints TEXT and exits with STATUS while MOUNT does not respond.
hangs() {
	want_status=$1 want=$2 status=0
	shift 2
	got=$(timeout 60 "$ERRPIPE_BUILD/tests/prog_hang" "$1" "$errpipe" explain "$2" "$3" "$4" 2>&1) || status=$?
	case $got in
	*"$want"*) same "$want_status" "$status" ;;
	*) same "$want_status ...$want..." "$status $got" ;;
	esac
}
if has 'a file system that does not answer' fuse; then
	try 'a file system that does not answer' hangs 1 'cannot be inspected: its file system does not respond' \
		"$tmp/hangs" --path /none "$tmp/hangs/x" x
	try 'in a root' hangs 1 'cannot be inspected: its file system does not respond' "$tmp/root/hangs" --root "$tmp/root" \
		/hangs/x
	try 'the root itself' hangs 1 "\"$tmp/hangs/root\" cannot be inspected: its file system does not respond" "$tmp/hangs" \
		--root "$tmp/hangs/root" /x
	try 'a bundle that does not answer' hangs 125 'cannot read config.json: its file system does not respond' "$tmp/hangs" \
		--bundle "$tmp/hangs/bundle" x
	# The process that cannot be killed must not hold a pipe that a shell waits for. Descriptor 7 is another end of the pipe.
	cat >waits <<-'END'
		exec 7>&1
		words=$("$@" 2>&1 7>&1)
		echo "$? $words"
	END
	lets_go() {
		want=$1
		shift
		got=$(timeout 60 "$ERRPIPE_BUILD/tests/prog_hang" hangs sh ./waits "$@" 2>&1)
		case $got in
		*"$want"*) ;;
		*) same "...$want..." "$got" ;;
		esac
	}
	try 'no pipe is kept open: explain' lets_go 'does not respond' "$errpipe" explain "$tmp/hangs/x"
	try 'no pipe is kept open: a bundle' lets_go 'does not respond' "$errpipe" explain --bundle "$tmp/hangs" x
	try 'no lock is kept' lets_go 'free' sh -c 'flock -n lock "$@"; flock -n lock echo free' sh "$errpipe" explain "$tmp/hangs/x"
	try 'nothing is left mounted' sh -c "! grep -q '$tmp' /proc/self/mountinfo"
fi

# --- a file system that fails

mkdir fails
# fails NAME ERRNO CAUSE CERTAINTY: the exec fails with ERRNO, and explain predicts it.
fails() {
	want="[\"$2\",\"$3\",\"$4\",\"$2\"] [\"$3\",\"$4\",\"$2\"]"
	# shellcheck disable=SC2016 # the inner shell expands them
	got=$("$ERRPIPE_BUILD/tests/prog_errors" fails sh -c '
		"$1" run --report report.json "fails/$2" 2>err
		jq -c "[.errno, .diagnosis.cause, .diagnosis.certainty, .diagnosis.errno]" report.json
		"$1" explain --json "fails/$2" | jq -c "[.cause, .certainty, .errno]"' sh "$errpipe" "$1" 2>&1 | tr '\n' ' ')
	same "$want" "${got% }"
}
if has 'a file system that fails' fuse; then
	try 'EIO of a look-up' fails look-5 EIO lookup-failed certain
	try 'ESTALE of a look-up' fails look-116 ESTALE lookup-failed certain
	try 'EAGAIN of a look-up' fails look-11 EAGAIN lookup-failed certain
	try 'ENAMETOOLONG of a look-up' fails look-36 ENAMETOOLONG lookup-failed certain
	try 'EACCES of a look-up' fails look-13 EACCES lookup-failed likely
	try 'EIO of open' fails open-5 EIO read-failed certain
	try 'ESTALE of open' fails open-116 ESTALE read-failed certain
	try 'EMFILE of a look-up' fails look-24 EMFILE lookup-failed certain
	try 'EMFILE of open' fails open-24 EMFILE read-failed certain
	try 'EAGAIN of open' fails open-11 EAGAIN read-failed certain
	try 'ENOENT of open' fails open-2 ENOENT read-failed certain
	try 'EUCLEAN of open' fails open-117 EUCLEAN read-failed certain
	try 'ENOKEY of open' fails open-126 ENOKEY read-failed certain
	try 'ENOTCONN of a look-up' fails look-107 ENOTCONN lookup-failed certain
	try 'ESTALE: what to do' same 'fix: try again; if that fails, mount the file system again' \
		"$("$ERRPIPE_BUILD/tests/prog_errors" fails "$errpipe" explain fails/open-116 | tail -n 1)"
	try 'EPROTO: what to do' same 'fix: check dmesg and what is mounted there' \
		"$("$ERRPIPE_BUILD/tests/prog_errors" fails "$errpipe" explain fails/look-71 | tail -n 1)"
	try 'EIO of read' fails read-5 EIO read-failed certain
	try 'EINTR of read, each time' fails read-4 EINTR read-failed certain
	if [ "$machine" = x86_64 ]; then
		try 'EIO of program headers' fails rest-5 ENOEXEC read-failed certain
	fi
fi

# --- without JSON

if "$ERRPIPE_SRC/tests/support/make" O="$ERRPIPE_BUILD/without-json" JANSSON= \
	"$ERRPIPE_BUILD/without-json/errpipe" >make.log 2>&1; then
	errpipe=$ERRPIPE_BUILD/without-json/errpipe
	try 'without JSON: --json' prints 125 'errpipe: built without JSON support: install jansson and build errpipe again' explain --json /bin/sh
	try 'without JSON: --bundle' prints 125 'errpipe: built without JSON support: install jansson and build errpipe again' explain --bundle bundle
	try 'without JSON: the rest works' says 0 'it would start' /bin/sh
else
	cat make.log >&2
	try 'it builds without JSON' false
fi

echo "1..$n"
exit "$failed"
