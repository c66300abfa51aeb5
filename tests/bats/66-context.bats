#!/usr/bin/env bats
# contexts: names for hosts, kept by each user

load helpers
load remote

setup_file() {
	in_sandbox
	sshd_start
	far_verb where <<-'END'
		#!/bin/sh
		# Say whether this is the other side
		echo "${SSH_CONNECTION:+far}"
	END
}

setup() {
	sc_setup
	export HOME="$BATS_TEST_TMPDIR/home"
	unset XDG_CONFIG_HOME
	mkdir "$HOME"
	# here there is such a verb too
	PATH=$PATH:$BATS_FILE_TMPDIR/bin
}

teardown_file() {
	sshd_stop
}

@test "context: create, use, ls, inspect, rm" {
	sc context create far --host "$FAR" --description 'a host'
	same "$output" far
	sc context create --docker "host=ssh://nowhere.invalid" nowhere
	sc where
	same "$output" ''
	sc context use far
	sc where
	same "$output" far
	sc context ls -q
	same "$output" $'default\nfar\nnowhere'
	sc context ls
	like "$output" "*far \*  *a host  *$FAR*"
	sc context ls --format '{{.Name}}={{.DockerEndpoint}} {{.Current}}'
	like "$output" $'default= false\n'"far=$FAR true"*
	sc context ls --format json
	like "$output" '*"Name":"far"*"Current":true*'
	sc context inspect --format '{{.Endpoints.docker.Host}}'
	same "$output" "$FAR"
	sc context inspect default nowhere
	same "$(sqlite3 :memory: "SELECT json_array_length('$output')")" 2
	sc 125 context rm far
	like "$stderr" '*is in use*'
	sc context rm nowhere
	sc context rm -f far
	sc where
	same "$output" ''
}

@test "context: --context chooses one for once, default is this host, and a flag is stronger than SCADM_HOST" {
	sc context create far --host "$FAR"
	sc --context far where
	same "$output" far
	sc --context=far where
	same "$output" far
	sc -c far where
	same "$output" far
	sc context use far
	sc --context default where
	same "$output" ''
	SCADM_HOST=ssh://nowhere.invalid sc --context default where
	same "$output" ''
	SCADM_HOST=ssh://nowhere.invalid sc 125 where
	sc -H "$FAR" where
	same "$output" far
	sc context use default
	sc where
	same "$output" ''
}

@test "context: the other side does not go on to the host of a context of its own" {
	sc context create loop --host "$FAR"
	sc context use loop
	mkdir -p /root/.config
	cp -r "$HOME/.config/scadm" /root/.config/
	sc where
	same "$output" far
	rm -r /root/.config/scadm
}

@test "context: names and hosts that cannot be are refused, and nothing is made" {
	local name
	for name in '' . .. ../x default -x 'a b' $'a\nb'; do
		sc 125 context create --host "$FAR" -- "$name"
	done
	sc 125 context create a
	sc 125 context create a --host ssh://-oProxyCommand=x
	sc 125 context create a --docker "$FAR"
	sc 125 context create a --host "$FAR" --description $'two\nlines'
	sc 125 context use nothing
	sc 125 context rm nothing
	sc 125 context rm default
	sc 125 context inspect nothing
	sc 125 --context nothing where
	like "$stderr" "*there is no context 'nothing'*"
	sc 125 --context ../contexts where
	[ ! -e "$HOME/.config" ]
	sc context create a --host "$FAR"
	sc 125 context create a --host "$FAR"
	like "$stderr" '*already*'
}

@test "context: a damaged file hurts that context only (S28)" {
	sc context create far --host "$FAR"
	printf 'x\033[2J\t"\\\n' >"$HOME/.config/scadm/contexts/bad"
	: >"$HOME/.config/scadm/contexts/empty"
	sc context ls
	like "$output" '*bad *(damaged)*'
	unlike "$output" $'*\033*'
	sc --context far where
	same "$output" far
	sc 125 --context bad where
	sc 125 --context empty where
	printf 'no/such' >"$HOME/.config/scadm/current"
	sc 125 where
	sc context use default
	sc where
}

@test "context: needs no root, and no HOME when none is asked for; a plan does the same" {
	env -u HOME scadm where
	run -125 env -u HOME scadm context create a --host "$FAR"
	scadm -n context create planned --host "$FAR" >"$BATS_TEST_TMPDIR/plan"
	[ ! -e "$HOME/.config" ]
	sh -e "$BATS_TEST_TMPDIR/plan"
	same "$(head -n 1 "$HOME/.config/scadm/contexts/planned")" "$FAR"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR/../.."
	mkdir -m 777 "$BATS_TEST_TMPDIR/nobody"
	setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$BATS_TEST_TMPDIR/nobody" scadm context create mine --host "$FAR"
	setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$BATS_TEST_TMPDIR/nobody" scadm context ls
}
