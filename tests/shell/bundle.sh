#!/bin/sh
# SPDX-License-Identifier: MIT
# errpipe explain --bundle: what a config.json gets wrong, and what the same words must not be said of. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
# shellcheck source=tests/support/command
. "${ERRPIPE_SRC:?}/tests/support/command"

# answers STATUS TEXT...: explain exits with STATUS, and prints each TEXT, or, after a "!", does not. $config is the
# config.json, and $arguments are those of explain.
answers() {
	want=$1 status=0
	shift
	printf '%s\n' "$config" >b/config.json
	# shellcheck disable=SC2086 # words
	"$errpipe" explain $arguments >out 2>&1 || status=$?
	cat out
	for text; do
		if [ "${text#!}" != "$text" ]; then
			grep -qF -e "${text#!}" out && echo "it has: ${text#!}" && return 1
		else
			grep -qF -e "$text" out || { echo "it lacks: $text" && return 1; }
		fi
	done
	[ "$status" = "$want" ] || { echo "exit status $status" && return 1; }
}

# bundle ARGS PROCESS REST: the config.json. ARGS are JSON strings; PROCESS and REST are more members, each with a comma first.
bundle() {
	config="{\"root\": {\"path\": \"rootfs\"}, \"process\": {\"cwd\": \"/\", \"env\": [\"PATH=/bin:/app\"], \"args\": [$1]${2:-}}${3:-}}"
	arguments='--bundle b'
}

# mount AT SOURCE: a member for bundle.
mount() {
	printf ', "mounts": [{"destination": "%s", "type": "bind", "source": "%s", "options": ["rbind"]}]' "$1" "$2"
}

# both STATUS CAUSE TEXT...: as answers, and the JSON has the cause.
both() {
	want_status=$1 cause=$2
	shift 2
	answers "$want_status" "$@" || return
	# shellcheck disable=SC2086 # words
	got=$("$errpipe" explain --json $arguments | jq -r .cause)
	[ "$got" = "$cause" ] || { echo "cause $got" && return 1; }
}

mkdir -p b/rootfs/bin b/rootfs/app b/rootfs/root/bin b/rootfs/etc host/empty host/full other/bin
cp "$ERRPIPE_BUILD/dmz" b/rootfs/bin/sh
cp "$ERRPIPE_BUILD/dmz" b/rootfs/app/server
cp "$ERRPIPE_BUILD/dmz" other/bin/only
cp "$ERRPIPE_BUILD/dmz" b/rootfs/root/bin/python
printf '#!/app/server\n' >b/rootfs/bin/script
printf '#!/app\n' >b/rootfs/bin/of-app
printf '#!/link/python\n' >b/rootfs/bin/by-link
chmod 755 b/rootfs/bin/* b/rootfs/app/* other/bin/only
chmod 644 b/rootfs/etc
echo >host/full/file
chmod 755 host/full
ln -s /root/bin b/rootfs/link
cp b/rootfs/bin/sh b/rootfs/bin/no-x && chmod 644 b/rootfs/bin/no-x
cp b/rootfs/bin/sh host/no-x && chmod 644 host/no-x

# --- a directory in the place of the file

bundle '"/start.sh"' '' "$(mount /start.sh "$tmp/host/empty")"
try 'a mounted directory that docker made' both 1 mounted-directory "\"/start.sh\" is not a file: the directory \"$tmp/host/empty\"" \
	"fix: rmdir $tmp/host/empty, then put the file there: docker creates"
bundle '"/app"' '' "$(mount /app "../host/full")"
try 'a mounted directory with files' both 1 mounted-directory 'the directory "b/../host/full" is mounted there' '!docker' 'mount the file itself'
bundle '"/bin/of-app"' '' "$(mount /app "../host/empty")"
try 'a mounted directory as interpreter' both 1 mounted-directory 'its interpreter "/app" is not a file: the directory "b/../host/empty"'
bundle '"/app"'
try 'a directory of the image, with its place here' both 1 not-a-file '"/app", which is "b/rootfs/app" here, is not a regular file' '!mounted'

# --- mounts that no runtime makes

bundle '"/app/server"' '' "$(mount /app ../host/none)"
try 'a mount over the program without a source' both 1 mount-source-missing \
	'why: the source "b/../host/none" of the mount on "/app" does not exist (ENOENT)' 'docker would mount an empty directory' '!hides'
bundle '"server"' '' "$(mount /app ../host/none)"
try 'the same, looked up' both 1 mount-source-missing 'on "/app" does not exist' '!not in PATH'
bundle '"/bin/sh"' '' "$(mount /data "$tmp/none")"
try 'a mount elsewhere without a source' both 1 mount-source-missing "the source \"$tmp/none\" of the mount on \"/data\""
arguments='--bundle b --root b/rootfs'
try 'a config.json of another machine' both 0 none '!source'
arguments='--bundle b --errno ENOEXEC'
try 'the exec took place, so the source was there' both 1 unknown '!source'
bundle '"/bin/gone"' '' "$(mount /data "$tmp/none")"
try 'the program has a fault of its own' both 1 missing '"/bin/gone" does not exist' '!source'
bundle '"/app/server"' '' "$(mount /app ../host/no-x)"
try 'a file on a directory' both 1 mount-mismatch 'the file "b/../host/no-x" cannot be mounted on "/app", which is a directory (ENOTDIR)'
bundle '"/bin/sh"' '' "$(mount /app/server ../host/empty)"
try 'a directory on a file' both 1 mount-mismatch 'the directory "b/../host/empty" cannot be mounted on "/app/server", which is a file' \
	'fix: rmdir b/../host/empty, then put the file there'
bundle '"/bin/sh"' '' "$(mount /app ../host/full)"
try 'a directory on a directory' both 0 none 'it would start'
bundle '"/bin/sh"' '' "$(mount /new ../host/no-x)"
try 'a mount on nothing: runtimes create it' both 0 none 'it would start'

# --- the program is in another directory

bundle '"./server"'
try 'another directory' both 1 near-miss '"./server" does not exist, but "/app/server" does' 'fix: correct the directory: use "/app/server"'
bundle '"/root"'
try 'a directory with the name of a program' both 1 not-a-file '"/root", which is "b/rootfs/root" here' '!use "/'
bundle "\"$tmp/b/rootfs/bin/sh\""
try 'a path of the host' both 1 near-miss 'fix: that is a path of this machine; inside the root, use "/bin/sh"'
cp b/rootfs/bin/sh host/full/tool
bundle "\"$tmp/host/full/tool\"" '' "$(mount /vol "$tmp/host/full")"
try 'a path of the host, in a volume' both 1 near-miss 'fix: that is a path of this machine; inside the root, use "/vol/tool"'
bundle "\"$tmp/host/full/none\"" '' "$(mount /vol "$tmp/host/full")"
try 'a path of the host, which no volume has' both 1 missing '!inside the root'
bundle "\"$tmp/host/fuller/tool\"" '' "$(mount /vol "$tmp/host/full")"
try 'a path of the host, beside a volume' both 1 missing '!inside the root'
rm host/full/tool
ln -s "$tmp/b/rootfs/app/server" b/rootfs/bin/linked
bundle '"/bin/linked"'
try 'a symlink with a path of the host' both 1 dangling-link 'inside the root: that is a path of this machine' \
	'fix: correct the symlink: ln -sfn /app/server b/rootfs/bin/linked'
rm b/rootfs/bin/linked

# --- a volume that hides the program

bundle '"/app/server"' '' "$(mount /app ../host/full)"
try 'a hidden program' both 1 hidden-by-mount 'the image has "/app/server", but the mount of "b/../host/full" on "/app" hides it'
bundle '"./server"' ', "cwd": "/app"' "$(mount /app ../host/full)"
try 'a hidden program in the working directory' both 1 hidden-by-mount 'the image has "./server", but'
bundle '"server"' '' "$(mount /app ../host/full)"
try 'a hidden program that is looked up' both 1 hidden-by-mount 'hides it' '!not in PATH'
bundle '"/bin/script"' '' "$(mount /app ../host/full)"
try 'a hidden interpreter' both 1 hidden-by-mount 'the image has its interpreter "/app/server", but'
# tmpfs AT OPTIONS
tmpfs() {
	printf ', "mounts": [{"destination": "%s", "type": "tmpfs", "source": "tmpfs", "options": [%s]}]' "$1" "$2"
}
bundle '"/app/server"' '' "$(tmpfs /app '"nosuid"')"
try 'a tmpfs that hides' both 1 hidden-by-mount 'why (likely): the image has "/app/server", but the tmpfs on "/app" hides it (ENOENT)' \
	'or install the program elsewhere'
bundle '"server"' '' "$(tmpfs /app '"nosuid", "noexec"')"
try 'a tmpfs that hides, looked up, noexec' both 1 hidden-by-mount 'but the tmpfs on "/app" hides it' '!noexec'
bundle '"/app/server"' '' "$(tmpfs /app '"tmpcopyup"')"
try 'a tmpfs with a copy of the files' both 1 not-yet-mounted '!hides'
bundle '"/app/gone"' '' "$(tmpfs /app '"nosuid"')"
try 'a tmpfs on which somebody puts the program' both 1 not-yet-mounted '!hides'
bundle '"/app/server"' '' ', "mounts": [{"destination": "/app", "type": "tmpfs"}, {"destination": "/app/server", "type": "bind", "source": "rootfs/bin/sh"}]'
try 'a tmpfs, and the program mounted on it' both 0 none 'it would start'
# tmpfs_on DIRECTORY...: several, mounted in this order.
tmpfs_on() {
	printf ', "mounts": ['
	for at; do
		printf '%s{"destination": "%s", "type": "tmpfs", "source": "tmpfs"}' "$separator" "$at"
		separator=', '
	done
	printf ']'
}
separator=
mkdir -p b/rootfs/app/sub && cp "$ERRPIPE_BUILD/dmz" b/rootfs/app/sub
while read -r at hiding; do
	# shellcheck disable=SC2046 # words
	bundle '"/app/sub/dmz"' '' "$(tmpfs_on $(echo "$at" | tr , ' '))"
	try "several: $at" both 1 hidden-by-mount "the image has \"/app/sub/dmz\", but the tmpfs on \"$hiding\" hides it (ENOENT)"
done <<-'END'
	/app,/app/sub /app/sub
	/app/sub,/app /app
	/app,/app /app
	/app,/app/sub,/app/sub /app/sub
	/app,/app/other,/tmp /app
END
bundle '"/app/sub/none"' '' "$(tmpfs_on /app /app/sub)"
try 'a tmpfs on a tmpfs, for a program that is nowhere' both 1 not-yet-mounted '!hides'
bundle '"/app/sub/dmz"' '' ', "mounts": [{"destination": "/app", "type": "tmpfs"}, {"destination": "/app/sub", "type": "bind", "source": "../host/full"}]'
try 'a volume on a tmpfs' both 1 hidden-by-mount 'the mount of "b/../host/full" on "/app/sub" hides it'
bundle '"/app/sub/dmz"' '' ', "mounts": [{"destination": "/app", "type": "tmpfs", "options": ["tmpcopyup"]}, {"destination": "/app/sub", "type": "tmpfs"}]'
try 'a tmpfs on a copy of the files' both 1 not-yet-mounted '!hides'
bundle '"/app/sub/server"' '' ', "mounts": [{"destination": "/app", "type": "tmpfs"}, {"destination": "/app/sub", "type": "bind", "source": "rootfs/app"}]'
try 'a program in a volume on a tmpfs' both 0 none 'it would start'
rm -r b/rootfs/app/sub
mkdir -p b/rootfs/opt/dir && printf '#!/opt/dir\n' >b/rootfs/bin/of-opt && chmod 755 b/rootfs/bin/of-opt
bundle '"/bin/of-opt"'
try 'a directory as interpreter' both 1 not-a-file 'fix: name a program in the first line of "/bin/of-opt"'
bundle '"/bin/sh"' '' "$(tmpfs /app '"nosuid"')"
try 'a tmpfs beside the program' both 0 none 'it would start'
bundle '"sh"' '' "$(mount /app ../host/full)"
try 'a volume beside the program' both 0 none 'it would start'
bundle '"/app/gone"' '' "$(mount /app ../host/full)"
try 'missing in both' both 1 missing '"/app/gone" does not exist' '!hides'
bundle '"gone"' '' "$(mount /app ../host/full)"
try 'missing everywhere' both 1 not-in-path '"gone" is not in PATH'

# --- masked paths

# masked PATH...: a member for bundle.
masked() {
	printf ', "linux": {"maskedPaths": [%s]}' "$1"
}
bundle '"/app/server"' '' "$(masked '"/proc/kcore", "/app"')"
try 'a masked directory' both 1 hidden-by-mount 'why: the image has "/app/server", but the mask on "/app" hides it (ENOENT)' \
	'fix: remove "/app" from linux.maskedPaths of config.json' '!mount'
bundle '"/app/server"' '' "$(masked '"/app/../app/server"')"
try 'a masked program' both 1 hidden-by-mount 'but the mask on "/app/../app/server" hides it (EACCES)' \
	'fix: remove "/app/../app/server" from linux.maskedPaths'
bundle '"/bin/script"' '' "$(masked '"/app/server"')"
try 'a masked interpreter' both 1 hidden-by-mount 'the image has its interpreter "/app/server", but the mask on "/app/server" hides it (EACCES)'
bundle '"/bin/by-link"' '' "$(masked '"/root"')"
try 'a symlink into a masked directory' both 1 hidden-by-mount 'but the mask on "/root" hides it (ENOENT)'
bundle '"/bin/by-link"' '' "$(masked '"/link"')"
try 'a symlink to a directory is masked' both 1 hidden-by-mount 'but the mask on "/link" hides it (ENOENT)'
bundle '"server"' '' "$(masked '"/app"')"
try 'a masked directory of PATH' both 1 hidden-by-mount 'hides it (ENOENT)' '!not in PATH'
bundle '"server"' '' "$(masked '"/app/server"')"
try 'a masked program that is looked up' both 1 hidden-by-mount 'hides it (EACCES)' '!not in PATH'
bundle '"sh"' '' "$(masked '"/app"')"
try 'a masked directory of PATH without the program' both 0 none 'it would start'
mkdir -p host/volume && cp b/rootfs/bin/sh host/volume
bundle '"/vol/sh"' '' "$(mount /vol ../host/volume), $(masked '"/vol"' | cut -c3-)"
try 'a masked volume' both 1 hidden-by-mount 'but the mask on "/vol" hides it'
bundle '"/app/gone"' '' "$(masked '"/app"')"
try 'missing in a masked directory as well' both 1 missing '"/app/gone" does not exist' '!mask'
bundle '"/app"' '' "$(masked '"/app"')"
try 'a masked directory in place of a program' both 1 not-a-file 'is not a regular file but a directory' '!mask'
for path in / '' /app/gone /gone /application /etc /app/server/x; do
	bundle '"/app/server"' '' "$(masked "\"$path\"")"
	try "a mask that has no effect: $path" both 0 none 'it would start'
done
bundle '"/app/server"' '' ', "linux": {"maskedPaths": ["/app", 1]}'
try 'no list of paths' answers 125 'config.json: linux.maskedPaths is not an array of strings'

# --- the working directory

bundle '"/bin/sh"' ', "cwd": "/bin/sh"'
try 'process.cwd is a file' both 1 file-as-directory 'the working directory cannot be entered: "/bin/sh" is a file' 'use a directory:'
bundle '"/bin/sh"' ', "cwd": "/none/there"'
try 'process.cwd is missing: runtimes create it' both 0 none 'it would start'
ln -s /nowhere b/rootfs/dangling
for cwd in /dangling /dangling/x; do
	bundle '"/bin/sh"' ", \"cwd\": \"$cwd\""
	try "process.cwd is a symlink to nothing: $cwd" both 1 dangling-link 'the working directory cannot be entered: "/dangling' \
		'a symlink to "/nowhere", which does not exist'
done
# shellcheck disable=SC2016 # no variable
for cwd in /App '/app ' '/$HOME' '/bin -x' '[/app]'; do
	bundle '"/bin/sh"' ", \"cwd\": \"/${cwd#/}\""
	try "process.cwd is created, whatever its name is like: $cwd" both 0 none 'it would start'
done
# no_command CWD: --cwd is a directory, and not a command.
no_command() {
	"$errpipe" explain --root b/rootfs --cwd "$1" /bin/sh >out
	cat out
	grep -qF "entered: \"$1\" does not exist" out && grep -qF 'fix: create it or correct the path' out
}
try '--cwd with a blank' no_command '/bin -x'
try '--cwd with brackets' no_command '/[app]'
for cwd in bin '' ./; do
	bundle '"/bin/sh"' ", \"cwd\": \"$cwd\""
	try "process.cwd is relative: $cwd" both 1 bundle-cwd "process.cwd of config.json is \"$cwd\", but it must be an absolute path"
done
bundle '"/bin/sh"'
config=$(printf '%s' "$config" | sed 's/"cwd": "[^"]*", //')
try 'process.cwd is not there' both 1 bundle-cwd 'process.cwd of config.json is missing, but it must be'
arguments='--bundle b --cwd /bin'
try 'process.cwd is not there, but --cwd is' both 0 none 'it would start'
bundle '"/bin/sh"' ', "cwd": "/app"' "$(mount /app ../host/full)"
try 'process.cwd is a mount' both 0 none 'it would start'
if [ "$(id -u)" = 0 ]; then
	chmod 700 b/rootfs/root
	bundle '"/bin/sh"' ', "cwd": "/root", "user": {"uid": 1000, "gid": 1000}'
	try 'process.cwd may not be searched' both 0 cwd-unsearchable 'it would start, but not with every runtime' \
		'"/root" has no x permission for others (uid 1000)' 'chmod a+x b/rootfs/root, or choose another process.cwd'
	arguments='--bundle b --errno EACCES'
	try 'process.cwd may not be searched, and it failed' both 1 unsearchable 'the working directory cannot be entered: "/root'
	bundle '"/bin/sh"' ', "cwd": "/root"' ', "user": {"uid": 0, "gid": 0}'
	config=$(printf '%s' "$config" | sed 's/"args"/"capabilities": {"effective": ["CAP_DAC_OVERRIDE"], "permitted": ["CAP_DAC_OVERRIDE"]}, "args"/')
	try 'root may search it' both 0 none 'it would start'
	bundle '"/link/python"' ', "user": {"uid": 1000, "gid": 1000}'
	try 'a symlink into a closed directory' both 1 unsearchable 'cannot be reached through the symlink "/link": "/root" has no x' \
		"chmod a+x b/rootfs/root, install the symlink's target elsewhere"
	bundle '"/bin/by-link"' ', "user": {"uid": 1000, "gid": 1000}'
	try 'an interpreter behind such a symlink' both 1 unsearchable 'its interpreter "/link/python" cannot be reached through the symlink'
	bundle '"/root/bin/python"' ', "user": {"uid": 1000, "gid": 1000}'
	try 'a closed directory without a symlink' both 1 unsearchable 'cannot be reached: "/root" has' '!symlink'
	bundle '"/bin/no-x"' ', "user": {"uid": 4711, "gid": 4711}'
	try 'a root without passwd' both 1 not-executable 'others (uid 4711)' '!passwd'
	printf 'root:x:0:0::/:/bin/sh\n\nodd\napp:x:1000:1000::/:/bin/sh\nlast:x:4712:1::/' >b/rootfs/etc/passwd
	try 'a user without a name' both 1 not-executable 'for others (uid 4711, not in /etc/passwd)'
	bundle '"/root/bin/python"' ', "user": {"uid": 4711, "gid": 4711}'
	try 'a directory closed to a user without a name' both 1 unsearchable 'for others (uid 4711, not in /etc/passwd)'
	for uid in 1000 4712; do
		bundle '"/bin/no-x"' ", \"user\": {\"uid\": $uid, \"gid\": 1}"
		try "a user with a name: $uid" both 1 not-executable "for others (uid $uid) " '!passwd'
	done
	bundle '"/bin/no-x"' ', "user": {"uid": 1, "gid": 1}' ', "linux": {"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}]}'
	try 'ids of a user namespace' both 1 not-executable 'for others (uid 100001)' '!passwd'
	bundle '"/bin/sh"' ', "user": {"uid": 4711, "gid": 4711}'
	try 'a user without a name, and nothing is wrong' both 0 none '!passwd'
	rm b/rootfs/etc/passwd
	chmod 700 b/rootfs
	bundle '"/bin/sh"' ', "user": {"uid": 1000, "gid": 1000}'
	try 'the root itself is closed' both 1 unsearchable 'chmod a+x b/rootfs, or'
	chmod 755 b/rootfs b/rootfs/root
else
	skip 'other users' 'needs root'
fi

# --- no PATH

for env in '' '"TERM=xterm"' '"PATH="' '"PATH=/bin", "PATH="'; do
	bundle '"sh"'
	config=$(printf '%s' "$config" | sed "s|\"PATH=/bin:/app\"|$env|")
	try "no PATH: $env" both 1 bundle-without-path '"sh" cannot be looked up: process.env of config.json has no PATH (ENOENT)'
	arguments='--bundle b --path /bin'
	try "no PATH, but --path: $env" both 0 none 'it would start'
	bundle '"/bin/sh"'
	config=$(printf '%s' "$config" | sed "s|\"PATH=/bin:/app\"|$env|")
	try "no PATH, a path: $env" both 0 none 'it would start'
done

for path in bin :/none /none:; do
	bundle '"sh"' ', "cwd": "/bin"'
	[ "$path" = bin ] && bundle '"sh"'
	config=$(printf '%s' "$config" | sed "s|PATH=/bin:/app|PATH=$path|")
	try "a relative entry of PATH: $path" both 1 bundle-relative-path 'why (likely): PATH leads to "' 'runc refuses that'
done
bundle '"sh"'
config=$(printf '%s' "$config" | sed "s|PATH=/bin:/app|PATH=app:/bin|")
try 'a relative entry of PATH that has nothing' both 0 none 'it would start'
bundle '"bin/sh"'
try 'a relative path is not searched' both 0 none 'it would start'

# --- an empty root

mkdir hollow
for name in /bin/sh sh; do
	bundle "\"$name\""
	config=$(printf '%s' "$config" | sed 's|"rootfs"|"../hollow"|')
	try "an empty root: $name" both 1 empty-root "\"$name\" does not exist: the root \"b/../hollow\" is empty (ENOENT)" 'a stopped container'
done
bundle '"/app/no-x"' '' "$(mount /app ../host)"
config=$(printf '%s' "$config" | sed 's|"rootfs"|"../hollow"|')
try 'an empty root, but a mount that has it' both 1 not-executable '!is empty'
: >hollow/file
bundle '"/bin/sh"'
config=$(printf '%s' "$config" | sed 's|"rootfs"|"../hollow"|')
arguments='--bundle b'
try 'a root that is not empty' answers 1 '"/bin/sh" does not exist' '!is empty'

# --- a mount with owners of its own

bundle '"/app/no-x"' '' ', "mounts": [{"destination": "/app", "type": "bind", "source": "../host", "options": ["rbind", "ridmap"]}]'
try 'an idmapped mount' both 1 not-yet-mounted '!permission'
bundle '"/app/no-x"' '' ', "mounts": [{"destination": "/app", "type": "bind", "source": "../host", "uidMappings": []}]'
try 'a mount with mappings' both 1 not-yet-mounted '!permission'

# --- capabilities

# capabilities SETS
capabilities() {
	bundle '"/bin/sh"' ", \"capabilities\": {$1}"
}
capabilities '"effective": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_CHOWN"]'
try 'effective, but not permitted' both 1 bundle-capabilities 'cap_kill is effective, but not permitted (EPERM)'
capabilities '"inheritable": ["CAP_KILL", "CAP_CHOWN"], "bounding": ["CAP_FOWNER"]'
try 'inheritable, but not in the bounding set' both 1 bundle-capabilities 'cap_chown, cap_kill is inheritable, but not in the bounding set'
capabilities '"effective": ["CAP_KILL"], "permitted": ["CAP_KILL", "CAP_CHOWN"]'
try 'permitted, but not in the bounding set' both 0 none 'it would start'
capabilities '"effective": ["CAP_OF_TOMORROW"]'
try 'a capability that is not known' both 0 none 'it would start'

# --- variables

# variables ENTRIES
variables() {
	config="{\"root\": {\"path\": \"rootfs\"}, \"process\": {\"cwd\": \"/\", \"env\": [$1], \"args\": [\"${2:-/bin/sh}\"]}}"
	arguments='--bundle b'
}
refused='and runc refuses that'
fix='fix: write that entry as NAME=VALUE'
variables '"A=b", "DEBUG"'
try 'a variable without a value' both 1 bundle-variable "why (likely): process.env[1] of config.json lacks \"=\", $refused" "$fix" '!DEBUG"'
arguments='--bundle b --errno ENOEXEC'
try 'a variable without a value: the exec took place' both 1 unknown '!process.env'
variables '"", "=x"'
try 'an empty entry' both 1 bundle-variable "process.env[0] of config.json lacks \"=\", $refused" "$fix"
variables '"A=", "=x"'
try 'a variable without a name' both 1 bundle-variable "process.env[1] of config.json lacks a name before \"=\", $refused" "$fix"
variables '"A=", "B=c=d", "e.f-g= ", "PATH=/bin"'
try 'variables that every runtime takes' both 0 none 'it would start'
variables ''
try 'no variables' both 0 none 'it would start'
variables '"DEBUG"' /bin/gone
try 'a missing program comes before a variable' both 1 missing '!process.env'

# --- limits, filters, labels

for limit in 0 3 6; do
	bundle '"/bin/sh"' ", \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": $limit, \"hard\": 1024}]"
	try "no runtime starts with $limit files" both 1 bundle-open-files "RLIMIT_NOFILE in process.rlimits is $limit, so the runtime" '(EMFILE)'
done
bundle '"/bin/sh"' ', "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 7, "hard": 7}, {"type": "RLIMIT_NICE", "soft": 0, "hard": 0}]'
try 'a limit that is enough' both 0 none 'it would start'

# limit TYPE SOFT HARD: a member for bundle.
limit() {
	printf ', "rlimits": [{"type": "RLIMIT_%s", "soft": %s, "hard": %s}]' "$1" "$2" "$3"
}
all=18446744073709551615 # no limit, as runtimes write it
for type in NEW nofile ''; do
	bundle '"/bin/sh"' "$(limit "$type" 9 9)"
	try "an unknown limit: $type" both 1 bundle-limit "why: process.rlimits has the type \"RLIMIT_$type\", which no runtime knows" \
		'fix: use a name from setrlimit(2), such as RLIMIT_NOFILE, or remove the entry'
done
for type in AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK; do
	bundle '"/bin/sh"' "$(limit "$type" $all $all)"
	[ "$type" = NOFILE ] && bundle '"/bin/sh"' "$(limit "$type" 999 1000)"
	try "a known limit: $type" both 0 none 'it would start'
done
for type in CORE NOFILE; do
	bundle '"/bin/sh"' "$(limit "$type" $all 1000)"
	try "a soft limit above the hard one: $type" both 1 bundle-limit \
		"why: the soft limit of RLIMIT_$type in process.rlimits is above its hard limit (EINVAL)" 'fix: lower the soft limit, or raise the hard one'
	bundle '"/bin/sh"' "$(limit "$type" 1000 1000)"
	try "a soft limit that equals the hard one: $type" both 0 none 'it would start'
done
open=$(cat /proc/sys/fs/nr_open)
bundle '"/bin/sh"' "$(limit NOFILE 1000 "$open")"
try 'as many files as the kernel allows' both 0 none 'it would start'
for files in $((open + 1)) $all; do
	bundle '"/bin/sh"' "$(limit NOFILE 1000 "$files")"
	try "more files than the kernel allows: $files" both 1 bundle-limit \
		"why: the hard limit of RLIMIT_NOFILE in process.rlimits is $files, and fs.nr_open is $open (EPERM)" "fix: lower it to at most $open, or"
	arguments='--bundle b --root b/rootfs'
	try "for another machine: $files" both 0 none 'it would start'
	arguments='--bundle b --errno ENOEXEC'
	try "the exec took place: $files" both 1 unknown '!nr_open'
done
bundle '"/bin/gone"' "$(limit NOFILE 1000 "$all")"
try 'a missing program comes before fs.nr_open' both 1 missing '!nr_open'
bundle '"/bin/sh"' "$(limit NPROC 3 3)"
arguments='--bundle b --errno EAGAIN'
try 'too many processes' both 1 process-limit 'the process limit (ulimit -u) of 3 (EAGAIN)' \
	'fix: raise that limit: --limit, or process.rlimits of config.json; all containers of a user share it' '!raise the limit'
bundle '"/bin/sh"'
arguments='--bundle b --errno EAGAIN'
try 'too many processes without a limit of the bundle' both 1 process-limit 'fix: raise the limit or stop some' '!rlimits'
if command -v cc >/dev/null; then
	echo 'char data[1 << 20] = { 1 }; void _start(void) { }' | cc -static -nostdlib -x c -o b/rootfs/bin/data -
	for soft in 1 4096 1000000; do
		bundle '"/bin/data"' "$(limit DATA $soft $all)"
		try "data of 1 MiB, a limit of $soft" both 1 data-limit '"/bin/data" needs 1048576 bytes of data; RLIMIT_DATA is' \
			'fix: raise that limit: --limit, or process.rlimits of config.json' '!ulimit'
	done
	bundle '"/bin/data"' "$(limit DATA 0 4096)"
	try 'a soft limit of 0 stands for the hard limit' both 1 data-limit 'RLIMIT_DATA is 4096'
	bundle '"/bin/data"' "$(limit DATA 0 $all)"
	try 'a soft limit of 0 without a hard limit' both 0 none 'it would start'
	bundle '"/bin/data"' "$(limit DATA 1048576 1048576)"
	try 'data of 1 MiB, which is the limit' both 0 none 'it would start'
else
	skip 'data' 'no compiler'
fi

# seccomp DEFAULT RULES
seccomp() {
	printf ', "linux": {"seccomp": {"defaultAction": "%s", "syscalls": [%s]}}' "$1" "$2"
}
allow='{"names": ["read", "execve"], "action": "SCMP_ACT_ALLOW"}'
refuse='{"names": ["execve"], "action": "SCMP_ACT_ERRNO"'
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ALLOW "$refuse}")"
try 'a filter refuses execve' both 1 bundle-seccomp 'why: linux.seccomp of config.json refuses execve (EPERM)' 'SCMP_ACT_ALLOW'
arguments='--bundle b --errno EPERM'
try 'a filter refused execve' both 1 bundle-seccomp 'refuses execve (EPERM)'
arguments='--bundle b --errno EIO'
try 'another errno is not that of the filter' both 1 unknown '!linux.seccomp'
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ALLOW "$refuse, \"errnoRet\": 38}")"
try 'a filter with an errno of its own' both 1 bundle-seccomp 'refuses execve (ENOSYS)'
bundle '"sh"' '' "$(seccomp SCMP_ACT_KILL_PROCESS '{"names": ["read"], "action": "SCMP_ACT_ALLOW"}')"
try 'a filter kills by default' both 1 bundle-seccomp 'linux.seccomp of config.json kills the process that calls execve'
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ERRNO '')"
try 'a filter refuses all' both 1 bundle-seccomp 'refuses execve (EPERM)'
bundle '"/bin/gone"' '' "$(seccomp SCMP_ACT_ERRNO '')"
try 'runtimes look for the program first' both 1 missing '"/bin/gone" does not exist' '!seccomp'
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ERRNO "$allow")"
try 'a filter allows it' both 0 none 'it would start'
for action in SCMP_ACT_NOTIFY SCMP_ACT_TRACE SCMP_ACT_LOG SCMP_ACT_OF_TOMORROW; do
	bundle '"/bin/sh"' '' "$(seccomp "$action" '')"
	try "a filter that may allow it: $action" both 0 none 'it would start'
done
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ALLOW "$refuse, \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}")"
try 'a rule for some arguments' both 0 none 'it would start'
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ERRNO "$refuse}, $allow")"
try 'two rules for one call' both 0 none 'it would start'
bundle '"/bin/sh"' '' "$(seccomp SCMP_ACT_ALLOW '{"names": ["execveat", "ptrace"], "action": "SCMP_ACT_KILL"}')"
try 'a rule for another call' both 0 none 'it would start'

has_apparmor=$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)
if [ -d /sys/module/kernel ] && [ "$has_apparmor" != Y ]; then
	bundle '"/bin/sh"' ', "apparmorProfile": "docker-default"'
	try 'a profile without AppArmor' both 1 bundle-label 'process.apparmorProfile is "docker-default", but AppArmor is off' \
		'docker: --security-opt apparmor=unconfined'
	arguments='--bundle b --root b/rootfs'
	try 'a profile for another machine' both 0 none 'it would start'
	arguments='--bundle b --errno ENOEXEC'
	try 'the exec took place' both 1 unknown '!AppArmor is off'
	bundle '"/bin/gone"' ', "apparmorProfile": "docker-default"'
	try 'a missing program comes first' both 1 missing '!AppArmor'
else
	skip 'a profile without AppArmor' 'AppArmor is on here'
fi
for profile in '' unconfined; do
	bundle '"/bin/sh"' ", \"apparmorProfile\": \"$profile\", \"selinuxLabel\": \"\""
	try "no profile: $profile" both 0 none 'it would start'
done
if ! grep -q selinuxfs /proc/filesystems; then
	bundle '"/bin/sh"' ', "selinuxLabel": "system_u:system_r:container_t:s0"'
	try 'a label without SELinux' both 1 bundle-label 'process.selinuxLabel is "system_u:system_r:container_t:s0", but SELinux is off'
else
	skip 'a label without SELinux' 'SELinux is on here'
fi
# with_apparmor STATUS CAUSE TEXT...: as both, on a machine that has AppArmor with the profile "there".
with_apparmor() {
	printf '%s\n' "$config" >b/config.json
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare -rm sh -c 'mount -t tmpfs none /sys && mkdir -p /sys/module/apparmor/parameters /sys/kernel/security/apparmor &&
		echo Y >/sys/module/apparmor/parameters/enabled && echo "there (enforce)" >/sys/kernel/security/apparmor/profiles &&
		"$1" explain --bundle b; "$1" explain --json --bundle b | jq -r .cause' sh "$errpipe" >out
	cat out
	grep -qF -e "$2" out && [ "$(tail -n 1 out)" = "$1" ]
}
if has 'profiles of AppArmor' user-namespaces; then
	bundle '"/bin/sh"' ', "apparmorProfile": "other"'
	try 'a profile that is not loaded' with_apparmor bundle-label '"other", which is not loaded on this machine'
	bundle '"/bin/sh"' ', "apparmorProfile": "there"'
	try 'a profile that is loaded' with_apparmor none 'it would start'
	bundle '"/bin/sh"' ', "apparmorProfile": "the"'
	try 'a profile whose name only begins so' with_apparmor bundle-label '"the", which is not loaded'
fi

# --- --root with --bundle

bundle '"only"'
arguments='--bundle b --root other'
try 'the root of --root' both 0 none 'it would start'
config='{"process": {"args": ["only"], "cwd": "/", "env": ["PATH=/bin"]}}'
try 'config.json needs no root then' both 0 none 'it would start'
arguments='--bundle b'
try 'but else it does' answers 125 'config.json: root.path is missing'

# --- commands have the paths of the host

bundle '"/bin/no-x"'
try 'a file in the root' both 1 not-executable 'why: "/bin/no-x" has no x' 'fix: chmod a+x b/rootfs/bin/no-x'
bundle '"/app/no-x"' '' "$(mount /app ../host)"
try 'a file on a mount' both 1 not-executable 'fix: chmod a+x b/../host/no-x'
printf '#!/bin/sh\r\n' >host/crlf && printf '#!/bin/bas\n' >host/misspelt && chmod 755 host/crlf host/misspelt
cp host/crlf host/misspelt b/rootfs/bin
bundle '"/app/crlf"' '' "$(mount /app ../host)"
try 'a carriage return on a mount' both 1 carriage-return 'the first line of "/app/crlf"' "fix: remove it: sed -i 's/\\r//g' b/../host/crlf"
bundle '"/bin/crlf"'
try 'a carriage return in the root' both 1 carriage-return "fix: remove it: sed -i 's/\\r//g' b/rootfs/bin/crlf"
bundle '"/app/misspelt"' '' "$(mount /app/misspelt ../host/misspelt)"
try 'the first line of a file that is mounted' both 1 interpreter-missing 'or correct the first line of "b/../host/misspelt"'
bundle '"/bin/misspelt"'
try 'the first line of a file in the root' both 1 interpreter-missing 'or correct the first line of "/bin/misspelt"'
arguments='--root b/rootfs /bin/no-x'
try 'a file in --root' both 1 not-executable 'fix: chmod a+x b/rootfs/bin/no-x'
cp -r b/rootfs ./-r
arguments='--root -r /bin/no-x'
try 'a root that looks like an option' both 1 not-executable 'fix: chmod a+x ./-r/bin/no-x'
arguments="$tmp/b/rootfs/bin/no-x"
try 'without --root' both 1 not-executable "fix: chmod a+x $tmp/b/rootfs/bin/no-x"
bundle '"/bin/no-x"' '' ', "mounts": [{"destination": "/bin", "type": "tmpfs", "options": ["noexec"]}]'
try 'a mount of config.json is not remounted' both 1 noexec-mount 'fix: remove noexec from the options of that mount, or' '!remount'

echo "1..$n"
exit "$failed"
