#!/usr/bin/env bats
# ps, inspect, rm, supervise, and the cgroups of one's own

load helpers
load ready

@test "create-cgroup, set-cgroup, delete-cgroup: limits for a program of one's own" {
	requires pids memory
	sc create-cgroup --name=mine --limits=pids.max=10,memory.max=64m
	same "$(sc-cg get sc/mine pids.max)" pids.max=10
	same "$(sc-cg exec sc/mine cat /proc/self/cgroup | grep -c /sc/mine)" "$(grep -c : /proc/self/cgroup)"
	sc set-cgroup --name=mine --limits=memory.limit_in_bytes=33554432
	same "$(sc-cg get sc/mine memory.max)" memory.max=33554432
	sc 125 create-cgroup --name=mine
	sc 125 set-cgroup --name=mine --limits=no.such=1
	sc 125 set-cgroup --name=nobody --limits=pids.max=1
	sc delete-cgroup --name=mine
	sc 125 delete-cgroup --name=mine
}

@test "set-cgroup: the limits of a container, while it runs" {
	requires pids
	running live
	sc set-cgroup --name=live --limits=pids.max=33
	same "$(cgroup_value live pids.max)" 33
	sc rm -f live
}

@test "ps: the columns, the states, -a, -q, json" {
	running up
	sc 3 run --keep --name=down busybox sh -c 'exit 3'
	sc ps
	like "$output" 'ID *NAME *PID *STATUS *COMMAND *CREATED *IMAGE *IP *PORTS*'
	like "$output" "*$(id12 up) *up *Up *sh -c trap \"exit 0*busybox:latest *10.99.*"
	unlike "$output" '*down*'
	sc ps -a
	like "$output" '*down * - *Exited (3)*'
	sc ps -q
	same "$output" "$(id12 up)"
	sc ps -a --format json
	same "$(wc -l <<<"$output")" 2
	while read -r line; do
		same "$(sqlite3 :memory: "SELECT json_valid('${line//\'/\'\'}')")" 1
	done <<<"$output"
	sc rm down
	sc rm -f up
}

@test "S16: ps prints one line for a container and no control characters, inspect is JSON" {
	# shellcheck disable=SC1003 # the backslash in single quotes is meant
	sc run --keep --name=odd busybox true $'line\nbreak' $'\x1b[31mred' 'quo"te\' "it's" 'ünï'
	sc ps -a --no-trunc
	same "$(wc -l <<<"$output")" 2
	unlike "$output" $'*\x1b*'
	same "$(field odd .Args[0])" $'line\nbreak'
	same "$(field odd .Args[1])" $'\x1b[31mred'
	# shellcheck disable=SC1003 # as above
	same "$(field odd .Args[2])" 'quo"te\'
	same "$(field odd .Args[4])" 'ünï'
	sc rm odd
}

@test "inspect: docker's names, and what the kernel says now" {
	running one
	same "$(field one .State.Running)" 1
	same "$(field one .Name)" one
	same "$(field one .Id | head -c 12)" "$(id12 one)"
	test -e "/proc/$(field one .State.Pid)"
	test -e /var/run/container/one/config.json
	sc rm -f one
	run ! test -e /var/run/container/one
	sc 125 inspect one
}

@test "a container is found by its name, its id, and the beginning of its id" {
	running found
	local short
	short=$(id12 found)
	sc inspect "${short:0:6}"
	sc inspect "$(field found .Id)"
	sc rm -f "${short:0:8}"
	sc 125 rm found
}

@test "S15: rm touches nothing for words that are no name" {
	running stays
	local word
	for word in '' . .. '*' '%' _ / ../stays '['; do
		sc 125 rm -f "$word"
	done
	sc ps -q
	same "$output" "$(id12 stays)"
	sc 125 rm stays
	like "$stderr" '*rm -f stays*'
	sc rm -f stays
}

@test "S28: a record of garbage hurts that container only" {
	running good
	sc run --keep --name=bad busybox true
	echo garbage >/var/lib/scadm/containers/bad/config.json
	sc ps -a
	like "$output" '*bad*damaged*'
	like "$output" '*good*Up*'
	sc 125 inspect bad
	sc inspect good
	: >/var/lib/scadm/containers/bad/exit
	: >/var/lib/scadm/containers/bad/pid
	sc ps -a
	sc rm bad
	sc rm -f good
}

@test "scadm-supervise: a container that cannot start leaves nothing, and says why" {
	sc 127 run -d --name=never busybox /no/such/program
	like "$stderr" '*/no/such/program*'
	sc ps -aq
	same "$output" ''
}

@test "S25: run -d prints the whole id, returns at once and holds nothing of the caller's" {
	local id
	id=$(scadm run -d --name=quiet busybox sleep 100)
	same "${#id}" 64
	# the substitution came back although the container runs: no pipe is held
	sc ps -q
	same "$output" "${id:0:12}"
	sc rm -f quiet
}

@test "run -d: what it prints is in container.log" {
	sc run -d --name=log busybox sh -c 'echo out; echo err >&2; sleep 100'
	wait_until 20 sh -c 'grep -q err /var/run/container/log/container.log'
	same "$(sed 's/^[^ ]* //' /var/run/container/log/container.log)" $'stdout F out\nstderr F err'
	sc rm -f log
}

@test "run -d --rm: gone when it ends" {
	sc run -d --rm --name=brief busybox sleep 0.2
	wait_until 20 sh -c '! test -e /var/lib/scadm/containers/brief'
}

@test "keep: what is kept survives gc, and rm removes it" {
	sc run --keep --name=kept busybox true
	sc run -d --name=kept2 busybox true
	wait_until 20 sh -c 'scadm ps -a | grep -q "kept2.*Exited"'
	flock /var/lib/scadm/containers/kept2 scadm-undo /var/lib/scadm/containers/kept2/undo keep
	sc gc
	scadm run --rm busybox true
	sc ps -aq
	same "$(wc -l <<<"$output")" 2
	sc rm kept kept2
}
