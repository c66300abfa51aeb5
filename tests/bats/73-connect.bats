#!/usr/bin/env bats
# network connect and disconnect: a container that is there joins networks and leaves them; --net=container:

load helpers
load ready

setup_file() {
	# many steps, at each of which a verb is killed, on a machine that may have more to do
	export BATS_TEST_TIMEOUT=400
	image_ready
}

# teardown - after a test that failed the next one finds nothing of it
teardown() {
	local others
	[ -n "${BATS_TEST_COMPLETED-}" ] || {
		others=$(scadm network ls -q --filter type=custom)
		# ids without blanks
		# shellcheck disable=SC2086
		gone $others
		[ ! -e /run/netns/apart ] || scadm delete-netns --name=apart
	}
	sc_teardown
}

# nets NAME... - make networks
nets() {
	local name
	for name; do
		scadm network create "$name" >/dev/null 3>&-
	done
}

# gone NAME... - end all containers, then remove the networks NAME...
gone() {
	# names without blanks
	# shellcheck disable=SC2046
	[ -z "$(scadm ps -aq)" ] || scadm rm -f $(scadm ps -aq) >/dev/null 3>&-
	# whoever looks at the world next is not to see them
	cables_gone
	[ $# -eq 0 ] || scadm network rm "$@" >/dev/null 3>&-
}

# sleeper NAME OPTION... - a container that waits
# No name server answers here, and to ask one takes long: a name that is in no file is unknown at once.
sleeper() {
	local name="$1"
	shift
	case " $*" in *net=container:*) ;; *) set -- --dns=127.0.0.1 "$@" ;; esac
	scadm run -d --name="$name" "$@" busybox sleep 1000 >/dev/null 3>&-
}

# reaches NAME WORD - does the container get an answer of WORD?
reaches() {
	scadm exec "$1" ping -c 1 -W 20 "$2" >/dev/null 3>&-
}

# unreachable NAME WORD - does it get none?
unreachable() {
	run ! scadm exec "$1" ping -c 1 -W 1 "$2" 3>&-
	# 125: it could not even ask
	[ "$status" -eq 1 ]
}

# hosts NAME - what the container sees as /etc/hosts, without the loopback
hosts() {
	scadm exec "$1" grep -v localhost /etc/hosts
}

# mounts NAME - how many mounts it has
mounts() {
	local pid
	read -r pid _ <"/var/run/container/$1/pid"
	wc -l <"/proc/$pid/mountinfo"
}

# remember [NAME OPTION] - note the world; OPTION for tests/world
remember() {
	world ${2:+"$2"} >"$BATS_TEST_TMPDIR/remembered${1-}"
}

# as_it_was [NAME OPTION] - is the world the one that `remember` noted?
as_it_was() {
	world ${2:+"$2"} >"$BATS_TEST_TMPDIR/now"
	diff "$BATS_TEST_TMPDIR/remembered${1-}" "$BATS_TEST_TMPDIR/now"
}

# refused PATTERN WORD... - is it an error of bad input, that says so? A test that has all of them asks `as_it_was`
refused() {
	local pattern="$1"
	shift
	sc 125 "$@"
	like "$stderr" "*$pattern*"
}

@test "connect: two containers on one network ping by name; on two networks they do not; with connect they do; after disconnect not" {
	nets one two
	sleeper a --net=one
	sleeper b --net=one
	sleeper c --net=two
	reaches a b
	reaches b a
	unreachable a c
	unreachable a "$(field c .NetworkSettings.IPAddress)"
	sc network connect two a
	reaches a c
	reaches c a
	reaches a b
	sc network disconnect two a
	unreachable a c
	unreachable c a
	unreachable a "$(field c .NetworkSettings.IPAddress)"
	reaches a b
	gone one two
}

@test "connect: the container sees both networks' names, its neighbours its name and alias on theirs, and nobody else's file changes" {
	nets one two
	sleeper a --net=one
	sleeper b --net=one
	sleeper c --net=two
	before=$(mounts a)
	inode=$(scadm exec b stat -c %i /etc/hosts 3>&-)
	sc network connect --alias database --alias store two a
	like "$(hosts a)" "*172.18.*a *172.18.*b *172.19.*c *172.19.*a $(id12 a) database store"
	like "$(hosts c)" "*a $(id12 a) database store*"
	unlike "$(hosts b)" '*database*'
	reaches c database
	reaches c store
	unreachable b database
	same "$(scadm exec b stat -c %i /etc/hosts 3>&-)" "$inode"
	same "$(mounts a)" "$before"
	sc exec a sh -c 'echo 1.2.3.4 evil >>/etc/hosts || echo kept'
	like "$output" '*kept'
	# whoever comes later is seen in there at once
	sleeper d --net=two
	reaches a d
	sc network disconnect two a
	same "$(hosts a)" "$(hosts b)"
	same "$(mounts a)" "$before"
	run ! test -e /var/lib/scadm/networks/one/hosts+two
	gone one two
}

@test "connect: the addresses asked for are had, at every start" {
	scadm network create --subnet=10.61.0.0/24 --ipv6 --subnet=fd00:61::/64 one >/dev/null 3>&-
	nets two
	sleeper a --net=two
	sc network connect --ip 10.61.0.77 --ip6 fd00:61::77 --mac-address 02:42:00:00:00:77 one a
	sc exec a ip address show dev eth1
	like "$output" '*02:42:00:00:00:77*10.61.0.77/24*fd00:61::77/64*'
	same "$(field a .NetworkSettings.Networks.one.IPAddress)" 10.61.0.77
	same "$(field a .NetworkSettings.Networks.one.GlobalIPv6Address)" fd00:61::77
	same "$(field a .NetworkSettings.Networks.one.MacAddress)" 02:42:00:00:00:77
	same "$(field a .NetworkSettings.Networks.one.IPAMConfig.IPv4Address)" 10.61.0.77
	same "$(field a .NetworkSettings.Networks.one.NetworkID)" "$(scadm network inspect -f '{{.Id}}' one)"
	scadm stop -t 0 a >/dev/null 3>&-
	scadm start a >/dev/null 3>&-
	sc exec a ip address show dev eth1
	like "$output" '*02:42:00:00:00:77*10.61.0.77/24*fd00:61::77/64*'
	gone one two
}

@test "connect: the default network, and a container of --net=none, which then has a way out" {
	sleeper a --net=none
	sleeper b
	same "$(scadm exec a ip -o link 3>&- | wc -l)" 1
	sc network connect bridge a
	reaches a b
	reaches b a
	sc exec a ip route show default
	like "$output" 'default via 10.99.0.1 dev eth0*'
	same "$(field a .HostConfig.NetworkMode)" bridge
	sc network disconnect bridge a
	same "$(scadm exec a ip -o link 3>&- | wc -l)" 1
	like "$(hosts a)" '127.0.1.1 a'
	same "$(field a .HostConfig.NetworkMode)" none
	scadm stop -t 0 a >/dev/null 3>&-
	sc start a
	same "$(scadm exec a ip -o link 3>&- | wc -l)" 1
	gone
}

@test "disconnect: the way out moves to the next network that has one" {
	nets one two
	scadm network create --internal inner >/dev/null 3>&-
	sleeper a --net=one
	sc network connect inner a
	sc network connect two a
	sc exec a ip route show default
	like "$output" 'default via 172.*.0.1 dev eth0*'
	sc network disconnect one a
	sc exec a ip route show default
	like "$output" 'default via 172.*.0.1 dev eth2*'
	sc network disconnect two a
	unlike "$(scadm exec a ip route 3>&-)" 'default*'
	sc network connect one a
	sc exec a ip route show default
	like "$output" 'default via 172.*.0.1 dev eth*'
	gone one two inner
}

@test "connect, disconnect: of a container that does not run they change the record; what it has is made by the next start" {
	nets one two
	scadm create --name=a --net=one busybox sleep 1000 >/dev/null 3>&-
	sleeper b --net=two
	sc network connect --alias late two a
	run ! grep -w a /var/lib/scadm/networks/two/hosts
	sc start a
	reaches a b
	reaches b late
	scadm stop -t 0 a >/dev/null 3>&-
	sc network disconnect one a
	sc start a
	sc exec a ip -o -4 address show scope global
	like "$output" '*: eth0 *172.*'
	same "${#lines[@]}" 1
	sc exec a ip route show default
	like "$output" 'default via *dev eth0*'
	reaches a b
	scadm stop -t 0 a >/dev/null 3>&-
	sc network disconnect two a
	sc start a
	same "$(scadm exec a ip -o link 3>&- | wc -l)" 1
	gone one two
}

@test "connect: connected, disconnected, the world is as before" {
	nets one two
	sleeper a --net=one
	scadm create --name=c --net=one busybox true >/dev/null 3>&-
	sc network connect two a
	sc network disconnect two a
	sc network connect two c
	sc network disconnect two c
	# the line in the journal of the container that its end replays, and the file networks of devices
	world --normal | grep -v 'containers/a/undo' >"$BATS_TEST_TMPDIR/first"
	sc network connect two a
	sc network disconnect two a
	sc network connect two c
	sc network disconnect two c
	world --normal | grep -v 'containers/a/undo' >"$BATS_TEST_TMPDIR/second"
	diff "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
	same "$(sort /var/lib/scadm/containers/a/undo | uniq -d)" ''
	gone one two
}

@test "connect: what -n prints is what it does, and so of disconnect" {
	nets one two
	for name in a b; do
		sleeper "$name" --net=one --ip=172.18.7.7
		remember
		scadm -n network connect --ip 172.19.7.7 two "$name" >"$BATS_TEST_TMPDIR/plan" 3>&-
		as_it_was
		if [ "$name" = a ]; then sh -e "$BATS_TEST_TMPDIR/plan" 3>&-; else scadm network connect --ip 172.19.7.7 two "$name" 3>&-; fi
		world --normal | sed 's/containers\/b/containers\/a/g; s/\bb\b/a/g' >"$BATS_TEST_TMPDIR/connected.$name"
		scadm -n network disconnect two "$name" >"$BATS_TEST_TMPDIR/plan" 3>&-
		if [ "$name" = a ]; then sh -e "$BATS_TEST_TMPDIR/plan" 3>&-; else scadm network disconnect two "$name" 3>&-; fi
		world --normal | sed 's/containers\/b/containers\/a/g; s/\bb\b/a/g' >"$BATS_TEST_TMPDIR/disconnected.$name"
		gone
	done
	diff "$BATS_TEST_TMPDIR"/connected.[ab]
	diff "$BATS_TEST_TMPDIR"/disconnected.[ab]
	gone one two
}

# either - is the world one of both that were remembered? Sets $found
either() {
	for found in off on; do
		as_it_was "$found" --normal >"$BATS_TEST_TMPDIR/differs.$found" && return
	done
	head -n 40 "$BATS_TEST_TMPDIR"/differs.*
	return 1
}

# killed_at_every_step BEFORE VERB - kill the verb at each of its steps; BEFORE is the world that it starts from, on or off
killed_at_every_step() {
	local step=0 completed=0
	while :; do
		[ "$found" = "$1" ] || case $1 in
		on) scadm network connect --ip 172.19.7.7 two a 3>&- ;;
		off) scadm network disconnect two a 3>&- ;;
		esac
		stop_at "$step" KILL network "$2" || break
		scadm gc 3>&-
		wait_until 20 either || {
			echo "after step $step:"
			grep 'r.un it' "$BATS_TEST_TMPDIR/out" | tail -n 2
			return 1
		}
		either
		[ "$found" = "$1" ] || completed=$((completed + 1))
		step=$((step + 1))
	done
	echo "$step steps, $completed of them brought it to its end"
	[ "$step" -ge 10 ] && [ "$completed" -ge 1 ] && [ "$completed" -lt "$step" ]
}

# both_worlds - the container a is on the network one; remember it as off, and with the network two as on
both_worlds() {
	nets one two
	sleeper a --net=one
	# what stays in its journal from the first time does no harm
	scadm network connect --ip 172.19.7.7 two a 3>&-
	remember on --normal
	scadm network disconnect two a 3>&-
	remember off --normal
	found=off
}

@test "S20: connect is killed at every step: gc leaves the container on the network or off it, nothing between, and unharmed" {
	requires script
	both_worlds
	killed_at_every_step off 'connect --ip 172.19.7.7 two a'
	sc exec a ip -o -4 address show dev eth1
	like "$output" '*172.19.7.7*'
	gone one two
}

@test "S20: disconnect is killed at every step: gc leaves the container on the network or off it, and nothing between" {
	requires script
	both_worlds
	killed_at_every_step on 'disconnect two a'
	gone one two
}

@test "S23: a tool that fails in the middle of connect: all of it is taken back" {
	nets one two
	sleeper a --net=one
	sc network connect --ip 172.19.7.7 two a
	sc network disconnect two a
	remember
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in ip tc sqlite3 ln mv; do
		for count in 1 2 3; do
			cat >"$BATS_TEST_TMPDIR/bin/$tool" <<-END
				#!/bin/sh
				echo x >>$BATS_TEST_TMPDIR/calls
				[ "\$(wc -l <$BATS_TEST_TMPDIR/calls)" -ne $count ] || exit 1
				exec $(command -v "$tool") "\$@"
			END
			chmod +x "$BATS_TEST_TMPDIR/bin/$tool"
			rm -f "$BATS_TEST_TMPDIR/calls"
			run --separate-stderr env "PATH=$BATS_TEST_TMPDIR/bin:$PATH" "$ROOT/bin/scadm" network connect --ip 172.19.7.7 two a 3>&-
			echo "$tool $count: $status $stderr"
			if [ "$status" -eq 0 ]; then
				sc network disconnect two a
			else
				[ -n "$stderr" ]
			fi
			wait_until 20 as_it_was
		done
		rm "$BATS_TEST_TMPDIR/bin/$tool"
	done
	reaches a a
	gone one two
}

@test "connect: several at once: each network is joined once, all devices and addresses are there" {
	nets n1 n2 n3 n4
	sleeper a --net=none
	for n in 1 2 3 4 1 2 3 4; do
		scadm network connect "n$n" a >>"$BATS_TEST_TMPDIR/said" 2>&1 3>&- && echo joined >>"$BATS_TEST_TMPDIR/won" &
	done
	wait
	cat "$BATS_TEST_TMPDIR/said"
	same "$(wc -l <"$BATS_TEST_TMPDIR/won")" 4
	same "$(cut -d ' ' -f 1 /var/lib/scadm/containers/a/networks | sort | tr '\n' ' ')" 'n1 n2 n3 n4 '
	sc exec a ip -o -4 address show scope global
	same "${#lines[@]}" 4
	like "$(hosts a)" '*172.*172.*172.*172.*'
	gone n1 n2 n3 n4
}

@test "S21: a container that is connected and ends, by itself or by rm -f, leaves nothing" {
	nets two
	sleeper a
	sc network connect two a
	[ -e /var/lib/scadm/networks/bridge/hosts+two ]
	sc rm -f a
	wait_until 20 sh -c '! [ -e /var/lib/scadm/networks/bridge/hosts+two ]'
	killed b
	scadm gc 3>&-
	scadm rm b >/dev/null 3>&-
	scadm network rm two >/dev/null 3>&-
}

@test "connect: renamed, stopped, started, it is on its networks under the new name; and it leaves nothing" {
	nets one two
	sleeper a --net=one
	sleeper b --net=two
	sc network connect --alias other two a
	sc rename a first
	reaches b first
	reaches b other
	scadm stop -t 0 first >/dev/null 3>&-
	run ! test -e /var/lib/scadm/networks/one/hosts+two
	sc start first
	reaches b first
	reaches first b
	unreachable b a
	sc network disconnect two first
	unreachable b first
	gone one two
}

@test "connect: run on several networks: the first with a way out has it, and the file with their names goes at the end" {
	nets two
	scadm network create --internal inner >/dev/null 3>&-
	sleeper a --net=inner --net=bridge --net=two
	sc exec a ip route
	like "$output" 'default via 10.99.0.1 dev eth1*'
	[ -e /var/lib/scadm/networks/bridge/hosts+inner+two ]
	sc rm -f a
	wait_until 20 sh -c '! [ -e /var/lib/scadm/networks/bridge/hosts+inner+two ]'
	gone inner two
}

@test "S18: a /29 has room for five: who comes later is refused by name, and joins when one has left" {
	scadm network create --subnet=10.61.0.0/29 small >/dev/null 3>&-
	for n in 1 2 3 4 5 6 7; do
		sleeper "c$n" --net=none
	done
	for n in 1 2 3 4 5 6 7; do
		scadm network connect small "c$n" >"$BATS_TEST_TMPDIR/said.$n" 2>&1 3>&- && echo joined >>"$BATS_TEST_TMPDIR/won" &
	done
	wait
	same "$(wc -l <"$BATS_TEST_TMPDIR/won")" 5
	like "$(cat "$BATS_TEST_TMPDIR"/said.*)" '*small*'
	same "$(cut -d ' ' -f 4 /var/lib/scadm/containers/c?/networks 2>/dev/null | sort -u | wc -l)" 5
	for n in 1 2 3 4 5 6 7; do
		[ -s "/var/lib/scadm/containers/c$n/networks" ] && in=c$n || out=c$n
	done
	remember
	refused 'small' network connect small "$out"
	as_it_was
	same "$(scadm exec "$out" ip -o link 3>&- | wc -l)" 1
	sc network disconnect small "$in"
	sc network connect small "$out"
	reaches "$out" 10.61.0.1
	gone small
}

@test "disconnect: published ports go on through the next network that can have them" {
	nets one two
	scadm network create --internal closed >/dev/null 3>&-
	for how in run plan; do
		scadm run -d --name=a --net=one,closed,two -p 127.0.0.1:8080:80 -p 8081:81/udp busybox sh -c 'echo here >/tmp/index.html; exec httpd -f -h /tmp' >/dev/null 3>&-
		wait_until 20 curl -sf http://127.0.0.1:8080/
		before=$(field a .NetworkSettings.Ports)
		if [ "$how" = run ]; then
			sc network disconnect one a
		else
			scadm -n network disconnect one a >"$BATS_TEST_TMPDIR/plan" 3>&-
			like "$(iptables-save)" '*--to-destination 172.18.*'
			sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
		fi
		same "$(curl -sS -m 30 http://127.0.0.1:8080/)" here
		same "$(field a .NetworkSettings.Ports)" "$before"
		unlike "$(iptables-save)" '*--to-destination 172.18.*'
		iptables -t nat -F
		sc network reload
		same "$(curl -sS -m 30 http://127.0.0.1:8080/)" here
		same "$(scadm port a 80)" 127.0.0.1:8080
		gone
		unlike "$(iptables-save)" '*--dport 808*'
	done
	gone one two closed
}

@test "disconnect: a port without a network is refused at the next start, and says so" {
	nets one
	scadm network create --internal closed >/dev/null 3>&-
	scadm run -d --name=a --net=one -p 8080:80 busybox httpd -f >/dev/null 3>&-
	sc network disconnect one a
	like "$stderr" "*published ports of 'a' are gone*"
	scadm stop -t 0 a >/dev/null 3>&-
	refused "'a' is on no network, and published ports need one" start a
	sc network connect closed a
	refused "the network closed is internal: there is no way in; published ports need another network" start a
	sc network connect one a
	sc start a
	like "$(iptables-save)" '*--dport 8080*'
	gone one closed
}

@test "S20: disconnect is killed at every step while ports move: they are at one of the two" {
	requires script
	nets one two
	scadm run -d --name=a --net=one,two --ip=172.18.7.7 -p 8080:80 busybox httpd -f -h /bin >/dev/null 3>&-
	step=0 moved=0
	while stop_at "$step" KILL network disconnect one a; do
		scadm gc 3>&-
		wait_until 20 curl -sf -o "$BATS_TEST_TMPDIR/got" http://127.0.0.1:8080/busybox
		step=$((step + 1))
		case $(scadm inspect -f '{{json .NetworkSettings.Networks}}' a) in
		*172.18.7.7*) like "$(iptables-save -t nat)" '*--to-destination 172.18.7.7:80*' ;;
		*)
			moved=$((moved + 1))
			unlike "$(iptables-save -t nat)" '*--to-destination 172.18.*'
			scadm network connect --ip 172.18.7.7 one a 3>&-
			scadm network disconnect two a 3>&-
			scadm network connect two a 3>&-
			;;
		esac
	done
	echo "$step steps, $moved moved"
	[ "$step" -ge 10 ] && [ "$moved" -ge 1 ] && [ "$moved" -lt "$step" ]
	gone one two
}

@test "connect: a MAC address that a container has on the network is refused, at connect and at start" {
	nets one
	sleeper a --net=one --mac-address=02:42:00:00:00:AA
	scadm create --name=b --net=one --mac-address=02:42:00:00:00:aa busybox sleep 1000 >/dev/null 3>&-
	refused "the container 'a' has it on the network one" start b
	sleeper c
	refused "the container 'a' has it on the network one" network connect --mac-address 02:42:00:00:00:aa one c
	scadm stop -t 0 a >/dev/null 3>&-
	sc start b
	refused "the container 'b' has it on the network one" start a
	gone one
}

@test "S19: ports that were published through the network are gone with it, and nothing of them is left" {
	nets one
	scadm network create --internal two >/dev/null 3>&-
	scadm run -d --name=a --net=one -p 8080:80 busybox httpd -f >/dev/null 3>&-
	like "$(iptables-save)" '*--dport 8080*'
	sc network connect two a
	like "$(iptables-save)" '*--dport 8080*'
	sc network disconnect one a
	unlike "$(iptables-save)" '*--dport 8080*'
	same "$(field a '.NetworkSettings.Ports."80/tcp"')" ''
	# and somebody else may have it
	scadm run -d --name=b --net=one -p 8080:80 busybox httpd -f >/dev/null 3>&-
	gone one two
}

@test "S26: what comes out of the new cable has the container's address, or is dropped" {
	nets one two
	sleeper a --net=one
	sc network connect two a
	like "$(tc filter show dev "v1-$(id12 a)" ingress)" '*bpf*'
	gone one two
}

@test "connect: --add-host and another host name stay, whatever network comes and goes" {
	nets one two
	sleeper a --net=one --hostname=front --add-host=db:192.0.2.7
	sleeper b --net=two
	inode=$(scadm exec a stat -c %i /etc/hosts 3>&-)
	like "$(hosts a)" '*front*192.0.2.7 db*'
	sc network connect two a
	like "$(hosts a)" '*front*192.0.2.7 db*b *'
	same "$(scadm exec a stat -c %i /etc/hosts 3>&-)" "$inode"
	sc network disconnect one a
	like "$(hosts a)" '*front*192.0.2.7 db*'
	like "$(hosts a)" "*$(field a .NetworkSettings.Networks.two.IPAddress) front*"
	reaches a b
	sc network disconnect two a
	like "$(hosts a)" '127.0.1.1 front*192.0.2.7 db'
	unlike "$(hosts a)" '*172.*'
	gone one two
}

@test "connect: a volume of the user's on /etc/hosts is his, and stays" {
	nets one two
	echo '192.0.2.9 mine' >"$BATS_TEST_TMPDIR/mine"
	sleeper a --net=one -v "$BATS_TEST_TMPDIR/mine:/etc/hosts"
	sc network connect two a
	same "$(hosts a)" '192.0.2.9 mine'
	gone one two
}

@test "S2: connect: a container that put something else on /etc/hosts keeps that, and is connected all the same" {
	nets one two
	sleeper a --net=one --privileged
	sc exec --privileged a sh -c 'echo 192.0.2.9 mine >/tmp/mine; mount --bind /tmp/mine /etc/hosts'
	sc network connect two a
	like "$stderr" "*the names of 'two' are not seen in there*"
	same "$(hosts a)" '192.0.2.9 mine'
	sc exec a ip address show dev eth1
	sc network disconnect two a
	same "$(hosts a)" '192.0.2.9 mine'
	gone one two
}

@test "connect: refused is what cannot be: another's network, a rate, twice, unknown names, addresses that are none or taken" {
	nets one
	scadm network create --subnet=10.61.0.0/24 two >/dev/null 3>&-
	scadm create-netns --name=apart 3>&-
	sleeper a --net=one
	sleeper b --net=two --ip=10.61.0.9
	sleeper host --net=host
	sleeper apart1 --net=apart
	sleeper slow --net=one --net-prio=3
	remember
	refused 'has the network of the host' network connect two host
	refused "runs in the network namespace 'apart'" network connect two apart1
	refused 'has a rate or a priority' network connect two slow
	refused "is on 'one' already" network connect one a
	refused "there is no network 'three'" network connect three a
	refused "there is no container 'none'" network connect two none
	refused 'is no network that a container can join' network connect host a
	refused 'is no network that a container can join' network connect none a
	refused 'which network, and which container' network connect two
	refused 'which network, and which container' network connect two a b
	refused 'unknown option' network connect --link x two a
	refused 'an IPv4 address' network connect --ip 10.61.0 two a
	refused 'its addresses are in that range' network connect --ip 10.62.0.9 two a
	refused 'its addresses are in that range' network connect --ip 10.61.0.1 two a
	refused 'its addresses are in that range' network connect --ip 10.61.0.255 two a
	refused 'is taken: b ' network connect --ip 10.61.0.9 two a
	refused 'has no IPv6' network connect --ip6 fd00::9 two a
	refused 'an IPv6 address' network connect --ip6 x two a
	refused 'six bytes' network connect --mac-address 02:42 two a
	refused 'address of a group' network connect --mac-address 03:42:00:00:00:01 two a
	refused 'a name is letters' network connect --alias 'a b' two a
	refused "is not on 'two'" network disconnect two a
	refused "there is no network 'three'" network disconnect three a
	as_it_was
	sc network disconnect -f two a
	gone one two
	scadm delete-netns --name=apart 3>&-
}

@test "S15: names that are none touch nothing" {
	nets one
	sleeper a --net=one
	remember
	for word in '' . .. '*' % _ / ../x 'a b' "$(printf 'x%.0s' {1..65})"; do
		sc 125 network connect "$word" a
		sc 125 network connect one "$word"
		sc 125 network disconnect "$word" a
		sc 125 network disconnect -f "$word" a
		sc 125 network disconnect one "$word"
	done
	as_it_was
	gone one
}

@test "connect: ten networks are the most" {
	nets n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10
	scadm create --name=a --net=n0 busybox true >/dev/null 3>&-
	for n in 1 2 3 4 5 6 7 8 9; do
		sc network connect "n$n" a
	done
	remember
	refused 'is on ten networks' network connect n10 a
	as_it_was
	gone n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10
}

@test "connect: events, and network inspect, say it" {
	nets two
	sleeper a
	sc network connect two a
	sc network inspect two
	like "$output" '*"Name": "a"*'
	sc network disconnect two a
	sc network inspect two
	unlike "$output" '*"Name": "a"*'
	sc events --since 1m --until 0s --filter type=network
	like "$output" "*network connect *container=$(field a .Id)*name=two*network disconnect *"
	gone two
}

@test "container: --net=container: has the links, names and ports of the other, and no more rights there" {
	nets one
	scadm run -d --name=a --net=one busybox httpd -f -p 80 >/dev/null 3>&-
	sleeper c --net=one
	sleeper b --net=container:a
	same "$(scadm exec b ip -o address 3>&-)" "$(scadm exec a ip -o address 3>&-)"
	same "$(hosts b)" "$(hosts a)"
	same "$(scadm exec b hostname 3>&-)" a
	same "$(scadm exec b cat /etc/resolv.conf 3>&-)" "$(scadm exec a cat /etc/resolv.conf 3>&-)"
	reaches b c
	# the answer of the web server of a: there is no such page
	wait_until 20 ip netns exec a curl -sS http://127.0.0.1/no
	sc exec b sh -c "printf 'GET /no HTTP/1.0\r\n\r\n' | nc 127.0.0.1 80"
	like "$output" 'HTTP/1.? 404 *'
	sc 2 exec b ip link set dev eth0 down
	like "$(field b .HostConfig.NetworkMode)" "container:$(id12 a)*"
	sc exec b sh -c 'ps | wc -l'
	[ "$output" -lt 6 ]
	gone one
}

@test "container: what the other joins is seen, in the names as well" {
	nets one two
	sleeper a --net=one
	sleeper c --net=two
	sleeper b --net=container:a
	sc network connect two a
	reaches b c
	same "$(hosts b)" "$(hosts a)"
	refused 'that one can be on another' network connect two b
	sc network disconnect two a
	same "$(hosts b)" "$(hosts a)"
	gone one two
}

@test "container: the other has to run, by whatever name, when it starts; one that shares may be shared" {
	nets one
	sleeper a --net=one
	sleeper b --net="container:$(id12 a)"
	sleeper c --net=container:b
	same "$(scadm exec c hostname 3>&-)" a
	scadm stop -t 0 a b c >/dev/null 3>&-
	sc 125 start b
	like "$stderr" "*'a', whose network it is to have, does not run: 'scadm start a' first*"
	scadm rename a first 3>&-
	scadm start first b c >/dev/null 3>&-
	same "$(scadm exec c ip -o address 3>&-)" "$(scadm exec first ip -o address 3>&-)"
	same "$(hosts c)" "$(hosts first)"
	gone one
}

@test "container: refused with it is what belongs to the other" {
	sleeper a
	sleeper h --net=host
	remember
	for options in --hostname=x '-p 80:80' '--ip 10.99.0.9' '--mac-address 02:42:00:00:00:01' '--network-alias x' '--net-rate 1mbit' \
		'--dns 192.0.2.1' '--add-host x:192.0.2.1' '--net bridge'; do
		# split on purpose
		# shellcheck disable=SC2086
		refused '' run --rm --net=container:a $options busybox true
	done
	refused "there is no container 'nobody'" run --rm --net=container:nobody busybox true
	refused 'say --net=host' run --rm --net=container:h busybox true
	refused '' run --rm --net=container: busybox true
	refused '' run --rm --net=container:../a busybox true
	as_it_was
	gone
}
