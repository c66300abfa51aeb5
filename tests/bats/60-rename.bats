#!/usr/bin/env bats
# rename: everything that has the name of a container gets the new one, or nothing does

load helpers
load ready

teardown() {
	for record in /var/lib/scadm/containers/*; do
		[ ! -e "$record" ] || scadm rm -f "${record##*/}" >/dev/null 3>&-
	done
	sc_teardown
}

# names_of NAME - every place that has the name NAME
names_of() {
	{
		ls -d "/var/lib/scadm/containers/$1" "/var/run/container/$1" "/run/netns/$1" 2>/dev/null
		find /var/run/container/.owners -name "*:containers:$1"
		grep -lE "containers/$1[/ ,]|\"Name\":\"$1\",\"Created|netns/$1[ \"]" /var/lib/scadm/containers/*/{undo,fstab,config.json}
		grep -l " $1\\b" /var/lib/scadm/networks/*/hosts
		sc-ipam --db=/var/lib/scadm/scadm.db list | grep " $1\\b"
		ls -d /var/lib/scadm/connections/"$1":* /var/lib/scadm/connections/*:"$1" 2>/dev/null
		ls -A /var/lib/scadm/updates
	} || true
}

# works NAME - can the container be entered, seen and reached by that name?
works() {
	scadm exec "$1" true && scadm inspect "$1" >/dev/null && ip -n "$1" link show dev eth0 >/dev/null && [ ! -e "/var/lib/scadm/updates/$1" ]
}

@test "rename: a running container; processes, id, address and host name stay" {
	local id address pid
	id=$(scadm run -d --name=old busybox sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' 3>&-)
	wait_until 20 catches old TERM
	address=$(field old .NetworkSettings.IPAddress)
	read -r pid _ </var/run/container/old/pid
	sc rename old new
	same "$output" ''
	same "$(names_of old)" ''
	same "$(field new .Id) $(field new .NetworkSettings.IPAddress) $(field new .Name)" "$id $address $(field new .Name)"
	like "$(field new .Name)" '*new'
	like "$(cat /var/run/container/new/pid)" "$pid *"
	works new
	sc exec new hostname
	same "$output" old
	sc 125 exec old true
	sc ps --format '{{.Names}}'
	same "$output" new
	like "$(cat /var/lib/scadm/networks/bridge/hosts)" "*$address new *"
	sc stop new
	same "$(field new .State.ExitCode)" 3
	sc start new
	works new
	sc rm -f new
}

@test "rename: a container that has ended, one that never ran, one without a network, one with a disk of its own" {
	requires loop
	sc create --name=a1 busybox cat /data
	sc rename a1 a2
	sc create --net=none --name=b1 busybox sh -c 'echo more >>/data; cat /data'
	sc start -a b1
	same "$output" more
	sc rename b1 b2
	sc start -a b2
	same "$output" 'more
more'
	scadm run -d --disk-size=30m --name=c1 busybox sh -c 'test -e /data || echo disk >/data; exec sleep 1000' 3>&-
	wait_until 20 scadm exec c1 test -s /data
	sc rename c1 c2
	sc exec c2 cat /data
	same "$output" disk
	sc stop -t 0 c2
	sc start c2
	sc exec c2 cat /data
	same "$(names_of a1)$(names_of b1)$(names_of c1)" ''
	sc rm -f a2 b2 c2
}

@test "rename: by the id, there and back, and to a name that is a word of its journal" {
	local name
	scadm run -d --name=ip busybox sleep 1000 3>&-
	sc rename "$(id12 ip)" del
	for name in netns test.x e rm.-_ undo keep ip; do
		sc rename "$(ls /var/run/container)" "$name"
		works "$name"
	done
	sc rm -f ip
}

@test "rename: what cannot be is refused, and nothing is changed" {
	scadm run -d --name=one busybox sleep 1000 3>&-
	sc create --name=two busybox true
	ip netns add taken
	world >"$BATS_TEST_TMPDIR/before"
	sc 125 rename one two
	like "$stderr" "*a container 'two' already*"
	sc 125 rename one one
	sc 125 rename one taken
	like "$stderr" "*network namespace 'taken'*"
	sc 125 rename nobody three
	sc 125 rename one
	sc 125 rename one two three
	sc 125 rename one ../x
	sc 125 rename one ''
	sc 125 rename one '*'
	world >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	ip netns del taken
	sc rm -f one two
}

@test "rename: a container whose network another one uses, or that runs in the foreground, is refused" {
	scadm run -d --name=one busybox sleep 1000 3>&-
	scadm run -d --name=guest --net=one busybox sleep 1000 3>&-
	sc 125 rename one other
	like "$stderr" "*'guest'*network*"
	sc rm -f guest one
	scadm run --keep --name=front busybox sleep 1000 3>&- &
	wait_until 20 scadm exec front true
	sc 125 rename front back
	like "$stderr" '*in the foreground of process*'
	sc rm -f front
	wait
}

@test "rename: cables that were plugged in by hand go with it" {
	scadm run -d --name=one busybox sleep 1000 3>&-
	sc connect-bridge --name=one --bridge=br7 --subnet=10.77.0.2/24
	sc rename one two
	same "$(names_of one)" ''
	like "$(cat /var/lib/scadm/networks/br7/hosts)" '*10.77.0.2 two*'
	sc disconnect-bridge --name=two --bridge=br7
	sc rm -f two
}

@test "rename: its supervisor was killed -9 before: it has a successor, under the new name" {
	local owner
	scadm run -d --name=one busybox sleep 1000 3>&-
	owner=$(cd /var/run/container/.owners && echo *:containers:one)
	kill -9 "${owner%%:*}"
	wait_until 20 sh -c "! [ -e /proc/${owner%%:*} ]"
	sc rename one two
	works two
	[ "$(find /var/run/container/.owners -name '*:containers:two' | wc -l)" = 1 ]
	sc stop -t 0 two
	same "$(field two .State.ExitCode)" 137
	sc rm two
}

@test "rename: the plan is what runs" {
	scadm run -d --name=one busybox sleep 1000 3>&-
	sc -n rename one two
	expect 0 sh -ec "$output"
	same "$(names_of one)" ''
	works two
	sc rm -f two
}

# as_before - is the world as it was, but for the address of the bridge?
as_before() {
	world >"$BATS_TEST_TMPDIR/after"
	diff <(grep -v 'link sc-br0' "$BATS_TEST_TMPDIR/before") <(grep -v 'link sc-br0' "$BATS_TEST_TMPDIR/after")
}

@test "S20: kill -9 at every step of rename, then gc: one name works, the other is nowhere, and rm leaves nothing" {
	requires script
	local step=0 name other
	world >"$BATS_TEST_TMPDIR/before"
	scadm run -d --name=one busybox sleep 1000 3>&-
	while stop_at "$step" KILL rename one two; do
		scadm gc
		if [ -e /var/run/container/one ]; then name=one other=two; else name=two other=one; fi
		if ! works "$name" || [ "$(names_of "$other")" ]; then
			echo "after step $step: $name should work, and nothing have the name $other:"
			names_of "$other"
			tail -n 3 "$BATS_TEST_TMPDIR/out"
			return 1
		fi
		[ "$name" = one ] || scadm rename two one
		step=$((step + 1))
	done
	echo "$step steps"
	[ "$step" -ge 15 ]
	works two
	sc rm -f two
	# cables go a moment later
	wait_until 20 as_before
}
