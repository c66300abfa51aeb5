#!/usr/bin/env bats
# Beside systemd: what it does with control groups does not touch those of containers. `tests/vm/run --systemd`
# boots the machine with it and runs this file in a unit with Delegate=yes, without tests/sandbox around it.

# the helpers of the other files find the checkout from where a file is
BATS_TEST_DIRNAME=${BATS_TEST_DIRNAME%/vm}/bats
load helpers

# setup_file - an image; the containers have no network, as nothing here depends on one
setup_file() {
	in_sandbox
	scadm image-build busybox >/dev/null 3>&-
}

# limits NAME - where the first process of a container is, and the limits there
limits() {
	local pid at file
	read -r pid _ <"/var/run/container/$1/pid"
	at=/sys/fs/cgroup$(sed 's/^0:://' "/proc/$pid/cgroup")
	for file in memory.max cpu.max pids.max cpuset.cpus; do
		printf '%s %s %s\n' "$at" "$file" "$(cat "$at/$file")"
	done
}

# unchanged BEFORE - the limits of web are those that they were, after systemd has read its units again
unchanged() {
	expect 0 systemctl daemon-reload
	same "$(limits web)" "$1"
}

@test "limits are the same after systemctl daemon-reload, and after a unit with limits has come and gone" {
	local before
	scadm run -d --name=web --net=none -m 64m --cpus=0.5 --pids-limit=50 --cpuset-cpus=0 busybox sleep 1000 >/dev/null 3>&-
	before=$(limits web)
	like "$before" '* memory.max 67108864
*cpu.max 50000 100000
*pids.max 50
*cpuset.cpus 0'
	unchanged "$before"
	# systemd takes the controllers that no unit wants any more from the control groups that it knows
	# without DefaultDependencies it would start all that a boot does, also what empties /tmp
	printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' Type=oneshot MemoryMax=100M CPUQuota=50% AllowedCPUs=0 ExecStart=/bin/true \
		>/run/systemd/system/limited.service
	unchanged "$before"
	expect 0 systemctl start limited.service
	rm /run/systemd/system/limited.service
	unchanged "$before"
	sc rm -f web
}

@test "below scadm-cgroup.service: the limits hold, whatever systemd reads again, and its process is out of the way" {
	local before unit=scadm-cgroup.service
	mkdir -p "/run/systemd/system/$unit.d"
	cp "$ROOT/systemd/$unit" /run/systemd/system/
	# as above
	printf '%s\n' '[Unit]' DefaultDependencies=no >"/run/systemd/system/$unit.d/test.conf"
	expect 0 systemctl daemon-reload
	expect 0 systemctl start "$unit"
	export SC_CGROUP=system.slice/$unit/sc
	scadm run -d --name=web --net=none -m 64m --cpus=0.5 --pids-limit=50 --cpuset-cpus=0 busybox sleep 1000 >/dev/null 3>&-
	before=$(limits web)
	like "$before" "/sys/fs/cgroup/system.slice/$unit/sc/* memory.max 67108864
*cpu.max 50000 100000
*pids.max 50
*cpuset.cpus 0"
	unchanged "$before"
	same "$(systemctl is-active "$unit")" active
	same "$(cat "/sys/fs/cgroup/system.slice/$unit/cgroup.procs")" ''
	sc rm -f web
	unset SC_CGROUP
	expect 0 systemctl stop "$unit"
	rm -r "/run/systemd/system/$unit" "/run/systemd/system/$unit.d"
	expect 0 systemctl daemon-reload
}
