# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/journal.sh, lib/json.sh and the modules of run
# lib/start.sh - what a container has only while it runs: its disk, cgroup, namespace, address; then the chain of helpers
#
# run comes here with what it asked for, start with what start_read found in the record. All of it is undone when the
# container has ended: these lines of the journal stand below `# keep`.

# start_read - sets what run_options and create_ask set, from the record of $name
start_read() {
	local kind json
	[ -e "$record/config.json" ] && [ -e "$record/args" ] ||
		die "'$name' has no whole record: it is being made, or was left half made ('scadm gc' removes that)"
	caps='' no_new_privs='' seccomp=1 keep=1
	facts=$(
		sqlite3 -init /dev/null :memory: 2>/dev/null <<-END
			CREATE TEMP TABLE record AS SELECT CAST(readfile('$record/config.json') AS TEXT) AS j;
			CREATE TEMP TABLE fact(kind, path);
			INSERT INTO fact VALUES ('id', '\$.Id'), ('image', '\$.Image'), ('hostname', '\$.Config.Hostname'), ('user', '\$.Config.User'),
				('workdir', '\$.Config.WorkingDir'), ('tty', '\$.Config.Tty'), ('interactive', '\$.Config.OpenStdin'),
				('stop_signal', '\$.Config.StopSignal'), ('stop_timeout', '\$.Config.StopTimeout'), ('net', '\$.HostConfig.NetworkMode'),
				('userns', '\$.HostConfig.UsernsMode'), ('remove', '\$.HostConfig.AutoRemove'), ('privileged', '\$.HostConfig.Privileged'),
				('read_only', '\$.HostConfig.ReadonlyRootfs'), ('caps', '\$.HostConfig.Capabilities'), ('log_driver', '\$.HostConfig.LogConfig.Type'),
				('log_max_size', '\$.HostConfig.LogConfig.Config."max-size"'), ('log_max_file', '\$.HostConfig.LogConfig.Config."max-file"'),
				('health', '\$.Config.Healthcheck.Test[0]');
			SELECT kind || ' ' || json_quote(CAST(json_extract(j, path) AS TEXT)) FROM record, fact WHERE json_extract(j, path) NOT IN ('', 0);
			SELECT 'security ' || json_quote(value) FROM record, json_each(j, '\$.HostConfig.SecurityOpt');
		END
	) || die "$record/config.json is damaged: 'scadm rm $name' removes the container"
	while read -r kind json; do
		json_text "$json"
		case $kind in
		id) id=$text ;;
		image) image=$text ;;
		hostname) hostname=$text ;;
		user) user=$text ;;
		workdir) workdir=$text ;;
		tty) tty=1 ;;
		interactive) interactive=1 ;;
		stop_signal) stop_signal=$text ;;
		stop_timeout) stop_timeout=$text ;;
		net) net=$text ;;
		userns) userns=$text ;;
		remove) keep='' ;;
		privileged) privileged=1 ;;
		read_only) read_only=1 ;;
		caps) caps=$text ;;
		log_driver) log_driver=$text ;;
		log_max_size) log_max_size=$text ;;
		log_max_file) log_max_file=$text ;;
		health) health=$text ;;
		security)
			case $text in no-new-privileges) no_new_privs=1 ;; seccomp=unconfined) seccomp='' ;; esac
			;;
		esac
	done <<-END
		$facts
	END
	attach_read
	publish_read
	resolve_read
	attach_hosts
	recorded=$attachments
	attach_renumber
	cgroup=$SC_CGROUP/$short
	limits=''
	while IFS= read -r json; do
		limits=$limits${limits:+$nl}$json
	done <"$record/limits"
	limits_split
	disk_find
}

# start_ask - refuse what cannot start now; sets the words of $attachments and $published to what it is to have
start_ask() {
	container_network_check
	container_userns
	attach_container_running
	mounts_check "$record"
	attach_ask
	publish_check
}

# start_up - make what the container has while it runs
start_up() {
	disk_up
	note "A cgroup is a directory with numbers in it: the limits are there before the first instruction."
	undo sc-cg rm -p "$cgroup"
	limits_set create "$cgroup"
	if [ "$own_netns" ]; then
		note "A network namespace with a name: 'ip netns exec $name' gets you in."
		undo_if "/run/netns/$name" ip netns del "$name"
		if [ "$uid_base" ]; then
			cmd sc-netns "--uid-map=0:$uid_base:65536" "--gid-map=0:$uid_base:65536" "$name"
		else
			cmd ip netns add "$name"
		fi
	fi
	if [ "$attachments" ]; then
		attach_up
		publish_up
		read -r _ _ _ address _ <<-END
			$attachments
		END
		case $net_prio in '' | none) ;; *) rate_priority ;; esac
	elif [ "$own_netns" ]; then
		feed "link set dev lo up" ip -n "$name" -batch -
	fi
}

# start_again - what start has to change in a record that has run before
start_again() {
	note "What is known of the last run is no longer true."
	attach_container_again
	[ "$again" ] || cmd rm -f "$record/stopped" "$record/restarts"
	set +f
	# of an exec that was killed, too
	cmd rm -f "$record/pid" "$record/exit" "$record/oom_kill" "$record/health" "$record/stdin" "$record"/.env.*
	set -f
	[ ! "$shm_size" ] || cmd sed -i "s|^\\(tmpfs /dev/shm .*,size=\\)[0-9]*|\\1$shm_size|" "$record/fstab"
}

# start_address - have the record tell the addresses and ports that were taken
start_address() {
	[ "$attachments" ] || return 0
	record_network
	[ "$attachments" != "$recorded" ] || [ "$published" ] || return 0
	sql_string "$settings_json"
	config=$(
		sqlite3 -init /dev/null :memory: <<-END
			SELECT json_set(CAST(readfile('$record/config.json') AS TEXT), '\$.NetworkSettings', json($sql));
		END
	) || die "cannot read $record/config.json"
	[ "$attachments" = "$recorded" ] || start_put networks "$attachments"
	start_put config.json "$config"
}

# start_put FILE TEXT - write a file of the record: whoever reads it sees the old one or the new one
start_put() {
	undo rm -f "$record/$1.new"
	put "$record/$1.new" "$2"
	cmd mv "$record/$1.new" "$record/$1"
}

# start_chain - put the chain together and run it
start_chain() {
	local line reads=''
	case ${health-} in '' | NONE) ;; *) put "$record/health" 'starting 0' ;; esac
	note "The chain: each program changes one thing about itself and becomes the next one."
	set -- ${tty:+--console-fd=3} "--args=$record/args"
	while read -r line; do
		[ ! "$line" ] || set -- "--rlimit=$line" "$@"
	done <<-END
		$ulimits
	END
	# what ends later than a rename is named from the record, where the supervisor stands
	set -- sc-clone --cgroup-fd=6 --pid --uts --ipc --cgroup \
		${uid_base:+--user ${user_of:+"--user-of=$user_of"} "--uid-map=0:$uid_base:65536" "--gid-map=0:$uid_base:65536"} \
		"--root=$SC_ROOT/merged" "--fstab=$record/fstab" --dev ${read_only:+--read-only} \
		${privileged:+--no-mask} "--hostname=$hostname" "--env-file=$record/env" "--as=${user:-0}" \
		"--cwd=${workdir:-/}" "--caps=$caps" ${no_new_privs:+--no-new-privs} \
		${seccomp:+"--seccomp=${SC_HELPERS:-$SC_LIB/build}/seccomp.bpf"} \
		"--pid-file=${foreground:+$record/}pid" \
		${foreground:+--die-with-parent} ${detach:+--ready-fd=5} ${oom_score_adj:+"--oom-score-adj=$oom_score_adj"} "$@"
	if [ "$own_netns" ]; then
		# this namespace is ours: low ports and ping need no privilege in it
		shift
		set -- sc-nsexec "--net=/run/netns/$name" sc-clone --sysctl=net.ipv4.ip_unprivileged_port_start=0 \
			'--sysctl=net.ipv4.ping_group_range=0 2147483647' "$@"
	elif [ "$netns" ]; then
		set -- sc-nsexec "--net=/run/netns/$netns" "$@"
	fi
	set -- sc-cg --v2-fd=6 exec "$cgroup" "$@"
	[ "$interactive" ] || reads=1
	log_words
	if [ "$detach" ]; then
		if [ "$tty" ]; then
			# shellcheck disable=SC2086 # words without blanks
			set -- sc-tty $log_words --listen=console "$@"
		else
			# shellcheck disable=SC2086 # as above
			set -- sc-log write $log_words ${interactive:+--stdin=stdin} -- "$@"
		fi
		start_detached "$@"
	fi
	# what is removed when it ends needs no log
	[ "$keep" ] && [ "$log_driver" != none ] || log_words=''
	if [ "$tty" ]; then
		# shellcheck disable=SC2086 # as above
		set -- sc-tty --die-with-parent ${reads:+--no-stdin} $log_words "$@"
	elif [ "$log_words" ]; then
		# shellcheck disable=SC2086 # as above
		set -- sc-log write $log_words --copy --die-with-parent -- "$@"
	fi
	start_foreground "$@"
}

# start_event - note that it runs, and on which networks
start_event() {
	event_networks connect "$record" "$short" "$name"
	event container start "$id" "$name" "image=$image"
}

# start_detached WORD... - hand the chain to a supervisor in the background; prints $answer
start_detached() {
	local status=0
	if [ "${again-}" ]; then
		# we are the supervisor ourselves: a container that its restart policy starts again
		start_event
		try exec scadm-supervise "$name" "$@"
	fi
	# the supervisor takes the lock; our entry in .owners keeps others out until it has
	[ "$door" = print ] || exec 9<&-
	try scadm-supervise --detach "$name" "$@" || status=$?
	if [ "$status" -ne 0 ]; then
		[ ! -s "$record/container.log" ] || sc-log read "--file=$record/container.log" --tail=20 >&2 || say "cannot read $record/container.log"
		[ ! -s "$record/supervise.log" ] || cat "$record/supervise.log" >&2
		# one that has a record before keeps how its start ended; the record of run goes
		[ "$verb" != start ] || put "$record/exit" "$status false $(date -u +%Y-%m-%dT%H:%M:%SZ)"
		explained=1
		exit "$status"
	fi
	if [ "$door" = print ]; then
		show "echo $answer"
		[ ! "${group-}" ] || closing=1
	else
		start_event
		# it runs, whether or not anybody can read its id
		printf '%s\n' "$answer" 2>/dev/null || say "could not print the id: $answer"
	fi
	commit
	[ ! "${closing-}" ] || show '}'
	exit 0
}

# start_foreground WORD... - run the chain here, unwind when it ends, leave with its exit status
start_foreground() {
	if [ "$door" != run ]; then
		quote "$@"
		[ "$interactive$tty" ] || quoted="$quoted </dev/null"
		show "status=0; $quoted || status=\$?"
	fi
	if [ "$door" = print ]; then
		# shellcheck disable=SC2016 # the status of the plan's own chain
		[ ! "$keep" ] || show 'printf "%s false %s\n" "$status" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >'"$record/exit"
		show "scadm-undo $journal keep"
		show "rm -f $(owner_quoted "$entry")"
		# shellcheck disable=SC2016 # the status of the plan's own chain
		show 'exit "$status"'
		[ ! "${group-}" ] || show '}'
		exit 0
	fi
	[ "$interactive$tty" ] || exec </dev/null
	start_event
	supervise "$record" "$cgroup" "$@"
	event container die "$id" "$name" "image=$image" "exitCode=$exit_status"
	event_networks disconnect "$record" "$short" "$name"
	[ "$oom" = false ] || say "$name was killed for memory: its limit is too small for what it did (see -m)"
	[ ! "$keep" ] || put "$record/exit" "$exit_status $oom $(date -u +%Y-%m-%dT%H:%M:%SZ)"
	unwind_mark=keep explained=1
	exit "$exit_status"
}
