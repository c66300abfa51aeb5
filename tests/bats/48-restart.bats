#!/usr/bin/env bats
# restart policies, boot, and supervisors or containers that are killed: what `ps -a`, `start` and `gc` make of it

load helpers
load ready

# supervisor NAME - print the pid of the supervisor
supervisor() {
	local entry
	entry=$(basename "$(echo /var/run/container/.owners/*:containers:"$1")")
	echo "${entry%%:*}"
}

# init_of NAME - print the pid of the container's first process
init_of() {
	local pid
	read -r pid _ <"/var/run/container/$1/pid"
	echo "$pid"
}

# state NAME STATE - is the container in that state, says the kernel?
state() {
	[ "$(scadm inspect --format '{{.State.Status}}' "$1" 3>&-)" = "$2" ]
}

# runs_again NAME PID - does it run, as another process?
runs_again() {
	state "$1" running && [ "$(init_of "$1")" != "$2" ]
}

# reboot - what a reboot takes: every process of ours, /run, the links, the cgroups; and the boot id is another one
# The boot id is told by the kernel; what we recorded of it is changed instead.
reboot() {
	local name
	for name; do
		kill -9 "$(supervisor "$name")"
		sc-cg kill "sc/$(id12 "$name")"
		wait_until 20 ended "$(init_of "$name")"
		# sc-log is not in the cgroup, and ends a moment later
		wait_until 20 flock -n "/var/lib/scadm/containers/$name/container.log" true
		sed -i 's/[0-9a-f]*-[0-9a-f]*-[0-9a-f]*-[0-9a-f]*-[0-9a-f]*$/00000000-0000-0000-0000-000000000000/' "/var/lib/scadm/containers/$name/pid"
		[ ! -e "/run/netns/$name" ] || ip netns del "$name"
		sc-cg rm -p "sc/$(id12 "$name")"
	done
	rm -rf /run/container
	ip link del sc-br0
}

@test "restart: always starts it again, also after 0, until it is stopped" {
	local pid
	sc run -d --restart=always --name=al busybox sh -c 'echo run >>/runs; sleep 0.2'
	wait_until 60 sh -c '[ "$(wc -l </var/lib/scadm/containers/al/upper/runs)" -ge 3 ]'
	sc inspect --format '{{.RestartCount}}' al
	[ "$output" -ge 2 ]
	sc stop -t 0 al
	wait_until 20 state al exited
	cp /var/lib/scadm/containers/al/upper/runs "$BATS_TEST_TMPDIR/runs"
	sc gc
	sc run --rm busybox sleep 1
	cmp /var/lib/scadm/containers/al/upper/runs "$BATS_TEST_TMPDIR/runs"
	sc rm al
}

@test "restart: on-failure does not start again what ended with 0, and counts" {
	sc run -d --restart=on-failure:2 --name=of busybox sh -c 'echo run >>/runs; exit 5'
	wait_until 60 sh -c '[ "$(wc -l </var/lib/scadm/containers/of/upper/runs)" -eq 3 ]'
	wait_until 20 state of exited
	sc gc
	sc run --rm busybox sleep 0.5
	same "$(wc -l </var/lib/scadm/containers/of/upper/runs)" 3
	sc rm of
	sc run -d --restart=on-failure --name=of busybox sh -c 'echo run >>/runs'
	wait_until 20 state of exited
	sc run --rm busybox sleep 0.3
	same "$(wc -l </var/lib/scadm/containers/of/upper/runs)" 1
	sc rm of
}

@test "restart: update changes the policy of one that runs, and inspect shows it" {
	local first
	sc run -d --name=up busybox sleep 1000
	same "$(field up .HostConfig.RestartPolicy.Name)" no
	sc update --restart=on-failure:3 up
	same "$output" up
	same "$(field up .HostConfig.RestartPolicy)" '{"Name":"on-failure","MaximumRetryCount":3}'
	first=$(init_of up)
	kill -9 "$first"
	wait_until 20 runs_again up "$first"
	sc update --restart=no up
	same "$(field up .HostConfig.RestartPolicy)" '{"Name":"no","MaximumRetryCount":0}'
	kill -9 "$(init_of up)"
	wait_until 20 state up exited
	sc rm up
	sc run -d --rm --name=gone busybox sleep 1000
	sc 125 update --restart=always gone
	like "$stderr" '*--rm*'
	sc 125 update --restart=sometimes gone
	sc rm -f gone
}

# long_pause NAME - is the container in a pause of a minute? If not, its supervisor is to find that the last one was half as
# long; where it writes what it has in mind over that it is told again.
long_pause() {
	local count delay record=/var/lib/scadm/containers/$1
	read -r count delay <"$record/restarts"
	if [ "$delay" -eq 600 ]; then
		state "$1" restarting
		return
	fi
	# not once more when it has read it: that would be written over the 600
	if [ "$delay" -lt 300 ]; then
		echo "$count 300" >"$BATS_TEST_TMPDIR/restarts"
		mv "$BATS_TEST_TMPDIR/restarts" "$record/restarts"
	fi
	return 1
}

@test "restart: the pauses grow; ps says restarting meanwhile, and stop and rm -f end that at once" {
	local start
	sc run -d --restart=always --name=back busybox false
	wait_until 60 sh -c 'read -r count delay </var/lib/scadm/containers/back/restarts && [ "$delay" -ge 8 ]'
	wait_until 60 long_pause back
	start=$SECONDS
	sc stop back
	# of a pause of a minute this is at once, even where the machine stands still for seconds
	[ $((SECONDS - start)) -le 9 ]
	state back exited
	sc start back
	wait_until 60 sh -c 'read -r count delay </var/lib/scadm/containers/back/restarts && [ "$delay" -ge 2 ]'
	wait_until 60 long_pause back
	start=$SECONDS
	sc rm -f back
	[ $((SECONDS - start)) -le 9 ]
}

@test "restart: a policy that is taken away in a pause; stop and rm -f end that at once, and it stays ended" {
	local verb start
	for verb in 'stop -t 0' 'rm -f'; do
		sc run -d --restart=always --name=away busybox false
		wait_until 20 state away restarting
		# the next pause is a long one
		wait_until 60 sh -c 'read -r count delay </var/lib/scadm/containers/away/restarts && [ "$delay" -ge 32 ]'
		wait_until 20 state away restarting
		sc update --restart=no away
		start=$SECONDS
		# shellcheck disable=SC2086 # the verb has an option
		sc $verb away
		[ $((SECONDS - start)) -le 9 ]
		[ "${verb#stop}" = "$verb" ] || wait_until 20 state away exited
		sc rm -f away 2>/dev/null || [ "$verb" = 'rm -f' ]
	done
}

@test "restart: a kill of its first process is a failure like others; scadm kill is a person's will" {
	local pid
	sc run -d --restart=unless-stopped --name=k1 busybox sleep 1000
	pid=$(init_of k1)
	kill -9 "$pid"
	wait_until 60 runs_again k1 "$pid"
	sc kill k1
	wait_until 20 state k1 exited
	sc gc
	state k1 exited
	sc rm k1
}

@test "S21: the supervisor killed -9: the container runs on, the next command has somebody answer for it" {
	local pid boss
	running s1
	pid=$(init_of s1)
	boss=$(supervisor s1)
	kill -9 "$boss"
	wait_until 20 ended "$boss"
	sc ps --format '{{.Names}} {{.State}}'
	same "$output" 's1 running'
	sc gc
	wait_until 20 sh -c '[ -e /var/run/container/.owners/*:containers:s1 ]'
	same "$(init_of s1)" "$pid"
	sc stop s1
	sc inspect --format '{{.State.ExitCode}}' s1
	same "$output" 0
	[ ! -e /run/netns/s1 ]
	sc start s1
	sc rm -f s1
}

@test "S21: stop, exec and rm -f of a container whose supervisor is dead" {
	running s2
	kill -9 "$(supervisor s2)"
	sc exec s2 true
	sc stop s2
	sc inspect --format '{{.State.Status}} {{.State.ExitCode}}' s2
	same "$output" 'exited 0'
	sc rm s2
	running s3
	kill -9 "$(supervisor s3)"
	sc rm -f s3
}

@test "S21: the first process killed -9: 137, all of it released" {
	running s4
	kill -9 "$(init_of s4)"
	wait_until 20 state s4 exited
	sc wait s4
	same "$output" 137
	wait_until 20 test ! -e /run/netns/s4
	sc start s4
	sc rm -f s4
}

@test "S21: supervisor and container killed -9 at once: the next command records and releases, start works" {
	killed s5
	sc ps -a --format '{{.Names}} {{.State}}'
	same "$output" 's5 exited'
	sc gc
	[ ! -e /run/netns/s5 ]
	sc inspect --format '{{.State.ExitCode}}' s5
	same "$output" 137
	sc start s5
	sc rm -f s5
}

@test "S21: the supervisor is killed, then the container ends by itself: its exit status is known" {
	local pid
	sc run -d --name=s6 busybox sh -c 'trap "exit 6" USR1; while :; do sleep 0.1; done'
	wait_until 20 catches s6 USR1
	pid=$(init_of s6)
	kill -9 "$(supervisor s6)"
	kill -USR1 "$pid"
	wait_until 20 ended "$pid"
	# sc-clone has the file locked until it has added the status
	wait_until 20 flock -s -n /var/run/container/s6/pid true
	sc gc
	sc inspect --format '{{.State.Status}} {{.State.ExitCode}}' s6
	same "$output" 'exited 6'
	sc rm s6
}

@test "S21: both killed, with a restart policy: the next command starts it again" {
	local pid
	sc run -d --restart=always --name=s7 busybox sleep 1000
	pid=$(init_of s7)
	kill -9 "$(supervisor s7)"
	kill -9 "$pid"
	wait_until 20 ended "$pid"
	sc gc
	wait_until 60 runs_again s7 "$pid"
	sc rm -f s7
}

@test "S22: after a reboot ps -a tells the truth, exec fails, start gives back the file system, limits and address" {
	sc run -d --name=r1 -m 48m busybox sh -c 'echo kept >>/data; exec sleep 1000'
	sc run -d --name=r2 busybox sh -c 'exit 7'
	wait_until 20 state r2 exited
	# its supervisor has done its work
	wait_until 20 released r2
	wait_until 20 test -s /var/lib/scadm/containers/r1/upper/data
	reboot r1
	sc ps -a --format '{{.Names}} {{.State}} {{.PID}}'
	like "$output" '*r1 exited *'
	unlike "$output" '*running*'
	sc 125 exec r1 true
	sc inspect --format '{{.State.ExitCode}}' r2
	same "$output" 7
	sc start r1
	same "$(cgroup_value r1 memory.limit_in_bytes)" 50331648
	wait_until 20 sh -c '[ "$(scadm exec r1 wc -l /data </dev/null)" = "2 /data" ]'
	sc exec r1 ping -c 1 -w 20 "$(cut -d " " -f 3 /var/lib/scadm/networks/bridge/network)"
	sc rm -f r1 r2
}

@test "boot: starts always, and unless-stopped that nobody had stopped, nothing else" {
	sc run -d --restart=always --name=b1 busybox sleep 1000
	sc run -d --restart=unless-stopped --name=b2 busybox sleep 1000
	sc run -d --restart=unless-stopped --name=b3 busybox sleep 1000
	sc run -d --name=b4 busybox sleep 1000
	sc stop -t 0 b3
	reboot b1 b2 b4
	sc boot
	sc ps -q --format '{{.Names}}'
	same "$(sort <<<"$output" | tr '\n' ' ')" 'b1 b2 '
	sc rm -f b1 b2 b3 b4
}

@test "boot: one that cannot start does not keep the others from it" {
	sc run -d --restart=always --name=c1 busybox sleep 1000
	sc run -d --restart=always --name=c2 busybox sleep 1000
	reboot c1 c2
	rm /var/lib/scadm/containers/c1/fstab
	sc 1 boot
	like "$stderr" '*could not be started: c1*'
	state c2 running
	sc rm -f c1 c2
}

@test "S20: kill -9 of start at every step, then gc: the container is as before, and starts" {
	local step=0
	requires script
	sc create --name=steps busybox true
	world >"$BATS_TEST_TMPDIR/created"
	while stop_at "$step" KILL start steps; do
		scadm gc
		# a supervisor that was started may still be at work
		wait_until 20 released steps
		rm -f /var/lib/scadm/containers/steps/{exit,pid,supervise.log}
		# the owner of the journal is another one each time; the address that was taken once stays noted
		wait_until 20 sh -c "'$ROOT/tests/world' | grep -v '# owner\|/config.json\|/steps/networks' >'$BATS_TEST_TMPDIR/now'; grep -v '# owner\|/config.json\|/steps/networks' '$BATS_TEST_TMPDIR/created' | cmp -s - '$BATS_TEST_TMPDIR/now'" || {
			echo "after step $step:"
			tail -n 3 "$BATS_TEST_TMPDIR/out"
			diff "$BATS_TEST_TMPDIR/created" "$BATS_TEST_TMPDIR/now"
			return 1
		}
		step=$((step + 1))
	done
	[ "$step" -ge 8 ]
	sc wait steps
	sc start -a steps
	sc rm steps
}
