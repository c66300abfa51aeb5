#!/usr/bin/env bats
# names: containers find each other by name, alias and id; resolv.conf and lines of one's own in the hosts file

load helpers
load ready

setup_file() {
	image_ready
	scadm network create --subnet=10.76.1.0/24 mine >/dev/null 3>&-
	scadm network create --subnet=10.76.2.0/24 theirs >/dev/null 3>&-
	# a bridge takes the address of a port: the first one leaves it without
	scadm run --rm --net=mine --net=theirs busybox true 3>&-
	cables_gone
}

# sees NAME - what a running container has in its /etc/hosts, without the lines for localhost
sees() {
	local pid
	read -r pid _ <"/var/run/container/$1/pid"
	tail -n +3 "/proc/$pid/root/etc/hosts"
}

# hosts_inode NAME - which file that is
hosts_inode() {
	local pid
	read -r pid _ <"/var/run/container/$1/pid"
	stat -L -c '%d %i' "/proc/$pid/root/etc/hosts"
}

# resolver NAME - what a running container has in its resolv.conf
resolver() {
	cat "/var/run/container/$1/resolv.conf"
}

# host_resolver LINE... - the resolv.conf of this host; the sandbox throws it away, see host_resolver_back
host_resolver() {
	[ -e "$BATS_TEST_TMPDIR/resolv.conf" ] || cp -a /etc/resolv.conf "$BATS_TEST_TMPDIR/resolv.conf"
	rm -f /etc/resolv.conf
	printf '%s\n' "$@" >/etc/resolv.conf
}

# host_resolver_back - the one it had
host_resolver_back() {
	rm -rf /etc/resolv.conf /run/systemd/resolve
	cp -a "$BATS_TEST_TMPDIR/resolv.conf" /etc/resolv.conf
}

teardown() {
	if [ -e "$BATS_TEST_TMPDIR/resolv.conf" ]; then host_resolver_back; fi
	sc_teardown
}

@test "two containers of the default network find each other by name and by id, as soon as they are there" {
	running first
	inode=$(hosts_inode first)
	running second
	like "$(sees first)" "*10.99.* second $(id12 second)*"
	same "$(hosts_inode first)" "$inode"
	same "$(hosts_inode second)" "$inode"
	sc exec first ping -c 1 -W 20 second
	sc exec second ping -c 1 -W 20 "$(id12 first)"
	sc run --rm --name=third busybox sh -c 'ping -c 1 -W 20 first && ping -c 1 -W 20 third'
	unlike "$(sees first)" '*third*'
	sc rm -f first second
}

@test "on a network of the user's: name, id and aliases; on another network they are not known" {
	sc run -d --name=db --net=mine --network-alias=database --network-alias=store busybox sleep 1000
	like "$(sees db)" "10.76.1.* db $(id12 db) database store"
	sc run --rm --net=mine busybox sh -c 'for name in db database store; do ping -c 1 -W 20 $name || exit; done'
	sc 1 run --rm --net=theirs busybox ping -c 1 -W 2 db
	like "$output$stderr" '*bad address*'
	sc 1 run --rm busybox ping -c 1 -W 2 db
	like "$output$stderr" '*bad address*'
	# several containers may have one alias
	sc run -d --name=db2 --net=mine --network-alias=store busybox sleep 1000
	same "$(sees db | grep -cw store)" 2
	sc rm -f db db2
}

@test "a container on two networks sees the names of both, and both see it" {
	sc run -d --name=left --net=mine busybox sleep 1000
	sc run -d --name=right --net=theirs busybox sleep 1000
	sc run -d --name=both --net=mine --net=theirs busybox sleep 1000
	same "$(sees both | cut -d ' ' -f 2 | tr '\n' ' ')" 'left both right both '
	like "$(sees left)" '*10.76.1.* both *'
	like "$(sees right)" '*10.76.2.* both *'
	unlike "$(sees left)" '*right*'
	sc exec both sh -c 'ping -c 1 -W 20 left && ping -c 1 -W 20 right'
	sc exec left ping -c 1 -W 20 both
	sc rm -f left right both
}

@test "with --ipv6 a name stands for both addresses" {
	requires ipv6
	sc network create --subnet=10.76.6.0/24 --ipv6 --subnet=fd76::/64 six
	sc run -d --name=a --net=six busybox sleep 1000
	sc run -d --name=b --net=six busybox sleep 1000
	like "$(sees a)" "*10.76.6.3 b $(id12 b)*fd76::3 b $(id12 b)*"
	sc exec a sh -c 'ping -c 1 -W 20 b && ping -6 -c 1 -W 20 b'
	sc rm -f a b
	sc network rm six
}

@test "a name goes with its container: stopped, removed, killed" {
	running stays
	sc run -d --name=comes busybox sleep 1000
	like "$(sees stays)" '* comes *'
	sc stop -t 0 comes
	unlike "$(sees stays)" '*comes*'
	sc start comes
	like "$(sees stays)" '* comes *'
	sc rm -f comes
	unlike "$(sees stays)" '*comes*'
	sc run -d --name=dies busybox sleep 1000
	read -r pid _ </var/run/container/dies/pid
	kill -9 "$pid"
	wait_until 20 sh -c '! grep dies /var/lib/scadm/networks/bridge/hosts'
	unlike "$(sees stays)" '*dies*'
	killed both
	sc gc
	unlike "$(sees stays)" '* both *'
	sc rm -f stays dies both
}

@test "rename: the others know it by its new name at once, and by its id and aliases as before" {
	sc run -d --name=watcher --net=mine busybox sleep 1000
	sc run -d --name=old --net=mine --network-alias=alias busybox sleep 1000
	inode=$(hosts_inode watcher)
	sc rename old new
	like "$(sees watcher)" "*10.76.1.* new $(id12 new) alias"
	unlike "$(sees watcher)" '* old*'
	same "$(hosts_inode watcher)" "$inode"
	sc exec watcher ping -c 1 -W 20 new
	sc rm -f watcher new
}

@test "S18: containers that start at the same time all know each other" {
	pids=
	for i in 1 2 3 4 5 6; do
		scadm run -d --name="n$i" --net=mine busybox sleep 1000 >/dev/null 2>>"$BATS_TEST_TMPDIR/errors" 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	same "$(cat "$BATS_TEST_TMPDIR/errors")" ''
	for i in 1 2 3 4 5 6; do
		same "$(sees "n$i" | cut -d ' ' -f 2 | sort | tr '\n' ' ')" 'n1 n2 n3 n4 n5 n6 '
	done
	sc rm -f n1 n2 n3 n4 n5 n6
}

@test "a start writes the hosts file of its network once, however many containers there are" {
	requires strace
	# addresses that are not given to others meanwhile
	for i in {150..249}; do
		echo "INSERT INTO leases VALUES('mine', $i, '10.76.1.$i', 'many', 'm$i', '');"
	done | sqlite3 /var/lib/scadm/scadm.db
	sc run -d --name=one --net=mine busybox sleep 1000
	same "$(sees one | wc -l)" 101
	address=$(field one .NetworkSettings.IPAddress)
	# what take does as well
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=openat \
		sc-ipam --db=/var/lib/scadm/scadm.db rename mine "$address" "$(field one .Id)" one
	same "$(grep '/hosts' "$BATS_TEST_TMPDIR/trace" | cut -d '"' -f 2 | sort)" \
		"$(sqlite3 /var/lib/scadm/scadm.db "SELECT path FROM hosts WHERE pool = 'mine' ORDER BY path")"
	same "$(grep -c 'networks/mine/hosts"' "$BATS_TEST_TMPDIR/trace")" 1
	sc rm -f one
	echo "DELETE FROM leases WHERE owner = 'many'" | sqlite3 /var/lib/scadm/scadm.db
	sc run --rm --net=mine busybox true
}

@test "S12: root in a container cannot write the hosts file that others read, nor take it away" {
	running other
	before=$(sees other)
	sc run --rm --name=bad busybox sh -c 'echo 10.0.0.1 other >>/etc/hosts && exit 1
		mount -o remount,rw /etc/hosts && exit 2
		umount /etc/hosts && exit 3
		rm -f /etc/hosts && exit 4
		mv /etc/hosts /etc/h && exit 5
		chmod 777 /etc/hosts && exit 6
		chown 1 /etc/hosts && exit 7
		exit 0'
	same "$(sees other)" "$before"
	sc rm -f other
}

@test "S15: what would end a word or a line of the hosts file is no name, alias or host" {
	for bad in '' 'a b' $'a\nb' 'a#b' 'a/b' '-a' '$(id)' "a'b" $'a\e[31m'; do
		[ ! "$bad" ] || sc 125 run --name="$bad" busybox true
		sc 125 run --network-alias="$bad" busybox true
		sc 125 run --add-host="$bad:10.0.0.1" busybox true
		sc 125 run --dns="$bad" busybox true
		sc 125 run --dns-search="$bad" busybox true
		sc 125 run --dns-option="$bad" busybox true
		unlike "$stderr" $'*\e*'
	done
	for bad in db db: db:x db:10.0.0 db:10.0.0.256 db:10.0.0.1/24 'db:10.0.0.1 x' :10.0.0.1 db:fd00::1::2 db:fd00:::1 db:gateway \
		'a..b:10.0.0.1' "$(printf 'a%.0s' {1..64}):10.0.0.1"; do
		sc 125 create --add-host="$bad" busybox true
		like "$stderr" '*--add-host*'
	done
	for bad in 10.0.0 10.0.0.1:53 localhost 1.2.3.4.5 fd00:::1 12345::1 fe80::1%eth0 ::x; do
		sc 125 create --dns="$bad" busybox true
		like "$stderr" "*--dns '$bad'*"
	done
	same "$(scadm ps -aq)" ''
}

@test "--add-host: lines of its own before those of the network, and they stay over stop and start" {
	running other
	sc run -d --name=own --add-host=db:192.0.2.7 --add-host=six=fd00::7 --add-host="bracket:[fd00::8]" --add-host=host.docker.internal:host-gateway \
		busybox sleep 1000
	like "$(sees own)" "192.0.2.7 db
fd00::7 six
fd00::8 bracket
10.99.0.1 host.docker.internal
*10.99.* other *10.99.* own *"
	unlike "$(sees other)" '*192.0.2.7*'
	like "$(sees other)" '* own *'
	sc exec own ping -c 1 -W 20 host.docker.internal
	same "$(field own .HostConfig.ExtraHosts)" '["db:192.0.2.7","six:fd00::7","bracket:fd00::8","host.docker.internal:host-gateway"]'
	inode=$(hosts_inode own)
	sc run -d --name=later busybox sleep 1000
	like "$(sees own)" '* later *'
	same "$(hosts_inode own)" "$inode"
	sc stop -t 0 own
	sc rm -f later
	sc start own
	like "$(sees own)" '192.0.2.7 db*10.99.0.1 host.docker.internal*other*'
	unlike "$(sees own)" '*later*'
	sc rename own renamed
	sc run -d --name=last busybox sleep 1000
	like "$(sees renamed)" '192.0.2.7 db* renamed * last *'
	sc rm -f renamed other last
	same "$(sqlite3 /var/lib/scadm/scadm.db "SELECT path FROM hosts WHERE path LIKE '%/containers/%'")" ''
}

@test "--add-host without a network of ours: the lines are there, host-gateway is refused" {
	for net in none host; do
		sc run --rm --net="$net" --add-host=db:192.0.2.7 busybox cat /etc/hosts
		like "$output" '127.0.0.1 localhost*192.0.2.7 db'
		sc 125 run --rm --net="$net" --add-host=gw:host-gateway busybox true
		like "$stderr" '*no gateway*'
	done
}

@test "--hostname: a container finds its own host name at its address, and nobody else does" {
	running other
	sc run -d --name=web --hostname=www.example.org busybox sleep 1000
	address=$(field web .NetworkSettings.IPAddress)
	sc exec web sh -c 'hostname; hostname -i'
	same "$output" "www.example.org
$address"
	unlike "$(sees other)" '*www*'
	like "$(sees web)" "$address www.example.org
*other*"
	sc rm -f web other
}

@test "the name servers of the host, its search list and its options, but no server on its loopback" {
	host_resolver '# by hand' 'nameserver 127.0.0.1' 'nameserver 192.0.2.53' 'nameserver ::1' 'nameserver fe80::1%eth0' \
		'domain old.example' 'search one.example two.example' 'options ndots:3 timeout:1' 'sortlist 10.0.0.0' 'nameserver garbage'
	sc create --name=c busybox true
	same "$(resolver c)" 'nameserver 192.0.2.53
search one.example two.example
options ndots:3 timeout:1'
	sc rm c
	sc create --name=c --net=host busybox true
	like "$(resolver c)" 'nameserver 127.0.0.1
nameserver 192.0.2.53*'
	sc rm c
}

@test "without a server that can be reached: docker's two" {
	host_resolver 'nameserver 127.0.0.1' 'search one.example'
	sc create --name=c busybox true
	same "$(resolver c)" 'nameserver 8.8.8.8
nameserver 8.8.4.4
search one.example'
	sc rm c
	rm /etc/resolv.conf
	sc create --name=c busybox true
	same "$(resolver c)" 'nameserver 8.8.8.8
nameserver 8.8.4.4'
	sc rm c
}

@test "a host with systemd-resolved: the servers it asks itself, not its stub" {
	host_resolver 'nameserver 127.0.0.53' 'options edns0 trust-ad' 'search .'
	mkdir -p /run/systemd/resolve
	printf '%s\n' '# real ones' 'nameserver 192.0.2.1' 'nameserver 192.0.2.2' 'search corp.example' >/run/systemd/resolve/resolv.conf
	sc run --rm busybox cat /etc/resolv.conf
	same "$output" 'nameserver 192.0.2.1
nameserver 192.0.2.2
search corp.example'
	# in the network of the host the stub answers
	sc run --rm --net=host busybox cat /etc/resolv.conf
	like "$output" 'nameserver 127.0.0.53*'
	# it runs, but the administrator chose other servers
	host_resolver 'nameserver 192.0.2.9'
	sc run --rm busybox cat /etc/resolv.conf
	same "$output" 'nameserver 192.0.2.9'
}

@test "a server with an IPv6 address is for networks with IPv6" {
	requires ipv6
	host_resolver 'nameserver 2001:db8::53' 'nameserver 192.0.2.53'
	sc create --name=c --net=mine busybox true
	same "$(resolver c)" 'nameserver 192.0.2.53'
	sc rm c
	sc network create --subnet=10.76.6.0/24 --ipv6 --subnet=fd76::/64 six
	sc create --name=c --net=mine --net=six busybox true
	same "$(resolver c)" 'nameserver 2001:db8::53
nameserver 192.0.2.53'
	sc rm c
	sc network rm six
	# one that was asked for is asked for
	sc create --name=c --dns=2001:db8::7 busybox true
	same "$(resolver c)" 'nameserver 2001:db8::7'
	sc rm c
}

@test "--dns, --dns-search and --dns-option take the place of what the host has, each of its own kind" {
	host_resolver 'nameserver 192.0.2.53' 'search corp.example' 'options ndots:3'
	sc create --name=c --dns=192.0.2.1 --dns 192.0.2.2 busybox true
	same "$(resolver c)" 'nameserver 192.0.2.1
nameserver 192.0.2.2
search corp.example
options ndots:3'
	same "$(field c .HostConfig.Dns)" '["192.0.2.1","192.0.2.2"]'
	sc rm c
	sc create --name=c --dns-search=a.example --dns-search=b.example --dns-opt=ndots:5 --dns-option=rotate busybox true
	same "$(resolver c)" 'nameserver 192.0.2.53
search a.example b.example
options ndots:5 rotate'
	same "$(field c .HostConfig.DnsSearch)" '["a.example","b.example"]'
	same "$(field c .HostConfig.DnsOptions)" '["ndots:5","rotate"]'
	sc rm c
	sc create --name=c --dns-search=. busybox true
	same "$(resolver c)" 'nameserver 192.0.2.53
options ndots:3'
	sc rm c
}

@test "a name server on the gateway is asked for names that no hosts file has" {
	requires python3
	gateway=10.76.1.1
	# an answer to one question: its own bytes, and an address
	cat >"$BATS_TEST_TMPDIR/server.py" <<-'END'
		import socket, sys
		server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		server.bind((sys.argv[1], 53))
		while True:
		    ask, peer = server.recvfrom(512)
		    address = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes([192, 0, 2, 99])
		    known = ask[-4:-2] == b"\0\1" and b"\7outside\7example\0" in ask
		    server.sendto(ask[:2] + b"\x81\x80\0\1\0" + (b"\1" if known else b"\0") + b"\0\0\0\0" + ask[12:] + (address if known else b""), peer)
	END
	python3 "$BATS_TEST_TMPDIR/server.py" "$gateway" 3>&- &
	server=$!
	wait_until 20 grep -q ':0035 ' /proc/net/udp
	sc 1 run --rm --net=mine --dns="$gateway" busybox ping -c 1 -W 1 outside.example
	like "$output" 'PING outside.example (192.0.2.99)*'
	kill "$server"
	wait "$server" || [ $? -eq 143 ]
}

@test "S18: a full network names itself; leases of owners that are no more are given to others" {
	sc network create --subnet=10.76.9.0/29 small
	db=--db=/var/lib/scadm/scadm.db
	sc run -d --name=lives --net=small busybox sleep 1000
	sc-ipam $db take small 10.76.9.3 byhand
	for i in 4 5 6; do
		sc-ipam $db take small "10.76.9.$i" "$(printf '%064x' "$i")" "gone$i"
	done
	like "$(sees lives)" '*gone6*'
	sc -n run --rm --net=small busybox true
	like "$output" '*sc-ipam --db=/var/lib/scadm/scadm.db drop small --owner=*4*take small 10.76.9.4 *'
	sc run -d --name=new --net=small busybox sleep 1000
	same "$(field new .NetworkSettings.IPAddress)" 10.76.9.4
	same "$(sc-ipam $db list small | cut -d ' ' -f 2 | tr '\n' ' ')" '10.76.9.2 10.76.9.3 10.76.9.4 '
	unlike "$(sees lives)" '*gone*'
	sc run -d --name=five --net=small busybox sleep 1000
	sc run -d --name=six --net=small busybox sleep 1000
	sc 125 run --name=seven --net=small busybox true
	like "$stderr" '*pool small (10.76.9.0/29): all 5 addresses are leased*'
	sc rm -f five
	sc run --rm --net=small busybox true
	sc rm -f lives new six
	sc-ipam $db drop small --owner=byhand
	sc network rm small
}

@test "S22: after a reboot the names are those of what runs" {
	sc run -d --name=was --add-host=db:192.0.2.7 --net=mine busybox sleep 1000
	read -r pid _ </var/run/container/was/pid
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:was)")
	# what a reboot takes: processes, /run, namespaces; the address was never given back
	kill -9 "${supervisor%%:*}" "$pid"
	wait_until 20 sh -c "! [ -e /proc/$pid ]"
	sed -i 's/[0-9a-f]*-[0-9a-f]*-[0-9a-f]*-[0-9a-f]*-[0-9a-f]*$/00000000-0000-0000-0000-000000000000/' /var/lib/scadm/containers/was/pid
	ip netns del was
	sc-cg rm -p "sc/$(id12 was)"
	rm -rf /run/container/was /run/container/.owners /run/container/.boot_id
	like "$(cat /var/lib/scadm/networks/mine/hosts)" '* was *'
	sc run --rm --net=mine busybox cat /etc/hosts
	unlike "$output" '* was *'
	sc start was
	like "$(sees was)" '192.0.2.7 db*10.76.1.* was *'
	sc rm -f was
}

@test "a plan with lines of one's own does the same as the run" {
	host_resolver 'nameserver 192.0.2.53'
	scadm -n create --name=planned --hostname=www --add-host=db:192.0.2.7 --dns=192.0.2.1 busybox true >"$BATS_TEST_TMPDIR/plan"
	sh -e "$BATS_TEST_TMPDIR/plan"
	same "$(resolver planned)" 'nameserver 192.0.2.1'
	sc start planned
	wait_until 20 test -e /var/run/container/planned/exit
	like "$(tail -n +3 /var/run/container/planned/hosts)" '10.99.* www
192.0.2.7 db*'
	sc rm planned
}

@test "connect and disconnect: lines of one's own stay, those that ask for an address follow" {
	sc run -d --name=own --net=mine --hostname=www --add-host=db:192.0.2.7 --add-host=gw:host-gateway busybox sleep 1000
	like "$(sees own)" '10.76.1.* www
192.0.2.7 db
10.76.1.1 gw
10.76.1.* own *'
	sc network connect theirs own
	sc run -d --name=new --net=theirs busybox sleep 1000
	like "$(sees own)" '*192.0.2.7 db*10.76.1.* own *10.76.2.* own *10.76.2.* new *'
	sc network disconnect mine own
	like "$(sees own)" '10.76.2.* www
192.0.2.7 db
10.76.2.1 gw
10.76.2.* own *10.76.2.* new *'
	unlike "$(sees own)" '*10.76.1.*'
	sc rm -f own new
}
