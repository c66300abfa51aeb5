#!/usr/bin/env bats
# The table engine of every list: --format, --filter, and ps, which has all of it

load helpers

records=/var/lib/scadm/containers

# setup - a place for records that are made up, so that nothing has to run
setup() {
	mkdir -p /var/run/container
	sc_setup
	mkdir -p "$records" /var/run/container/.owners
}

# teardown - as if they had never been
teardown() {
	find /var/lib/scadm /var/run/container -mindepth 1 -delete
	[ -z "${sleeper:-}" ] || kill "$sleeper"
	sc_teardown
}

# record NAME ID12 JSON - a record that was never started
record() {
	mkdir "$records/$1"
	printf '%s\n' "$2" >"$records/$1/id"
	: >"$records/$1/undo"
	: >"$records/$1/limits"
	printf '%s\n' "$3" >"$records/$1/config.json"
}

# ended NAME CODE [FINISHED] - it ran and ended
ended() {
	echo "1 0 $(cat /proc/sys/kernel/random/boot_id)" >"$records/$1/pid"
	echo "$2 false ${3:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}" >"$records/$1/exit"
}

# runs NAME - it runs, as a process of this test
runs() {
	sleep 1000 3>&- &
	sleeper=$!
	echo "$sleeper $(cut -d' ' -f22 "/proc/$sleeper/stat") $(cat /proc/sys/kernel/random/boot_id)" >"$records/$1/pid"
}

# rows FIELDS [ROW]... - print a list as the template in $format says, through lib/template.sh
rows() {
	FORMAT=$format sh -ec '. "$ROOT/lib.sh"; . "$ROOT/lib/template.sh"; template_parse "$FORMAT" "table {{.A}}" "$1"; printf "%s\n" "$@" | template_print' "$ROOT/bin/scadm-" "$@"
}

# three - containers of which one runs
three() {
	record web aaaaaaaaaaaa '{"Id":"aaaaaaaaaaaa1111","Name":"web","Created":"2026-11-22T07:00:00.1Z","Path":"sh","Args":["-c","sleep 5"],"Image":"busybox:latest",
		"Config":{"Labels":{"tier":"front","a.b":"x=y"}},"HostConfig":{"NetworkMode":"bridge"},"NetworkSettings":{"IPAddress":"10.0.0.2","Ports":{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"53/udp":null}},
		"Mounts":[{"Type":"volume","Name":"data","Source":"/v/data","Destination":"/d"},{"Type":"bind","Source":"/host","Destination":"/e"}]}'
	record db bbbbbbbbbbbb '{"Id":"bbbbbbbbbbbb2222","Name":"db","Created":"2026-11-22T07:10:00Z","Path":"true","Args":[],"Image":"alpine:3","Config":{"Labels":{"tier":"back"}},"HostConfig":{"NetworkMode":"none"}}'
	record new cccccccccccc '{"Id":"cccccccccccc3333","Name":"new","Created":"2026-11-22T07:20:00Z","Path":"true","Args":[],"Image":"busybox:latest","Config":{"Labels":null}}'
	runs web
	ended db 3
}

@test "templates: fields, text, json, functions" {
	local fields=$'A=FIRST\tB=SECOND\tM:json:hidden=' format
	format='{{.A}}|{{.B}}' && same "$(rows "$fields" $'one\ttwo\t{}')" 'one|two'
	format='json' && same "$(rows "$fields" $'one\ttwo\t{}')" '{"A":"one","B":"two"}'
	format='{{json .A}}' && same "$(rows "$fields" $'o"n\\\\e\\n\ttwo\t{}')" '"o\"n\\e\n"'
	format='{{upper .A}} {{lower "ÄB"}} {{title .B}} {{len .A}}' && same "$(rows "$fields" $'one\ttwo words\t{}')" 'ONE Äb Two Words 3'
	format='{{printf "%-5s|%5s" .A .B}}' && same "$(rows "$fields" $'one\ttwo\t{}')" 'one  |  two'
	format='{{if eq .A "one" "uno"}}yes{{else if .B}}no{{else}}never{{end}}' && same "$(rows "$fields" $'one\ttwo\t{}' $'x\ty\t{}' $'x\t\t{}')" $'yes\nno\nnever'
	format='{{range split .A ","}}<{{.}}>{{end}}' && same "$(rows "$fields" $'a,b\tc\t{}')" '<a><b>'
	format='{{join (split .A ",") "\n"}}' && same "$(rows "$fields" $'a,b\tc\t{}')" $'a\nb'
	format='{{.M "k"}}/{{.M "none"}}/{{json .M}}' && same "$(rows "$fields" $'a\tb\t{"k":"v"}')" 'v//{"k":"v"}'
	format='{{or .A .B}} {{and .A .B}} {{not .A}}' && same "$(rows "$fields" $'\tb\t{}')" 'b  true'
	format='{{with .A}}<{{.}}>{{else}}none{{end}} {{$x := .B}}{{$x}} {{.A | upper | json}}' && same "$(rows "$fields" $'a\tb\t{}')" '<a> b "A"'
	format='a\tb\n{{- /* not seen */ -}}  {{truncate .A 2}}.{{pad .B 1 2}}.' && same "$(rows "$fields" $'abc\tb\t{}')" $'a\tb\nab. b  .'
}

@test "templates: a table has the headings, whatever is done with the fields" {
	local fields=$'A=FIRST\tB=SECOND\tM:json:hidden=' format
	format='table {{.A}}\t{{.B}}' && same "$(rows "$fields" $'1\t2\t{}' $'long long\tx\t{}')" $'FIRST       SECOND\n1           2\nlong long   x'
	format='table {{upper .A}}\t{{json .B}}\t{{.M "k"}}' && same "$(rows "$fields" $'a\tb\t{"k":"v"}')" $'FIRST   SECOND   k\nA       "b"      v'
	format='table' && same "$(rows "$fields" $'1\t2\t{}')" $'FIRST\n1'
	format='table {{.A}}\t{{.B}}' && same "$(rows "$fields" $'ünï\t2\t{}')" $'FIRST   SECOND\nünï     2'
}

@test "templates: a value of any length hurts no list; mawk knows texts of 8 KiB only where it formats" {
	local fields=$'A=FIRST\tB=SECOND' format long ten=xxxxxxxxxx
	long=$(printf '%30000s' '' | tr ' ' x)
	format='table {{.A}}\t{{.B}}'
	rows "$fields" "$long"$'\t2' $'1\t3' >"$BATS_TEST_TMPDIR/rows"
	same "$(awk '{ print length($0) }' "$BATS_TEST_TMPDIR/rows" | xargs)" '30009 30004 30004'
	for format in '{{printf "%s" .A}}' '{{printf "%-5s" .A}}' '{{pad .A 0 0}}' '{{printf "%v" .A}}' '{{print .A}}' '{{truncate .A 30000}}'; do
		same "$(rows "$fields" "$long"$'\t2')" "$long"
	done
	format='{{printf "%q" .A}}' && same "$(rows "$fields" "$long"$'\t2')" "\"$long\""
	format='{{len (pad .A 9000 9000)}}' && same "$(rows "$fields" $'1\t2')" 18001
	format='{{printf "%.10s|%12.10s|%-12.10s|%.0s|%3t|%05d|%x" .A .A .A .A true 42 255}}'
	same "$(rows "$fields" "$long"$'\t2')" "$ten|  $ten|$ten  ||true|00042|ff"
	format='{{printf "%s%%%999s" .B .B}}' && same "$(rows "$fields" $'1\t2' | wc -c)" 1002
	format='{{printf "%4s|%-4s|%.2s" .A .A .A}}' && same "$(rows "$fields" $'ünï\t2')" ' ünï|ünï |ün'
	record long aaaaaaaaaaaa "{\"Id\":\"aaaaaaaaaaaa1111\",\"Name\":\"long\",\"Created\":\"2026-11-22T07:00:00Z\",\"Path\":\"echo\",\"Args\":[\"$long\"],\"Image\":\"busybox:latest\",\"Config\":{}}"
	record short bbbbbbbbbbbb '{"Id":"bbbbbbbbbbbb1111","Name":"short","Created":"2026-11-22T07:00:00Z","Path":"true","Args":[],"Image":"busybox:latest","Config":{}}'
	sc ps -a --no-trunc
	like "$output" "*$long*"
	like "$output" '*short*'
}

@test "templates: what is not there, or wrong, is an error before anything is printed" {
	local fields=$'A=FIRST\tB=SECOND' format bad
	for bad in '' '{{.C}}' '{{.A' '{{' '{{foo .A}}' '{{json .C}}' '{{if .A}}x' '{{end}}' '{{else}}' '{{.A.B}}' '{{range .A}}{{end}}' '{{upper}}' '{{upper .A .B}}' \
		'{{eq .A 3}}' '{{if .A}}{{.C}}{{end}}' '{{if true}}{{else}}{{.C}}{{end}}' '{{$x}}' '{{.A | .B}}' '{{A}}' '{{}}' '{{.}}' '{{.A .B}}' '{{(.A}}' 'table {{.C}}'; do
		format=$bad
		expect 125 rows "$fields" $'1\t2'
		same "$output" ''
		like "$stderr" 'scadm: --format*'
	done
	format='{{.C}}'
	expect 125 rows "$fields"
	like "$stderr" '*the fields are A B'
}

@test "S16, S29: rows are one line whatever is in them, and JSON is valid" {
	local fields=$'A=FIRST\tB=SECOND' format='{{.A}}' wild=$'q"u\\\\o\\nte\\u001b[31m \177\xc2\x9b\xff \xc3\xa9'
	same "$(rows "$fields" "$wild"$'\t2')" $'q"u\\o\\nte\\u001b[31m \\u007f\\u009b\xff \xc3\xa9'
	format='json'
	same "$(rows "$fields" "$wild"$'\t2')" '{"A":"q\"u\\o\nte\u001b[31m \u007f\u009b� é","B":"2"}'
	format='{{println .A}}{{printf "%s\n" .B}}' && same "$(rows "$fields" $'a\\nb\t2')" $'a\\nb\n2'
}

@test "ps: the states and how they are worded" {
	three
	echo 'healthy 0' >"$records/web/health"
	sc ps --format '{{.Names}} {{.State}} {{.Status}}'
	like "$output" 'web running Up * (healthy)'
	echo 'starting 0' >"$records/web/health"
	sc ps --format '{{.Status}}'
	like "$output" 'Up * (health: starting)'
	rm "$records/web/health"
	sc ps -a --format '{{.Names}} {{.State}} {{.Status}}'
	like "$output" $'new created Created\ndb exited Exited (3) * ago\nweb running Up *'
	ended db 0 "$(date -u -d '3 minutes ago' +%Y-%m-%dT%H:%M:%SZ)"
	sc ps -a --filter name=db --format '{{.Status}}'
	same "$output" 'Exited (0) 3 minutes ago'
	# its supervisor was killed, and what sc-clone wrote is what is known
	rm "$records/db/exit"
	echo 7 >>"$records/db/pid"
	sc ps -a --filter name=db --format '{{.Status}}'
	same "$output" 'Exited (7)'
	sed -i '$d' "$records/db/pid"
	sc ps -a --filter name=db --format '{{.Status}}'
	same "$output" 'Exited (137)'
}

@test "ps: a container whose supervisor waits before the next start is restarting" {
	record again dddddddddddd '{"Id":"dddddddddddd","Created":"2026-11-22T07:00:00Z"}'
	ended again 1
	echo '4 2' >"$records/again/restarts"
	sc ps -a --format '{{.State}}'
	same "$output" exited
	sleep 1000 3>&- &
	sleeper=$!
	: >"/var/run/container/.owners/$sleeper:$(cut -d' ' -f22 "/proc/$sleeper/stat"):containers:again"
	sc ps --format '{{.State}} {{.Status}}'
	like "$output" 'restarting Restarting (1) * ago'
	sc inspect --format '{{.State.Restarting}} {{.State.Running}} {{.RestartCount}}' again
	same "$output" 'true true 4'
}

@test "ps: whoever is frozen is paused; the kernel is asked" {
	requires freezer
	three
	sc-cg create sc/aaaaaaaaaaaa
	sc-cg freeze sc/aaaaaaaaaaaa
	sc ps --format '{{.Names}} {{.State}} {{.Status}}'
	like "$output" 'web paused Up * (Paused)'
	sc ps -q --filter status=paused
	same "$output" aaaaaaaaaaaa
	sc-cg thaw sc/aaaaaaaaaaaa
	sc ps --format '{{.State}}'
	same "$output" running
	sc-cg rm -p sc/aaaaaaaaaaaa
}

@test "ps: docker's fields" {
	three
	sc ps --format '{{.ID}}|{{.Names}}|{{.Image}}|{{.Command}}|{{.CreatedAt}}|{{.Ports}}|{{.Mounts}}|{{.LocalVolumes}}|{{.Networks}}|{{.IP}}|{{.PID}}'
	same "$output" "aaaaaaaaaaaa|web|busybox:latest|sh -c sleep 5|2026-11-22 07:00:00 +0000 UTC|0.0.0.0:8080->80/tcp, 53/udp|data,/host|1|bridge|10.0.0.2|$sleeper"
	sc ps --format '{{.Label "tier"}} {{.Label "a.b"}} {{.Label "none"}}.'
	same "$output" 'front x=y .'
	sc ps --format '{{.Labels}}'
	same "$output" 'tier=front,a.b=x=y'
	sc ps --no-trunc -q
	same "$output" aaaaaaaaaaaa1111
	sc ps -a
	like "${lines[0]}" 'ID *NAME *PID *STATUS *COMMAND *CREATED *IMAGE *IP *PORTS'
	same "${#lines[@]}" 4
	sc 125 ps --format '{{.Name}}'
	like "$stderr" "*no field 'Name'*"
	same "$output" ''
}

@test "ps: -n and -l, running or not" {
	three
	sc ps -l --format '{{.Names}}'
	same "$output" new
	sc ps -n 2 --format '{{.Names}}'
	same "$output" $'new\ndb'
	sc ps -q -n2
	same "$output" $'cccccccccccc\nbbbbbbbbbbbb'
	sc 125 ps -n 0
	sc 125 ps -n x
	sc 125 ps -n -1
}

@test "ps: -s sums up the files that were written" {
	three
	mkdir -p "$records/web/upper/d"
	printf 12345 >"$records/web/upper/d/f"
	sc ps -s --format '{{.Size}}'
	same "$output" '5B (virtual 5B)'
	mkdir -p /var/lib/scadm/images /var/lib/scadm/layers
	echo '{"rootfs":{"diff_ids":["sha256:00","sha256:01"]}}' >'/var/lib/scadm/images/busybox:latest.json'
	echo '{"size":1000000}' | tee /var/lib/scadm/layers/00.json >/var/lib/scadm/layers/01.json
	sc ps --format '{{.Size}}'
	same "$output" '5B (virtual 2MB)'
	sc inspect -s --format '{{.SizeRw}} {{.SizeRootFs}}' web
	same "$output" '5 2000005'
}

@test "filters: of one key any value, of different keys each; labels each" {
	local pair names
	three
	while IFS='|' read -r pair names; do
		# split on purpose: several filters in one line
		# shellcheck disable=SC2086
		sc ps -a --format '{{.Names}}' ${pair}
		same "${output//$'\n'/ }" "$names"
	done <<-'END'
		-f name=w|new web
		-f name=^web$|web
		-f name=web -f name=db|db web
		-f id=aaa|web
		-f label=tier|db web
		-f label=tier=front|web
		-f label=tier -f label=a.b|web
		-f status=exited|db
		-f status=exited -f status=created|new db
		-f exited=3|db
		-f exited=0|
		-f ancestor=busybox|new web
		-f ancestor=busybox:latest --filter status=running|web
		-f ancestor=alpine|
		-f ancestor=alpine:3|db
		-f before=db|web
		-f since=db|new
		-f volume=data|web
		-f volume=/e|web
		-f network=none|db
		-f health=none|new db web
	END
	sc ps --filter status=exited -q
	same "$output" bbbbbbbbbbbb
	sc ps --filter exited=3 -q
	same "$output" ''
}

@test "filters: what is not known is refused, and nothing is read as SQL" {
	local bad
	three
	for bad in '' x =x nokey=1 status=odd health=odd exited=many before=nobody 'since=*' $'name=a\nb' 'name=['; do
		sc 125 ps -a -f "$bad"
		same "$output" ''
	done
	for bad in "name='" "label=' OR 1=1 --" "label=a'=b" 'volume=");' "ancestor='||'"; do
		sc ps -aq -f "$bad"
		same "$output" ''
	done
}

@test "S28: garbage in a record hurts its own line only" {
	local n=0 text
	three
	for text in '' garbage '[]' '{}' '5' '{"Id":{},"Created":5,"Args":7,"Config":{"Labels":[1]},"Mounts":{"a":1},"NetworkSettings":{"Ports":[1,null]}}' \
		'{"Id":"x","Mounts":[1,{"Name":3}],"Config":5,"NetworkSettings":7,"Path":null}' $'{"Id":"\xff\xfe","Path":"\xc3("}' '{"Path":"a\u0000b"'; do
		n=$((n + 1))
		record "bad$n" "00000000000$n" "$text"
	done
	head -c 4096 /dev/zero >"$records/bad1/config.json"
	sc ps -a --format json
	same "${#lines[@]}" $((n + 3))
	for text in "${lines[@]}"; do
		same "$(sqlite3 :memory: "SELECT json_valid('${text//\'/\'\'}')")" 1
		printf '%s' "$text" | iconv -f UTF-8 -t UTF-8 >/dev/null
	done
	sc ps -a
	like "$output" '*bad2*damaged record*'
	like "$output" '*web*Up *'
	same "${#lines[@]}" $((n + 4))
}

@test "S16: names, labels and commands with quotes, line breaks and bytes that are no text" {
	record odd eeeeeeeeeeee $'{"Id":"eeeeeeeeeeee","Created":"2026-11-22T07:00:00Z","Path":"a\\"b\\nc\\\\","Args":["\\u001b[0m","\xc3\xa9\xff"],"Config":{"Labels":{"k\\"\\n":"v\\t\'"}}}'
	sc ps -a --format json
	same "${#lines[@]}" 1
	same "$(sqlite3 :memory: "SELECT json_extract('${output//\'/\'\'}', '\$.Command')")" $'a"b\nc\\ \x1b[0m \xc3\xa9\xef\xbf\xbd'
	same "$(sqlite3 :memory: "SELECT json_extract('${output//\'/\'\'}', '\$.Labels')")" $'k"\n=v\t\''
	sc ps -a --no-trunc
	unlike "$output" $'*\x1b*'
	same "${#lines[@]}" 2
}

@test "ps, inspect: the same number of processes for one and for 200 containers" {
	requires strace plain_helpers
	local n count id verb
	declare -A one
	for n in 1 200; do
		for ((id = 1; id <= n; id++)); do
			[ -d "$records/c$id" ] || record "c$id" "$(printf '%012x' "$id")" '{"Id":"x","Created":"2026-11-22T07:00:00Z","Path":"true","Args":[]}'
		done
		for verb in ps inspect; do
			set -- ps -a
			[ "$verb" = ps ] || set -- inspect c1
			[ "$verb$n" != inspect200 ] || for ((id = 2; id <= n; id++)); do set -- "$@" "c$id"; done
			strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=fork,vfork,clone,clone3 scadm "$@" >"$BATS_TEST_TMPDIR/printed" 3>&-
			count=$(grep -E '^[0-9]+ +(<\.\.\. )?(clone3?|v?fork)' "$BATS_TEST_TMPDIR/trace" | grep -cE '= [0-9]+$')
			echo "$verb of $n: $count processes"
			same "$count" "${one[$verb]:-$count}"
			one[$verb]=$count
		done
	done
	scadm ps -aq | wc -l >"$BATS_TEST_TMPDIR/printed"
	same "$(cat "$BATS_TEST_TMPDIR/printed")" 200
}

@test "S28: ps -s: a damaged image or layer costs its own number only" {
	local hex
	hex=$(printf 'a%.0s' {1..64})
	three
	mkdir -p /var/lib/scadm/images /var/lib/scadm/layers "$records/db/upper"
	printf '{' >/var/lib/scadm/images/busybox:latest.json
	printf '{"rootfs":{"diff_ids":["sha256:%s"]}}' "$hex" >/var/lib/scadm/images/alpine:3.json
	printf '{"size":1000' >"/var/lib/scadm/layers/$hex.json"
	mkdir "$records/new/upper"
	sc ps -a -s --format '{{.Names}} {{.Size}}'
	same "${#lines[@]}" 3
	printf '{"size":1000}' >"/var/lib/scadm/layers/$hex.json"
	sc ps -a -s --format '{{.Names}} {{.Size}}'
	like "$output" '*db 0B (virtual 1kB)*'
}

@test "S28: ps: an Id and Ports that are none" {
	record a aaaaaaaaaaaa '{"Id":"x\ty\nz","Name":"a","NetworkSettings":{"Ports":{"80/tcp":"x"}}}'
	runs a
	sc ps --format '{{.ID}} {{.Names}} {{.Ports}}'
	same "$output" 'aaaaaaaaaaaa a 80/tcp'
}
