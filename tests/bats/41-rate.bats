#!/usr/bin/env bats
# --net-rate and --net-prio: how fast a container may send and receive, and whose packets leave the host first

load helpers
load ready

setup() {
	requires rates
	sc_setup
}

teardown() {
	local pid
	# what a test that failed left is not to fail the next one
	[ "${BATS_TEST_COMPLETED:-}" ] || {
		for pid in $(jobs -p); do
			[ "$pid" = "${BATS_killer_pid:-}" ] || kill "$pid"
		done
		scadm ps -aq | xargs -r scadm rm -f >/dev/null
	}
	sc_teardown
}

# talker NAME OPTION... - start a container that swallows what comes to port 5000 and sends without end from 5001
talker() {
	local name="$1"
	shift
	scadm run -d --name="$name" "$@" busybox sh -c 'nc -ll -p 5000 -e dd of=/dev/null bs=64k &
		exec nc -ll -p 5001 -e dd if=/dev/zero bs=64k' >/dev/null 3>&-
	wait_until 30 listens "$name" 1388
	wait_until 30 listens "$name" 1389
	address=$(address_of "$name")
}

# listens NAME PORT - does somebody in the container listen there? PORT in hexadecimal
listens() {
	local pid
	read -r pid _ <"/var/run/container/$1/pid"
	grep -q ":$2 .* 0A " "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6"
}

# address_of NAME - its address
address_of() {
	sed -n 's/.*"IPAddress":"\([0-9.]*\)".*/\1/p' "/var/run/container/$1/config.json"
}

# send, receive - start a transfer to or from the container at $address; sets $flow
send() {
	bash -c 'exec dd if=/dev/zero bs=64k >"/dev/tcp/$0/5000"' "$address" 2>/dev/null 3>&- &
	flow=$!
}
receive() {
	bash -c 'exec dd of=/dev/null bs=64k <"/dev/tcp/$0/5001"' "$address" 2>/dev/null 3>&- &
	flow=$!
}

# flood_in - start to send UDP into the container web, to an address that nobody has: nothing tells the sender to stop
flood_in() {
	ip neigh add 10.99.250.9 lladdr "$(ip netns exec web cat /sys/class/net/eth0/address)" dev sc-br0
	bash -c 'exec dd if=/dev/zero bs=1400 >/dev/udp/10.99.250.9/9' 2>/dev/null 3>&- &
	flow=$!
}

# answers_soon - does $address answer a ping in 100 ms? A busy machine may be late, a queue that is too long is it each time
answers_soon() {
	local try longest=''
	for try in {1..8}; do
		run -0 ping -c 10 -i 0.1 -W 3 "$address"
		echo "try $try: $output"
		longest=${output##*= } longest=${longest#*/*/} longest=${longest%%.*}
		[ "$longest" -ge 100 ] || return 0
	done
	return 1
}

# stop PID... - end transfers
stop() {
	kill "$@"
	wait "$@" || echo "ended with $?"
}

# counter_in, counter_out NAME - the file that counts the bytes that reached the container, or that came from it
counter_in() {
	echo "/sys/class/net/v-$(id12 "$1")/statistics/tx_bytes"
}
counter_out() {
	echo "/sys/class/net/i-$(id12 "$1")/statistics/tx_bytes"
}

# now - sets $now to hundredths of a second, on the clock that only goes forward
now() {
	read -r now _ </proc/uptime
	now=${now/./}
}

# speed COUNTER - sets $speed to the bits per second that pass it in the next two seconds
# The time begins before the counting and ends after it: if this test stands still meanwhile the speed is too low, never too high
speed() {
	local before after start now
	now
	start=$now
	before=$(<"$1")
	# nothing comes: this is the time to measure, and costs no process
	read -r -t 2 <> <(:) || :
	after=$(<"$1")
	now
	speed=$(((after - before) * 800 / (now - start)))
}

# holds COUNTER BITS [TIMES] - is that the speed, within 15 %? When something else has the processor it is too slow: one time of
# eight it must not be, else the status is 2. Too fast is wrong the third time, or so many TIMES: a shaper that stood still for
# a moment has saved a burst, and one that does not hold is too fast each time
holds() {
	local try fast=0
	for try in {1..8}; do
		speed "$1"
		echo "measured $speed of $2 bit/s (try $try)"
		if [ "$speed" -gt $(($2 * 115 / 100)) ]; then
			fast=$((fast + 1))
			[ "$fast" -lt "${3:-3}" ] || return 1
		elif [ "$speed" -ge $(($2 * 85 / 100)) ]; then
			return 0
		fi
	done
	return 2
}

# reaches COUNTER BITS - without a limit: is it faster than that, one time of four?
reaches() {
	local try
	for try in {1..4}; do
		speed "$1"
		echo "measured $speed bit/s without a limit (try $try)"
		[ "$speed" -le "$2" ] || return 0
	done
	return 1
}

# took BYTES BITS COMMAND... - does the command print BYTES bytes in the time that BITS per second give? As for holds
took() {
	local bytes="$1" bits="$2" try start took due now
	shift 2
	due=$((bytes * 800 / bits))
	for try in {1..8}; do
		now
		start=$now
		same "$("$@" <> <(:) | head -c "$bytes" | wc -c)" "$bytes"
		now
		took=$((now - start))
		echo "$bytes bytes took $took hundredths of a second, $due are due (try $try)"
		[ "$took" -ge $((due * 85 / 100)) ] || return 1
		[ "$took" -gt $((due * 115 / 100)) ] || return 0
	done
	return 1
}

# shapers - what tc says of the links of containers, without the check of sources and what differs between two of them
shapers() {
	local link
	tc qdisc show | sed -nE '/ (noqueue|clsact) /d; / [vi]-[0-9a-f]{12} /{s/ [0-9a-f]+: / /; s/-[0-9a-f]{12}/-ID/; s/ refcnt [0-9]*//; p;}'
	for link in /sys/class/net/v-*; do
		[ ! -e "$link" ] || tc filter show dev "${link##*/}" ingress | sed -E '/ bpf /d; s/-[0-9a-f]{12}/-ID/; s/index [0-9]+//'
	done
}

# unshaped - is there no shaper, no link for one and no chain of a container? Its cable goes in the background, see lib/plug.sh
unshaped() {
	wait_until 10 no_shapers
}
no_shapers() {
	same "$(shapers)" '' && unlike "$(echo /sys/class/net/*)" '*/i-*' && unlike "$(iptables-save -t mangle || echo SC-)" '*SC-*'
}

@test "a program inside receives and sends at the rate of --net-rate" {
	talker web --net-rate=2mbit
	# long enough that the start of programs, 0.2 s in a virtual machine, does not count for much
	took 900000 2000000 busybox nc "$address" 5001
	scadm run -d --name=sink --net-rate=2mbit busybox sh -c 'sleep 1000 | nc -l -p 5000 | head -c 500000 | wc -c' >/dev/null 3>&-
	wait_until 30 listens sink 1388
	address=$(address_of sink)
	local now start
	now
	start=$now
	send
	wait_until 30 grep ' 500000$' /var/run/container/sink/container.log
	now
	echo "500000 bytes took $((now - start)) hundredths of a second"
	[ $((now - start)) -ge 170 ]
	kill "$flow" || echo "it has left by itself"
	sc rm -f web sink
}

@test "the rate holds within 15 %, from 100kbit to 10mbit, both ways" {
	local rate
	talker web
	for rate in 100kbit:100000 1mbit:1000000 10mbit:10000000; do
		sc update --net-rate="${rate%:*}" web
		receive
		holds "$(counter_out web)" "${rate#*:}"
		stop "$flow"
		send
		holds "$(counter_in web)" "${rate#*:}"
		stop "$flow"
	done
	sc rm -f web
}

@test "the rate holds at 100mbit and 1gbit, where the machine is fast enough for that" {
	local rate bits way cable counter status slow=''
	talker web
	cable=/sys/class/net/v-$(id12 web)/statistics
	for rate in 100mbit:100000000 1gbit:1000000000; do
		bits=${rate#*:}
		for way in send:in:tx receive:out:rx; do
			status=2
			"${way%%:*}"
			if reaches "$cable/${way##*:}_bytes" $((bits * 3 / 2)); then
				counter=${way#*:} status=0
				sc update --net-rate="${rate%:*}" web
				holds "$("counter_${counter%:*}" web)" "$bits" || status=$?
				sc update --net-rate=none web
				[ "$status" -ne 1 ]
				# too slow: is that the shaper, or has the machine become so?
				[ "$status" -eq 0 ] || run ! reaches "$cable/${way##*:}_bytes" $((bits * 3 / 2))
			fi
			stop "$flow"
			[ "$status" -eq 0 ] || slow="${way%%:*} ${rate%:*}"
			[ ! "$slow" ] || break 2
		done
	done
	sc rm -f web
	[ ! "$slow" ] || skip "$slow: not half more than that without a limit"
}

@test "--net-rate-in and --net-rate-out are apart, and without one of them there is no limit that way" {
	talker web --net-rate-in=8mbit --net-rate-out=2mbit
	send
	holds "$(counter_in web)" 8000000
	stop "$flow"
	receive
	holds "$(counter_out web)" 2000000
	stop "$flow"
	sc rm -f web
	talker web --net-rate-in=2mbit
	run ! test -e "/sys/class/net/i-$(id12 web)"
	receive
	reaches /sys/class/net/sc-br0/statistics/rx_bytes 10000000
	stop "$flow"
	sc rm -f web
}

@test "a flood of UDP is held as well, both ways" {
	talker web --net-rate=5mbit
	flood_in
	holds "$(counter_in web)" 5000000
	stop "$flow"
	ip neigh del 10.99.250.9 dev sc-br0
	ip -n web neigh add 10.99.250.9 lladdr 02:00:00:00:00:01 dev eth0
	ip netns exec web bash -c 'exec dd if=/dev/zero bs=1400 >/dev/udp/10.99.250.9/9' 2>/dev/null 3>&- &
	flow=$!
	holds "$(counter_out web)" 5000000
	stop "$flow"
	sc rm -f web
}

@test "two containers have a rate each: they do not share one" {
	local flows
	talker one --net-rate=3mbit
	receive
	flows=$flow
	talker two --net-rate=3mbit
	receive
	holds "$(counter_out one)" 3000000
	holds "$(counter_out two)" 3000000
	stop "$flows" "$flow"
	sc rm -f one two
}

@test "whoever else asks waits little while a transfer or a flood fills the rate: no long queue" {
	talker web --net-rate=10mbit
	send
	holds "$(counter_in web)" 10000000
	answers_soon
	stop "$flow"
	flood_in
	answers_soon
	stop "$flow"
	ip neigh del 10.99.250.9 dev sc-br0
	sc rm -f web
}

@test "update: a new rate holds at once, for a transfer that runs" {
	talker web --net-rate=2mbit
	receive
	holds "$(counter_out web)" 2000000
	sc update --net-rate-out=8mbit web
	holds "$(counter_out web)" 8000000 1
	sc update --net-rate-out=1mbit web
	holds "$(counter_out web)" 1000000 1
	stop "$flow"
	sc rm -f web
}

@test "update: limits come, go and come again, and rm leaves none of them" {
	talker web
	unshaped
	sc update --net-rate=3mbit --net-prio=10 web
	like "$(shapers)" '*dev v-ID root rate 3Mbit *dev i-ID root rate 3Mbit *mirred*i-ID*'
	like "$(iptables-save -t mangle)" '*--set-class 0000:000a*'
	receive
	holds "$(counter_out web)" 3000000
	sc update --net-rate=none web
	same "$(shapers)" ''
	reaches /sys/class/net/sc-br0/statistics/rx_bytes 10000000
	stop "$flow"
	sc update --net-rate-out=4mbit --net-prio=3 web
	like "$(shapers)" '*dev i-ID root rate 4Mbit *'
	unlike "$(shapers)" '*dev v-ID root rate*'
	like "$(iptables-save -t mangle)" '*--set-class 0000:0003*'
	# stated once, however often it came and went
	same "$(grep -c ' ip link del dev i-' /var/run/container/web/undo)" 1
	same "$(grep -c 'scadm-firewall rm SC-' /var/run/container/web/undo)" 1
	sc rm -f web
	unshaped
}

@test "update: when it fails the container keeps its network and its journal" {
	local fakes="$BATS_TEST_TMPDIR/fakes"
	talker web --net-rate=3mbit
	cp /var/run/container/web/undo "$BATS_TEST_TMPDIR/undo"
	mkdir "$fakes"
	cp -P "$SC_HELPERS"/sc-* "$SC_HELPERS/seccomp.bpf" "$fakes"
	printf '#!/bin/sh\n[ "$1" != -batch ] || exit 1\nexec %s "$@"\n' "$(PATH=$PATH:/usr/sbin:/sbin command -v tc)" >"$fakes/tc"
	chmod +x "$fakes/tc"
	SC_HELPERS=$fakes sc 125 update --net-rate=5mbit web
	like "$stderr" '*tc -batch -*'
	cmp /var/run/container/web/undo "$BATS_TEST_TMPDIR/undo"
	like "$(shapers)" '*dev v-ID root rate 3Mbit *'
	[ -e "/sys/class/net/i-$(id12 web)" ]
	sc run --rm busybox ping -c 1 -W 20 "$address"
	sc rm -f web
}

@test "root inside cannot lift it, not even with NET_ADMIN" {
	local pid
	talker web --net-rate=5mbit --cap-add=NET_ADMIN
	read -r pid _ <"/var/run/container/web/pid"
	# with the host's tools, as root of the container's namespaces
	run -0 nsenter -t "$pid" -U -n tc qdisc show
	unlike "$output" '*tbf*'
	unlike "$output" '*clsact*'
	run ! nsenter -t "$pid" -U -n tc qdisc del dev "v-$(id12 web)" root
	run ! nsenter -t "$pid" -U -n ip link del dev "i-$(id12 web)"
	# what it may do to its own end, and what of that it may not, depends on the kernel: none of it helps
	run nsenter -t "$pid" -U -n sh -xc 'ip link set dev eth0 txqueuelen 100000
		tc qdisc replace dev eth0 root pfifo_fast
		ip link set dev eth0 down
		ip link set dev eth0 up'
	echo "$output"
	wait_until 10 grep -qx up "/sys/class/net/v-$(id12 web)/operstate"
	receive
	holds "$(counter_out web)" 5000000
	stop "$flow"
	sc rm -f web
}

# strange_frames - 200 from web: an Ethernet header of an unknown protocol and two bytes; one with a VLAN tag
strange_frames() {
	run -0 ip netns exec web python3 -c '
import socket
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("eth0", 0))
for i in range(100):
    out.send(b"\xff" * 6 + b"\x02" + b"\0" * 5 + b"\x88\xb5" + b"ab")
    out.send(b"\xff" * 6 + b"\x02" + b"\0" * 5 + b"\x81\x00\x00\x05\x88\xb5cd")'
}

# passed COUNTER NUMBER - has it counted more than that?
passed() {
	[ "$(cat "$1")" -gt "$2" ]
}

@test "no frame is too small or too strange for the rate" {
	requires python3
	local before counter
	talker web --net-rate=5mbit
	counter=/sys/class/net/i-$(id12 web)/statistics/rx_packets
	before=$(cat "$counter")
	# they have no source address of its own, and do not get as far as the rate
	strange_frames
	[ "$(cat "$counter")" -lt $((before + 100)) ]
	# on a network that does not look at sources
	tc filter del dev "v-$(id12 web)" ingress prio 1
	strange_frames
	wait_until 10 passed "$counter" $((before + 199))
	sc rm -f web
}

# favoured - do packets of high leave four times as often as those of low?
favoured() {
	local before after low high
	# both in one look
	mapfile -t before < <(cat "/sys/class/net/v-$(id12 low)/statistics/rx_bytes" "/sys/class/net/v-$(id12 high)/statistics/rx_bytes")
	sleep 2
	mapfile -t after < <(cat "/sys/class/net/v-$(id12 low)/statistics/rx_bytes" "/sys/class/net/v-$(id12 high)/statistics/rx_bytes")
	low=$((after[0] - before[0])) high=$((after[1] - before[1]))
	echo "bytes with priority 6: $high, without one: $low"
	[ "$high" -gt $((low * 4)) ]
}

@test "--net-prio: what it sends leaves a full uplink before what others send" {
	local shares=''
	outside
	tc qdisc add dev up0 root handle 1: tbf rate 5mbit burst 10k limit 60k
	tc qdisc add dev up0 parent 1:1 pfifo_fast
	ip netns exec outside busybox nc -l -p 6001 <> <(:) >/dev/null 3>&- &
	shares=$!
	ip netns exec outside busybox nc -l -p 6002 <> <(:) >/dev/null 3>&- &
	shares="$shares $!"
	wait_until 30 ip netns exec outside grep -q ':1771 .* 0A ' /proc/net/tcp /proc/net/tcp6
	wait_until 30 ip netns exec outside grep -q ':1772 .* 0A ' /proc/net/tcp /proc/net/tcp6
	scadm run -d --name=low busybox sh -c 'nc 192.0.2.2 6001 </dev/zero' >/dev/null 3>&-
	wait_until 30 passed "/sys/class/net/v-$(id12 low)/statistics/rx_bytes" 500000
	scadm run -d --name=high --net-prio=6 busybox sh -c 'nc 192.0.2.2 6002 </dev/zero' >/dev/null 3>&-
	# both are under way
	wait_until 30 passed "/sys/class/net/v-$(id12 high)/statistics/rx_bytes" 500000
	# the host may stand still while it is measured
	favoured || favoured || favoured
	# two words on purpose
	# shellcheck disable=SC2086
	stop $shares
	sc rm -f low high
	outside_gone
	unshaped
}

@test "rm, the end of a foreground run and a run that fails leave no shaper, link or chain" {
	sc run --rm --net-rate=5mbit --net-prio=1 busybox true
	unshaped
	sc 127 run --rm --net-rate=5mbit --net-prio=1 busybox nonesuch
	unshaped
	sc run -d --name=web --net-rate=5mbit --net-prio=1 busybox sleep 100
	sc rm -f web
	unshaped
}

@test "S20: after kill -9 of the container and its supervisor, gc leaves none" {
	local pid supervisor
	scadm run -d --name=web --net-rate=5mbit --net-prio=1 busybox sleep 100 >/dev/null 3>&-
	read -r pid _ <"/var/run/container/web/pid"
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:web)")
	kill -9 "${supervisor%%:*}" "$pid"
	wait_until 5 sh -c "! [ -e /proc/$pid ]"
	sc gc
	unshaped
	sc rm -f web
}

@test "S23: a kernel or a tool that refuses is an error that says what is missing, and nothing stays" {
	local tool fakes="$BATS_TEST_TMPDIR/fakes"
	for tool in tc iptables-restore; do
		rm -rf "$fakes"
		mkdir "$fakes"
		cp -P "$SC_HELPERS"/sc-* "$SC_HELPERS/seccomp.bpf" "$fakes"
		printf '#!/bin/sh\nexit 2\n' >"$fakes/$tool"
		chmod +x "$fakes/$tool"
		SC_HELPERS=$fakes sc 125 run --name=web --net-rate=5mbit --net-prio=1 busybox true
		like "$stderr" "*failed (2): $tool*this needs *in the kernel*"
		unshaped
	done
}

# parsed TEXT... - print what rate_parse makes of each, a line for each
parsed() {
	sh -c 'SC_LIB=$1; shift; . "$SC_LIB/lib.sh"; . "$SC_LIB/lib/rate.sh"
		for word; do (rate_parse --net-rate "$word" && echo "$rate") || echo "status $?"; done' sh "$ROOT" "$@"
}

@test "S15: a rate that is none is refused, and nothing is changed" {
	local words=('' 0 0mbit -1mbit 10mbits mbit 1e6 10.mbitx 1.2345mbit .5mbit 5bit 7999 7.9kbit 100.1gbit 200gbit
		99999999999999999999 010mbit ' 10mbit' '10 mbit' 10mbit: 10mbit:0 10mbit:x 10mbit:1k 10mbit:-5k 10mbit:100m
		10mbit:2k:2k '1m;true' '$(id)' '*')
	run -0 --separate-stderr parsed "${words[@]}"
	same "$(sort -u <<<"$output")" 'status 125'
	same "${#lines[@]}" "${#words[@]}"
	same "$(grep -c "^scadm: --net-rate" <<<"$stderr")" "${#words[@]}"
	sc 125 run --rm --net-rate=fast busybox true
	like "$stderr" "*--net-rate 'fast': write RATE*"
	sc 125 run --rm --net-rate-in= busybox true
	sc 125 run --rm --net-rate-out=0 busybox true
	sc 125 run --rm --net-prio=16 busybox true
	sc 125 run --rm --net-prio=x busybox true
	sc 125 run --rm --net=none --net-rate=1mbit busybox true
	sc 125 run --rm --net=host --net-prio=1 busybox true
}

@test "the words of tc(8) for a rate: bits, bytes, powers of ten and of two, parts of a whole" {
	run -0 parsed 8000:2k 64kbit:2k 1.5mbit:2k 2Mbit:2k 1gbit:2k 1mibit:2k 10kibit:2k 1mbps:2k 1kibps:2k 1.05mbit:2k 100gbit:2k
	same "${lines[*]}" "8000:2048 64000:2048 1500000:2048 2000000:2048 1000000000:2048 1048576:2048 10240:2048 8000000:2048 8192:2048 1050000:2048 100000000000:2048"
	run -0 parsed 100kbit 10mbit 1gbit 10mbit:32k 10mbit:1m 10mbit:2000b none
	same "${lines[*]}" "100000:3028 10000000:50000 1000000000:5000000 10000000:32768 10000000:1048576 10000000:2000 none"
}

@test "what is read back is what the kernel holds" {
	talker web --net-rate-in=10mbit:40k --net-rate-out=250kbit
	run -0 sh -c 'SC_LIB=$1 short=$2; . "$SC_LIB/lib.sh"; . "$SC_LIB/lib/rate.sh"; rate_read; echo "$actual_in $actual_out"' sh "$ROOT" "$(id12 web)"
	same "$output" '10000000:40960 250000:3028'
	tc qdisc del dev "v-$(id12 web)" root
	run -0 sh -c 'SC_LIB=$1 short=$2; . "$SC_LIB/lib.sh"; . "$SC_LIB/lib/rate.sh"; rate_read; echo "<$actual_in> $actual_out"' sh "$ROOT" "$(id12 web)"
	same "$output" '<> 250000:3028'
	sc rm -f web
}

@test "plan: what -n prints makes the same shapers and the same chain, and rm takes both back" {
	local planned chain
	scadm -n run -d --name=web --net-rate-in=10mbit --net-rate-out=1mbit --net-prio=6 busybox sleep 100 >"$BATS_TEST_TMPDIR/plan" 3>&-
	unshaped
	like "$(cat "$BATS_TEST_TMPDIR/plan")" "*tc qdisc replace dev i-*tc filter replace dev v-*"
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	planned=$(shapers)
	chain=$(iptables-save -t mangle | sed -nE '/SC-/{s/[0-9a-f]{12}/ID/g; s/10\.99\.[0-9.]*/ADDRESS/; p;}')
	sc rm -f web
	unshaped
	sc run -d --name=web --net-rate-in=10mbit --net-rate-out=1mbit --net-prio=6 busybox sleep 100
	same "$(shapers)" "$planned"
	same "$(iptables-save -t mangle | sed -nE '/SC-/{s/[0-9a-f]{12}/ID/g; s/10\.99\.[0-9.]*/ADDRESS/; p;}')" "$chain"
	like "$chain" '*ADDRESS* CLASSIFY --set-class 0000:0006*'
	scadm -n update --net-rate-in=20mbit --net-rate-out=none web >"$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(shapers)" "$planned"
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	like "$(shapers)" '*dev v-ID root rate 20Mbit*'
	unlike "$(shapers)" '*i-ID*'
	sc rm -f web
}
