# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh: impatience
# lib/supervise.sh - start the chain of helpers, wait for its end, pass signals on, say how it ended

. "$SC_LIB/lib/child.sh"

# supervise RECORD CGROUP WORD... - run the chain and wait; sets $exit_status and $oom
# Its stdin is ours, which a background job of a shell does not get by itself.
supervise() {
	local record="$1" cgroup="$2" chain='' early='' signal heard
	shift 2
	# These mean something to the container only. Before it starts: it may be at work, and be sent one, before we get on.
	for signal in QUIT USR1 USR2 WINCH; do
		# the words of this list
		# shellcheck disable=SC2064
		trap "pass_on $signal" "$signal"
	done
	exec 4<&0
	"$@" <&4 4<&- 9<&- &
	chain=$!
	exec 4<&-
	for signal in $early; do
		pass_on "$signal"
	done
	supervise_health
	asked=0
	trap 'ask_to_end INT "$chain" "$cgroup"' INT
	trap 'ask_to_end TERM "$chain" "$cgroup"' TERM
	trap 'ask_to_end HUP "$chain" "$cgroup"' HUP
	wait_child "$chain"
	trap '' INT TERM HUP QUIT USR1 USR2
	supervise_health_end
	# door: signals to what the chain started pass it on, they are no step of a plan
	[ ! "${impatience-}" ] || ! kill "$impatience" 2>/dev/null || wait "$impatience" || impatience=''
	oom=false
	[ "$exit_status" -ne 137 ] || ! oom_killed "$record" "$cgroup" || oom=true
}

# pass_on SIGNAL - to the chain; if it is not known yet, later
# a trap calls it
# shellcheck disable=SC2317
pass_on() {
	heard=1
	# door: what is sent to us is for the container, and no step of a plan; our own child may have ended just now
	if [ "$chain" ]; then kill "-$1" "$chain" 2>/dev/null || :; else early="$early $1"; fi
}

# supervise_health - with a health check: have it made in the background as long as the container runs; sets $checker
supervise_health() {
	checker=''
	[ -e "$record/health" ] || return 0
	# door: what is found is a record, and the checks are the container's own
	scadm-health "$name" 5>&- 9<&- &
	checker=$!
}

# supervise_health_end - no more checks
supervise_health_end() {
	# door: our own child
	[ ! "$checker" ] || ! kill "$checker" 2>/dev/null || wait "$checker" || checker=''
}

# supervise_adopted RECORD CGROUP - wait for the end of a chain that is not our child; sets $exit_status and $oom
supervise_adopted() {
	local record="$1" cgroup="$2"
	# sc-clone has this file locked as long as it lives; whoever wants the container ended tells that
	trap '' TERM
	supervise_health
	flock -s "$record/pid" true 9<&-
	supervise_health_end
	oom=false exit_status=137
	{ read -r _ && read -r exit_status; } <"$record/pid" || exit_status=137
	[ "$exit_status" -ne 137 ] || ! oom_killed "$record" "$cgroup" || oom=true
}
# oom_killed RECORD CGROUP - whether the kernel killed anybody there for memory, but for the probes of verify
oom_killed() {
	local key value probes=0
	{ read -r probes <"$1/oom_kill"; } 2>/dev/null || probes=0
	while read -r key value; do
		[ "$key" != oom_kill ] || [ "$value" -le "${probes:-0}" ] || return 0
	done <<-END
		$(sc-cg stat "$2")
	END
	return 1
}

# ask_to_end SIGNAL CHAIN CGROUP - pass a signal on; the second one, or ten seconds, end it for certain
ask_to_end() {
	heard=1
	asked=$((asked + 1))
	if [ "$asked" -gt 1 ]; then
		# door: as above
		sc-cg kill "$3" || say "could not end all processes of $3"
		return 0
	fi
	# door: as above
	kill "-$1" "$2" 2>/dev/null || return 0
	(
		sleep 10 &
		trap 'kill "$!"; exit 0' TERM
		trap '' INT HUP
		wait "$!"
		# door: as above
		sc-cg kill "$3"
	) </dev/null >/dev/null 2>&1 &
	impatience=$!
}
