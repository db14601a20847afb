#!/bin/sh
# SPDX-License-Identifier: MIT
# The JSON of errpipe run --report and errpipe decode --json: one object for each outcome, parsed by jq. Writes TAP.
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"
errpipe=$ERRPIPE_BUILD/errpipe
count=0 failures=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

result() {
	count=$((count + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $count - $2"
}

# is WHAT WANT GOT
is() {
	if [ "$2" = "$3" ]; then
		result ok "$1"
	else
		printf '%s:\n%s\nand not\n%s\n' "$1" "$3" "$2" >&2
		result 'not ok' "$1"
	fi
}

# object FILE: print the only object in FILE, without the time, which varies, and the diagnosis, which explain.sh tests.
object() {
	jq -s -c 'if length == 1 then .[0] | del(.time, .diagnosis) else "\(length) objects" end' "$1"
}

# reports TITLE STATUS WANT ARG...: errpipe run exits with STATUS and writes exactly the object WANT.
reports() {
	what=$1 want_status=$2 want=$3 status=0
	shift 3
	"$errpipe" run --report out.json "$@" >out 2>err || status=$?
	is "$what" "$want" "$(object out.json)"
	is "$what: exit status" "$want_status" "$status"
}

stub='"route":"stub","route_reason":"the stub makes no difference to the target"'
none='"errno":null,"error":0,"raw_error":0,"machine":0,"step":0'
machine=$(od -A n -t u2 -j 18 -N 2 "$ERRPIPE_BUILD/dmz" | tr -d ' ')

reports 'exit 0' 0 '{"level":"info","msg":"exec /bin/sh: started","verdict":"STARTED","path":"/bin/sh","path_hex":null,'"$none"',"exit_status":0,"signal":null,"exit_code":0,'"$stub"'}' \
	--route=stub /bin/sh -c 'exit 0'
reports 'exit 126' 126 '{"level":"info","msg":"exec /bin/sh: started","verdict":"STARTED","path":"/bin/sh","path_hex":null,'"$none"',"exit_status":126,"signal":null,"exit_code":126,'"$stub"'}' \
	--route=stub /bin/sh -c 'exit 126'
# shellcheck disable=SC2016 # the shell that is killed
reports 'a signal' 137 '{"level":"info","msg":"exec /bin/sh: started","verdict":"STARTED","path":"/bin/sh","path_hex":null,'"$none"',"exit_status":null,"signal":9,"exit_code":137,'"$stub"'}' \
	--route=stub /bin/sh -c 'kill -9 $$'
: >empty
chmod 755 empty
reports 'a failure' 255 '{"level":"error","msg":"exec ./empty: exec format error","verdict":"EXEC_FAILED","path":"./empty","path_hex":null,"errno":"ENOEXEC","error":8,"raw_error":8,"machine":'"$machine"',"step":0,"exit_status":null,"signal":null,"exit_code":255,'"$stub"'}' \
	--route=stub --policy=runc ./empty
reports 'the direct route' 127 '{"level":"error","msg":"exec ./missing: no such file or directory","verdict":"EXEC_FAILED","path":"./missing","path_hex":null,"errno":"ENOENT","error":2,"raw_error":2,"machine":'"$machine"',"step":0,"exit_status":null,"signal":null,"exit_code":127,"route":"direct","route_reason":"the caller asked for no stub"}' \
	--route=direct ./missing
reports 'a path for the direct route' 0 '{"level":"info","msg":"exec /proc/self/exe: started","verdict":"STARTED","path":"/proc/self/exe","path_hex":null,'"$none"',"exit_status":0,"signal":null,"exit_code":0,"route":"direct","route_reason":"the path would mean something else after the exec of the stub"}' \
	/proc/self/exe --help

# A path of any bytes gives a valid object, which still contains the exact path.
path=$(printf './\001\n"\\\377\303\244\303\360\237\230\200\355\240\200')
"$errpipe" run --report out.json "$path" 2>err
is 'any bytes: invalid UTF-8 is replaced' "$(printf './\001\n"\\\357\277\275\303\244\357\277\275\360\237\230\200\357\277\275\357\277\275\357\277\275')" \
	"$(jq -r .path out.json)"
is 'any bytes: path_hex has the exact path' "$path" "$(jq -r .path_hex out.json | sed 's/../\\x&/g' | xargs -0 printf %b)"
is 'any bytes: the line' "$(printf 'exec ./\\\\x01\\\\n"\\\\\357\277\275\303\244\357\277\275\360\237\230\200\357\277\275\357\277\275\357\277\275: no such file or directory')" \
	"$(jq .msg out.json | sed 's/^"//; s/"$//; s/\\"/"/g')"

is 'the first keys, in this order' 'level msg time' "$(jq -r 'keys_unsorted[:3] | join(" ")' out.json)"
is 'the last key' 'diagnosis' "$(jq -r 'keys_unsorted[-1]' out.json)"
is 'the time' true "$(jq '.time | fromdate > 1700000000' out.json)"

# The target does not inherit the descriptor of the report.
"$errpipe" run --report-fd 7 -- /bin/sh -c 'echo x >&7' 7>fd.json 2>err
is 'a descriptor' STARTED "$(jq -r .verdict fd.json)"
is 'the target does not have it' 1 "$(grep -c . err)"

# The object comes after earlier output and before later output.
mixed() {
	sed -n '2s/.*"verdict":"\([A-Z]*\)".*/\1/; p' "$1" | tr '\n' ' '
}
for name in - /dev/stdout /dev/fd/1 /proc/self/fd/1 mixed; do
	{ "$errpipe" run --report "$name" -- /bin/echo target; echo after; } >mixed
	is "--report $name" 'target STARTED after ' "$(mixed mixed)"
	echo before >mixed
	{ "$errpipe" run --report "$name" -- /bin/true; echo after; } >>mixed
	is "--report $name: what was there" 'before STARTED after ' "$(mixed mixed)"
done
for name in /dev/stderr /dev/fd/2 mixed; do
	{ "$errpipe" run --report "$name" -- sh -c 'echo target >&2'; echo after >&2; } 2>mixed
	is "--report $name: standard error" 'target STARTED after ' "$(mixed mixed)"
done
{ echo before >&7; "$errpipe" run --report /dev/fd/7 -- sh -c 'echo again >&7'; } 7>mixed
is '--report /dev/fd/7, which the target also has' 'before again STARTED' "$(jq -Rr 'fromjson? // . | .verdict? // .' mixed | paste -sd ' ')"
is '--report -: a pipe' STARTED "$("$errpipe" run --report - -- /bin/true | jq -r .verdict)"
is '--report /dev/stdout: a pipe' STARTED "$("$errpipe" run --report /dev/stdout -- /bin/true | jq -r .verdict)"
echo before >out.json
"$errpipe" run --report out.json -- /bin/true >out
is '--report: any other file is emptied' STARTED "$(jq -r .verdict out.json)"
status=0
"$errpipe" run --report - -- touch started 2>err >&- || status=$?
is '--report -: closed, and nothing is started' "125 errpipe: cannot write to standard output (EBADF)" "$status $(cat err)$(ls started 2>/dev/null)"

# With standard error closed, messages must not end up in the report.
status=0
"$errpipe" run --report out.json ./missing 2>&- || status=$?
is 'a closed standard error' '127 ENOENT' "$status $(jq -rs 'map(.errno) | join(" ")' out.json)"

# The report also contains errpipe's own failures.
status=0
prlimit --nofile=6 "$errpipe" run --report-fd 7 -- /bin/true 7>own.json 2>err || status=$?
is "errpipe's own failure" '125 null 125 error errpipe: cannot start a process for "/bin/true" (EMFILE)' \
	"$status $(jq -r '"\(.verdict) \(.exit_code) \(.level) \(.msg)"' own.json)"

status=0
number=$(echo SYS_memfd_create | gcc -E -P -include sys/syscall.h - | tail -n 1)
"$ERRPIPE_BUILD/tests/prog_refuse" "$number" 13 "$errpipe" run --route stub --report own.json -- true 2>err || status=$?
is 'a stub that cannot be made' '125 null true 125 null errpipe: cannot make the stub (EACCES)' \
	"$status $(jq -r '"\(.verdict) \(.path) \(.exit_code) \(.route) \(.msg)"' own.json)"

# A write error that shows only at the end, and errors that are found before the start.
status=0
"$errpipe" run --report /dev/full -- /bin/true 2>err || status=$?
is 'a full disk' '125 errpipe: cannot write to "/dev/full" (ENOSPC)' "$status $(cat err)"
status=0
"$errpipe" run --report /nowhere/at/all -- touch started 2>err || status=$?
is 'a missing directory: nothing is started' "125 errpipe: cannot write to \"/nowhere/at/all\" (ENOENT)" "$status $(cat err)$(ls started 2>/dev/null)"

status=0
"$errpipe" run --report-fd 77 -- touch started 2>err || status=$?
is 'a bad descriptor: nothing is started' "125 errpipe: cannot write to descriptor 77 (EBADF)" "$status $(cat err)$(ls started 2>/dev/null)"

# A build without JSON reports that before it does anything.
if "$ERRPIPE_SRC/tests/support/make" O="$ERRPIPE_BUILD/without-json" JANSSON= \
	"$ERRPIPE_BUILD/without-json/errpipe" >make.log 2>&1; then
	for options in 'run --report none.json -- touch started' 'run --report-fd 1 -- touch started' 'decode --json record'; do
		status=0
		# shellcheck disable=SC2086 # an argument for each word
		"$ERRPIPE_BUILD/without-json/errpipe" $options >out 2>err || status=$?
		is "without JSON: $options" '125 errpipe: built without JSON support: install jansson and build errpipe again' \
			"$status $(cat err)$(ls none.json started 2>/dev/null)"
	done
else
	cat make.log >&2
	result 'not ok' 'it builds without JSON'
fi

# decode
printf 'dmz\001\010\000\007\200\132\000\000\000\000\000\000\000' >record
is 'decode' '{"level":"error","msg":"exec /x: set-up step 7 failed (ELOOP)","verdict":"SETUP_FAILED","path":"/x","path_hex":null,"errno":"ELOOP","error":40,"raw_error":90,"machine":8,"step":32775,"exit_status":null,"signal":null,"exit_code":null,"route":null,"route_reason":null}' \
	"$("$errpipe" decode --json --path /x record >out.json; object out.json)"
"$errpipe" decode --json record >out.json
is 'decode without a path' 'null' "$(jq .path out.json)"
is 'decode: a record alone has no diagnosis' '["diagnosis",null]' "$(jq -c '[keys_unsorted[-1], .diagnosis]' out.json)"
status=0
printf x | "$errpipe" decode --json >out.json 2>err || status=$?
is 'decode of invalid input' '1 0' "$status $(wc -c <out.json)"

# As PID 1 it reaps the orphans of its target, and still exits with the target's status.
if ! needs=$("$ERRPIPE_SRC/tests/support/lacks" pid-namespaces); then
	# shellcheck disable=SC2016 # the target expands them
	status=0 got=$(unshare -p -f --mount-proc "$errpipe" run -- /bin/sh -c '
		(/bin/true & /bin/true &)
		while grep -q "^[0-9]* (true)" /proc/[0-9]*/stat 2>/dev/null; do :; done
		echo none left; exit 7') || status=$?
	is 'PID 1 reaps' 'none left 7' "$got $status"
else
	result ok "PID 1 reaps # SKIP $needs"
fi

echo "1..$count"
[ "$failures" = 0 ]
