# shellcheck shell=sh
# lib/start.sh - the last steps of run: the environment, the record config.json, the chain of helpers

# environment_check WORD - refuse what is no NAME=VALUE and no NAME
environment_check() {
	case $1 in
	'' | =* | [!a-zA-Z_]*) die "-e '$1': write NAME=VALUE" ;;
	esac
}

# container_environment WORD... - write the env file from the options in WORD...: later words win over earlier ones
container_environment() {
	local left="$#" added kind json line text
	# the words of the command line leave at the front, what they mean for the environment is added at the end
	while next_option "$valued" "$@"; do
		shift "$used"
		left=$((left - used))
		case $option in
		-e | --env)
			case $value in
			*=*) set -- "$@" "$value" ;;
			*)
				text=$(printenv -- "$value" && echo .) || continue
				set -- "$@" "$value=${text%"$nl".}"
				;;
			esac
			;;
		--env-file)
			while IFS= read -r line || [ "$line" ]; do
				case $line in
				'#'* | '') ;;
				*=*) set -- "$@" "$line" ;;
				*) text=$(printenv -- "$line" && echo .) && set -- "$@" "$line=${text%"$nl".}" ;;
				esac
			done <"$value"
			;;
		esac
	done
	shift "$left"
	added=$#
	while read -r kind json; do
		[ "$kind" = env ] || continue
		json_text "$json"
		set -- "$@" "$text"
	done <<-END
		$facts
	END
	while [ "$added" -gt 0 ]; do
		set -- "$@" "$1"
		shift
		added=$((added - 1))
	done
	put0 "$record/env" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"HOSTNAME=$hostname" container=scadm ${tty:+TERM=xterm} "$@"
}

# container_start WORD... - put the chain together, write the record, run it
container_start() {
	local kind json line
	shift $(($# - operands))
	# entrypoint words come last to first: each goes to the front
	[ $# -gt 0 ] || [ "$entrypoint" ] || while read -r kind json; do
		[ "$kind" = cmd ] || continue
		json_text "$json"
		set -- "$@" "$text"
	done <<-END
		$facts
	END
	if [ "$entrypoint" ]; then
		set -- "$entrypoint" "$@"
	else
		while read -r kind json; do
			[ "$kind" = entrypoint ] || continue
			json_text "$json"
			set -- "$text" "$@"
		done <<-END
			$facts
		END
	fi
	[ $# -gt 0 ] || die "the image $image names no command: give one"
	record_json "$@"
	hint=''
	put "$record/config.json" "$config"
	cmd ln -s "$record" "$SC_RUN/$name"

	note "The chain: each program changes one thing about itself and becomes the next one."
	set -- ${tty:+--console-fd=3} -- "$@"
	while read -r line; do
		[ ! "$line" ] || set -- "--rlimit=$line" "$@"
	done <<-END
		$ulimits
	END
	set -- sc-clone --cgroup-fd=6 --pid --uts --ipc --cgroup \
		${uid_base:+--user ${user_of:+"--user-of=$user_of"} "--uid-map=0:$uid_base:65536" "--gid-map=0:$uid_base:65536"} \
		"--root=$SC_ROOT/merged" "--fstab=$record/fstab" --dev ${read_only:+--read-only} \
		${privileged:+--no-mask} "--hostname=$hostname" "--env-file=$record/env" "--as=${user:-0}" \
		"--cwd=${workdir:-/}" "--caps=$caps" ${no_new_privs:+--no-new-privs} \
		${seccomp:+"--seccomp=${SC_HELPERS:-$SC_LIB/build}/seccomp.bpf"} "--pid-file=$record/pid" \
		${foreground:+--die-with-parent} ${detach:+--ready-fd=5} ${oom_score_adj:+"--oom-score-adj=$oom_score_adj"} "$@"
	case $net in
	host) ;;
	bridge | none) # this namespace is ours: low ports and ping need no privilege in it
		shift
		set -- sc-nsexec "--net=/run/netns/$name" sc-clone --sysctl=net.ipv4.ip_unprivileged_port_start=0 \
			'--sysctl=net.ipv4.ping_group_range=0 2147483647' "$@"
		;;
	*) set -- sc-nsexec "--net=/run/netns/$net" "$@" ;;
	esac
	set -- sc-cg --v2-fd=6 exec "$cgroup" "$@"
	if [ "$detach" ]; then
		[ ! "$tty" ] || set -- sc-tty "--log=$record/container.log" "--listen=$record/console" "$@"
		container_detach "$@"
	else
		[ "$interactive" ] && reads='' || reads=1
		[ ! "$tty" ] || set -- sc-tty --die-with-parent ${reads:+--no-stdin} "$@"
		container_foreground "$@"
	fi
}

# container_detach WORD... - hand the chain to a supervisor in the background; prints the id
container_detach() {
	local status=0
	try scadm-supervise --detach "$name" "$@" || status=$?
	if [ "$status" -ne 0 ]; then
		[ ! -s "$record/container.log" ] || cat "$record/container.log" >&2
		exit "$status"
	fi
	if [ "$door" = print ]; then
		show "echo $id"
		[ ! "$interactive" ] || closing=1
	else
		# it runs, whether or not anybody can read its id
		printf '%s\n' "$id" 2>/dev/null || say "could not print the id: $id"
	fi
	commit
	[ ! "${closing-}" ] || show '}'
}

# container_foreground WORD... - run the chain here, unwind when it ends, leave with its exit status
container_foreground() {
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
		[ ! "$interactive" ] || show '}'
		exit 0
	fi
	[ "$interactive$tty" ] || exec </dev/null
	supervise "$record" "$cgroup" "$@"
	[ "$oom" = false ] || say "$name was killed for memory: its limit is too small for what it did (see -m)"
	[ ! "$keep" ] || put "$record/exit" "$exit_status $oom $(date -u +%Y-%m-%dT%H:%M:%SZ)"
	unwind_mark=keep explained=1
	exit "$exit_status"
}
