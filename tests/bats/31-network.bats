#!/usr/bin/env bats
# networks: namespaces with names, bridges, pairs, the default bridge

load helpers
load ready

# pings FROM TO - does a packet from a namespace get there, and the answer back? One that is sent before the kernel has
# noticed that the other end of the cable is up is lost
pings() {
	wait_until 20 ip netns exec "$1" ping -c 1 -W 2 "$2"
}

# run_pings ADDRESS - the same from a new container
run_pings() {
	sc run --rm busybox sh -c 'n=1; until ping -c 1 -W 2 "$0"; do [ $n -lt 10 ] || exit 1; n=$((n + 1)); done' "$1"
}

@test "the first walkthrough, word for word" {
	requires plain_helpers memory cpu tmux
	sc create-netns --name=netns1
	sc create-netns --name=netns2
	tmux -L walk new-session -d -s one -x 100 -y 30 'scadm run -it --net=netns1 --limits=cpu.shares=256,cpu.cfs_quota_us=10000,memory.limit_in_bytes=2097152' 3>&-
	tmux -L walk new-session -d -s two -x 100 -y 30 'scadm run -it --net=netns2 --limits=cpu.shares=512,cpu.cfs_quota_us=20000,memory.limit_in_bytes=4194304' 3>&-
	sc connect-bridge --name=netns1 --subnet=10.0.2.3/24
	sc connect-bridge --name=netns2 --subnet=10.0.2.4/24
	wait_until 60 sh -c '[ "$(scadm ps -q | wc -l)" = 2 ]'
	pings netns1 10.0.2.4
	tmux -L walk send-keys -t one 'ping -c 1 10.0.2.4; echo st''atus $?' Enter
	wait_until 60 sh -c 'tmux -L walk capture-pane -p -t one | grep "status 0"'
	tmux -L walk send-keys -t two 'ping -c 1 10.0.2.3; echo st''atus $?' Enter
	wait_until 60 sh -c 'tmux -L walk capture-pane -p -t two | grep "status 0"'
	sc ps
	like "$output" 'ID *NAME *PID *STATUS *COMMAND *CREATED *'
	tmux -L walk send-keys -t one 'exit' Enter
	tmux -L walk send-keys -t two 'exit' Enter
	wait_until 60 sh -c '[ -z "$(scadm ps -aq)" ]'
	sc delete-netns netns1 netns2
}

@test "create-netns: low ports and ping work without privilege, lo is up" {
	sc create-netns --name=n1
	same "$(ip netns exec n1 cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" 0
	like "$(ip -n n1 -br link show lo)" 'lo*UP*'
	sc 125 create-netns --name=n1
	sc delete-netns --name=n1
	sc 125 delete-netns --name=n1
}

@test "S27: a namespace that the user made is used, and never deleted" {
	ip netns add mine
	sc 125 delete-netns --name=mine
	sc run --rm --net=mine busybox true
	test -e /run/netns/mine
	sc 125 run --rm --name=mine busybox true
	sc connect-bridge --name=mine --subnet=10.0.2.9/24
	sc disconnect-bridge --name=mine
	test -e /run/netns/mine
	same "$(ip -n mine -o link | wc -l)" 1
	ip netns del mine
}

@test "connect-bridge: makes the bridge with the first address and takes it away with the last port" {
	sc create-netns --name=a
	sc create-netns --name=b
	sc connect-bridge --name=a --subnet=10.0.7.3/24 --bridge=sc-br7
	sc connect-bridge --name=b --subnet=10.0.7.4/24 --bridge=sc-br7
	like "$(ip -br addr show sc-br7)" '*10.0.7.1/24*'
	pings a 10.0.7.4
	pings b 10.0.7.1
	sc disconnect-bridge --name=a --bridge=sc-br7
	ip link show sc-br7
	sc delete-netns a b
	run ! ip link show sc-br7
}

@test "connect-bridge: works on a host whose FORWARD policy is DROP" {
	iptables -P FORWARD DROP
	sc create-netns --name=a
	sc create-netns --name=b
	sc connect-bridge --name=a --subnet=10.0.7.3/24
	sc connect-bridge --name=b --subnet=10.0.7.4/24
	pings a 10.0.7.4
	sc delete-netns a b
	iptables -P FORWARD ACCEPT
}

@test "connect-bridge: bad words change nothing" {
	local word
	sc create-netns --name=a
	sc create-netns --name=b
	sc connect-bridge --name=a --subnet=10.0.7.3/24
	world >"$BATS_TEST_TMPDIR/before"
	for word in 10.0.7.3 10.0.7.0/24 10.0.7.255/24 10.0.7.1/24 10.0.7.3/24 10.0.8.3/24 10.0.7.4/25 300.0.7.4/24 10.0.7.4/33 10.0.7.4/x '' 224.0.0.5/24 127.0.0.5/24; do
		sc 125 connect-bridge --name=b --subnet="$word"
	done
	sc 125 connect-bridge --name=nowhere --subnet=10.0.7.5/24
	sc 125 connect-bridge --name=a --subnet=10.0.7.5/24
	sc 125 connect-bridge --name=b --subnet=10.0.7.5/24 --bridge=much-too-long-a-name
	sc 125 connect-bridge --name=b --subnet=10.0.7.5/24 --bridge=lo
	sc 125 connect-bridge --name=b --subnet=10.99.3.5/24 --bridge=sc-br9
	world >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	sc delete-netns a b
}

@test "connect-pair: two namespaces reach each other, and it can be taken back" {
	sc create-netns --name=a
	sc create-netns --name=b
	sc connect-pair --netns=a,b --subnets=10.0.3.1/24,10.0.3.2/24
	pings a 10.0.3.2
	sc 125 connect-pair --netns=a,b --subnets=10.0.3.1/24,10.0.3.2/24
	sc disconnect-pair --netns=a,b
	run ! ip -n a link show eth0
	sc 125 connect-pair --netns=a,a --subnets=10.0.3.1/24,10.0.3.2/24
	sc 125 connect-pair --netns=a,b --subnets=10.0.3.1/24,10.0.4.2/24
	sc connect-pair --netns=a,b --subnets=10.0.3.1/24,10.0.3.2/24
	sc delete-netns a b
}

@test "the default bridge: containers reach each other by address and by name" {
	running web
	address=$(field web .NetworkSettings.IPAddress)
	run_pings "$address"
	run_pings web
	run_pings "$(id12 web)"
	sc rm -f web
}

@test "the default bridge: a container that started earlier finds one that starts later" {
	scadm run -d --name=early busybox sh -c 'until ping -c 1 -W 1 late; do sleep 0.1; done; echo found; sleep 100' >/dev/null 3>&-
	running late
	# to ask for a name that is not there yet can take 10 seconds
	wait_until 60 grep found /var/run/container/early/container.log
	sc rm -f early late
}

@test "the default bridge: what goes outside carries the host's address" {
	outside
	run_pings 192.0.2.2
	outside_gone
}

@test "the default bridge: removed by hand, it is made again" {
	ip link del sc-br0
	sc run --rm busybox ip -o addr show eth0
	like "$output" '*10.99.*'
	run_pings 10.99.0.1
}

@test "the default bridge: without its address it is repaired" {
	ip addr flush dev sc-br0
	run_pings 10.99.0.1
}

@test "--net=none has only lo, --net=host the host's links" {
	sc run --rm --net=none busybox ip -o link
	like "$output" '*lo*UP*'
	same "$(wc -l <<<"$output")" 1
	sc run --rm --net=host busybox ip -o link
	like "$output" '*sc-br0*'
}

# said LINES - have the 20 runs said that much?
said() {
	[ "$(cat "$BATS_TEST_TMPDIR"/[0-9]* | wc -l)" -ge "$1" ]
}

@test "S18: 20 runs at once: 20 names, 20 addresses; one name twice: one wins" {
	local n
	mkdir "$BATS_TEST_TMPDIR/all"
	for n in {1..20}; do
		# an address is free again when its container has ended: none ends before all have theirs
		scadm run --rm -v "$BATS_TEST_TMPDIR/all:/all" busybox sh -c 'ip -o -4 addr show eth0 | sed "s/.*inet //; s/ .*//"
			n=0; until [ -e /all/there ] || [ $n -gt 180 ]; do sleep 0.5; n=$((n + 1)); done' >"$BATS_TEST_TMPDIR/$n" 2>&1 3>&- &
	done
	wait_until 60 said 20
	: >"$BATS_TEST_TMPDIR/all/there"
	wait
	same "$(cat "$BATS_TEST_TMPDIR"/[0-9]* | grep -c '^10\.99\.')" 20
	same "$(cat "$BATS_TEST_TMPDIR"/[0-9]* | sort -u | wc -l)" 20
	for n in {1..6}; do
		(scadm run -d --name=one busybox sleep 100 >"$BATS_TEST_TMPDIR/w$n" 2>"$BATS_TEST_TMPDIR/e$n" 3>&- && echo won >"$BATS_TEST_TMPDIR/won$n") || : &
	done
	wait
	same "$(cat "$BATS_TEST_TMPDIR"/won* | wc -l)" 1
	like "$(cat "$BATS_TEST_TMPDIR"/e*)" '*one*'
	sc ps -q
	same "$(wc -l <<<"$output")" 1
	sc rm -f one
}

@test "resolv.conf: never the stub of systemd-resolved, always a server" {
	sc run --rm busybox cat /etc/resolv.conf
	like "$output" '*nameserver*'
	unlike "$output" '*127.0.0.*'
}

@test "rm: what a container had still to say does not keep its cable in the bridge" {
	local id listener
	# it takes what the kernel holds for it, and no more
	busybox nc -l -p 5000 -e sleep 100 3>&- &
	listener=$!
	sc run -d --name=talker busybox sh -c 'while ! nc 10.99.0.1 5000 </dev/zero; do sleep 0.1; done'
	id=$(id12 talker)
	wait_until 60 sh -c "[ \$(cat /sys/class/net/v-$id/statistics/rx_bytes) -gt 100000 ]"
	sc rm -f talker
	# it is taken away in the background; without that it would stay up for minutes
	wait_until 20 sh -c "! [ \$((\$(cat /sys/class/net/v-$id/flags || echo 0) & 1)) = 1 ]"
	kill "$listener"
	wait_until 60 sh -c "! [ -e /sys/class/net/v-$id ]"
}

@test "run without any option is on the default network" {
	sc run busybox ip -o -4 address show eth0
	like "$output" '*10.99.*'
}
