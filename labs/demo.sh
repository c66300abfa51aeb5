#!/bin/sh
# Two limited containers on one bridge, from nothing to nothing, with every command shown
#: usage: labs/demo.sh      (as root; `make demo` builds what it needs first)
#:
#: Uses the default settings, so that you can look around while it runs. It makes the containers demo1 and
#: demo2, a passing one, the image busybox if it is missing, and touches no other container.
set -euf

root=$(dirname "$(readlink -f "$0")")/..
root=$(readlink -f "$root")
PATH=$root/bin:${SC_HELPERS:-$root/build}:$PATH:/usr/sbin:/sbin
export PATH
prefix=${SC_PREFIX:-sc} ours=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

# say TEXT - what comes next, for a reader
say() {
	printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

# show WORD... - print a command, then run it
show() {
	printf '%s# %s%s\n' "$bold" "$*" "$plain"
	"$@"
}

# clean_up - remove the containers that this demo started, however it ends
clean_up() {
	local status="$?" name
	trap - EXIT
	trap '' INT TERM HUP
	for name in $ours; do
		scadm rm -f "$name" >/dev/null || printf 'demo: %s is still there: scadm rm -f %s\n' "$name" "$name" >&2
	done
	[ -z "$ours" ] || scadm gc || :
	[ "$status" -eq 0 ] || printf 'demo: stopped (%s); its containers are removed\n' "$status" >&2
	exit "$status"
}

# left NAME FOUND - report what a check found; sets $dirty when that is something
left() {
	printf '  %-20s %s\n' "$1" "${2:-none}"
	[ -z "$2" ] || dirty=1
}

[ "$(id -u)" -eq 0 ] || {
	echo 'demo: containers need root: sudo make demo' >&2
	exit 125
}
for name in demo1 demo2; do
	! scadm inspect "$name" >/dev/null 2>&1 || {
		echo "demo: there is a container $name already: scadm rm -f $name" >&2
		exit 125
	}
done
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

say 'An image is a directory. This one holds a single static program.'
[ -n "$(scadm images -q busybox)" ] || show scadm image-build busybox
show scadm images busybox

say 'Two containers in the background, each in a cgroup with limits.'
# shellcheck disable=SC2016 # the shells inside run these
wait_for_term='trap "exit 0" TERM; while :; do sleep 1; done'
printf '%s# scadm run -d --name=demo1 --limits=cpu.shares=256,memory.limit_in_bytes=8388608 busybox sh -c ...%s\n' "$bold" "$plain"
ours=demo1
id1=$(scadm run -d --name=demo1 --limits=cpu.shares=256,memory.limit_in_bytes=8388608 busybox sh -c "$wait_for_term")
printf '%s\n' "$id1"
printf '%s# scadm run -d --name=demo2 --limits=cpu.shares=512,memory.limit_in_bytes=16777216 busybox sh -c "ping -c 2 demo1; ..."%s\n' "$bold" "$plain"
ours='demo1 demo2'
id2=$(scadm run -d --name=demo2 --limits=cpu.shares=512,memory.limit_in_bytes=16777216 busybox sh -c "ping -c 2 demo1; $wait_for_term")
printf '%s\n' "$id2"
short1=${id1%"${id1#????????????}"} short2=${id2%"${id2#????????????}"}
address=$(scadm inspect --format '{{.NetworkSettings.IPAddress}}' demo2)
log=$(scadm inspect --format '{{.LogPath}}' demo2)

say 'They are processes of this host, and the kernel knows their state.'
show scadm ps

say 'demo2 pings demo1 by name; what it prints is in its log.'
tries=100
until grep -q 'packet loss' "$log"; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] && ! grep '^ping: ' "$log" >&2 || {
		echo 'demo: demo2 could not ping demo1 within ten seconds' >&2
		exit 1
	}
	sleep 0.1
done
show cat "$log"
grep -q ' 0% packet loss' "$log"

say 'A third one, gone when its command ends, pings demo1 by name and demo2 by address.'
show scadm run --rm busybox ping -c 1 demo1
show scadm run --rm busybox ping -c 1 "$address"

say 'The limits, read back from the kernel.'
show sc-cg get "$prefix/$short1" cpu.shares memory.limit_in_bytes pids.max
show sc-cg get "$prefix/$short2" cpu.shares memory.limit_in_bytes pids.max

say 'The plan of a run: a script, with a reason above each step. Only printed here (lines are cut).'
printf '%s# scadm -n run --rm --name=demo3 busybox true%s\n' "$bold" "$plain"
scadm -n run --rm --name=demo3 busybox true | cut -c 1-118

say 'Removing a container replays its undo journal, last line first.'
show scadm -n rm -f demo1
show scadm rm -f demo1 demo2
ours=''
show scadm gc

say 'What is left of demo1 and demo2:'
dirty=''
left links "$(find /sys/class/net -name "v-$short1" -o -name "v-$short2")"
left 'network namespaces' "$(find /run/netns -name 'demo[12]')"
left cgroups "$(find /sys/fs/cgroup -type d \( -path "*/$prefix/$short1" -o -path "*/$prefix/$short2" \) 2>/dev/null || :)"
left records "$(find "${log%/*/*}" -maxdepth 1 -name 'demo[12]')"
left processes "$(pgrep -f "sc-clone .*--hostname=demo[12] " || :)"
[ -z "$dirty" ] || {
	echo 'demo: something was left behind' >&2
	exit 1
}
[ -n "$(scadm ps -aq)" ] || say 'No container is left. The image stays: scadm rmi busybox removes it.'
