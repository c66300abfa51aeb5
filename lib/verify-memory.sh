# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/verify.sh and bin/scadm-verify: cgroup memory memsw swap pids
# lib/verify-memory.sh - limits of memory, swap, huge pages and processes

# memory_free - sets $free and $free_swap to the bytes this host has left
memory_free() {
	local key value _
	free=0 free_swap=0
	while read -r key value _; do
		case $key in
		MemAvailable:) free=$((value * 1024)) ;;
		SwapFree:) free_swap=$((value * 1024)) ;;
		esac
	done </proc/meminfo
}

# verify_memory - the rows of memory.max and of swap
verify_memory() {
	local limit="$memory" swap_key='' swap_limit='' most peak_before extra=33554432 free free_swap kernel
	if [ "$memsw" ]; then
		swap_key=memory.memsw.limit_in_bytes swap_limit=$memsw
	elif [ "$swap" ]; then
		swap_key=memory.swap.max swap_limit=$swap
	fi
	memory_free
	[ "$limit" ] || limit=max
	[ "$limit" != max ] || {
		[ ! "$swap_key" ] || [ "$swap_limit" = max ] || row "$swap_key" "$swap_limit" '' 'not measured: memory itself has no limit'
		return 0
	}
	# what swap lets it have beyond the limit
	most=$limit
	if [ "$free_swap" -gt 0 ]; then
		held memory.swap.max || kernel=0
		[ "$kernel" != max ] || kernel=0 swap_limit=max
		[ "$kernel" -le 1073741824 ] && [ "$kernel" -le "$free_swap" ] || swap_limit=max kernel=0
		most=$((limit + kernel))
	fi
	size_text "$limit"
	asked_text=$text
	memory_refusal "$limit" || {
		row memory.max "$asked_text" '' "$ok"
		[ ! "$swap_key" ] || row "$swap_key" "$swap_limit" '' "$ok"
		return 0
	}
	peak_before=$(usage_of memory.peak)
	probe sc-probe watch ${with:+"$with"} 6 sc-cg exec "$cgroup" sc-probe touch $((most + extra)) 4
	note "The kernel counts this victim too; the end of the container must not be put down to it."
	alive
	# shellcheck disable=SC2016 # for the shell that counts when the plan is run, as well as here
	cmd sh -c 'sc-cg stat "$1" | sed -n "s/^oom_kill //p" >"$2"' sh "$cgroup" "$record/oom_kill"
	memory_verdict "$limit" "$most" "$peak_before"
	row memory.max "$asked_text" "$measured" "$ok"
	case $swap_key,$swap_limit in
	,*) return 0 ;;
	*,max) ok='not measured: it has more swap than a probe should fill' ;;
	esac
	[ "$free_swap" -gt 0 ] || ok='not measured: this host has no swap'
	case $swap_limit in max | -1) ;; *) size_text "$swap_limit" && swap_limit=$text ;; esac
	row "$swap_key" "$swap_limit" "$measured" "$ok"
}

# memory_victims - whether a process of the container has asked to be ended early; together with what it uses that can
# make it an earlier victim than the probe
memory_victims() {
	local one adj pids
	pids=$(sc-cg procs "$cgroup") || return 0
	for one in $pids; do
		{ read -r adj <"/proc/$one/oom_score_adj"; } 2>/dev/null || adj=0
		[ "$adj" -le 0 ] || return 0
	done
	return 1
}

# memory_refusal LIMIT - sets $ok to the reason why memory is better not used up; status 1: there is one
memory_refusal() {
	local kernel
	ok=''
	if [ "$1" -gt 2147483648 ]; then
		ok='not measured: a probe fills at most 2 GiB'
	elif [ "$1" -lt 4194304 ]; then
		ok='not measured: in less than 4 MiB a probe could end the container'
	elif memory_victims; then
		ok='not measured: with its oom-score-adj the container could be ended instead of the probe'
	elif [ $(($1 + 268435456)) -gt "$free" ]; then
		ok='not measured: this host has not that much left'
	elif held memory.oom.group && [ "$kernel" = 1 ]; then
		ok='not measured: memory.oom.group=1 would kill the container with the probe'
	elif held memory.oom_control && [ "$kernel" = 1 ]; then
		ok='not measured: memory.oom_control=1 would stop the container with the probe'
	fi
	[ ! "$ok" ]
}

# memory_verdict LIMIT MOST PEAK-BEFORE - what the probe had when it was killed: sets $measured and $ok
memory_verdict() {
	local peak touched=0 ended='' finished=''
	measured=''
	peak=$(usage_of memory.peak)
	said touched && touched=$answer
	said finished && finished=$answer
	said ended && ended=$answer
	size_text "$touched"
	case $ended,$finished in
	137,*) measured="killed at $text" ;;
	0,1) measured="had $text" ;;
	late,* | 0,0)
		ok='not measured: it was too slow to get there in 4 seconds'
		return 0
		;;
	*)
		excuse
		return 0
		;;
	esac
	size_text "$peak"
	[ "$peak" -eq 0 ] || measured="$measured, peak $text"
	ok=ok
	# more than it may have: by the probe alone, or by all together since the limit holds
	[ "$touched" -le "$2" ] || [ "$swap_limit" = max ] || ok=FAILED
	[ "$peak" -le "$1" ] || [ "$3" -gt "$1" ] || ok=FAILED
	[ "$ok,$ended" != ok,0 ] || [ "$peak" -ge $(($1 * 9 / 10)) ] || ok=FAILED
	# a limit further up, or the host
	[ "$ok,$ended" != ok,137 ] || [ "$peak" -eq 0 ] || [ "$peak" -ge $(($1 * 9 / 10)) ] ||
		ok='not measured: something else ended the probe before'
}

# verify_pids - the row of pids.max
verify_pids() {
	local current count refused='' forked='' key value room most
	current=$(usage_of pids.current)
	count=$((pids - current + 64))
	[ "$count" -ge 64 ] || count=64
	# What the kernel keeps for a task is freed only when it has ended; until then a lack of memory would be made
	# good by killing others. 48 KiB are more than it needs.
	room=$(usage_of memory.max)
	if [ "$room" != max ] && [ $((room - $(usage_of memory.current))) -lt $((count * 49152)) ]; then
		row pids.max "$pids" '' 'not measured: so many processes need more memory than it has left'
		return 0
	fi
	# a shell reads byte by byte, and of a file in /proc/sys only the first byte is to be had so
	most=$(cat /proc/sys/kernel/pid_max)
	if [ "$count" -gt 33000 ] || [ "$count" -gt $((most / 2)) ]; then
		row pids.max "$pids" '' 'not measured: a probe starts at most 33000 processes, and half of what this host can have'
		return 0
	fi
	set -- sc-probe watch ${with:+"$with"} 8 sc-cg exec "$cgroup" sc-probe fork "$count" 3
	got=''
	if planned '' "$@"; then
		# it holds them until nobody reads what it prints
		got=$("$@" 2>&1 | {
			read -r key value
			printf '%s %s\n' "$key" "$value"
			[ "$key" = forked ] || exit 0
			read -r key value
			printf '%s %s\n' "$key" "$value"
			sc-cg stat "$cgroup"
			# its lines say what was found, or why nothing was; the status adds nothing
		}) || :
	fi
	said refused && refused=$answer
	said forked && forked=$answer
	measured=''
	if [ ! "$refused" ]; then
		excuse
		! said ended || ok='not measured: the memory limit ended the probe before'
	elif said pids.current; then
		measured="$answer, then $refused"
		case $refused in
		ok) ok=FAILED measured="$answer" ;;
		EAGAIN)
			# a limit that was lowered is above its number already: then not one more
			if [ "$answer" = "$pids" ] || { [ "$forked" -eq 0 ] && [ "$current" -ge $((pids - 1)) ]; }; then
				ok=ok
			elif [ "$answer" -gt "$pids" ]; then
				ok=FAILED
			else
				ok='not measured: a limit further up, or of the host, comes first'
			fi
			;;
		*) ok='not measured: memory for processes ran out before' ;;
		esac
	else
		excuse
	fi
	row pids.max "$pids" "$measured" "$ok"
}

# verify_huge SIZE BYTES - the row of huge pages of a SIZE such as 2MB
verify_huge() {
	local page="$1" limit="$2" dir free=0
	bytes_of "${page%B}"
	page=$bytes dir=/sys/kernel/mm/hugepages/hugepages-$((bytes / 1024))kB
	{ read -r free <"$dir/free_hugepages"; } 2>/dev/null || free=0
	size_text "$limit"
	if [ $((free * page)) -le "$limit" ]; then
		row "hugetlb.$1.max" "$text" '' "not measured: $free huge pages of that size are free on this host"
		return 0
	fi
	probe sc-probe watch ${with:+"$with"} 8 sc-cg exec "$cgroup" sc-probe huge "$page" $((limit + 2 * page))
	asked_text=$text
	touched=0 measured=''
	said touched && touched=$answer
	size_text "$touched"
	measured="refused at $text"
	if said refused || { said ended && [ "$answer" = 135 ]; }; then
		between "$touched" 0 "$limit"
	elif said finished; then
		ok=FAILED measured="had $text"
	else
		excuse
	fi
	row "hugetlb.$1.max" "$asked_text" "$measured" "$ok"
}
