# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/verify.sh and bin/scadm-verify
# lib/verify-cpu.sh - limits of processors: which ones, how much of them, and who comes first

# verify_places - rows of cpuset.cpus and cpuset.mems; sets $may_use to the CPUs that a process here can run on
verify_places() {
	local kind asked online
	probe sc-probe watch ${with:+"$with"} 5 sc-cg exec "$cgroup" sc-probe cpus
	read -r online </sys/devices/system/cpu/online
	if said cpus; then expand "$answer"; else expand "${cpus:-$online}"; fi
	may_use=$numbers
	for kind in cpus mems; do
		if [ "$kind" = cpus ]; then asked=$cpus; else asked=$mems; fi
		[ "$asked" ] || continue
		if said "$kind"; then
			expand "$asked"
			ok=$numbers
			expand "$answer"
			if [ "$ok" = "$numbers" ]; then ok=ok; else ok=FAILED; fi
		else
			excuse
		fi
		row "cpuset.$kind" "$asked" "$answer" "$ok"
	done
}

# verify_quota QUOTA PERIOD - the row of cpu.max
verify_quota() {
	local quota="$1" period="$2" asked tolerance periods cpu_count idle all
	asked=$((quota * 10000 / period))
	percent "$asked"
	asked_text="$text of a CPU"
	# shellcheck disable=SC2086 # numbers
	set -- $may_use
	cpu_count=$#
	if [ "$asked" -ge $((cpu_count * 10000)) ]; then
		row cpu.max "$asked_text" '' "not measured: it may run on $cpu_count CPUs, and they give no more than that"
		return 0
	fi
	# in whole periods, as what it gets in each of them comes at the beginning
	host_time
	periods=$((2000000 / period))
	[ "$periods" -gt 0 ] || periods=1
	measure_use $((periods * period)) $((period > 150000 ? period : 150000)) $((asked / 10000 + 1))
	if [ "$elapsed" -le 0 ]; then
		row cpu.max "$asked_text" '' "$ok"
		return 0
	fi
	answer=$((used / elapsed))
	if [ "$asked" -gt 10000 ]; then
		tolerance=$((asked * 15 / 100))
	else
		tolerance=$((asked / 4))
		[ "$tolerance" -le 200 ] || tolerance=200
		[ "$tolerance" -ge 60 ] || tolerance=60
	fi
	between "$answer" $((asked - tolerance)) $((asked + tolerance))
	[ "$answer" -ge "$asked" ] || excuse_busy
	# it was hardly ever stopped, so it was not the limit
	[ "$answer" -ge "$asked" ] || [ "$throttled" -ge $((periods / 2)) ] || [ "$ok" != FAILED ] ||
		ok='not measured: other work on this host left it less than its limit'
	percent "$answer"
	row cpu.max "$asked_text" "$text" "$ok"
}

# percent PART - sets $text to PART ten-thousandths as percent
percent() {
	text="$(($1 / 100)).$(($1 % 100 / 10)) %"
}

# measure_use LENGTH WARM_UP COUNT - what the control group uses while COUNT processes compute in it: sets
# $used (ten-thousandths of microseconds), $elapsed (microseconds), $throttled (times);
# $elapsed is 0 and $ok says why when nothing was measured
measure_use() {
	local warm_up length key value
	seconds $(($1 + $2 + 1000000))
	set -- "$1" "$2" sc-probe watch ${with:+"$with"} 20 sc-cg exec "$cgroup" sc-probe burn "$seconds" "$3"
	seconds "$1"
	length=$seconds
	seconds "$2"
	warm_up=$seconds
	shift 2
	got='' elapsed=0 used=0 throttled=0
	if planned '' "$@"; then
		# the probe ends when nobody reads what it prints
		got=$("$@" 2>&1 | {
			read -r key value
			[ "$key" = burning ] || fail_with "$key" "$value"
			sleep "$warm_up"
			now
			printf 'begin %s\n' "$time"
			sc-cg stat "$cgroup" | sed 's/^/before./'
			sleep "$length"
			now
			printf 'end %s\n' "$time"
			sc-cg stat "$cgroup" | sed 's/^/after./'
			# its lines say what was found, or why nothing was; the status adds nothing
		}) || :
	fi
	if ! said end; then
		excuse
		return 0
	fi
	elapsed=$answer
	said begin
	elapsed=$(((elapsed - answer) * 10000))
	said after.cpu.usage_usec && used=$answer
	said before.cpu.usage_usec && used=$(((used - answer) * 10000))
	said after.cpu.nr_throttled && throttled=$answer
	said before.cpu.nr_throttled && throttled=$((throttled - answer))
	return 0
}

# verify_weight KEY VALUE - the row of cpu.shares or cpu.weight: against a control group of four times its weight
# (or a quarter where that is too much), both busy on one CPU
verify_weight() {
	local native=cpu.weight most=10000 own other beside rival="$SC_CGROUP/verify-$short" cpu share
	cpu=${may_use# }
	cpu=${cpu%% *}
	# in the kernel's own units, which it does not round
	! grep -q ' - cgroup [^ ]* \([^ ]*,\)\{0,1\}cpu\(,\|$\)' /proc/self/mountinfo || native=cpu.shares most=262144
	if [ "$quota" != max ] && [ $((quota * 100)) -lt $((period * 25)) ]; then
		row "$1" "$2" '' 'not measured: cpu.max stops it before its share does'
		return 0
	fi
	note "Who gets how much of a busy CPU: a container beside a control group of four times its weight."
	begin cgroups "verify-$short"
	undo sc-cg rm -p "$rival"
	cmd sc-cg create "$rival"
	# first the same, to see what the kernel makes of it: the container itself may have another by now
	cmd sc-cg set "$rival" "$1=$2"
	own=$most
	[ "$door" = print ] || own=$(sc-cg get "$rival" "$native")
	own=${own#*=}
	other=$((own * 4)) beside='four times its weight'
	[ "$other" -le "$most" ] || other=$((own / 4)) beside='a quarter of its weight'
	cmd sc-cg set "$rival" "$native=$other"
	measure_share "$rival" "$cpu"
	unwind || say "'scadm gc' removes the control group $rival"
	journal=''
	if [ "$other_used" -le 0 ] || [ "$own_used" -le 0 ]; then
		row "$1" "$2" '' "$ok"
		return 0
	fi
	# the share in hundredths of what it should be
	answer=$((own_used * other * 100 / (other_used * own)))
	between "$answer" 85 115
	[ "$ok" = ok ] || ! busy || ok='not measured: it has work of its own on other CPUs, which counts as well'
	share=$((own_used * 1000 / (own_used + other_used)))
	row "$1" "$2" "$((share / 10)).$((share % 10)) % of a CPU beside one of $beside" "$ok"
}

# measure_share RIVAL CPU - sets $own_used and $other_used to the microseconds that both had of a CPU
measure_share() {
	local rival="$1" cpu="$2" key value
	got='' own_used=0 other_used=0
	set -- sc-probe watch ${with:+"$with"} 20 sc-cg exec
	# only shown: the pipe below runs it together with the other
	planned ' &' "$@" "$rival" sc-probe burn 3 1 "$cpu" || :
	if planned '' "$@" "$cgroup" sc-probe burn 2.5 1 "$cpu"; then
		got=$("$@" "$rival" sc-probe burn 3 1 "$cpu" 2>&1 | {
			read -r key value
			[ "$key" = burning ] || fail_with "$key" "$value"
			"$@" "$cgroup" sc-probe burn 2.5 1 "$cpu" 2>&1 | {
				read -r key value
				[ "$key" = burning ] || fail_with "$key" "$value"
				sleep 0.1
				sc-cg stat "$rival" "$cgroup" | sed 's/^/before./'
				sleep 1.3
				sc-cg stat "$rival" "$cgroup" | sed 's/^/after./'
			}
			# its lines say what was found, or why nothing was; the status adds nothing
		}) || :
	fi
	if [ "${got#*after.}" = "$got" ]; then
		excuse
		return 0
	fi
	# in each half the rival's comes first
	# shellcheck disable=SC2046 # four numbers
	set -- $(printf '%s\n' "$got" | sed -n 's/^[a-z]*\.cpu\.usage_usec //p')
	other_used=$(($3 - $1)) own_used=$(($4 - $2))
}

# busy - whether the container uses more than a twentieth of a CPU by itself
busy() {
	local before
	before=$(usage_of cpu.usage_usec)
	sleep 0.5
	[ $(($(usage_of cpu.usage_usec) - before)) -gt 25000 ]
}
