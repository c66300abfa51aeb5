# remote.bash: for files that reach a host through ssh: the sandbox itself, by a real sshd on its loopback, with keys,
# port and configuration of its own. Verbs of the test are files in $BATS_FILE_TMPDIR/bin, which is in PATH over there.

# sshd_start - keys, configuration, and sshd on 127.0.0.1 and ::1, port 2222
sshd_start() {
	local dir="$BATS_FILE_TMPDIR"
	requires ssh sshd
	mkdir -p /run/sshd "$dir/bin"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	cp "$dir/key.pub" "$dir/authorized_keys"
	cat >"$dir/sshd_config" <<-END
		Port 2222
		AddressFamily any
		HostKey $dir/host_key
		AuthorizedKeysFile $dir/authorized_keys
		PidFile none
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin yes
		PermitUserEnvironment no
		MaxStartups 100
		SetEnv PATH=$dir/bin:$SC_HELPERS:$ROOT/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
	END
	{
		printf '[127.0.0.1]:2222 ' && cat "$dir/host_key.pub"
		printf '[::1]:2222 ' && cat "$dir/host_key.pub"
		printf '[localhost]:2222 ' && cat "$dir/host_key.pub"
	} >"$dir/known_hosts"
	cat >"$dir/ssh_config" <<-END
		IdentityFile $dir/key
		IdentitiesOnly yes
		UserKnownHostsFile $dir/known_hosts
		BatchMode yes
		ConnectTimeout 10
	END
	# it wants the whole path
	"$(command -v sshd)" -D -e -f "$dir/sshd_config" 2>"$dir/sshd.log" 3>&- &
	echo $! >"$dir/sshd.pid"
	wait_until 10 grep -q 'Server listening' "$dir/sshd.log"
	export SCADM_SSH_OPTIONS="-F $dir/ssh_config" FAR=ssh://root@127.0.0.1:2222
}

# sshd_stop - end it
sshd_stop() {
	[ ! -e "$BATS_FILE_TMPDIR/sshd.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/sshd.pid")"
}

# far_verb NAME - a verb that is there only on the other host; its text is on stdin
far_verb() {
	cat >"$BATS_FILE_TMPDIR/bin/scadm-$1"
	chmod +x "$BATS_FILE_TMPDIR/bin/scadm-$1"
}

# far [STATUS] WORD... - run scadm for the other host, as sc does
far() {
	local expected=0
	case $1 in
	[0-9] | [0-9][0-9] | [0-9][0-9][0-9])
		expected=$1
		shift
		;;
	esac
	sc "$expected" -H "$FAR" "$@"
}
