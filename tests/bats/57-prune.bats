#!/usr/bin/env bats
# what tidies up, and what tells whether that is worth it: container prune, volume prune, system prune, system df

load helpers
load ready

# made NAME [OPTION...] - a container that never ran
made() {
	local name="$1"
	shift
	apart scadm create --name="$name" "$@" busybox true >/dev/null
}

# containers - the names of all, in one line
containers() {
	apart scadm ps -a --format '{{.Names}}' | sort | tr '\n' ' '
}

# bytes SIZE - what docker's way to write a size means
bytes() {
	awk -v size="${1%% *}" 'BEGIN {
		factor["B"] = 1; factor["kB"] = 1e3; factor["MB"] = 1e6; factor["GB"] = 1e9
		unit = size; gsub(/[0-9.]/, "", unit)
		printf "%d\n", size * factor[unit]
	}'
}

@test "container prune: those that do not run, with what they wrote, and no others" {
	apart scadm run -d --name=up busybox sleep 100 >/dev/null
	apart scadm run -d --name=ended busybox sh -c 'head -c 300000 /dev/zero >/f' >/dev/null
	sc wait ended
	made created
	id=$(id12 ended)
	sc container prune -f
	like "$output" "Deleted Containers:*$id*Total reclaimed space: *kB"
	size=$(bytes "${output##*: }")
	[ "$size" -ge 300000 ]
	[ "$size" -lt 600000 ]
	same "$(containers)" 'up '
	sc container prune -f
	same "$output" 'Total reclaimed space: 0B'
	sc rm -f up
}

@test "prune asks first; no answer, and any but yes, changes nothing" {
	made asked
	run -0 --separate-stderr sh -c 'scadm container prune </dev/null 3>&-'
	like "$stderr" 'WARNING!*[y/N]*'
	same "$output" ''
	run -0 --separate-stderr sh -c 'echo no | scadm container prune 3>&-'
	run -0 --separate-stderr sh -c 'echo | scadm volume prune -a 3>&-'
	run -0 --separate-stderr sh -c 'echo n | scadm system prune -a --volumes 3>&-'
	same "$(containers)" 'asked '
	run -0 --separate-stderr sh -c 'echo y | scadm container prune 3>&-'
	same "$(containers)" ''
}

@test "container prune --filter: until, label and label!" {
	made a1 --label keep --label env=test
	made a2 --label env=test
	made a3
	sc container prune -f --filter until=1h
	sc container prune -f --filter until=1h30m --filter label=env
	sc container prune -f --filter until=2020-01-01
	sc container prune -f --filter label=env=other
	same "$(containers)" 'a1 a2 a3 '
	sc container prune -f --filter label=env=test --filter 'label!=keep'
	same "$(containers)" 'a1 a3 '
	sc container prune -f --filter 'label!=env=test' --filter until=2100-01-01T00:00:00
	same "$(containers)" 'a1 '
	sc container prune -f --filter until=4102444800
	same "$(containers)" ''
	for wrong in until= until=tomorrow-ish until=--help until=-1h colour=red label; do
		sc 125 container prune -f --filter "$wrong"
	done
	sc 125 container prune -f -a
}

@test "container prune leaves anonymous volumes, volume prune takes them, and with -a those with a name too" {
	made v1 -v named:/a -v /b
	sc volume prune -af
	same "$output" 'Total reclaimed space: 0B'
	sc container prune -f
	same "$(scadm volume ls -q | wc -l)" 2
	sc volume prune -f --filter label=nothing
	same "$(scadm volume ls -q | wc -l)" 2
	sc volume prune -f
	like "$output" 'Deleted Volumes:*Total*'
	same "$(scadm volume ls -q)" named
	sc volume create --label stay other
	sc volume prune -af --filter 'label!=stay'
	same "$(scadm volume ls -q)" other
	sc volume prune -af --filter label=stay
	same "$(scadm volume ls -q)" ''
}

@test "S28: prune and df get along with a damaged record" {
	made bad
	printf '{' >/var/lib/scadm/containers/bad/config.json
	made good
	sc system df
	sc system df -v
	like "$output" '*good*'
	sc container prune -f
	same "$(containers)" ''
}

@test "system df: each kind, what is in use, and a layer that images share is counted once" {
	before=$(scadm system df --format '{{.Size}}' | head -n 1)
	sc system df
	same "$(printf '%s\n' "${lines[0]}" | tr -s ' ')" 'TYPE TOTAL ACTIVE SIZE RECLAIMABLE'
	apart scadm run -d --name=up -v data:/data -v /anon busybox sh -c 'head -c 1000000 /dev/zero >/data/f; sleep 100' >/dev/null
	wait_until 20 sh -c '[ "$(wc -c </var/lib/scadm/volumes/data/data/f)" = 1000000 ]'
	made made
	sc volume create alone
	sc system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Reclaimable}}'
	like "$output" $'Images 1 1 0B (0%)\nContainers 2 1 *B (*%)\nLocal Volumes 3 2 *'
	size=$(scadm system df --format '{{.Type}}:{{.Size}}' | sed -n 's/^Local Volumes://p')
	[ "$(bytes "$size")" -ge 1000000 ]
	[ "$(bytes "$size")" -lt 1100000 ]
	# a second name for the same layers takes nothing
	file=$(echo /var/lib/scadm/images/busybox*.json)
	cp "$file" /var/lib/scadm/images/again:latest.json
	sc system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}'
	like "${lines[0]}" "Images 2 1 $before"
	sc system df -v
	like "$output" '*again:latest*busybox:latest*made*up*alone*data*'
	same "$(printf '%s\n' "$output" | awk '$1 == "again:latest" { print $3 " " $4 " " $5 }')" "$before 0B 0"
	rm /var/lib/scadm/images/again:latest.json
	sc system df --format json
	like "${lines[2]}" '{"Type":"Local Volumes","TotalCount":"3",*}'
	sc 125 system df --format '{{.Nothing}}'
	sc 125 system df -v --format json
	sc rm -fv up made
	sc volume prune -af
	sc system df --format '{{.Type}} {{.Active}} {{.Reclaimable}}'
	like "${lines[0]}" "Images 0 $before (100%)"
}

@test "system prune: containers, networks, images without a name; volumes when told" {
	apart scadm run -d --name=up busybox sleep 100 >/dev/null
	made gone -v /anon -v named:/n
	sc system prune -f
	same "$(containers)" 'up '
	same "$(scadm volume ls -q | wc -l)" 2
	sc system prune -f --volumes
	same "$(scadm volume ls -q)" named
	# an image that a container has stays, also with -a
	sc system prune -af
	sc run --rm busybox true
	sc 125 system prune -f --volumes --filter until=1h
	sc 125 system prune -f --filter colour=red
	sc rm -f up
	sc volume rm named
}

@test "system prune -a takes the images that no container has" {
	mkdir "$BATS_TEST_TMPDIR/root"
	echo unused >"$BATS_TEST_TMPDIR/root/f"
	sc import "$BATS_TEST_TMPDIR/root" unused
	apart scadm run -d --name=up busybox sleep 100 >/dev/null
	sc system prune -f
	sc images -q unused
	like "$output" '????????????'
	sc system prune -af
	sc images -q unused
	same "$output" ''
	sc rm -f up
}

@test "prune: what is printed is what runs" {
	made plan
	scadm -n container prune >"$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(containers)" 'plan '
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(containers)" ''
	sc -n system prune -af --volumes
	like "$output" '*scadm-container-prune -f*scadm-gc*scadm-image-prune -a -f*scadm-volume-prune -f*'
}

@test "S28: an Id that is none, and labels that are none, hurt only their own container" {
	made keep
	made a
	made z
	sed -i 's/"Id":"[^"]*"/"Id":"z keep y"/' /var/lib/scadm/containers/a/config.json
	sed -i 's/"Labels":{[^}]*}/"Labels":"x"/' /var/lib/scadm/containers/z/config.json
	sed -i 's/"Labels":{[^}]*}/"Labels":{"no":"1"}/' /var/lib/scadm/containers/keep/config.json
	sed -i 's/"Mounts":\[[^]]*\]/"Mounts":["x"]/' /var/lib/scadm/containers/z/config.json
	sc system df -v
	like "$output" '*keep*'
	unlike "$output" '*z keep y*'
	sc container prune -f --filter label=no=2
	same "$(containers)" 'a keep z '
	sc container prune -f --filter label!=no
	like "$output" 'Deleted Containers:
a
*'
	same "$(containers)" 'keep '
	sc container prune -f
}
