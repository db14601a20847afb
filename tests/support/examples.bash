#!/bin/bash
# SPDX-License-Identifier: MIT
# examples.bash FILE...: run the examples of each document as if typed, and compare their output. Writes TAP.
#
# An example is a line that begins with "$ " in a code block (indented by four in Markdown; a literal display in mdoc). The lines
# after it are its output. A line that ends in "..." may continue, depending on the machine. The examples of a document run in
# sequence in one shell, so that "echo $?" works. Their directory has hello.arm64, hello.s390x, hello.native, dynamic.arm64, a musl
# rootfs with an app for glibc, a bundle "container" whose program lacks a library, and the scripts of the document.
set -u
export LC_ALL=C.UTF-8

count=0 failures=0

result() {
	count=$((count + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $count - $2"
}

# code FILE: print the code of a document, with a blank line between blocks.
code() {
	case $1 in
	*.md) sed -n -e 's/^    //p' -e 't' -e 's/.*//p' "$1" ;;
	*) sed -n -e '/^\.Bd -literal/,/^\.Ed/{/^\./d;s/^\\&//;s/\\e/\\/g;s/\\(ga\\-/└─/g;p;b' -e '}' -e 's/.*//p' "$1" ;;
	esac
}

# scripts FILE: write each script of a document ("```sh") to the file that its second line names.
scripts() {
	awk '/^```sh$/ { inside = 1; text = ""; name = ""; next }
		/^```$/ && inside { inside = 0; if (name) printf "%s", text >name }
		inside { text = text $0 "\n"; if (!name && /^# /) name = $2 }' "$1"
}

# cut_as WANT: cut each line where the line of WANT ends in "...".
cut_as() {
	awk 'NR == FNR { want[NR] = $0; next }
		want[FNR] ~ /\.\.\.$/ && index($0, substr(want[FNR], 1, length(want[FNR]) - 3)) == 1 { $0 = want[FNR] }
		{ print }' <(printf '%s\n' "$1") -
}

check() {
	local command=$1 want=$2 document=$3 got needs=
	case $command in
	'unshare -rm '*) needs=$("$ERRPIPE_SRC/tests/support/lacks" user-namespaces) ;;
	*' -m32 '*) needs=$("$ERRPIPE_SRC/tests/support/lacks" 32-bit-programs) ;;
	esac
	if [ -n "$needs" ]; then
		result ok "$document: $command # SKIP $needs"
		return
	fi
	# In a script, bash's messages include the line number.
	got=$(sed 's/^\(.*\): line [0-9]*: /bash: /' output.tmp | cut_as "$want")
	if [ "$got" = "$want" ]; then
		result ok "$document: $command"
	else
		result 'not ok' "$document: $command"
		printf '%s\nprinted\n%s\ninstead of\n%s\n' "$command" "$got" "$want" >&2
	fi
}

run_document() {
	local line command='' want='' status=0

	while IFS= read -r line; do
		if [ -n "$command" ] && { [ -z "$line" ] || [[ $line == '$ '* ]]; }; then
			check "$command" "${want%$'\n'}" "$(basename "$1")"
			command='' want=''
		fi
		if [[ $line == '$ '* ]]; then
			command=${line#\$ }
			exit_with "$status"
			eval "$command" >output.tmp 2>&1 </dev/null
			status=$?
		elif [ -n "$command" ]; then
			want+=$line$'\n'
		fi
	done < <(code "$1"; echo)
}

exit_with() {
	return "$1"
}

make_rootfs() {
	mkdir -p rootfs/usr/bin rootfs/lib
	echo 'int main(void) { return 0; }' | cc -x c -o rootfs/usr/bin/app -
	cp hello.native "rootfs/lib/ld-musl-$(uname -m).so.1"
	chmod 755 rootfs/usr/bin/app
}

make_container() {
	mkdir -p container/rootfs/app
	echo 'int f(void) { return 0; }' | cc -shared -Wl,-soname,libpq.so.5 -x c -o libpq.so -
	echo 'int f(void); int main(void) { return f(); }' | cc -x c - -x none ./libpq.so -o container/rootfs/app/server
	cp -L --parents "$(readelf -lW container/rootfs/app/server | sed -n 's/.*interpreter: \(.*\)]/\1/p')" container/rootfs
	echo '{"root": {"path": "rootfs"}, "process": {"args": ["/app/server"], "cwd": "/"}}' >container/config.json
}

for document; do
	cd "$(mktemp -d)" || exit 1
	cp "$ERRPIPE_BUILD/stubs/aarch64/hello" hello.arm64
	cp "$ERRPIPE_BUILD/stubs/s390x/hello" hello.s390x
	cp "$ERRPIPE_BUILD/stubs/$(uname -m)/hello" hello.native
	make_rootfs
	make_container
	printf '#include <stdio.h>\nint main(void) { puts("hello"); }\n' | aarch64-linux-gnu-gcc -x c -o dynamic.arm64 -
	scripts "$document"
	PATH=$ERRPIPE_BUILD:$PATH
	dmz 3 ./hello.arm64 hello.arm64 3>record
	before=$count
	run_document "$document"
	[ "$count" -gt "$before" ] || result 'not ok' "$document has no examples"
	rm -rf "$PWD"
done
echo "1..$count"
[ "$failures" = 0 ]
