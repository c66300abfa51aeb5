#!/usr/bin/env bats
# exec: a further command in a container that runs, with the rights of the container and not more

load helpers
load ready

setup() {
	sc_setup
	scadm run -d --name=web -e A=1 busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null 3>&-
}

teardown() {
	scadm rm -f web >/dev/null 3>&-
	sc_teardown
}

# sleeps NUMBER COUNT - are there so many `sleep NUMBER` in web?
sleeps() {
	[ "$(scadm exec web sh -c "ps -o args | grep -c '^sleep $1\$'" 3>&-)" = "$2" ]
}

# end_sleep NUMBER - end `sleep NUMBER`; the sandbox shows only processes of this test
end_sleep() {
	pkill -f "^sleep $1\$"
}

# status_field PID-OR-self FIELD - what /proc says inside web
status_field() {
	sc exec web sh -c "sed -n 's/^$2:[[:space:]]*//p' /proc/$1/status"
}

@test "exec: the status is that of the command; 126 and 127 when there is none, 128+n for a signal" {
	sc exec web true
	sc 7 exec web sh -c 'exit 7'
	sc 127 exec web nosuchcommand
	like "$stderr" '*nosuchcommand*'
	sc 126 exec web /etc/passwd
	sc 137 exec web sh -c 'kill -9 $$'
	sc 143 exec web sh -c 'kill $$'
}

@test "exec: what cannot be entered is refused with the reason" {
	sc 125 exec nobody true
	like "$stderr" "*no container 'nobody'*"
	sc 125 exec web
	like "$stderr" '*which command*'
	sc 125 exec
	sc 125 exec --no-such web true
	sc 125 exec -e =x web true
	sc 125 exec -w relative web true
	sc 125 exec --env-file /nonexistent web true
	sc 125 exec --detach-keys ctrl-a web true
	sc 125 exec -u nosuchuser web true
	like "$stderr" '*nosuchuser*'
	sc 125 exec -w /no/such/directory web true
	sc create --name=made busybox true
	sc 125 exec made true
	like "$stderr" "*'made' does not run*"
	sc rm made
}

@test "exec: of a paused container is refused, and does not hang" {
	requires freezer
	sc pause web
	sc 125 exec web true
	like "$stderr" "*paused*unpause web*"
	sc unpause web
	sc exec web true
}

@test "S14: arguments arrive byte for byte, also what looks like options of ours" {
	sc exec web printf '[%s]' '' 'a b' '$(id)' "it's" '*' '\n' $'line\nbreak\n' -d --help $'\xff\xfe'
	same "$output" "[][a b][\$(id)][it's][*][\\n][line
break
][-d][--help][$(printf '\377\376')]"
}

@test "S25: stdout and stderr apart; without -i the standard input is left alone, with -i it is passed" {
	sc exec web sh -c 'echo out; echo err >&2'
	same "$output" out
	same "$stderr" err
	run --separate-stderr sh -c 'printf "one\ntwo\n" | { scadm exec web cat; cat; }' 3>&-
	same "$output" 'one
two'
	run --separate-stderr sh -c 'printf "one\ntwo\n" | scadm exec -i web cat' 3>&-
	same "$output" 'one
two'
}

@test "S11 S1: the namespaces and the cgroup are those of the container" {
	local pid type inside
	read -r pid _ </var/run/container/web/pid
	sc exec web sh -c 'for type in mnt net pid ipc uts user cgroup; do readlink /proc/self/ns/$type; done; readlink /proc/1/ns/mnt'
	inside=$output
	for type in mnt net pid ipc uts user cgroup; do
		grep -qxF "$(readlink "/proc/$pid/ns/$type")" <<<"$inside"
	done
	sc exec -d web sleep 9001
	wait_until 20 sleeps 9001 1
	run sc-cg procs "sc/$(id12 web)"
	like "$output" "*$(pgrep -f '^sleep 9001$')*"
}

@test "S11: limits of the container bind: processes, and ulimits as run and update set them" {
	requires pids
	scadm run -d --name=small --pids-limit=8 --ulimit nofile=100:200 --oom-score-adj 300 busybox sleep 1000 3>&-
	sc exec small sh -c 'ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj'
	same "$output" '100
200
300'
	sc 2 exec small sh -c 'for n in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1000 >/dev/null 2>&1 & done; echo end'
	same "$output" ''
	like "$stderr" '*fork*'
	sc rm -f small
}

@test "S7: capabilities are those of the container: effective, permitted, bounding; none inheritable or ambient" {
	local field first
	for field in CapEff CapPrm CapBnd CapInh CapAmb; do
		status_field 1 "$field"
		first=$output
		status_field self "$field"
		same "$output" "$first"
	done
	status_field self CapEff
	same "$output" 00000000a80425fb
	sc exec -u 33 web sh -c 'sed -n "s/^CapEff:.//p" /proc/self/status'
	same "$output" 0000000000000000
}

@test "S8: the seccomp filter is installed, and no_new_privs set, as in the container" {
	status_field self Seccomp
	same "$output" 2
	status_field self NoNewPrivs
	same "$output" 1
	scadm run -d --name=open --security-opt seccomp=unconfined --security-opt no-new-privileges=false busybox sleep 1000 3>&-
	sc exec open sh -c 'sed -n "s/^Seccomp:.//p; s/^NoNewPrivs:.//p" /proc/self/status'
	same "$output" '0
0'
	sc rm -f open
}

@test "exec --privileged: all capabilities of the namespace of the container, no seccomp, and the host stays out of reach" {
	status_field self CapEff
	sc exec --privileged web sh -c 'sed -n "s/^CapEff:.//p; s/^Seccomp:.//p" /proc/self/status'
	like "$output" '0000*f
0'
	# they are those of its user namespace: of the host they are worth nothing
	sc exec --privileged web sh -c 'echo x >/proc/sys/kernel/core_pattern || mount -t tmpfs tmpfs /sys/kernel || echo refused'
	like "$output" '*refused*'
}

@test "S6: only descriptors 0, 1 and 2 are open, whatever the caller has open; --workdir cannot be one of them" {
	run --separate-stderr sh -c 'exec 5</etc/passwd 6</etc/passwd 7</ 8>/dev/null; scadm exec web sh -c "ls /proc/self/fd; ls /proc/\$\$/fd"' 3>&-
	same "$status" 0
	unlike "$output" '*[4-9]*'
	sc 125 exec -w /proc/self/fd/5 web pwd
	sc exec web ln -s /proc/self/fd/7 /link
	sc 125 exec -w /link web pwd
	sc exec web rm /link
}

@test "S5: the helpers cannot be opened for writing from inside: the command is what it is run by" {
	sc exec web sh -c 'printf "#!/proc/self/exe\n" >/self; chmod 755 /self'
	run --separate-stderr scadm exec web /self 3>&-
	[ "$status" -ne 0 ]
	run --separate-stderr scadm exec web /proc/self/exe 3>&-
	sc exec web sh -c 'for exe in /proc/[0-9]*/exe; do (: >>$exe) 2>/dev/null && readlink $exe; done; rm /self; true'
	unlike "$output" '*sc-*'
}

@test "S1, S6: a directory of the host is no standard descriptor of exec: it would be a way out" {
	sc 125 exec -i web true <"$BATS_TEST_TMPDIR"
	like "$stderr" '*standard input is a directory*'
	run --separate-stderr bash -c 'scadm exec web true 2>&1 1<"$0" | cat' "$BATS_TEST_TMPDIR" 3>&-
	like "$output" '*standard output is a directory*'
	sc exec -i web cat <"$ROOT/VERSION"
	same "$output" "$(cat "$ROOT/VERSION")"
}

@test "S6: a descriptor of exec that was opened as a mere path is refused as well" {
	requires python3
	run --separate-stderr python3 -c 'import os, sys
os.dup2(os.open(sys.argv[1], os.O_PATH), 0)
os.execvp("scadm", ["scadm", "exec", "-i", "web", "true"])' /etc/passwd 3>&-
	same "$status" 125
	like "$stderr" '*standard input is a mere path*'
}

@test "S10: the host's /dev/null, standard input of exec, cannot be changed from inside" {
	scadm run -d --name=bare --userns=host busybox sleep 1000 3>&-
	run --separate-stderr scadm exec bare chmod 600 /proc/self/fd/0 3>&-
	[ "$status" -ne 0 ]
	same "$(stat -c %a /dev/null)" 666
	sc exec bare sh -c 'rm /dev/null; cat /proc/self/fd/0'
	sc exec bare true
	sc rm -f bare
}

@test "exec -e, --env-file: on top of the environment of the container, byte for byte; nothing of the caller's" {
	printf '%s\n' '# comment' 'FILE=of file' 'A=file' 'TAKEN' >"$BATS_TEST_TMPDIR/env"
	export TAKEN="from here" LEAKED=yes
	sc exec --env-file "$BATS_TEST_TMPDIR/env" -e A=2 -e 'B=$(id) "x"' -e TAKEN -e $'C=line\nbreak' -e NOTHERE web sh -c 'env; echo "[$C]"'
	like "$output" '*A=2*'
	unlike "$output" '*A=1*'
	unlike "$output" '*A=file*'
	like "$output" '*B=$(id) "x"*'
	like "$output" $'*\n[[]line\nbreak]'
	like "$output" '*FILE=of file*'
	like "$output" '*TAKEN=from here*'
	unlike "$output" '*LEAKED*'
	unlike "$output" '*NOTHERE*'
	like "$output" '*HOSTNAME=web*'
	sc exec web sh -c 'echo $A'
	same "$output" 1
}

@test "S24: what -e says is in no command line of the host, and no file keeps it" {
	scadm exec -e SECRET=swordfish web sleep 9002 3>&- &
	wait_until 20 sleeps 9002 1
	run sh -c "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'SECRET=[s]wordfish'"
	same "$output" 0
	run grep -rlF swordfish /var/lib/scadm /run /tmp --include=.env* --include=env
	same "$output" ''
	run sh -c 'ls -A /var/lib/scadm/containers/web | grep -c env.'
	same "$output" 0
	end_sleep 9002
	wait
}

@test "S12: -e LD_PRELOAD, PATH and the like do not reach the helpers" {
	sc exec -e LD_PRELOAD=/evil.so -e IFS=x -e PATH=/bin -e ENV=/evil -e SC_DOOR=print web sh -c 'echo $LD_PRELOAD $PATH'
	same "$output" '/evil.so /bin'
}

@test "exec -u, -w: the user, its groups and home are those of the container's files" {
	sc exec -u www-data web sh -c 'id -u; id -g; echo $HOME'
	same "$output" '33
33
/var/www'
	sc exec -u 44:55 -w /tmp web sh -c 'id -u; id -g; pwd; echo $HOME'
	same "$output" '44
55
/tmp
/'
	sc exec web sh -c 'echo "evil:x:0:0:::" >>/etc/passwd; id -u; pwd'
	same "$output" '0
/'
}

@test "exec: the user and the directory that the container was made with are the default" {
	scadm run -d --name=user -u 33:44 -w /tmp busybox sleep 1000 3>&-
	sc exec user sh -c 'id -u; id -g; pwd'
	same "$output" '33
44
/tmp'
	sc exec -u 0 -w / user sh -c 'id -u; pwd'
	same "$output" '0
/'
	sc rm -f user
}

@test "exec: /dev/stdout and /dev/stderr can be opened, also by another user, when they are pipes" {
	run sh -c 'scadm exec -u 33 web sh -c "echo out >/dev/stdout; echo err >/dev/stderr" 2>&1 | cat' 3>&-
	same "$output" 'out
err'
}

@test "exec -t: a terminal of the container's own, with TERM, in a session of its own" {
	requires script
	run script -qefc 'scadm exec -it web sh -c "tty; echo \$TERM; stat -c %U \$(tty); exit 5"' /dev/null </dev/null 3>&-
	same "$status" 5
	like "$output" '*/dev/pts/*xterm*root*'
	sc exec -t web sh -c 'test -t 0 && test -t 1 && test -t 2 && echo terminal'
	like "$output" 'terminal*'
}

@test "S13: own session, no ignored or blocked signals, umask 0022, no controlling terminal without -t" {
	run --separate-stderr sh -c 'trap "" INT HUP USR1; umask 077; scadm exec web sh -c "umask; sed -n \"s/^SigIgn:.//p; s/^SigBlk:.//p\" /proc/self/status; (: </dev/tty) 2>/dev/null || echo none"' 3>&-
	same "$output" '0022
0000000000000000
0000000000000000
none'
}

@test "exec -t: Ctrl-C reaches the command, and a new window size too" {
	requires script
	local typed="$BATS_TEST_TMPDIR/typed"
	mkfifo "$typed"
	script -qefc 'stty rows 33 cols 77; scadm exec -it web sh -c "stty size; trap \"echo cau\"\"ght; exit 9\" INT; echo rea\"\"dy; while :; do sleep 0.1; done"' \
		"$BATS_TEST_TMPDIR/out" <"$typed" >/dev/null 3>&- &
	exec 6>"$typed"
	wait_until 20 grep -q ready "$BATS_TEST_TMPDIR/out"
	grep -q '33 77' "$BATS_TEST_TMPDIR/out"
	printf '\003' >&6
	wait_until 20 grep -q caught "$BATS_TEST_TMPDIR/out"
	exec 6>&-
	wait
	grep -q 'EXIT_CODE="9"' "$BATS_TEST_TMPDIR/out"
}

@test "exec: INT and TERM to scadm are passed on; the status is that of the command" {
	scadm exec web sh -c 'trap "exit 11" TERM; : >/tmp/ready; while :; do sleep 0.1; done' 3>&- &
	pid=$!
	wait_until 20 scadm exec web test -e /tmp/ready
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	same "$status" 11
	sc exec web rm /tmp/ready
}

@test "exec: killed -9 it takes the command along" {
	scadm exec web sleep 9003 3>&- &
	wait_until 20 sleeps 9003 1
	kill -9 $!
	wait_until 20 sleeps 9003 0
}

@test "S25: exec -d prints nothing, returns at once, holds nothing of the caller, and leaves nothing when it ends" {
	run --separate-stderr timeout 60 sh -c 'scadm exec -d web sleep 9004; echo "back: $?"' 3>&-
	same "$output" 'back: 0'
	same "$stderr" ''
	wait_until 20 sleeps 9004 1
	run sh -c "pgrep -af 'sleep 9004' | grep -v pgrep"
	same "${#lines[@]}" 1
	end_sleep 9004
	wait_until 20 sleeps 9004 0
	run find /var/lib/scadm/containers/web -maxdepth 1 -name '.env*' -o -maxdepth 1 -name 'exec.*'
	same "$output" ''
}

@test "exec -d: says when the command cannot be run" {
	sc 127 exec -d web nosuchcommand
	like "$stderr" '*nosuchcommand*'
	sc 126 exec -d web /etc/passwd
	sc 125 exec -d -w /no/such/directory web true
	sc exec -d web sh -c 'exit 9'
}

@test "exec -d -t: has a terminal that nobody looks at" {
	sc exec -d -t web sh -c 'tty >/tmp/tty; sleep 9005'
	same "$output" ''
	wait_until 20 sleeps 9005 1
	sc exec web cat /tmp/tty
	like "$output" '/dev/pts/*'
	end_sleep 9005
	wait_until 20 sh -c '! pgrep -f "sc-tty --listen.*900[5]"'
}

@test "exec --detach-keys: typed, they leave the command running" {
	requires script
	local typed="$BATS_TEST_TMPDIR/typed"
	mkfifo "$typed"
	script -qefc 'scadm exec -it --detach-keys ctrl-a,d web sh -c "echo rea\"\"dy; sleep 9006"' "$BATS_TEST_TMPDIR/out" <"$typed" >/dev/null 3>&- &
	exec 6>"$typed"
	wait_until 20 grep -q ready "$BATS_TEST_TMPDIR/out"
	printf '\001d' >&6
	wait_until 20 grep -q 'EXIT_CODE="0"' "$BATS_TEST_TMPDIR/out"
	exec 6>&-
	wait
	wait_until 20 sleeps 9006 1
	end_sleep 9006
	wait_until 20 sh -c '! ls /var/lib/scadm/containers/web/exec.* 2>/dev/null'
}

@test "exec: a container that ends meanwhile ends it with 137" {
	scadm run -d --name=short busybox sleep 1000 3>&-
	scadm exec short sleep 9007 3>&- &
	pid=$!
	wait_until 20 pgrep -f '^sleep 9007$'
	scadm rm -f short 3>&-
	status=0
	wait "$pid" || status=$?
	same "$status" 137
}

@test "exec: the plan is what runs, and -x shows it" {
	sc -n exec -e X=1 web sh -c 'echo $X; exit 3'
	like "$output" '*sc-cg --v2-fd=6 exec sc/*sc-nsexec*--target=*'
	run --separate-stderr sh -c 'scadm -n exec -e "X=a b" web sh -c "echo \$X; exit 3" | sh -e' 3>&-
	same "$status $output" '3 a b'
	sc -x exec web true
	like "$stderr" '*exec sc-cg*'
}

@test "exec: with the host's network, and with a network namespace of the user" {
	scadm run -d --name=host --net=host busybox sleep 1000 3>&-
	sc exec host readlink /proc/self/ns/net
	same "$output" "$(readlink /proc/self/ns/net)"
	sc rm -f host
}

@test "exec: no more than 8 processes" {
	requires strace
	strace -f -qq -e trace=clone,clone3,fork,vfork -o "$BATS_TEST_TMPDIR/trace" scadm exec web true 3>&-
	[ "$(grep -cE '(clone3?|v?fork)\(.*= [0-9]+$|resumed.*= [0-9]+$' "$BATS_TEST_TMPDIR/trace")" -le 7 ]
}
