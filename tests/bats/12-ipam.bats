#!/usr/bin/env bats
# sc-ipam leases addresses: who gets which, what happens when many ask, when the disk is full, when it is killed

load helpers

# setup_file - some tests here start 20000 processes: half a minute on a quiet machine, far more on one that others use
setup_file() {
	in_sandbox
	[ "${BATS_TEST_TIMEOUT:-400}" -ge 400 ] || export BATS_TEST_TIMEOUT=400
}

setup() {
	sc_setup
	cd "$BATS_TEST_TMPDIR" || return
	db=$PWD/ipam.db hosts=$PWD/hosts
}

teardown() {
	# a small disk that a test mounted
	if mountpoint -q "$BATS_TEST_TMPDIR/disk"; then umount "$BATS_TEST_TMPDIR/disk"; fi
	sc_teardown
}

# ipam [STATUS] ARG... - run sc-ipam on the database of this test, expect STATUS (0)
ipam() {
	local expected=0
	case $1 in
	[0-9]*)
		expected=$1
		shift
		;;
	esac
	expect "$expected" sc-ipam --db="$db" "$@"
}

# sql TEXT... - what the sqlite3 shell sees
sql() {
	sqlite3 "$db" "$@"
}

# fill POOL - take all addresses, one owner each (c1, c2, ...); sets $taken to their number
fill() {
	local addr
	taken=0
	while addr=$(sc-ipam --db="$db" next "$1" 2>full); do
		taken=$((taken + 1))
		sc-ipam --db="$db" take "$1" "${addr%/*}" "c$taken"
	done
}

# clear - how many bits of all bitmaps are clear?
clear() {
	sql 'SELECT hex(bits) FROM bitmaps' >bits
	echo $((4 * $(tr -cd 0 <bits | wc -c) + 3 * $(tr -cd 1248 <bits | wc -c) + \
	2 * $(tr -cd 3569AC <bits | wc -c) + $(tr -cd 7BDE <bits | wc -c)))
}

# agrees - do the bits, the numbers of free addresses and the leases say the same?
agrees() {
	local free="" size="" all=0
	free=$(sql 'SELECT total(free) FROM bitmaps')
	free=${free%.0}
	same "$(clear)" "$free"
	while read -r _ _ _ _ _ size; do all=$((all + size)); done < <(sc-ipam --db="$db" pool-list)
	# with a range the size is that of the range
	[ "$(sql 'SELECT count(*) FROM pools WHERE range <> subnet')" -gt 0 ] ||
		same "$(($(sql 'SELECT count(*) FROM leases') + free))" "$all"
	same "$(sql 'PRAGMA integrity_check')" ok
	same "$(sql 'SELECT address FROM leases GROUP BY address HAVING count(*) > 1')" ""
}

@test "ipam: a /29 gives exactly five addresses" {
	ipam pool-add web 10.0.0.0/29
	fill web
	same "$taken" 5
	same "$(cat full)" "sc-ipam: pool web (10.0.0.0/29): all 5 addresses are leased"
	ipam 125 next web
	ipam list web
	same "$output" "$(printf 'web 10.0.0.%d c%d\n' 2 1 3 2 4 3 5 4 6 5)"
	agrees
}

@test "ipam: an address that was dropped can be leased again" {
	ipam pool-add web 10.0.0.0/29
	fill web
	ipam drop web 10.0.0.4
	ipam next web
	same "$output" 10.0.0.4/29
	ipam take web 10.0.0.4 again
	ipam 125 next web
	agrees
}

@test "ipam: network, broadcast and gateway are never leased" {
	ipam pool-add web 10.0.0.4/29
	ipam 125 take web 10.0.0.0 c1
	like "$stderr" "*10.0.0.0 is the network address of pool web"
	ipam 125 take web 10.0.0.7 c1
	like "$stderr" "*broadcast address*"
	ipam 125 take web 10.0.0.4 c1
	like "$stderr" "*gateway address*"
	fill web
	same "$taken" 5
	run -0 sc-ipam --db="$db" list
	unlike "$output" "*10.0.0.4 *"
}

@test "ipam: an address in the subnet is the gateway, else it is the first one" {
	ipam pool-add a 10.0.2.9/24
	ipam pool-add b 10.0.3.0/24
	ipam pool-add c 10.0.4.0/24 --gateway=10.0.4.254
	ipam pool-add d 10.0.5.7/24 --gateway=10.0.5.7
	ipam pool-list
	same "$output" "a 10.0.2.0/24 10.0.2.9 10.0.2.0/24 0 253
b 10.0.3.0/24 10.0.3.1 10.0.3.0/24 0 253
c 10.0.4.0/24 10.0.4.254 10.0.4.0/24 0 253
d 10.0.5.0/24 10.0.5.7 10.0.5.0/24 0 253"
	ipam 125 pool-add e 10.0.6.3/24 --gateway=10.0.6.4
	like "$stderr" "*two gateways, 10.0.6.3 and 10.0.6.4"
	ipam 125 pool-add e 10.0.6.0/24 --gateway=10.0.7.1
	like "$stderr" "*gateway 10.0.7.1 is outside of 10.0.6.0/24"
	for gateway in 10.0.6.0 10.0.6.255 fd00::1 x ''; do
		ipam 125 pool-add e 10.0.6.0/24 --gateway="$gateway"
	done
}

@test "S18: subnets that cannot be a pool are refused and leave no database" {
	for subnet in 10.0.0.0/31 10.0.0.0/32 10.0.0.0/7 10.0.0.0/0 10.0.0.0 10.0.0.0/ /24 10.0.0.0/-8 10.0.0.0/1x \
		'10.0.0.0/ 8' $'10.0.0.0/8\n' 10.0.0/24 10.00.0.0/24 300.0.0.0/24 10.0.0.255/24 224.0.0.0/24 239.1.0.0/16 \
		127.0.0.0/8 127.1.2.3/24 0.0.0.0/8 240.0.0.0/8 255.255.255.0/24 '' ::1/64 ::/64 ::ffff:10.0.0.0/112 \
		ff02::/64 fd00::/63 fd00::/127 fd00::/128 fd00::1%lo/64 10.0.0.0/18446744073709551624 "10.0.0.0/24' --"; do
		ipam 125 pool-add web "$subnet"
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	[ ! -e "$db" ]
}

@test "S18: a subnet that overlaps another pool is refused by name" {
	ipam pool-add web 10.0.2.0/24
	for subnet in 10.0.2.128/25 10.0.0.0/16 10.0.0.0/8 10.0.2.77/24; do
		ipam 125 pool-add other "$subnet"
		like "$stderr" "*overlaps pool web (10.0.2.0/24)"
	done
	ipam pool-add other 10.0.3.0/24
	ipam pool-add six fd00:2::/64
	ipam 125 pool-add six2 fd00:2::/80
}

@test "ipam: the same pool a second time is a success, another one of that name is not" {
	ipam pool-add web 10.0.2.1/24 --range=10.0.2.128/25
	ipam take web 10.0.2.7 c1
	ipam pool-add web 10.0.2.0/24 --gateway=10.0.2.1 --range=10.0.2.128/25
	ipam 125 pool-add web 10.0.2.0/24
	like "$stderr" "*pool web exists with subnet 10.0.2.0/24, gateway 10.0.2.1, range 10.0.2.128/25"
	ipam 125 pool-add web 10.9.0.0/16
	ipam list
	same "$output" "web 10.0.2.7 c1"
}

@test "ipam: a range limits what next hands out, not what can be taken by name" {
	ipam pool-add web 10.9.0.0/16 --range=10.9.7.252/30
	ipam next web
	same "$output" 10.9.7.252/16
	ipam take web 10.9.0.5 static
	fill web
	same "$taken" 4
	like "$(cat full)" "*pool web (10.9.7.252/30): all 4 addresses are leased"
	for range in 10.8.0.0/24 10.0.0.0/8 10.9.0.0/15 10.9.1.1/24 10.9.0.0/33 10.9.0.1/32 10.9.0.0 fd00::/64; do
		ipam 125 pool-add web2 10.9.0.0/16 --range="$range"
	done
	agrees
}

@test "ipam: next only asks; it goes on behind the address taken last and wraps around" {
	ipam pool-add web 10.0.0.0/29
	ipam next web
	ipam next web
	same "$output" 10.0.0.2/29
	ipam take web 10.0.0.5 c1
	ipam next web
	same "$output" 10.0.0.6/29
	ipam take web 10.0.0.6 c1
	ipam drop web 10.0.0.6
	ipam next web
	same "$output" 10.0.0.2/29
	ipam next web --after=10.0.0.4
	same "$output" 10.0.0.6/29
	ipam next web --after 10.0.0.7
	same "$output" 10.0.0.2/29
	ipam 125 next web --after=10.0.0.8
	ipam 125 next nosuch
	like "$stderr" "*no pool 'nosuch'*"
}

@test "ipam: take with - asks and takes in one, and prints what it took" {
	ipam pool-add web 10.0.0.0/29
	ipam take web - c1 one
	same "$output" 10.0.0.2/29
	ipam take web 10.0.0.3 c2
	same "$output" ""
	ipam take web - c1
	same "$output" 10.0.0.4/29
	ipam 125 take web - 'c 1'
	same "$output" ""
	for i in 1 2; do ipam take web - c1; done
	ipam 125 take web - c1
	same "$output" ""
	same "$stderr" "sc-ipam: pool web (10.0.0.0/29): all 5 addresses are leased"
	ipam 125 drop web -
	agrees
}

@test "ipam: who was faster wins; the other one is told with status 75 and can ask again" {
	ipam pool-add web 10.0.0.0/24
	ipam take web 10.0.0.9 c1
	ipam 75 take web 10.0.0.9 c2
	same "$stderr" ""
	ipam 75 take web 10.0.0.9 c1
	ipam list
	same "$output" "web 10.0.0.9 c1"
	ipam 125 take web 10.0.1.9 c2
	like "$stderr" "*outside of pool web (10.0.0.0/24)"
	ipam 125 take nosuch 10.0.0.9 c2
}

@test "ipam: drop is an undo command: what is not there is a success" {
	ipam drop web 10.0.0.2
	ipam drop --owner=c1
	ipam hosts "$hosts"
	ipam pool-rm web
	[ ! -e "$db" ]
	ipam pool-add web 10.0.0.0/24
	ipam hosts "$hosts"
	ipam drop web 10.0.0.2
	ipam drop web 10.0.9.2
	ipam drop nosuch 10.0.0.2
	ipam drop --owner=c1
	ipam pool-rm nosuch
	[ ! -e "$hosts" ]
	ipam 125 drop web 10.0.0.x
	ipam 125 drop web
	ipam 125 drop
	# an empty variable in a script must not drop the leases of everybody
	ipam 125 drop --owner=
	ipam 125 drop web 10.0.0.2 --owner=
	agrees
}

@test "ipam: drop --owner leaves the leases of others alone" {
	ipam pool-add web 10.0.0.0/24
	ipam pool-add api 10.0.1.0/24
	ipam take web 10.0.0.2 c1
	ipam take web 10.0.0.3 c1
	ipam take api 10.0.1.2 c1
	ipam take web 10.0.0.4 c2
	ipam drop web 10.0.0.4 --owner=c1
	ipam drop web --owner=c1
	ipam list
	same "$output" "api 10.0.1.2 c1
web 10.0.0.4 c2"
	ipam drop --owner=c1
	ipam list
	same "$output" "web 10.0.0.4 c2"
	agrees
}

@test "ipam: a pool with leases is not removed" {
	ipam pool-add web 10.0.0.0/24
	ipam take web 10.0.0.2 c1
	ipam 125 pool-rm web
	like "$stderr" "*not empty, 10.0.0.2 is leased to c1"
	ipam pool-rm web --if-empty
	ipam pool-list web
	ipam drop --owner=c1
	ipam pool-rm web --if-empty
	ipam 125 pool-list web
	same "$(sql 'SELECT count(*) FROM bitmaps')" 0
	ipam pool-add web 10.1.0.0/24
}

@test "ipam: an IPv6 /64 leases its low addresses, written the short way" {
	ipam pool-add six fd00:1::/64
	ipam next six
	same "$output" fd00:1::2/64
	ipam take six fd00:1:0:0:0::00:2 c1 six
	ipam 75 take six fd00:1::2 c2
	ipam take six fd00:1::ff:ffff c2
	ipam 125 take six fd00:1::100:0 c2
	like "$stderr" "*the low 2^24*"
	ipam next six
	same "$output" fd00:1::3/64
	ipam list
	same "$output" "six fd00:1::2 c1 six
six fd00:1::ff:ffff c2"
	ipam pool-add tiny fd00:2::/126
	fill tiny
	same "$taken" 2
	agrees
}

@test "ipam: a /8 has 16777213 addresses, the last of them behind 2047 full parts of the bitmap" {
	ipam pool-add big 11.0.0.0/8
	ipam pool-list
	same "$output" "big 11.0.0.0/8 11.0.0.1 11.0.0.0/8 0 16777213"
	# a row without room is not looked into
	sql 'UPDATE bitmaps SET free = 0 WHERE part < 2047'
	ipam next big
	same "$output" 11.255.224.0/8
	ipam take big 11.255.255.254 c1
	ipam next big
	same "$output" 11.255.224.0/8
}

@test "ipam: a hosts file has localhost and a line for each lease with names, and follows take, drop and rename" {
	ipam pool-add web 10.0.0.0/24
	ipam take web 10.0.0.10 c1 ten ten.example
	ipam hosts "$hosts" web
	ipam take web 10.0.0.9 c2 nine
	ipam take web 10.0.0.8 c3
	same "$(cat "$hosts")" "127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.0.0.9 nine
10.0.0.10 ten ten.example"
	same "$(stat -c %a "$hosts")" 644
	ipam drop --owner=c1
	same "$(tail -n +3 "$hosts")" "10.0.0.9 nine"
	ipam rename web 10.0.0.9 c2 neun
	same "$(tail -n +3 "$hosts")" "10.0.0.9 neun"
	echo garbage >"$hosts"
	ipam hosts "$hosts" web
	same "$(tail -n +3 "$hosts")" "10.0.0.9 neun"
	ipam hosts "$hosts"
	ipam take web 10.0.0.2 c1 two
	same "$(tail -n +3 "$hosts")" "10.0.0.9 neun"
}

@test "ipam: a hosts file shows several pools in their order, another file of them other lines" {
	ipam pool-add web 10.0.0.0/24
	ipam pool-add web.6 fd00:1::/64
	ipam pool-add api 10.0.1.0/24
	echo '192.0.2.7 db' >own
	ipam hosts "$PWD/both" web web.6 api
	ipam hosts "$PWD/one" api --own="$PWD/own"
	ipam take api 10.0.1.2 c1 a
	ipam take web.6 fd00:1::2 c2 w
	ipam take web 10.0.0.2 c2 w
	same "$(tail -n +3 both)" "10.0.0.2 w
fd00:1::2 w
10.0.1.2 a"
	same "$(tail -n +3 one)" "192.0.2.7 db
10.0.1.2 a"
	# another one of that name: what it showed is forgotten
	ipam hosts "$PWD/both" api web.6
	same "$(tail -n +3 both)" "10.0.1.2 a
fd00:1::2 w"
	ipam take web 10.0.0.3 c3 x
	unlike "$(cat both)" "*10.0.0.3*"
	# one drop may concern several pools
	ipam take api 10.0.1.3 c2 w
	ipam drop --owner=c2
	same "$(tail -n +3 both)" "10.0.1.2 a"
	same "$(tail -n +3 one)" "192.0.2.7 db
10.0.1.2 a"
	ipam drop --owner=c1
	# a file of several pools goes with the first of them that goes
	ipam hosts "$hosts" web
	ipam pool-rm api
	same "$(sql 'SELECT path, pool FROM hosts')" "$hosts|web"
	[ ! -e both ]
	same "$(tail -n +3 one)" "192.0.2.7 db"
	ipam drop --owner=c3
	ipam pool-rm web
	same "$(sql 'SELECT count(*) FROM hosts')" 0
	[ -e "$hosts" ]
}

@test "ipam: a take writes only the files of its pool, and each once" {
	requires strace
	ipam pool-add web 10.0.0.0/24
	ipam pool-add api 10.0.1.0/24
	ipam hosts "$hosts" web
	for i in {2..9}; do
		ipam take web "10.0.0.$i" "c$i" "n$i"
		ipam hosts "$PWD/api$i" api
	done
	strace -f -e trace=openat -o trace sc-ipam --db="$db" take web 10.0.0.10 c10 n10
	same "$(grep -c "\"$PWD/" trace)" "$(grep -c "\"$db\|\"$hosts" trace)"
	same "$(grep -c "\"$hosts" trace)" 1
}

@test "ipam: a hosts file keeps its inode, and what somebody wrote into it is gone" {
	ipam pool-add web 10.0.0.0/24
	ipam hosts "$hosts" web
	ipam take web 10.0.0.2 c1 one
	inode=$(stat -c %i "$hosts")
	ln "$hosts" mounted
	head -c 3000000 /dev/zero | tr '\0' x >"$hosts"
	ipam take web 10.0.0.3 c2 two
	same "$(stat -c %i "$hosts")" "$inode"
	same "$(tail -n +3 mounted)" "10.0.0.2 one
10.0.0.3 two"
}

@test "ipam: what is no regular file is refused, and later left out and said" {
	ipam pool-add web 10.0.0.0/24
	echo mine >target
	ln -s target link
	mkfifo fifo
	for file in link fifo . nosuch/hosts; do
		ipam 125 hosts "$PWD/$file" web
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	ipam 125 hosts "$hosts" web --own="$PWD/link"
	ipam 125 hosts "$hosts" web --own="$PWD/nosuch"
	head -c 70000 /dev/zero >big
	ipam 125 hosts "$hosts" web --own="$PWD/big"
	ipam 125 hosts "$hosts" web nosuch
	like "$stderr" "*no pool 'nosuch'*"
	same "$(sql 'SELECT count(*) FROM hosts')" 0
	# a file that became something else belongs to one container: the others go on
	ipam hosts "$hosts" web
	ipam hosts "$PWD/other" web
	rm other
	ln -s target other
	ipam take web 10.0.0.2 c1 one
	like "$stderr" "*other: Too many levels of symbolic links"
	ipam drop --owner=c1
	like "$stderr" "*other: Too many levels of symbolic links"
	ipam take web 10.0.0.2 c1 one
	same "$(tail -n +3 "$hosts")" "10.0.0.2 one"
	same "$(cat target)" mine
	agrees
}

@test "ipam: a file whose directory is gone is forgotten, one that is gone alone comes back with the next take" {
	ipam pool-add web 10.0.0.0/24
	mkdir gone
	ipam hosts "$PWD/gone/hosts" web
	echo '192.0.2.7 db' >gone/own
	ipam hosts "$hosts" web --own="$PWD/gone/own"
	rm -r gone "$hosts"
	ipam take web 10.0.0.2 c1 one
	same "$stderr" ""
	same "$(tail -n +3 "$hosts")" "10.0.0.2 one"
	same "$(sql 'SELECT path FROM hosts')" "$hosts"
	# an undo command makes no file
	rm "$hosts"
	ipam drop --owner=c1
	[ ! -e "$hosts" ]
}

@test "ipam: a database of version 1 becomes one of version 2 with the first change" {
	ipam pool-add web 10.0.0.0/24
	ipam take web 10.0.0.2 c1 one
	sql 'DROP TABLE hosts; PRAGMA user_version = 1'
	ipam list web
	same "$output" "web 10.0.0.2 c1 one"
	same "$(sql 'PRAGMA user_version')" 1
	pids=
	for i in {3..12}; do
		sc-ipam --db="$db" take web "10.0.0.$i" "c$i" "n$i" 2>>errors 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	same "$(cat errors)" ""
	same "$(sql 'PRAGMA user_version')" 2
	ipam hosts "$hosts" web
	same "$(wc -l <"$hosts")" 13
	agrees
}

@test "S15: pools, owners and host names are names; nothing else gets into a list or the hosts file" {
	ipam pool-add web 10.0.0.0/24
	ipam hosts "$hosts" web
	long=$(printf 'a%.0s' {1..255})
	ipam take web 10.0.0.2 "$long" "$long"
	for bad in '' . .. -x _x 'a b' $'a\nb' 'a;b' "a'b" 'a/b' 'a*' "${long}a" $'a\e[31m' ä; do
		ipam 125 take web 10.0.0.3 -- "$bad"
		ipam 125 take web 10.0.0.3 c1 -- "$bad"
		ipam 125 rename web 10.0.0.2 "$long" -- "$bad"
		ipam 125 hosts "$hosts" -- "$bad"
		ipam 125 pool-add -- "$bad" 10.5.0.0/24
		ipam 125 drop -- "$bad" 10.0.0.2
		unlike "$stderr" $'*\e*'
	done
	ipam list
	same "$output" "web 10.0.0.2 $long $long"
	same "$(tail -n +3 "$hosts")" "10.0.0.2 $long"
}

@test "ipam: lists are JSON too, and the tables are for the sqlite3 shell" {
	ipam list --format=json
	same "$output" "[]"
	ipam pool-list --format=json
	same "$output" "[]"
	ipam pool-add web 10.0.0.0/24
	ipam list --format json
	same "$output" "[]"
	ipam take web 10.0.0.2 c1 one two
	ipam take web 10.0.0.3 c2
	ipam list web --format=json
	same "$(sqlite3 :memory: "SELECT json_extract('$output', '\$[0].names[1]', '\$[1].names', '\$[1].owner', '\$[0].address')")" \
		'["two",[],"c2","10.0.0.2"]'
	ipam pool-list --format=json
	same "$output" '[{"pool":"web","subnet":"10.0.0.0/24","gateway":"10.0.0.1","range":"10.0.0.0/24","leased":2,"size":253}]'
	ipam 125 list --format=xml
	ipam 125 list nosuch
	same "$(sql 'SELECT pool, address, owner, names FROM leases ORDER BY address LIMIT 1')" "web|10.0.0.2|c1|one two"
	same "$(sql 'PRAGMA journal_mode; PRAGMA user_version')" "wal
2"
}

@test "ipam: usage mistakes end with status 125 and one line, --help with 0" {
	for words in "" nosuch next "next a b" "next web --hosts=x" "take web" "list --nosuch" "list -x" hosts "hosts web" "hosts web x" "hosts /x --own=y" "hosts /x web --own=y" \
		"take web 10.0.0.2 c1 --hosts=/x" \
		"pool-add web" "drop a b c" "list --format" "pool-rm web --if-empty=1"; do
		# these are words
		# shellcheck disable=SC2086
		ipam 125 $words
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	expect 125 sc-ipam list
	expect 125 sc-ipam --db= list
	expect 0 sc-ipam --help
	like "$output" "usage: sc-ipam --db=FILE pool-add *"
	expect 125 env POSIXLY_CORRECT=1 sc-ipam list --db="$db" nosuch
	like "$stderr" "*no pool 'nosuch'*"
}

@test "S24: the database is private, whatever the umask" {
	(umask 0 && sc-ipam --db="$db" pool-add web 10.0.0.0/24 && sc-ipam --db="$db" take web 10.0.0.2 c1)
	run -0 stat -c %a "$db" "$db-wal" "$db-shm"
	same "$output" $'600\n600\n600'
	(umask 077 && sc-ipam --db="$db" hosts "$hosts" web)
	same "$(stat -c %a "$hosts")" 644
}

@test "S28: a database that is garbage, truncated or not ours says so" {
	head -c 8192 /dev/urandom >"$db"
	ipam 125 next web
	like "$stderr" "sc-ipam: *$db: file is not a database*"
	rm "$db"
	sql 'PRAGMA user_version = 7'
	ipam 125 next web
	like "$stderr" "*made by a newer sc-ipam"
	rm "$db"
	sql 'CREATE TABLE networks(a); INSERT INTO networks VALUES(1)'
	ipam 125 next web
	ipam list
	ipam pool-add web 10.0.0.0/24
	same "$(sql 'SELECT * FROM networks')" 1
	ipam pool-add big 11.0.0.0/8
	sql 'PRAGMA wal_checkpoint(TRUNCATE)'
	rm -f "$db-wal" "$db-shm"
	truncate -s 20000 "$db"
	ipam 125 take big 11.0.0.2 c1
	like "$stderr" "*malformed*"
	ipam 125 --db=/nosuch/dir/db pool-add web 10.0.0.0/24
	ipam 125 --db="$PWD" pool-add web 10.0.0.0/24
	mkdir ro
	mount -t tmpfs -o ro tmpfs ro
	ipam 125 --db="$PWD/ro/db" pool-add web 10.0.0.0/24
	umount ro
	like "$stderr" "*ro/db*"
}

@test "ipam: bits and leases that disagree are reported, not leased" {
	ipam pool-add web 10.0.0.0/24
	ipam take web 10.0.0.2 c1
	sql 'DELETE FROM leases'
	ipam 125 take web 10.0.0.2 c2
	like "$stderr" "*the database is damaged"
	sql "UPDATE bitmaps SET bits = x'00'"
	ipam 125 next web
	ipam 125 take web 10.0.0.3 c2
	like "$stderr" "*wrong size*the database is damaged"
}

@test "S23: on a full disk take fails and changes nothing, drop works" {
	mkdir disk
	mount -t tmpfs -o size=3m tmpfs disk
	db=$PWD/disk/db hosts=$PWD/disk/hosts
	ipam pool-add web 10.0.0.0/20
	ipam hosts "$PWD/a" web
	ipam hosts "$hosts" web
	ipam hosts "$PWD/z" web
	ipam take web 10.0.0.2 c0 zero
	for i in {1..40}; do sc-ipam --db="$db" take web "10.0.1.$i" "c$i"; done
	run dd if=/dev/zero of=disk/full bs=4096
	for i in {1..40}; do ipam drop web "10.0.1.$i"; done
	run dd if=/dev/zero of=disk/full2 bs=4096
	ipam 125 pool-add big 11.0.0.0/8
	like "$stderr" "*full*"
	ipam pool-list
	same "${#lines[@]}" 1
	# the new content needs a second block
	before=$(cat "$hosts")
	names=$(printf ' %0240d' {1..40})
	# these are words
	# shellcheck disable=SC2086
	ipam 125 take web 10.0.2.2 c1 $names
	like "$stderr" "*disk/hosts: No space left on device"
	same "$(cat "$hosts")" "$before"
	# and those that could be written, before or after, are as they were
	same "$(cat a)" "$before"
	same "$(cat z)" "$before"
	ipam list
	same "$output" "web 10.0.0.2 c0 zero"
	agrees
	rm disk/full disk/full2
	ipam take web 10.0.2.2 c1
}

@test "S20: kill -9 in the middle leaves bits and leases that agree" {
	ipam pool-add web 10.0.0.0/20
	ipam hosts "$hosts" web
	outcomes=
	for i in {1..150}; do
		# after 0.1 to 3 ms, so that it is hit at all stages
		run timeout -s KILL "0.00$(printf %02d $((i % 30 + 1)))" \
			sc-ipam --db="$db" take web "10.0.$((i / 100 + 1)).$((i % 100 + 1))" "c$i" "n$i"
		outcomes="$outcomes $status"
	done
	like "$outcomes" "* 137*"
	agrees
	ipam take web 10.0.0.9 last last
	same "$(tail -n +3 "$hosts")" "$(sql "SELECT address || ' ' || names FROM leases ORDER BY host")"
}

@test "ipam: an idle reader in the sqlite3 shell does not hold anybody up" {
	ipam pool-add web 10.0.0.0/24
	mkfifo idle
	sqlite3 "$db" <idle >seen 3>&- &
	reader=$!
	exec 9>idle
	echo 'BEGIN; SELECT count(*) FROM leases;' >&9
	wait_until 20 test -s seen
	for i in {2..90}; do sc-ipam --db="$db" take web "10.0.0.$i" c1; done
	exec 9>&-
	wait "$reader"
	ipam drop --owner=c1
	ipam take web 10.0.0.2 c1
	# and the log does not stay long: whoever is alone reads it all
	for i in {3..90}; do sc-ipam --db="$db" take web "10.0.0.$i" c1; done
	[ "$(stat -c %s "$db-wal")" -lt 600000 ]
	agrees
}

@test "ipam: 32 pool-adds at once make one database" {
	pids=
	for i in {1..32}; do
		sc-ipam --db="$db" pool-add "p$i" "10.$i.0.0/24" 2>>errors 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	same "$(cat errors)" ""
	ipam pool-list
	same "${#lines[@]}" 32
}

@test "ipam: a /30 has one address beside the gateway" {
	ipam pool-add web 10.0.0.0/30
	fill web
	same "$taken" 1
	same "$(cat full)" "sc-ipam: pool web (10.0.0.0/30): all 1 addresses are leased"
	ipam drop web 10.0.0.2
	ipam next web
	same "$output" 10.0.0.2/30
	agrees
}

@test "S18: 32 processes with 200 takes and 200 drops each: no double lease, none lost" {
	ipam pool-add web 10.0.0.0/20
	rounds=200
	# a helper with sanitizers starts ten times slower
	case $SC_HELPERS in *asan*) rounds=15 ;; esac
	# rounds times take an address and give the one before back, which another one may take at once;
	# a script of its own, for bats would trace each of its 32000 commands
	cat >worker <<-'END'
		set -eu
		i=0 last='' after=10.0.$(($2 / 2)).$(($2 % 2 * 100 + 1))
		while [ "$i" -lt "$3" ]; do
			addr=$(sc-ipam --db="$1" next web --after="$after")
			addr=${addr%/*} after=${addr%/*} status=0
			sc-ipam --db="$1" take web "$addr" "c$2" 2>"lost.$2" || status=$?
			[ "$status" -ne 75 ] || continue
			[ "$status" -eq 0 ]
			echo "$addr" >>"taken.$2"
			i=$((i + 1))
			[ -z "$last" ] || sc-ipam --db="$1" drop web "$last" --owner="c$2"
			[ -z "$last" ] || echo "$last" >>"dropped.$2"
			last=$addr
		done
	END
	pids=
	for n in {0..31}; do
		sh worker "$db" "$n" "$rounds" 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	# each worker dropped all but its last
	for n in {0..31}; do echo "web $(tail -n 1 "taken.$n") c$n"; done | sort >want
	ipam list
	same "$(sort <<<"$output")" "$(cat want)"
	same "$(cat taken.* | wc -l) $(cat dropped.* | wc -l)" "$((32 * rounds)) $((32 * (rounds - 1)))"
	agrees
}

@test "S18: 32 processes that all want the same address: each gets one, and no hosts line is lost" {
	ipam pool-add web 10.0.0.0/26
	ipam hosts "$hosts" web
	pids=
	for n in {1..32}; do
		(
			while :; do
				addr=$(sc-ipam --db="$db" next web) || exit
				status=0
				sc-ipam --db="$db" take web "${addr%/*}" "c$n" "n$n" 2>/dev/null || status=$?
				[ "$status" -eq 75 ] || exit "$status"
			done
		) 3>&- &
		pids="$pids $!"
	done
	# not all that runs here: with TEST_SECONDS a clock of bats does as well
	for pid in $pids; do wait "$pid"; done
	ipam list
	same "${#lines[@]}" 32
	same "$(cut -d' ' -f3 <<<"$output" | sort -u | wc -l)" 32
	same "$(tail -n +3 "$hosts")" "$(cut -d' ' -f2,4 <<<"$output")"
	agrees
}
