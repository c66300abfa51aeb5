# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/json.sh and lib/find.sh, and the options of the verb: user workdir privileged tty
# lib/exec.sh - the chain of helpers that runs a command in a container, with the rights of the container: for exec and health

# exec_config - sets $id $caps $no_new_privs $seccomp and, unless the user chose them, $user and $workdir, from the record
exec_config() {
	local kind json facts
	id='' caps='' no_new_privs='' seccomp=1
	facts=$(
		sqlite3 -init /dev/null :memory: 2>/dev/null <<-END
			CREATE TEMP TABLE record AS SELECT CAST(readfile('$record/config.json') AS TEXT) AS j;
			SELECT 'id ' || json_quote(json_extract(j, '\$.Id')) FROM record;
			SELECT 'caps ' || json_quote(json_extract(j, '\$.HostConfig.Capabilities')) FROM record;
			SELECT 'user ' || json_quote(json_extract(j, '\$.Config.User')) FROM record;
			SELECT 'workdir ' || json_quote(json_extract(j, '\$.Config.WorkingDir')) FROM record;
			SELECT 'security ' || json_quote(value) FROM record, json_each(j, '\$.HostConfig.SecurityOpt');
		END
	) || die "$record/config.json is damaged: 'scadm rm -f $name' removes the container"
	while read -r kind json; do
		json_text "$json"
		case $kind,$text in
		id,*) id=$text ;;
		caps,*) caps=$text ;;
		user,*) user=${user:-$text} ;;
		workdir,*) workdir=${workdir:-$text} ;;
		security,no-new-privileges) no_new_privs=1 ;;
		security,seccomp=unconfined) seccomp='' ;;
		esac
	done <<-END
		$facts
	END
	[ ! "$privileged" ] || caps=all seccomp=''
}

# exec_ulimits - sets $ulimits to the options for the resource limits of the container, a line each
exec_ulimits() {
	local line score ours
	ulimits=''
	while IFS= read -r line; do
		case $line in ulimit.*) ulimits="$ulimits$nl--rlimit=${line#ulimit.}" ;; esac
	done <"$record/limits"
	# that of init, as update may have changed it
	{ read -r score <"/proc/$pid/oom_score_adj"; } 2>/dev/null || score=0
	read -r ours <"/proc/$$/oom_score_adj"
	[ "$score" = "$ours" ] || ulimits="$ulimits$nl--oom-score-adj=$score"
}

# exec_chain WORD... - put the chain for WORD... together and hand it to exec_become, which is the verb's own
exec_chain() {
	local IFS="$nl"
	# shellcheck disable=SC2086 # split at line ends only, and there is no globbing (set -f)
	set -- $ulimits -- "$@"
	unset IFS
	exec_become sc-cg --v2-fd=6 exec "$SC_CGROUP/$short" sc-nsexec --cgroup-fd=6 "--target=$pid" "--start-time=$start" \
		"--as=${user:-0}" "--caps=$caps" ${no_new_privs:+--no-new-privs} \
		${seccomp:+"--seccomp=${SC_HELPERS:-$SC_LIB/build}/seccomp.bpf"} "--env-file=$record/env" \
		${extra:+--env-file=/dev/fd/5} "--cwd=${workdir:-/}" ${tty:+--console-fd=3} ${alone:+--detach} "$@"
}
