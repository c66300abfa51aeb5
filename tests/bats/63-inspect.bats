#!/usr/bin/env bats
# inspect: what docker's inspect prints, and --format as people use it

load helpers
load ready

# teardown - nothing of a failed test is left
teardown() {
	scadm ps -aq 2>/dev/null | xargs -r scadm rm -f >/dev/null 2>&1 3>&-
	sc_teardown
}

# idle NAME [OPTION]... - start a container that does nothing
idle() {
	local name="$1"
	shift
	scadm run -d --name="$name" "$@" busybox sleep 1000 >/dev/null 3>&-
}

# formatted TEMPLATE - print a document of ours as the template says, through lib/inspect-format.sh
formatted() {
	TEMPLATE=$1 sh -ec '. "$ROOT/lib.sh"; . "$ROOT/lib/template.sh"; . "$ROOT/lib/inspect-format.sh"
		inspect_format_check "$TEMPLATE"; inspect_format "$TEMPLATE" <"$1"' "$ROOT/bin/scadm-" "$BATS_TEST_TMPDIR/document"
}

# document - what formatted reads
document() {
	cat >"$BATS_TEST_TMPDIR/document" <<-'END'
		[{"Name": "web", "State": {"Running": true, "Paused": false, "ExitCode": 0, "Pid": 12, "Health": null},
		"Config": {"Labels": {"b": "2", "a.b": "x\"y"}, "Env": ["A=1", "B=\u00fc\ud83d\ude00"], "Cmd": ["sh", "-c", "a\nb\\"]},
		"Mounts": [{"Source": "/s", "RW": true}, {"Source": "/t", "RW": false}], "Empty": [], "Number": -1.5e3,
		"NetworkSettings": {"Ports": {"80/tcp": [{"HostPort": "8080"}]}}}]
	END
}

@test "format: what people ask of docker inspect" {
	local template expected
	document
	while IFS='~' read -r template expected; do
		same "$(formatted "$template")" "$expected"
	done <<-'END'
		{{.State.Running}} {{.State.Paused}} {{.State.ExitCode}}~true false 0
		{{.Name}}\t{{.Number}}~web\t-1.5e3
		{{json .Mounts}}~[{"Source":"/s","RW":true},{"Source":"/t","RW":false}]
		{{index .Config.Labels "a.b"}}~x"y
		{{index .Config.Labels "none"}}.~.
		{{range .Mounts}}{{.Source}} {{end}}~/s /t 
		{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}~b=2 a.b=x"y 
		{{range $i, $m := .Mounts}}{{if $i}}, {{end}}{{$i}}:{{$m.Source}} of {{$.Name}}{{end}}~0:/s of web, 1:/t of web
		{{if .State.Running}}up{{else}}down{{end}}~up
		{{if and .State.Health (eq .State.Health.Status "healthy")}}well{{else}}unknown{{end}}~unknown
		{{if or (not .State.Running) (ne .State.ExitCode 0)}}ended{{else if gt .State.Pid 10}}young{{end}}~young
		{{len .Mounts}} {{len .Name}} {{len .Config.Labels}}~2 3 2
		{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}~8080
		{{range $p, $c := .NetworkSettings.Ports}}{{$p}} -> {{(index $c 0).HostPort}}{{end}}~80/tcp -> 8080
		{{.Config.Env}} {{.Config.Labels}}~[A=1 B=ü😀] map[a.b:x"y b:2]
		{{json .Config.Cmd}}~["sh","-c","a\nb\\"]
		{{range .Empty}}x{{else}}none{{end}}~none
		{{with index .Mounts 1}}{{.Source}}{{end}}~/t
		{{join .Config.Cmd ","| printf "%q"}}~"sh,-c,a\nb\\"
		{{range .Mounts}}{{if eq .Source "/t"}}{{json .RW}}{{end}}{{end}}~false
		{{json .State.Health}} {{.State.Health}}~null <no value>
	END
	same "$(formatted '{{range .Config.Env}}{{println .}}{{end}}')" $'A=1\nB=ü😀'
	same "$(formatted '{{index .Config.Cmd 2}}')" $'a\nb\\'
	same "$(formatted json)" "$(formatted '{{json .}}')"
	# what comes out as JSON is what went in
	formatted json >"$BATS_TEST_TMPDIR/again"
	for template in '' .Config.Env[1] .Config.Cmd[2] .Config.Labels .Mounts .Number .NetworkSettings; do
		same "$(sqlite3 :memory: "SELECT json_extract(readfile('$BATS_TEST_TMPDIR/again'), '\$$template')" | iconv -f UTF-8 -t UTF-8 | tr -d ' \n' | sed 's/\\u00fc\\ud83d\\ude00/ü😀/')" \
			"$(sqlite3 :memory: "SELECT json_extract(readfile('$BATS_TEST_TMPDIR/document'), '\$[0]$template')" | tr -d ' \n' | sed 's/\\u00fc\\ud83d\\ude00/ü😀/')"
	done
}

@test "format: each document of an array has its line, and one alone is no array" {
	printf '[{"A":1},{"A":"two"}]' >"$BATS_TEST_TMPDIR/document"
	same "$(formatted '{{.A}}')" $'1\ntwo'
	printf '{"A":{"B":[]}}\n' >"$BATS_TEST_TMPDIR/document"
	same "$(formatted '{{.A.B}}')" '[]'
	printf '[]' >"$BATS_TEST_TMPDIR/document"
	same "$(formatted '{{.A}}')" ''
	printf '{"A":' >"$BATS_TEST_TMPDIR/document"
	expect 1 formatted '{{.A}}'
	like "$stderr" '*no JSON*'
}

@test "format: a field that is not there is an error, also behind one that is" {
	local bad
	document
	for bad in '{{.Nope}}' '{{.State.Nope}}' '{{.State.Health.Status}}' '{{.Name.First}}' '{{index .Mounts 2}}' '{{index .Mounts "a"}}' '{{range .Name}}{{end}}' \
		'{{range .Mounts}}{{.Nope}}{{end}}' '{{if .Nope}}{{end}}' '{{len .State.Pid}}' '{{eq .Name .State.Pid}}' '{{join .Name ","}}' '{{printf "%d" .Name}}'; do
		expect 1 formatted "$bad"
		same "$output" ''
		like "$stderr" 'scadm: --format: *'
	done
	for bad in '{{' '{{.A' '{{nofunction .A}}' '{{if .A}}' '{{$x}}'; do
		expect 125 formatted "$bad"
	done
}

@test "inspect: the state, and docker's fields, while it runs and when it has ended" {
	idle one --label a.b=x
	sc inspect --format '{{.State.Running}} {{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Restarting}} {{.State.Dead}} {{.RestartCount}}' one
	same "$output" 'true running 0 false false false 0'
	sc inspect -f '{{.State.StartedAt}} {{.State.FinishedAt}} {{if .State.Health}}checked{{else}}unchecked{{end}}' one
	like "$output" '20??-??-??T??:??:??Z 0001-01-01T00:00:00Z unchecked'
	sc inspect -f '{{.State.Pid}}' one
	same "$(readlink "/proc/$output/exe" | sed 's|.*/||')" busybox
	sc inspect -f '{{.NetworkSettings.IPAddress}} {{.Config.Image}} {{index .Config.Labels "a.b"}} {{len .Id}}' one
	like "$output" '10.99.* busybox:latest x 64'
	sc-cg freeze "sc/$(id12 one)"
	sc inspect -f '{{.State.Status}} {{.State.Paused}} {{.State.Running}}' one
	same "$output" 'paused true true'
	sc-cg thaw "sc/$(id12 one)"
	sc rm -f one
	sc 3 run --keep --name=two busybox sh -c 'exit 3'
	sc inspect -f '{{.State.Running}} {{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{.State.FinishedAt}}' two
	like "$output" 'false exited 3 0 20*Z'
	sc rm two
}

@test "inspect: addresses and ports are those of a container that runs" {
	idle net --keep -p 8080:80
	sc inspect -f '{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Networks.bridge.IPAddress}} {{json .NetworkSettings.Ports}}' net
	like "$output" '10.99.* 10.99.* {"80/tcp":*8080*'
	sc stop -t 0 net
	sc inspect -f '{{.NetworkSettings.IPAddress}},{{.NetworkSettings.Networks.bridge.IPAddress}},{{.NetworkSettings.MacAddress}},{{json .NetworkSettings.Ports}}' net
	same "$output" ',,,{}'
	sc inspect -f '{{json .HostConfig.PortBindings}}' net
	like "$output" '{"80/tcp":*8080*'
	sc rm net
}

@test "inspect: a record with odd networks is shown with the others" {
	local odd
	sc create --name=odd busybox true
	for odd in null '"x"' '{"bridge":"x"}' '[1]'; do
		sqlite3 :memory: "SELECT writefile('/var/lib/scadm/containers/odd/config.json',
			json_set(readfile('/var/lib/scadm/containers/odd/config.json'), '\$.NetworkSettings.Networks', json('$odd')))"
		sc inspect -f '{{.Name}}' odd
		sqlite3 :memory: "SELECT writefile('/var/lib/scadm/containers/odd/config.json',
			json_set(readfile('/var/lib/scadm/containers/odd/config.json'), '\$.NetworkSettings', json('$odd')))"
		sc inspect -f '{{.Name}}' odd
	done
	sc rm odd
}

@test "inspect: what the checks of health found" {
	sc run --keep --name=sick busybox true
	sc inspect -f '{{json .State.Health}}' sick
	same "$output" null
	echo 'unhealthy 4' >/var/lib/scadm/containers/sick/health
	sc inspect -f '{{json .State.Health}}' sick
	same "$output" '{"Status":"unhealthy","FailingStreak":4,"Log":[]}'
	printf '%s\n' '{"ExitCode":1,"Output":"a\nb"}' '{"ExitCode":2,"Output":"c,d"}' >/var/lib/scadm/containers/sick/health.log
	sc inspect -f '{{.State.Health.Status}} {{range .State.Health.Log}}{{.ExitCode}}:{{json .Output}} {{end}}' sick
	same "$output" 'unhealthy 1:"a\nb" 2:"c,d" '
	echo garbage >>/var/lib/scadm/containers/sick/health.log
	sc inspect -f '{{.State.Health.Log}}' sick
	same "$output" '[]'
	sc rm sick
}

@test "inspect: one member on a line, as docker prints it, and JSON" {
	idle one
	sc inspect one
	same "${lines[0]}" '['
	like "$output" '*"Status": "running",*'
	same "$(sqlite3 :memory: "SELECT json_valid('${output//\'/\'\'}')")" 1
	sc inspect --format json one
	same "${#lines[@]}" 1
	sc rm -f one
}

@test "inspect: what is there is printed, what is not is an error" {
	idle one
	sc 125 inspect nobody one
	like "$stderr" "*no container, image, volume or network 'nobody'*"
	like "$output" '*"Name": "one"*'
	sc 125 inspect nobody
	same "$output" '[]'
	sc 125 inspect -f '{{.Name}}' one nobody
	same "$output" one
	sc 1 inspect -f '{{.Nope}}' one
	same "$output" ''
	sc 125 inspect -f '{{.Name' one
	sc 125 inspect --type volume one
	sc 125 inspect --type nothing one
	sc 125 inspect ''
	sc 125 inspect '../one'
	sc rm -f one
}

@test "S28: inspect of a damaged record says so and prints the others" {
	idle good
	sc run --keep --name=bad busybox true
	for text in garbage '' '[]' '5'; do
		printf '%s' "$text" >/var/lib/scadm/containers/bad/config.json
		sc 125 inspect -f '{{.Name}}' bad good
		same "$output" good
		like "$stderr" "*'bad' is damaged*"
	done
	sc rm bad
	sc rm -f good
}

@test "S16: inspect gives back any argument byte for byte, and a terminal no control characters" {
	requires script
	# the backslash in single quotes is meant
	# shellcheck disable=SC1003
	sc run --keep --name=odd busybox true $'line\nbreak' $'\x1b[31mred' 'quo"te\' "it's" 'ünï' '' $'tab\there'
	sc inspect -f '{{range .Args}}<{{.}}>{{end}}' odd
	same "$output" $'<line\nbreak><\x1b[31mred><quo"te\\><it\'s><ünï><><tab\there>'
	same "$(script -qec "scadm inspect -f '{{index .Args 1}}' odd" /dev/null 3>&- | tr -d '\r')" '\u001b[31mred'
	sc rm odd
}

@test "inspect --cmd: the line a container was made with, quoted for a shell" {
	local line
	sc run --keep --name=made -e "A=it's" -v /tmp:/t:ro --label 'x=a  b' busybox sh -c $'echo "$A"\n# $(false) `\\' '' '*'
	sc inspect --cmd made
	line=$output
	same "${line%%echo*}" "scadm run --keep --name=made -e 'A=it'\\''s' -v /tmp:/t:ro --label 'x=a  b' busybox sh -c '"
	sc rm made
	# the shell reads the same words back
	eval "$line" >"$BATS_TEST_TMPDIR/printed" 3>&-
	same "$(cat "$BATS_TEST_TMPDIR/printed")" "it's"
	sc inspect --cmd made
	same "$output" "$line"
	sc rm made
	sc 125 inspect --cmd nobody
}

@test "S16, S29: control characters of the second kind reach no terminal: diff, inspect --cmd" {
	requires script
	# in UTF-8 (U+009B), as a byte alone, in what is too long for UTF-8; and text, some of which has such bytes in it
	local words=($'a\302\233m' $'b\233m' $'c\340\202\233m' $'d\303\237 \342\200\223 \360\237\230\200' $'e\302\240')
	# shellcheck disable=SC1112
	local shown=('a\302\233m' 'b\233m' $'c\340\\202\\233m' $'dß – 😀' $'e\302\240') n
	sc run --keep --name=odd busybox sh -c 'cd /; touch "$@"' sh "${words[@]}"
	sc diff odd
	for n in "${!words[@]}"; do
		printf '%s\n' "$output" | LC_ALL=C grep -axF "A /${shown[n]}"
	done
	same "$(printf '%s\n' "$output" | LC_ALL=C grep -ac $'\302[\200-\237]')" 0
	# each word for itself
	sc rm odd
	for n in "${!words[@]}"; do
		sc run --keep --name=odd busybox true "${words[n]}"
		like "$(script -qec 'scadm inspect --cmd odd' /dev/null 3>&- | tr -d '\r')" "* true '${shown[n]//\\/\\\\}'"
		# what is no terminal gets each byte
		sc inspect --cmd odd
		like "$output" "*${words[n]}*"
		sc rm odd
	done
}

@test "inspect: an image and a volume, where nothing is called so" {
	test -x "$ROOT/bin/scadm-volume-inspect"
	sc volume create thing
	sc inspect -f '{{.Name}}' thing
	same "$output" thing
	sc inspect --type volume -f '{{.Name}}' thing
	same "$output" thing
	sc 125 inspect --type container thing
	idle thing
	sc inspect -f '{{.Name}} {{.State.Status}}' thing
	same "$output" 'thing running'
	sc rm -f thing
	sc volume rm thing
}
