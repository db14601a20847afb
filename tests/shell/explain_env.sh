#!/bin/sh
# SPDX-License-Identifier: MIT
# errpipe explain and run with scripts for env(1), compared with the real env of this machine and with busybox's: whether the
# command starts, and the status with which env ends. The same for shells with -c. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
# shellcheck disable=SC2016 # in the lines of scripts
set -u
# shellcheck source=tests/support/command
. "${ERRPIPE_SRC:?}/tests/support/command"

# script NAME LINE: an executable file with that first line. printf expands the escapes.
script() {
	# shellcheck disable=SC2059
	printf "#!$2\necho ran\nexit 42\n" >"$1" && chmod 755 "$1"
}

# The commands end with the status 42, so that env's own end can be told from theirs.
make_files() {
	mkdir -p cmd refused "my venv" empty bb && ln -s "$(command -v busybox)" bb/env && ln -s env bb/sh && ln -s env bb/awk && ln -s env bb/busybox &&
		printf '#!/bin/sh\nexit 42\n' >cmd/mark && cp cmd/mark refused/refused &&
		printf 'exit 42\n' >cmd/text && printf '#!/nowhere/sh\n' >refused/mark && printf '#!/nowhere/sh\n' >cmd/broken &&
		mkdir look && cp /bin/sh look/env && cp /bin/sh "my venv/python" && chmod 755 cmd/* refused/mark && chmod 644 refused/refused &&
		ln -s /nowhere cmd/dangling
}
try 'files' make_files

# lines: the rest of the first lines of scripts, one a line; @ is the directory. Most are odd, as people write them.
lines() {
	cat <<'END'
mark
mark -e
nothing
nothing -e
-S mark
-S mark -e
-Smark
-vS mark
-S  mark\r
mark\r
text
broken
refused
dangling
./mark
@/cmd/mark
@/cmd/text
@/refused/refused
@/nowhere/mark
@/cmd
-i mark
-i\r
-S -i mark
-S -i @/cmd/mark
-S -i PATH=@/cmd mark
-S - PATH=@/cmd mark
-S PATH=@/empty mark
-S -u PATH mark
-S -uPATH sh -c "exit 42"
-S -u PATH -u HOME PATH=@/cmd mark
-S --unset=PATH mark
-S --unset PATH PATH=@/cmd mark
-S -C @/cmd ./mark
-S -C @/cmd ./nothing
-S --chdir=@/cmd ./mark
-S -C @/nowhere mark
-S -C @/cmd/mark mark
-C @/cmd mark
-S -- mark
-S -- -x
-x
-ix
-S -x mark
-S --nonsense mark
-S 'mark'
-S "mark"
-S 'mark
-S "mark
-S m'a'"r"k
-S mark\\_x
-S mark\\q
-S mark\\
-S mark\\c x
-S "mark\\c"
-S mark # comment
-S #mark
-S ${WORD}
-S ${NOTHING}mark
-S '${WORD}'
-S $WORD
-S ${WORD
-S ''
-S 'a b'
-S -S mark
-S -S"mark x"
-S
pyton3
Sh
sh;
mark; set -e
"mark"
mark\xc2\xa0
$WORD
~/cmd/mark
a|b
-S env mark
-S env -i @/cmd/mark
-S env nothing
-S env -S mark
-S sh -c "exit 42"
-S -0 mark
-0
-S --null mark
-S --ignore-environment @/cmd/mark
-S --default-signal mark
-S --ignore-signal=PIPE mark
-S -u "" mark
-S -u A=B mark
-S A=B =C mark
\xe2\x80\x93S mark
\xe2\x80\x93i
-u
--split-string mark -e
--split-string\tmark
--split-string=mark -e
--split=mark
--unset X mark
--ignore-environment mark
--ignore-environment\r
--ignore-environment\xc2\xa0mark
--chdir=@/cmd ./mark
--chdir=@/cmd
--ignore-signal=PIPE mark
--debug --split-string mark
-i\xc2\xa0mark
mark -e\r
X=1 -i mark
-S X=1 -i mark
-S X=1 -u Y mark
-S X=1 -- mark
-S X=1 mark -i
-S "-u X" mark
-S "--unset X" mark
-S bash -e\xc2\xa0
-S bash -e -u\xc2\xa0
-S bash --posix -e
-S bash "-e -u"
-S dash -e\xe3\x80\x80-u
-S dash -e -u
END
}

# shell_lines: the arguments of interpreters in first lines.
shell_lines() {
	cat <<'END'
-e -u
-u -e
-eu
-xe -u
-x  -u
-e # comment
-e;
-u\r
-e\r
-euo pipefail
-o pipefail
-x\t-e
-l -e
-n -e
# comment
-e # comment
-\r
\xe2\x80\x93e
\xe2\x80\x93e -u
set -e
./s -e
--login -e
-e  
-- -e
-W ignore
-w -e
-B -O
-c x
+e -u
--login
--posix -e
--norc --login
--login\r
--login # x
--login\xc2\xa0-e
-login
-norc
-norc -e
--
-- -x
-e-
-e\xc2\xa0
-e\xc2\xa0-u
-\xc2\xa0
-u\xe3\x80\x80-s
-O extglob
+O extglob
-eO extglob
-c echo
+c echo
- x
-s x
-i # x
-b x
-m nomodule
-um nomodule
--title=a b
--no-warnings --harmony
--list x
sh\r
env sh
/bin/sh -e
END
}

# compare ENV: for each line, what explain says and what really happens. Prints the lines that differ.
compare() {
	differs=0 compared=0
	lines | sed "s,@,$tmp,g" >all || return 1
	while IFS= read -r line; do
		script s "$1 $line" || return 1
		said=$(PATH=$path WORD=mark "$errpipe" explain --json ./s x | jq -c '[.starts, .status, .certainty, .cause]')
		PATH=$path WORD=mark timeout 5 ./s x >out 2>&1 </dev/null
		got=$?
		compared=$((compared + 1))
		case "$said $got" in
		*',"env-runs-script"] '*) [ "$got" != 42 ] ;; # without end; timeout(1) ends it
		'[true,'*' 42' | '[true,'*' 0') ;;
		"[false,$got,"*) ;;
		*,'"likely",'*) ;;
		*) false ;;
		esac && continue
		echo "#!$1 $line: $said, but the status is $got: $(cat out)"
		differs=$((differs + 1))
	done <all
	echo "# $compared lines"
	[ "$differs" = 0 ] && [ "$compared" -gt 60 ]
}

path=$tmp/refused:$tmp/cmd:/usr/bin:/bin
try 'the env of this machine does what explain says' compare "$(command -v env)"
try 'the env of busybox does what explain says' compare "$tmp/bb/env"

# refuses INTERPRETER: wherever explain says that it stops, it does, with that status if there is one.
refuses() {
	differs=0 stops=0
	shell_lines >all
	while IFS= read -r line; do
		script s "$1 $line" || return 1
		case $1 in
		*/python*) sed -i '2,$d; 1aimport sys; sys.exit(42)' s ;;
		*/node) sed -i '2,$d; 1aprocess.exit(42)' s ;;
		esac
		said=$("$errpipe" explain --json ./s x | jq -r '"\(.starts) \(.status)"')
		[ "$said" = 'true 0' ] || [ "$said" = 'true null' ] && continue
		./s x >out 2>&1 </dev/null
		got=$?
		stops=$((stops + 1))
		[ "$got" != 42 ] && { [ "$said" = "false $got" ] || [ "$said" = 'false null' ]; } && continue
		echo "#!$1 $line: $said, but the status is $got: $(cat out)"
		differs=$((differs + 1))
	done <all
	echo "# $stops stop"
	[ "$differs" = 0 ] && [ "$stops" -ge 4 ]
}
for interpreter in /bin/bash /bin/dash /bin/zsh /usr/bin/python3 /usr/bin/node "$tmp/bb/sh" "$tmp/bb/busybox"; do
	[ -e "$interpreter" ] && try "$interpreter refuses what explain says" refuses "$interpreter"
done

# awk without -f takes the path of its script for a program.
awk_line() {
	printf '#!%s\n{ print }\n' "$1" >s && chmod 755 s || return 1
	status=0
	./s </dev/null >out 2>&1 || status=$?
	"$errpipe" explain ./s >said
	[ "$? $status" = "$2" ] || { cat said out; false; }
}
awk=$(command -v awk)
try 'awk without -f' awk_line "$awk" '1 2'
try 'its words' grep -qF "passes \"./s\" to \"$awk\" as one argument, which it takes for the text of its program" said
try 'awk with -f' awk_line "$awk -f" '0 0'
try 'the awk of busybox with -f' awk_line "$tmp/bb/awk -f" '0 0'

# --- a shell with -c

texts() {
	cat <<'END'
mark
 mark  -e
exec mark
nothing
nothing -x
exec nothing
@/cmd/mark
@/cmd/text
@/cmd/broken
@/refused/refused
@/nowhere/mark
./cmd/mark
./nothing
@/cmd
text
broken
refused
dangling
empty
env nothing
env mark
sh -c nothing
echo x
cd @
cd @/nowhere
test -f x
[ x
set -e
true
exit 127
exit 126
A=1 nothing
A=1 mark
nothing; mark
nothing || mark
nothing | cat
$WORD
"nothing"
~/nothing
`nothing`
{ nothing; }
! nothing
nothing # x
%1
nothing=1
nothing "$@"
mark "$@" ${WORD} '|'
nothing ${WORD} "a b" *
nothing $(echo x)
nothing "`echo x`"
nothing 'x
nothing ${WORD?}
['mark','-c','true']
["mark", "-c"]
["mark"]
["mark", "-c", "a && $WORD"]
[ "mark", "-c" ]
['mark',
x+=1
a:b
@a
END
}

# compare_shell SHELL: the same for the command strings of a shell.
compare_shell() {
	differs=0 stops=0
	texts | sed "s,@,$tmp,g" >all || return 1
	while IFS= read -r text; do
		said=$(PATH=$path WORD=mark "$errpipe" explain --json "$1" -c "$text" | jq -c '[.starts, .status, .certainty]')
		PATH=$path WORD=mark timeout 5 "$1" -c "$text" >out 2>&1 </dev/null
		got=$?
		case "$said $got" in
		"[false,$got,\"certain\"] "*) stops=$((stops + 1)) ;;
		'[true,'* | *,'"likely"] '*) ;;
		*) false ;;
		esac && continue
		echo "$1 -c '$text': $said, but the status is $got: $(cat out)"
		differs=$((differs + 1))
	done <all
	echo "# $stops stop"
	[ "$differs" = 0 ] && [ "$stops" -ge 6 ]
}
for shell in bash dash "$tmp/bb/sh"; do
	try "$shell -c does what explain says" compare_shell "$shell"
done

# --- in words

# says LINE WORDS: explain has them about such a script.
says() {
	script s "$1" || return 1
	PATH=$path "$errpipe" explain ./s >out
	grep -qF -- "$2" out || { cat out; false; }
}

# tells STATUS WORDS LINE: run has them after env has ended with that status. Without words it says nothing.
tells() {
	script s "$3" || return 1
	status=0
	PATH=$path "$errpipe" run -- ./s >out 2>&1 || status=$?
	[ "$status" = "$1" ] || { cat out; return 1; }
	if [ -z "$2" ]; then
		! grep errpipe: out
	else
		grep -qF -- "$2" out || { cat out; false; }
	fi
}

env=$(command -v env)
try 'one argument' says "$env bash -e" "passes \"bash -e\" to env as one argument, which it does not split"
try 'a command that is missing in PATH' says "$env node-18" "asks env for \"node-18\", which is not in PATH"
try 'the PATH' says "$env node-18" "correct PATH, which is \"$path\""
try 'a carriage return' says "$env bash\r" 'contains a carriage return, so env looks for "bash\r"'
try 'an interpreter with a blank in its name' says "$tmp/my venv/python" "cuts the interpreter \"$tmp/my venv/python\" at the blank"
try 'quoted by pip' says "\"$tmp/my venv/python\"" "keeps the quotes of the interpreter \"\\\"$tmp/my venv/python\\\"\""
try 'an option for sh with a carriage return' says '/bin/sh -e\r' 'gets the option "-e\r"'
try 'one argument with a carriage return' says "$env mark -e\r" 'write #!/usr/bin/env -S mark -e, and remove the carriage returns'
try 'an option after a variable' says "$env -S A=1 -i mark" 'env takes options only before NAME=VALUE: move "-i" there'
try 'a long option of bash' says '/bin/bash --login -e' 'write #!/usr/bin/env -S /bin/bash --login -e, or'
typed() {
	PATH=$path "$errpipe" explain env A=1 -i mark >out
	grep -qF 'env takes options only before NAME=VALUE: move "-i" there' out || { cat out; false; }
}
try 'an option after a variable on the command line' typed
try 'no command but a variable' says "$env A=1 mark" "-S A=1 mark"

try 'run: one argument' tells 127 'errpipe: fix: write #!/usr/bin/env -S mark -e' "$env mark -e"
try 'run: a missing command' tells 127 "errpipe: fix: install it, use its full path, or correct PATH, which is \"$path\"" "$env nothing"
try 'run: a file without x bit' tells 126 'has no x permission' "$env refused"
try 'run: an option' tells 125 "errpipe: why: env refuses" "$env -x"
try 'run: a healthy script' tells 42 '' "$env mark"
own_127='-S sh -c "exit 127"'
try 'run: a healthy program that ends with 127' tells 127 '' "$env $own_127"
try 'run: and with 126' tells 126 '' "$env -S sh -c \"exit 126\""
try 'run: and with 1' tells 1 '' "$env -S sh -c \"exit 1\""
in_shell() {
	status=0
	PATH=$path "$errpipe" run sh -c "$1" >out 2>&1 || status=$?
	[ "$status" = 127 ] || return 1
	grep -qF "$2" out || { cat out; false; }
}
# lacks_why: the last run has no explanation.
lacks_why() {
	! grep 'errpipe: why' out
}
try 'run: a command for a shell' in_shell nothing 'errpipe: why: sh looks for "nothing", which is not in PATH'
try 'run: a healthy shell that ends with 127' in_shell 'echo none; exit 127' none
try 'run: and says nothing more' lacks_why
try 'run: a program of that name that is not env' tells 42 '' "$tmp/look/env"

# --- another PATH, root and bundle

in_path() {
	script s "$env mark" && "$errpipe" explain --path /nowhere ./s >out
	[ $? = 1 ] && grep -qF 'correct PATH, which is "/nowhere"' out && PATH=/nowhere "$errpipe" explain --path "$path" ./s >out &&
		grep -qx 'it would start' out
}
try '--path is the PATH of env' in_path

# Applets without a link, and words which are in busybox but are not applets. Debian's env does not run either.
unlinked() {
	mkdir -p small/bin && cp "$(command -v busybox)" small/bin/busybox && ln -sf busybox small/bin/env &&
		ln -sf busybox small/bin/sh && script small/s "/bin/env $1" || return 1
	PATH=/bin "$errpipe" explain --json --root small /s >out
	got=$?
	[ "$got $(jq -r '"\(.cause) \(.certainty) \(.status)"' out)" = "$2" ] || { cat out; false; }
}
try 'bash is not an applet of busybox' unlinked bash '1 command-missing certain 127'
try 'an applet without a link' unlinked awk '1 command-missing likely 127'
try 'an applet with a link' unlinked sh '0 none certain null'

make_root() {
	mkdir -p root/usr/bin root/opt/bin && cp "$(command -v busybox)" root/usr/bin/busybox && ln -s busybox root/usr/bin/env &&
		script root/app '/usr/bin/env tool' && printf '#!/usr/bin/busybox sh\n' >root/opt/bin/tool && chmod 755 root/opt/bin/tool
}
in_root() {
	make_root && PATH=/usr/bin "$errpipe" explain --root root /app >out
	[ $? = 1 ] && grep -qF 'asks env for "tool", which is not in PATH' out && PATH=/opt/bin "$errpipe" explain --root root /app >out &&
		grep -q '/opt/bin/tool ' out && grep -qx 'it would start' out
}
bundle() {
	printf '{"root": {"path": "../root"}, "process": {"args": ["/app"], "cwd": "/", "env": ["PATH=%s"]}}' "$1" >b/config.json
	"$errpipe" explain --bundle b >out
}
in_bundle() {
	mkdir -p b || return 1
	bundle /usr/bin
	[ $? = 1 ] && grep -qF 'correct PATH, which is "/usr/bin"' out && bundle /usr/bin:/opt/bin && grep -qx 'it would start' out
}
try 'in a root' in_root
try 'in a bundle' in_bundle

echo "1..$n"
exit "$failed"
