#!/bin/sh
# SPDX-License-Identifier: MIT
# --process and OCI seccomp profiles: each member takes effect, none is skipped, and the target is as runc starts it. Writes TAP.
# shellcheck disable=SC2016,SC2317 # variables of the shell that is started; try calls the functions
set -u
# shellcheck source=tests/support/command
. "${ERRPIPE_SRC:?}/tests/support/command"
: "${NOLIBC:?}"
uid=$(id -u) gid=$(id -g)

# Only a privileged process can drop capabilities from the bounding set. Others keep them all.
bounding=
[ "$uid" = 0 ] || bounding=', "capabilities": {"bounding": ['$(sed -n 's/^C(\(.*\))$/"CAP_\1"/p' "$ERRPIPE_SRC/dmz/capability.def" | tr '[:lower:]' '[:upper:]' | paste -s -d ,)']}'

# object MEMBERS: a process object of this user. Without CAP_SETGID a process cannot even drop its groups.
object() {
	printf '{"user": {"uid": %s, "gid": %s}, "cwd": "/", "args": ["sh"]%s}\n' "$uid" "$gid" "$1" >process.json
}

# prints TITLE WANT ARG...: run and exec print WANT, and nothing on standard error.
prints() {
	title=$1 want=$2
	shift 2
	for command in run exec; do
		try "$title: $command" same "$want" "$command" "$@"
	done
}

same() {
	want=$1
	shift
	got=$("$errpipe" "$@" 2>&1)
	[ "$got" = "$want" ] || { printf '%s\nand not\n%s\n' "$got" "$want" && return 1; }
}

# refuses TITLE TEXT: with the object on standard input, run and exec fail with a message that has TEXT, and start nothing.
refuses() {
	cat >wrong.json
	for command in run exec; do
		try "$1: $command" refused "$2" "$command" --process wrong.json -- sh -c 'echo started'
	done
}

refused() {
	text=$1 status=0
	shift
	"$errpipe" "$@" >out 2>&1 || status=$?
	cat out
	[ "$status" = 125 ] && grep -qF -e "$text" out && ! grep -q started out
}

# --- without another process

# The cause no-process is only for run.
# lacks_process TEXT [PIDS [BECOME]]: run cannot fork, and says why. PIDS: the cgroup's pids.current and pids.max. The user may not
# look into the first directory of PATH.
lacks_process() {
	cp "$errpipe" mine && chmod 755 mine || return
	mkdir -p shut && chmod 700 shut || return
	text=$1 pids=${2:-} become=${3:-} status=0
	# shellcheck disable=SC2097,SC2098
	pids=$pids become=$become unshare -m sh -c '
		if [ "$pids" ]; then
			mount -t tmpfs none /sys/fs/cgroup || exit 1
			sed -n "s,^0::,,p; s,^[0-9]*:pids:,/pids,p" /proc/self/cgroup | while read -r path; do
				mkdir -p "/sys/fs/cgroup$path" && echo "$pids" >"/sys/fs/cgroup$path/pids.max" && echo "$pids" >"/sys/fs/cgroup$path/pids.current"
			done
		fi
		exec setpriv --reuid 54321 --regid 54321 --clear-groups env PATH="$PWD/shut:$PATH" $become prlimit --nproc=1 ./mine run sh -c "echo ran"' >out 2>&1 || status=$?
	cat out
	[ "$status" = 125 ] && grep -qF -e "$text" out && grep -qF 'errpipe: cannot start a process for "sh"' out && ! grep -qx ran out
}
if has 'without another process' root; then
	try 'the limit of the user' lacks_process 'why (likely): no process can be started: the user has reached the process limit (ulimit -u) of 1'
	try 'the limit of a cgroup' lacks_process 'has reached its pids.max of 7' 7
	has 'root in a user namespace' user-namespaces &&
		try 'the limit of root in a user namespace' lacks_process 'the user has reached the process limit (ulimit -u) of 1' '' 'unshare -r'
	lacks_process 'has reached its pids.max of 7' 7 >/dev/null 2>&1
	try 'what to do then' grep -qF 'fix: raise it (docker: --pids-limit, systemd: TasksMax=)' out
fi

# --- the members

if has 'members that need root' root; then
	cat >full.json <<-EOF
		{
			"terminal": false, "consoleSize": null,
			"user": { "uid": 65534, "gid": 65533, "umask": 23, "additionalGids": [7, 9] },
			"args": ["sh", "-c", "echo \$A \$(id -u):\$(id -g) \$(umask) \$(ulimit -Sn):\$(ulimit -Hn) \$PWD \$(cat /proc/self/oom_score_adj)"],
			"env": ["A=b c", "PATH=/bin:/usr/bin"],
			"cwd": "/usr",
			"capabilities": { "bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"],
				"inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL", "CAP_CHOWN"] },
			"rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 64, "hard": 128 }, { "type": "RLIMIT_CPU", "soft": 100000, "hard": 18446744073709551615 }],
			"noNewPrivileges": true, "oomScoreAdj": 123, "apparmorProfile": "", "selinuxLabel": "",
			"scheduler": { "policy": "SCHED_BATCH", "nice": 5 },
			"ioPriority": { "class": "IOPRIO_CLASS_BE", "priority": 6 }
		}
	EOF
	prints 'args, env, cwd, ids, umask, limits' 'b c 65534:65533 0027 64:128 /usr 123' --process full.json
	prints 'groups and capabilities' 'Groups:	7 9 
CapInh:	0000000000000020
CapPrm:	0000000000000020
CapEff:	0000000000000020
CapBnd:	0000000000000021
CapAmb:	0000000000000020
NoNewPrivs:	1' --process full.json -- grep -E '^(Groups|Cap...|NoNewPrivs):' /proc/self/status
	prints 'a limit that is unlimited' 'Max cpu time              100000               unlimited            seconds   ' \
		--process full.json -- grep cpu /proc/self/limits
	sed 's/18446744073709551615/18446744073709552000/' full.json >rounded.json
	prints 'no limit, as jq rounds it' 'Max cpu time              100000               unlimited            seconds   ' \
		--process rounded.json -- grep cpu /proc/self/limits
	prints 'nice and the scheduler' '5 3' --process full.json -- sed -E 's/.*\) .( [-0-9]+){15} ([-0-9]+)( [-0-9]+){21} ([0-9]+) .*/\2 \4/' /proc/self/stat
	prints 'the I/O priority' 'best-effort: prio 6' --process full.json -- ionice
	prints 'options override it, before and after' '0:5 0077 100:200 /' \
		--umask 077 --process full.json --user 0:5 --limit nofile=100:200 --chdir / \
		-- sh -c 'echo $(id -u):$(id -g) $(umask) $(ulimit -Sn):$(ulimit -Hn) $PWD'
	prints 'the groups of --user replace those of the object' 'Groups:	 ' --process full.json --user 1234:5 -- grep Groups: /proc/self/status
	printf '{"args": ["id", "-u"], "cwd": "/", "user": {"uid": -0}}\n' >empty.json
	prints 'the id -0 is 0' 0 --process empty.json
	printf '{"args": ["id", "-u"], "cwd": "/"}\n' >empty.json
	prints 'without a user it is root' 0 --process empty.json
	prints 'without capabilities there are none' 'CapPrm:	0000000000000000' --process empty.json -- grep CapPrm /proc/self/status
	prints 'PROGRAM replaces the arguments' x --process full.json -- echo x
fi

object ', "env": ["PATH=/nowhere"]'"$bounding"
prints 'the PATH of the object counts' 'exec sh: no such file or directory' --explain no --process process.json
object ', "noNewPrivileges": true, "extra": null'"$bounding"
prints 'a member that is null is missing' 'NoNewPrivs:	1' --process process.json -- grep NoNewPrivs /proc/self/status
object ', "env": ["A=\"18446744073709551615", "B=", "PATH=/bin:/usr/bin"], "oomScoreAdj": 1000'"$bounding"
prints 'digits in a string, and a variable without a value' '"18446744073709551615 1000' --process process.json -- sh -c 'echo "$A$B" $(cat /proc/self/oom_score_adj)'
object ', "selinuxLabel": "a:b:c:d"'
try 'a label that cannot be set is never skipped' refused 'cannot set the security label' run --process process.json -- sh -c 'echo started'

# --- what is refused

while read -r members text; do
	object "$members"
	refuses "$members" "$text" <process.json
done <<-'EOF'
	,"terminal":true process.terminal is true, but errpipe does not make a terminal
	,"commandLine":"x" errpipe cannot set process.commandLine
	,"execCPUAffinity":{} errpipe cannot set process.execCPUAffinity
	,"noNewPriviliges":true errpipe cannot set process.noNewPriviliges
	,"a\u0007":1 errpipe cannot set process.a\x07
	,"env":[1] process.env is not an array of strings
	,"env":["A=b","B"] process.env[1] is not NAME=VALUE
	,"env":["=b"] process.env[0] is not NAME=VALUE
	,"env":["A=",""] process.env[1] is not NAME=VALUE
	,"noNewPrivileges":1 process.noNewPrivileges is not true or false
	,"oomScoreAdj":1001 process.oomScoreAdj is not an integer from -1000 to 1000
	,"oomScoreAdj":1e2 process.oomScoreAdj is not an integer from -1000 to 1000
	,"oomScoreAdj":0.5 process.oomScoreAdj is not an integer from -1000 to 1000
	,"rlimits":[{"type":"NOFILE","soft":1,"hard":1}] errpipe cannot set process.rlimits[0].type to "NOFILE"
	,"rlimits":[{"type":"RLIMIT_NEW","soft":1,"hard":1}] errpipe cannot set process.rlimits[0].type to "RLIMIT_NEW"
	,"rlimits":[{"type":"RLIMIT_core","soft":1,"hard":1}] errpipe cannot set process.rlimits[0].type to "RLIMIT_core"
	,"rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":1},{"type":"RLIMIT_CORE","soft":1,"hard":1},{"type":"RLIMIT_AS","soft":1,"hard":1}] process.rlimits[2].type occurs twice
	,"rlimits":[{"type":"RLIMIT_AS","soft":1e-400,"hard":1}] process.rlimits[0].soft is not an integer of 0 or more
	,"rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":1.0}] process.rlimits[0].hard is not an integer of 0 or more
	,"rlimits":[{"type":"RLIMIT_AS","soft":-1,"hard":1}] process.rlimits[0].soft is not an integer of 0 or more
	,"rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":18446744073709551614}] wrong.json: line 1: too big integer
	,"rlimits":[{"type":"RLIMIT_AS","soft":2,"hard":1}] process.rlimits[0].soft is not at most the hard limit
	,"rlimits":[{"type":"RLIMIT_AS","soft":2,"limit":1}] errpipe cannot set process.rlimits[0].limit
	,"capabilities":{"bounding":["CAP_NEW"]} errpipe cannot set process.capabilities.bounding to "CAP_NEW"
	,"capabilities":{"bounding":["cap_chown"]} errpipe cannot set process.capabilities.bounding to "cap_chown"
	,"capabilities":{"keep":[]} errpipe cannot set process.capabilities.keep
	,"scheduler":{"policy":"SCHED_DEADLINE"} errpipe cannot set process.scheduler.policy to "SCHED_DEADLINE"
	,"scheduler":{"policy":"SCHED_OTHER","flags":[]} errpipe cannot set process.scheduler.flags
	,"ioPriority":{"class":"IOPRIO_CLASS_NEW"} errpipe cannot set process.ioPriority.class to "IOPRIO_CLASS_NEW"
	,"apparmorProfile":"a","selinuxLabel":"b" process.selinuxLabel cannot be combined with process.apparmorProfile
	,"rlimits":[{"type":"RLIMIT_AS","soft":2}] process.rlimits[0].hard is missing
	,"scheduler":{"nice":2} process.scheduler.policy is missing
	,"ioPriority":{"priority":2} process.ioPriority.class is missing
	,"oomScoreAdj":1,"oomScoreAdj":2 wrong.json: line 1: duplicate object key
EOF
while read -r whole text; do
	printf '%s\n' "$whole" >process.json
	refuses "$whole" "$text" <process.json
done <<-'EOF'
	{"args":"sh"} process.args is not an array of strings
	{"cwd":1} process.cwd is not a string
	{"cwd":"usr"} process.cwd is not an absolute path
	{"cwd":""} process.cwd is not an absolute path
	{"cwd":null} process.cwd is missing
	{"process":{}} process.cwd is missing
	{"cwd":"/","user":{"uid":4294967295}} process.user.uid is not an id
	{"cwd":"/","user":{"uid":1e-400}} process.user.uid is not an integer of 0 or more
	{"cwd":"/","user":{"additionalGids":[-1]}} process.user.additionalGids is not an array of ids
	{"cwd":"/","user":{"additionalGids":[0.0]}} process.user.additionalGids is not an array of ids
	{"cwd":"/","user":{"umask":512}} process.user.umask is not an integer from 0 to 511
	{"cwd":"/","user":{"username":"x"}} errpipe cannot set process.user.username
EOF
odd=$(printf 'a\033b\nc')
echo '[]' >"$odd"
try 'control characters of the name are escaped' refused 'errpipe: a\x1bb\nc: the file is not an object' run --process "$odd" -- sh -c 'echo started'
printf '{"cwd": ' >process.json
refuses 'a file that is cut off' 'wrong.json: line 1: ' <process.json
echo '[]' >process.json
refuses 'an array' 'wrong.json: the file is not an object' <process.json
try 'a file that is missing' refused 'cannot open "gone.json" (ENOENT)' run --process gone.json -- sh -c 'echo started'
try 'a directory' refused 'cannot read "." (EISDIR)' run --process . -- sh -c 'echo started'

object ''
try 'a second process object' refused '--process can be given only once' run --process process.json --process process.json -- sh -c 'echo started'

# --- seccomp

# profile DEFAULT RULES: an OCI profile, and a config.json that has it.
profile() {
	printf '{"defaultAction": "%s", "syscalls": [%s]%s}\n' "$1" "$2" "${3:-}" >profile.json
	object ', "noNewPrivileges": true'"$bounding"
	# jq rounds large numbers.
	printf '{"process": %s, "linux": {"seccomp": %s, "namespaces": []}, "mounts": []}\n' "$(cat process.json)" "$(cat profile.json)" >config.json
}

# ends STATUS ARG...: errpipe ends with STATUS, and has started nothing.
ends() {
	want=$1 status=0
	shift
	timeout 20 "$errpipe" "$@" >out 2>&1 || status=$?
	[ "$status" = "$want" ] && ! grep started out
}

# filters TITLE WANT ARG...: the command prints WANT under the profile, as a file of its own and in config.json.
filters() {
	title=$1 want=$2
	shift 2
	prints "$title, --seccomp" "$want" --no-new-privs --seccomp profile.json -- "$@"
	prints "$title, --process" "$want" --process config.json -- "$@"
}

profile SCMP_ACT_ALLOW '{"names": ["no_such_call", "mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
filters 'a call is refused' 'Operation not permitted' sh -c 'mkdir new 2>&1 | sed s/.*:.//'
profile SCMP_ACT_ALLOW '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30, "comment": "x"}'
filters 'with an errno' 'Read-only file system' sh -c 'mkdir new 2>&1 | sed s/.*:.//'
profile SCMP_ACT_ALLOW '{"names": ["prlimit64"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 7, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 4, "op": "SCMP_CMP_EQ"}]}'
filters 'conditions on one argument are alternatives' 'prlimit: failed to get the NOFILE resource limit: Operation not permitted' prlimit --nofile
filters 'and the others are allowed' FSIZE prlimit --fsize --noheadings -o RESOURCE
profile SCMP_ACT_ALLOW '{"names": ["prlimit64"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 7, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 1, "op": "SCMP_CMP_GE"}]}'
filters 'conditions on two arguments must both hold' NOFILE prlimit --nofile --noheadings -o RESOURCE
profile SCMP_ACT_ALLOW '{"names": ["ftruncate"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 9007199254740993, "op": "SCMP_CMP_EQ"}]}'
filters 'a value above 2^53' 1 sh -c 'truncate -s 9007199254740993 "$0" 2>&1 | grep -c permitted' "$tmp/new"
filters 'and not the one below it' 0 sh -c 'truncate -s 9007199254740992 "$0" 2>&1 | grep -c permitted' "$tmp/new"
profile SCMP_ACT_ALLOW '{"names": ["ftruncate"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 18446744073709551615, "valueTwo": 5, "op": "SCMP_CMP_MASKED_EQ"}]}'
filters 'a mask of 64 bits' '0
1' sh -c 'for size in 4 5; do truncate -s $size "$0" 2>&1 | grep -c permitted; done' "$tmp/new"
rm -f new
profile SCMP_ACT_ALLOW '{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW"}' ', "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"], "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]'
filters 'a rule that repeats the default, architectures and flags' 'Seccomp:	2' grep '^Seccomp:' /proc/self/status

# The first byte of these instructions, for a little-endian machine, is that of a blank.
printf '\040\0\0\0\0\0\0\0\006\0\0\0\0\0\377\177' >raw
prints 'a filter that is not a profile' 'Seccomp:	2' --no-new-privs --seccomp raw -- grep '^Seccomp:' /proc/self/status
{ printf ' \n\t\r' && cat profile.json; } >spaced
prints 'white space before a profile' 'Seccomp:	2' --no-new-privs --seccomp spaced -- grep '^Seccomp:' /proc/self/status
for before in '#' '\357\273\277'; do
	# shellcheck disable=SC2059 # bytes
	{ printf "$before" && cat profile.json; } >spaced
	try "text before a profile: $before" refused 'errpipe: spaced: line 1: ' run --no-new-privs --seccomp spaced -- sh -c 'echo started'
done
for bad in '' x '[]'; do
	printf '%s' "$bad" >spaced
	try "neither a filter nor a profile: $bad" refused spaced run --no-new-privs --seccomp spaced -- sh -c 'echo started'
done

while read -r default rules text; do
	profile "$default" "$rules"
	refuses "$rules" "$text" <config.json
	try "$rules: --seccomp" refused "$text" run --no-new-privs --seccomp profile.json -- sh -c 'echo started'
done <<-'EOF'
	SCMP_ACT_NOTIFY {"names":[],"action":"SCMP_ACT_ALLOW"} errpipe cannot set linux.seccomp.defaultAction to "SCMP_ACT_NOTIFY"
	SCMP_ACT_ALLOW {"names":["mkdir"]} linux.seccomp.syscalls[0].action is missing
	SCMP_ACT_ALLOW {"action":"SCMP_ACT_LOG"} linux.seccomp.syscalls[0].names is missing
	SCMP_ACT_ALLOW {"names":["mkdir"],"action":"SCMP_ACT_LOG","includes":{}} errpipe cannot set linux.seccomp.syscalls[0].includes
	SCMP_ACT_ALLOW {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":5000} linux.seccomp.syscalls[0].errnoRet is not an integer from 0 to 4095
	SCMP_ACT_ALLOW {"names":["mkdir"],"action":"SCMP_ACT_LOG","args":[{"index":6}]} linux.seccomp.syscalls[0].args[0].index is not an integer from 0 to 5
	SCMP_ACT_ALLOW {"names":["mkdir"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":0.1,"op":"SCMP_CMP_EQ"}]} linux.seccomp.syscalls[0].args[0].value is not an integer of 0 or more
	SCMP_ACT_ALLOW {"names":["mkdir"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":9223372036854775808,"op":"SCMP_CMP_EQ"}]} line 1: too big integer
	SCMP_ACT_ALLOW {"names":["mkdir"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":1,"op":"SCMP_CMP_NEW"}]} errpipe cannot set linux.seccomp.syscalls[0].args[0].op to "SCMP_CMP_NEW"
EOF
profile SCMP_ACT_ALLOW '{"names": ["mkdir", '"$(yes '"mkdir",' | head -n 4096 | tr '\n' ' ')"' "mkdir"], "action": "SCMP_ACT_LOG"}'
refuses 'too many rules' 'linux.seccomp.syscalls has too many entries' <config.json
profile SCMP_ACT_ALLOW '{"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 23, "op": "SCMP_CMP_EQ"}]}'
try 'a filter that refuses PR_CAPBSET_READ does not keep the bounding set' refused \
	'cannot drop a capability from the bounding set' run --seccomp profile.json --no-new-privs -- \
	"$errpipe" run --capabilities none -- sh -c 'echo started'
profile SCMP_ACT_ALLOW '{"names": ["execve", "write"], "action": "SCMP_ACT_ERRNO", "errnoRet": 0}'
try 'a filter that fakes execve and write does not make exec hang' ends 125 exec --no-new-privs --seccomp profile.json -- sh -c 'echo started'
profile SCMP_ACT_ALLOW '' ', "architectures": ["SCMP_ARCH_PDP11"]'
refuses 'an unknown architecture' 'errpipe cannot set linux.seccomp.architectures to "SCMP_ARCH_PDP11"' <config.json
profile SCMP_ACT_ALLOW '' ', "architectures": ["SCMP_ARCH_x86_64"]'
refuses 'an architecture in lower case' 'errpipe cannot set linux.seccomp.architectures to "SCMP_ARCH_x86_64"' <config.json
profile SCMP_ACT_ALLOW '' ', "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]'
refuses 'a flag for a listener' 'errpipe cannot set linux.seccomp.flags to "SECCOMP_FILTER_FLAG_NEW_LISTENER"' <config.json
profile SCMP_ACT_ALLOW '' ', "listenerPath": "/run/x"'
refuses 'a listener' 'errpipe cannot set linux.seccomp.listenerPath' <config.json

# --- as a runtime does it

# as_runc: the target of "errpipe run --process" and the one of runc have the same credentials, limits and filter.
as_runc() {
	rm -rf b && mkdir -p b/rootfs/bin b/rootfs/proc && cp "$(command -v busybox)" b/rootfs/bin/busybox || return
	(cd b && runc spec) || return
	jq --slurpfile profile profile.json '.process.terminal = false | .linux.seccomp = $profile[0] |
		.process.user = {uid: 12, gid: 34, additionalGids: [5, 6], umask: 23} | .process.oomScoreAdj = 7 |
		.process.rlimits += [{type: "RLIMIT_CPU", soft: 100000, hard: 200000}] |
		.process.args = ["/bin/busybox", "grep", "-hE", "^(Uid|Gid|Groups|Umask|Cap|NoNew|Seccomp|Max (open|cpu)|-?[0-9]+$)",
			"/proc/self/status", "/proc/self/limits", "/proc/self/oom_score_adj"]' b/config.json >b/new || return
	mv b/new b/config.json
	# shellcheck disable=SC2016 # the inner shell expands it; crun and runc refuse a tree with both cgroup versions
	unshare -m sh -c 'if mountpoint -q /sys/fs/cgroup/unified; then umount -l /sys/fs/cgroup/unified; fi; exec "$@"' sh \
		runc --root "$tmp/state" run --bundle b "errpipe-$$" >by-runc </dev/null || return
	"$errpipe" run --process b/config.json -- "$(command -v busybox)" grep -hE \
		'^(Uid|Gid|Groups|Umask|Cap|NoNew|Seccomp|Max (open|cpu)|-?[0-9]+$)' \
		/proc/self/status /proc/self/limits /proc/self/oom_score_adj >by-errpipe || return
	[ "$(wc -l <by-runc)" -gt 12 ] && diff by-runc by-errpipe
}
if [ "$uid" = 0 ] && has 'the target is as under runc' containers-of-runc; then
	profile SCMP_ACT_ALLOW '{"names": ["mkdir"], "action": "SCMP_ACT_KILL"}, {"names": ["rmdir"], "action": "SCMP_ACT_ERRNO"}'
	try 'the target is as under runc' as_runc
fi

# --- a build without libseccomp, or without jansson

without() {
	"$ERRPIPE_SRC/tests/support/make" O="$tmp/without" "$1=" "$tmp/without/errpipe" && errpipe=$tmp/without/errpipe
}
profile SCMP_ACT_ALLOW ''
try 'a build without libseccomp' without SECCOMP
errpipe=$tmp/without/errpipe
refuses 'without libseccomp' 'errpipe: built without seccomp profiles: install libseccomp and build errpipe again' <config.json

echo "1..$n"
exit "$failed"
