#!/usr/bin/env bats
# stats: what containers use. inspect: what was asked of the kernel, and what it holds. Templates of both

load helpers
load ready

# stat NAME FIELD - one field of stats, measured for a second
stat() {
	scadm stats --no-stream --format "{{.$2}}" "$1" 3>&-
}

# between LOW VALUE HIGH - is VALUE, its unit cut off, between two numbers?
between() {
	awk -v low="$1" -v value="${2%%[!0-9.]*}" -v high="$3" 'BEGIN { exit !(value ~ /[0-9]/ && low <= value + 0 && value + 0 <= high) }' && return 0
	echo "$2 is not from $1 to $3"
	return 1
}

# cpu_between NAME LOW HIGH - does one measurement say so?
cpu_between() {
	between "$2" "$(stat "$1" CPUPerc)" "$3"
}

# processes FILE - how many were started, out of a trace of strace
processes() {
	grep -E '^[0-9]+ +(<\.\.\. )?(clone3?|v?fork)' "$1" | grep -cE '= [0-9]+$'
}

# traced WORD... - sets $count to the processes that scadm WORD... starts besides the first
traced() {
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=fork,vfork,clone,clone3 scadm "$@" >"$BATS_TEST_TMPDIR/printed" 3>&-
	count=$(processes "$BATS_TEST_TMPDIR/trace")
	echo "scadm $*: $count processes"
}

# idle NAME... - start containers that do nothing
idle() {
	local name
	for name; do
		scadm run -d --name="$name" busybox sleep 1000 >/dev/null 3>&-
	done
}

@test "stats: without containers there is only the heading, and no row in another format" {
	sc stats --no-stream
	like "$output" 'CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS   SWAP   PRESSURE CPU / MEM / IO'
	sc stats --no-stream --format json
	same "$output" ''
	sc stats --no-stream --format 'table {{.Name}}'
	same "$output" NAME
}

@test "stats: CPU % of a busy container with a fifth of a CPU is 20" {
	requires cpu
	scadm run -d --name=busy --cpus=0.2 busybox sh -c 'while :; do :; done' >/dev/null 3>&-
	# others may want the CPU as well: some measurement is undisturbed
	wait_until 60 cpu_between busy 16 24
	sc rm -f busy
}

@test "stats: two samples of counters become a row: 100 % is one CPU, units go up when they are full" {
	cat >"$BATS_TEST_TMPDIR/samples" <<-'END'
		time 100.50
		container aa one one 1 0 0
		container bb two two 1 - -
		cgroup x/aa
		cpu.usage_usec 1000000
		cgroup x/bb
		cpu.usage_usec 7
		time 102.50
		container aa one uno 1 999 999600
		container bb two two 1 - -
		container cc new new 1 1500 123456789
		container dd gone gone 1 1 1
		cgroup x/aa
		cpu.usage_usec 4000000
		memory.current 1610612736
		memory.inactive_file 536870912
		memory.max 2147483648
		memory.swap.current 1023
		pids.current 7
		io.rbytes 0
		io.wbytes 12345678901234
		cpu.pressure.some.avg10 12.34
		memory.pressure.some.avg10 0.00
		io.pressure.some.avg10 99.99
		cgroup x/bb
		memory.current 1023.99
		memory.max max
		cgroup x/cc
		cpu.usage_usec 5
	END
	sh -ec '. "$ROOT/lib.sh"; . "$ROOT/lib/stats.sh"; stats_rows 8388608 <"$1"' "$ROOT/bin/scadm-" "$BATS_TEST_TMPDIR/samples" >"$BATS_TEST_TMPDIR/rows"
	same "$(sed -n 2p "$BATS_TEST_TMPDIR/rows" | tr '\t' '|')" \
		'uno|aa|one|150.00%|1GiB / 2GiB|50.00%|999B / 1MB|0B / 12.3TB|7|1023B|12.34% / 0.00% / 99.99%|12.34%|0.00%|99.99%'
	same "$(sed -n 3p "$BATS_TEST_TMPDIR/rows" | tr '\t' '|')" 'two|bb|two|--|1KiB / 8GiB|0.00%|--|--|--|--|-- / -- / --|--|--|--'
	same "$(sed -n 4p "$BATS_TEST_TMPDIR/rows" | tr '\t' '|')" 'new|cc|new|--|-- / --|--|1.5kB / 123MB|--|--|--|-- / -- / --|--|--|--'
	same "$(wc -l <"$BATS_TEST_TMPDIR/rows")" 4
}

@test "stats: CPU % of an idle container is nothing" {
	idle calm
	wait_until 30 cpu_between calm 0 1
	sc rm -f calm
}

@test "stats: memory of a container that holds 30 MB, its limit, and the share" {
	requires memory
	scadm run -d --name=holds -m 64m busybox sh -c 'dd if=/dev/zero of=/dev/shm/held bs=1M count=30; exec sleep 1000' >/dev/null 3>&-
	wait_until 30 grep -q 'records out' /var/run/container/holds/container.log
	sc stats --no-stream --format '{{.MemUsage}}|{{.MemPerc}}' holds
	like "$output" '* / 64MiB|*%'
	between 30 "${output%%MiB*}" 36
	between 46 "${output##*|}" 57
	sc rm -f holds
}

@test "stats: without a limit of memory the limit is what the machine has" {
	requires memory
	idle free
	sc stats --no-stream --format '{{.MemUsage}}' free
	like "$output" '* / *GiB'
	between "$(awk '/^MemTotal/ { print $2 / 1048576 - 0.1 }' /proc/meminfo)" "${output##*/ }" \
		"$(awk '/^MemTotal/ { print $2 / 1048576 + 0.1 }' /proc/meminfo)"
	sc rm -f free
}

@test "stats: processes are counted" {
	requires pids
	scadm run -d --name=many busybox sh -c 'sleep 999 & sleep 999 & sleep 999 & echo ready; wait' >/dev/null 3>&-
	wait_until 30 grep -q ready /var/run/container/many/container.log
	same "$(stat many PIDs)" "$(sc-cg stat "sc/$(id12 many)" | sed -n 's/^pids.current //p')"
	between 4 "$(stat many PIDs)" 6
	sc rm -f many
}

@test "stats: what a container receives comes first, what it sends second" {
	local address
	idle net
	address=$(field net .NetworkSettings.IPAddress)
	for _ in {1..60}; do
		printf '%01000d' 0 >"/dev/udp/$address/9"
	done
	# what is sent first waits for the address of the link
	wait_until 20 sh -c "[ \$(cat /sys/class/net/v-$(id12 net)/statistics/tx_bytes) -ge 60000 ]"
	sc stats --no-stream --format '{{.NetIO}}' net
	like "$output" '*kB / *B'
	between 60 "${output%%kB*}" 90
	ip netns exec net ping -c 1 -W 20 -s 50000 10.99.0.1
	sc stats --no-stream --format '{{.NetIO}}' net
	between 110 "${output%%kB*}" 150
	between 50 "${output##*/ }" 80
	sc rm -f net
}

@test "stats: without a cable of its own a container has no numbers for the network" {
	sc run -d --net=none --name=alone busybox sleep 1000
	same "$(stat alone NetIO)" --
	sc rm -f alone
}

@test "stats: what a container writes to a disk" {
	requires io loop
	scadm run -d --name=writer --disk-size=24m busybox sh -c 'dd if=/dev/zero of=/written bs=1M count=8 oflag=direct; exec sleep 1000' >/dev/null 3>&-
	wait_until 30 grep -q 'records out' /var/run/container/writer/container.log
	sc stats --no-stream --format '{{.BlockIO}}' writer
	like "$output" '*B / *MB'
	between 8 "${output##*/ }" 12
	sc rm -f writer
}

@test "stats: pressure, in percent of the last ten seconds" {
	requires psi cpu
	scadm run -d --name=squeezed --cpus=0.1 busybox sh -c 'while :; do :; done' >/dev/null 3>&-
	sc stats --no-stream --format '{{.PressureCPU}} {{.PressureMemory}} {{.PressureIO}} {{.Pressure}}' squeezed
	like "$output" '[0-9]*% [0-9]*% [0-9]*% [0-9]*% / [0-9]*% / [0-9]*%'
	wait_until 60 squeezed_more_than 5
	sc rm -f squeezed
}

# squeezed_more_than PERCENT - does the container of that test wait for its CPU so often?
squeezed_more_than() {
	between "$1" "$(stat squeezed PressureCPU)" 100
}

@test "stats: all that run, by name or id the ones named, with -a those that ended too" {
	idle one two
	sc run --keep --name=ended busybox true
	sc stats --no-stream --format '{{.Name}}'
	same "$output" $'one\ntwo'
	sc stats --no-stream -a --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.PIDs}}'
	like "$output" $'ended -- -- / -- -- --\none *\ntwo *'
	local id
	id=$(id12 two)
	sc stats --no-stream --format '{{.Container}} {{.ID}} {{.Name}}' "${id:0:8}" ended
	same "$output" "${id:0:8} $id two"$'\n'"ended $(id12 ended) ended"
	sc stats --no-stream --no-trunc --format '{{.ID}}' two one
	same "$output" "$(field two .Id)"$'\n'"$(field one .Id)"
	sc rm -f one two ended
}

@test "stats: the table, json, {{json .}} and docker's names of fields" {
	idle web
	sc stats --no-stream web
	same "${#lines[@]}" 2
	like "${lines[0]}" 'CONTAINER ID   NAME   CPU % *MEM USAGE / LIMIT *MEM % *NET I/O *BLOCK I/O *PIDS *SWAP *PRESSURE CPU / MEM / IO'
	like "${lines[1]}" "$(id12 web)   web    *%* *iB / *iB *%*"
	sc stats --no-stream --format json web
	same "$(sqlite3 :memory: "SELECT group_concat(key, ' ') FROM json_each('$output')")" \
		'Container ID Name CPUPerc MemUsage MemPerc NetIO BlockIO PIDs Swap Pressure PressureCPU PressureMemory PressureIO'
	same "$(sqlite3 :memory: "SELECT json_extract('$output', '\$.Name')")" web
	sc stats --no-stream --format '{{json .}}' web
	like "$output" '{"Container":"web",*}'
	sc stats --no-stream --format '{{ json .Name }}\t{{.ID}} $HOME \n|&\{{.Name}}' web
	same "$output" "\"web\"	$(id12 web) \$HOME "$'\n|&\\web'
	sc stats --no-stream --format 'table {{.Name}}\t{{.PIDs}}' web
	like "$output" $'NAME   PIDS\nweb    [0-9]*'
	sc rm -f web
}

@test "stats: an unknown field is refused before anything is measured, and the known ones are named" {
	local word
	sc 125 stats --format '{{.Nope}}'
	like "$stderr" "*'Nope'*ID Name CPUPerc*"
	for word in '' '{{.Name' '{{Name}}' '{{.}}' '{{json .Nope}}' '{{json}}' '{{.Name | nothing}}' '{{.*}}' '{{.Name=NAME}}' 'table {{.name}}' '{{}}'; do
		sc 125 stats --no-stream --format "$word"
	done
	sc 125 stats nobody
	sc 125 stats --no-such-option
}

@test "stats: a container that vanishes between two looks is left out silently" {
	mkdir "$BATS_TEST_TMPDIR/helpers"
	idle stays brief
	# the second time that sc-cg is asked, the cgroup of one is gone
	cat >"$BATS_TEST_TMPDIR/helpers/sc-cg" <<-END
		#!/bin/bash
		[ ! -e "$BATS_TEST_TMPDIR/asked" ] || set -- "\${@/sc\/$(id12 brief)/sc/gone}"
		: >"$BATS_TEST_TMPDIR/asked"
		exec "$SC_HELPERS/sc-cg" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/helpers/sc-cg"
	SC_HELPERS=$BATS_TEST_TMPDIR/helpers sc stats --no-stream --format '{{.Name}} {{.CPUPerc}}'
	like "$output" 'stays *%'
	same "${#lines[@]}" 1
	same "$stderr" ''
	sc rm -f stays brief
}

# shows FILE NUMBER [PATTERN] - has the stream written so many lines with PATTERN, that of a heading?
shows() {
	[ "$(grep -c -- "${3-CONTAINER ID}" "$1")" -ge "$2" ]
}

# streams SIGNAL WORD... - let stats write two blocks to the file stream, then send it the signal: its status is 0
# timeout lets it have a SIGINT that a shell has its background ignore, and hands what it gets on to the whole group, as Ctrl-C
streams() {
	local signal="$1" pid status=0
	shift
	: >"$BATS_TEST_TMPDIR/stream"
	timeout --preserve-status 100 scadm stats "$@" >"$BATS_TEST_TMPDIR/stream" 3>&- &
	pid=$!
	wait_until 60 shows "$BATS_TEST_TMPDIR/stream" 2
	kill "-$signal" "$pid"
	wait "$pid" || status=$?
	same "$status" 0
}

@test "stats: a stream goes on when a container it was asked for is removed" {
	local pid lines stream="$BATS_TEST_TMPDIR/stream"
	idle goes stays
	: >"$stream"
	timeout --preserve-status 100 scadm stats --format '{{.Name}}' goes stays >"$stream" 3>&- &
	pid=$!
	wait_until 60 shows "$stream" 1 stays
	same "$(head -n 2 "$stream")" $'goes\nstays'
	sc rm -f goes
	lines=$(grep -c stays "$stream")
	# the block that was being made, and one after it
	wait_until 60 shows "$stream" $((lines + 2)) stays
	kill "$pid"
	ends "$pid" 0
	same "$(tail -n 2 "$stream")" $'stays\nstays'
	sc rm -f stays
}

@test "stats: a stream is a block a second, and Ctrl-C or TERM end it with 0" {
	local stream="$BATS_TEST_TMPDIR/stream" began took try
	idle web
	# the host may stand still once
	for try in 1 2 3; do
		began=$SECONDS
		streams INT web
		took=$((SECONDS - began))
		echo "try $try: two blocks in $took seconds"
		[ "$took" -gt 5 ] || break
	done
	[ "$took" -le 5 ]
	same "$(grep -c web "$stream")" "$(grep -c CONTAINER "$stream")"
	unlike "$(cat "$stream")" $'*\033*'
	streams TERM web
	sc rm -f web
}

@test "stats: on a terminal every block takes the place of the one before" {
	requires script
	local screen="$BATS_TEST_TMPDIR/screen" pid
	idle web
	: >"$screen"
	script -qefc "echo \$\$ >$BATS_TEST_TMPDIR/pid; exec timeout --foreground --preserve-status 100 scadm stats" "$screen" </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	wait_until 60 shows "$screen" 2 $'\033\\[H\033\\[JCONTAINER'
	kill -INT "$(cat "$BATS_TEST_TMPDIR/pid")"
	ends "$pid" 0
	sc rm -f web
}

@test "stats and inspect start as many processes for 8 containers as for 1" {
	requires strace plain_helpers
	local of_one inspect_one
	idle a
	traced stats --no-stream
	of_one=$count
	traced inspect a
	inspect_one=$count
	idle b c d e f g h
	traced stats --no-stream
	same "$(wc -l <"$BATS_TEST_TMPDIR/printed")" 9
	same "$count" "$of_one"
	traced inspect a b c d e f g h
	# a shell may need one more for a long here-document
	[ "$count" -le $((inspect_one + 1)) ]
	sc rm -f a b c d e f g h
}

@test "inspect: asked and actual are the same, until somebody changes the cgroup" {
	requires memory pids cpu
	scadm run -d --name=web -m 64m --pids-limit=33 --cpus=0.5 busybox sleep 1000 >/dev/null 3>&-
	same "$(field web '.Limits.Asked."memory.limit_in_bytes"')" 67108864
	same "$(field web '.Limits.Actual."memory.limit_in_bytes"')" 67108864
	same "$(field web '.Limits.Actual."pids.max"')" 33
	same "$(field web '.Limits.Actual."cpu.cfs_quota_us"')" 50000
	same "$(field web '.HostConfig.Limits')" "$(field web .Limits.Asked)"
	sc-cg set "sc/$(id12 web)" pids.max=44 memory.max=32m
	same "$(field web '.Limits.Asked."memory.limit_in_bytes"')" 67108864
	same "$(field web '.Limits.Actual."memory.limit_in_bytes"')" 33554432
	same "$(field web '.Limits.Actual."pids.max"')" 44
	sc rm -f web
}

@test "inspect: of several containers each has its own limits, of one that ended nobody holds any" {
	requires memory pids
	scadm run -d --name=one -m 64m busybox sleep 1000 >/dev/null 3>&-
	scadm run -d --name=two -m 32m --pids-limit=22 busybox sleep 1000 >/dev/null 3>&-
	sc run --keep --name=ended -m 16m busybox true
	sc inspect one ended two one
	printf '%s' "$output" >"$BATS_TEST_TMPDIR/all"
	same "$(sqlite3 :memory: "SELECT group_concat(coalesce(json_extract(value, '\$.Limits.Actual.\"memory.limit_in_bytes\"'), 'nobody'), ' ')
		FROM json_each(readfile('$BATS_TEST_TMPDIR/all'))")" '67108864 nobody 33554432 67108864'
	same "$(sqlite3 :memory: "SELECT group_concat(json_extract(value, '\$.Limits.Actual.\"pids.max\"'), ' ')
		FROM json_each(readfile('$BATS_TEST_TMPDIR/all'))")" '2048 22 2048'
	same "$(field ended .Limits.Actual)" ''
	same "$(field ended '.Limits.Asked."memory.limit_in_bytes"')" 16777216
	sc rm -f one two ended
}

@test "inspect: what is no file of the cgroup is read from the process and its mounts" {
	scadm run -d --name=web --ulimit nofile=100:200 --oom-score-adj=300 --shm-size=8m busybox sleep 1000 >/dev/null 3>&-
	same "$(field web '.Limits.Actual."ulimit.nofile"')" 100:200
	same "$(field web '.Limits.Actual."oom-score-adj"')" 300
	same "$(field web '.Limits.Actual."shm-size"')" 8388608
	read -r pid _ </var/run/container/web/pid
	prlimit --pid "$pid" --nofile=50:200
	echo 400 >"/proc/$pid/oom_score_adj"
	same "$(field web '.Limits.Actual."ulimit.nofile"')" 50:200
	same "$(field web '.Limits.Actual."oom-score-adj"')" 400
	same "$(field web '.Limits.Asked."oom-score-adj"')" 300
	sc rm -f web
}

@test "inspect: rates and priority are read from the cable and the rule, and none when somebody removed them" {
	requires rates
	scadm run -d --name=web --net-rate-in=10mbit --net-rate-out=5mbit --net-prio=3 busybox sleep 1000 >/dev/null 3>&-
	same "$(field web '.Limits.Actual."net-rate-in"')" "$(field web '.Limits.Asked."net-rate-in"')"
	like "$(field web '.Limits.Actual."net-rate-in"')" '10000000:*'
	like "$(field web '.Limits.Actual."net-rate-out"')" '5000000:*'
	same "$(field web '.Limits.Actual."net-prio"')" 3
	tc qdisc del dev "v-$(id12 web)" root
	iptables -t mangle -F "SC-$(id12 web)"
	same "$(field web '.Limits.Actual."net-rate-in"')" none
	like "$(field web '.Limits.Actual."net-rate-out"')" '5000000:*'
	same "$(field web '.Limits.Actual."net-prio"')" none
	same "$(field web '.Limits.Asked."net-prio"')" 3
	sc rm -f web
}

@test "inspect: the size of the disk" {
	requires loop
	scadm run -d --name=web --disk-size=24m busybox sleep 1000 >/dev/null 3>&-
	between 23000000 "$(field web '.Limits.Actual."disk-size"')" 27000000
	sc rm -f web
}

@test "inspect: docker's names for what was asked, empty for what was not" {
	requires memory cpu cpuset
	scadm run -d --name=web -m 64m --cpus=0.5 -c 512 --cpuset-cpus=0 --pids-limit=33 --ulimit nofile=100:200 --ulimit nproc=-1 --oom-score-adj=300 busybox sleep 1000 >/dev/null 3>&-
	same "$(field web .HostConfig.Memory)" 67108864
	same "$(field web .HostConfig.NanoCpus)" 500000000
	same "$(field web .HostConfig.CpuQuota)" 50000
	same "$(field web .HostConfig.CpuPeriod)" 100000
	same "$(field web .HostConfig.CpuShares)" 512
	same "$(field web .HostConfig.CpusetCpus)" 0
	same "$(field web .HostConfig.CpusetMems)" ''
	same "$(field web .HostConfig.PidsLimit)" 33
	same "$(field web .HostConfig.BlkioWeight)" 0
	same "$(field web .HostConfig.OomScoreAdj)" 300
	same "$(field web .HostConfig.ShmSize)" 67108864
	same "$(field web '.HostConfig.Ulimits[0].Name')" nofile
	same "$(field web '.HostConfig.Ulimits[0].Soft')" 100
	same "$(field web '.HostConfig.Ulimits[0].Hard')" 200
	same "$(field web .HostConfig.NetworkMode)" bridge
	# what the record says counts, and of two names for one thing the later one
	printf '%s\n' memory.max=16m 'cpu.max=max 50000' pids.max=max memory.swap.max=1m >>/var/lib/scadm/containers/web/limits
	same "$(field web .HostConfig.Memory)" 16777216
	same "$(field web .HostConfig.MemorySwap)" 17825792
	same "$(field web .HostConfig.CpuQuota)" 0
	same "$(field web .HostConfig.CpuPeriod)" 50000
	same "$(field web .HostConfig.PidsLimit)" -1
	sc rm -f web
}

@test "S16, S28: inspect is JSON whatever is in the record of limits" {
	local file=/var/lib/scadm/containers/web/limits
	idle web
	printf '%s\n' "it's=\"quoted\\\"" '$(touch /tmp/owned)=x' '-- sc=y' 'pids.max' '=' $'tab=\t\033' 'memory.max=99999999999999999999999g' \
		'cpu.cfs_period_us=0' 'cpu.cfs_quota_us=-7' 'ulimit.nofile=x' 'ulimit.*=1:1' 'shm-size=' 'devices.allow=c 1:3 r' 'devices.allow=c 1:5 r' >>"$file"
	sc inspect web
	same "$(field web .Name)" web
	same "$(sqlite3 :memory: "SELECT value FROM json_each(readfile('$BATS_TEST_TMPDIR/inspected'), '\$[0].Limits.Asked') WHERE key LIKE 'it_s'")" '"quoted\"'
	same "$(field web '.Limits.Asked."devices.allow"')" $'c 1:3 r\nc 1:5 r'
	run ! test -e /tmp/owned
	rm "$file"
	same "$(field web .Limits.Asked)" '{}'
	same "$(field web .Limits.Actual)" '{}'
	sc rm -f web
}
