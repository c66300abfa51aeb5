# shellcheck shell=sh
# shellcheck disable=SC2034 # what is set here for the verbs
# lib/child.sh - the exit status of a child of this shell, whatever signals come meanwhile

# wait_child PID - wait until it has ended; sets $exit_status. A trap that is called meanwhile must set heard=1
wait_child() {
	local told='' ended
	while :; do
		heard=''
		wait "$1" && ended=0 || ended=$?
		# 127 may be that we were told before
		[ "$told" ] && [ "$ended" -eq 127 ] || exit_status=$ended
		told=''
		! kill -0 "$1" 2>/dev/null || continue
		# what a trap called may have had the shell see the end of the child too: then the next wait tells its status
		[ "$heard" ] || break
		told=1
	done
}
