# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/verify.sh, lib/disk.sh, lib/ulimit.sh and bin/scadm-verify
# lib/verify-other.sh - limits of the network, of disks, and of single processes

# verify_rate KEY BITS:BURST - the row of net-rate-in or net-rate-out, over the cable of the container
verify_rate() {
	local key="$1" bits="${2%:*}" length=1.4 inside=receive outside=send address gateway word port idle all
	mbit "$bits"
	asked_text=$text
	if [ "$bits" -lt 100000 ]; then
		row "$key" "$asked_text" '' 'not measured: it is too slow for a few seconds'
		return 0
	fi
	[ "$bits" -ge 1000000 ] || length=3
	[ "$key" = net-rate-in ] || inside=send outside=receive
	address=$(sed -n 's/.*"IPAddress":"\([0-9.]*\)".*/\1/p' "$record/config.json")
	gateway=$(sed -n 's/.*"Gateway":"\([0-9.]*\)".*/\1/p' "$record/config.json")
	set -- sc-nsexec "--net=/run/netns/$name" sc-probe serve eth0 "$address" "$gateway" "$length" "$inside" "$bits"
	got='' word=" | { read -r _ port; sc-probe connect $address \"\$port\" $length $outside $bits; cat; }"
	host_time
	alive
	if planned "$word" sc-probe watch ${with:+"$with"} 8 "$@"; then
		got=$(sc-probe watch ${with:+"$with"} 8 "$@" 2>&1 | {
			read -r word port
			[ "$word" = port ] || fail_with "$word" "$port"
			# its lines say what was found, or why nothing was; the status adds nothing
			sc-probe watch ${with:+"$with"} 8 sc-probe connect "$address" "$port" "$length" "$outside" "$bits" 2>&1 || :
			cat
			# its lines say what was found, or why nothing was; the status adds nothing
		}) || :
	fi
	if ! said bits_per_second; then
		excuse
		row "$key" "$asked_text" '' "$ok"
		return 0
	fi
	between "$answer" $((bits * 85 / 100)) $((bits * 115 / 100))
	if [ "$answer" -lt "$bits" ]; then
		excuse_busy
		[ "$ok" != FAILED ] || [ "$bits" -lt 1000000000 ] || ok='not measured: this host cannot send and receive as much'
	fi
	mbit "$answer"
	row "$key" "$asked_text" "$text" "$ok"
}

# verify_priority NUMBER - the row of net-prio
verify_priority() {
	local actual_prio
	rate_priority_read
	ok='not measured: the rule is there, and shows only where packets queue on their way out'
	[ "$actual_prio" = "$1" ] || ok=FAILED
	row net-prio "$1" "${actual_prio:-none}" "$ok"
}

# mbit BITS - sets $text
mbit() {
	text="$(($1 / 1000000)).$(($1 % 1000000 / 100000)) mbit"
	[ "$1" -ge 1000000 ] || text="$(($1 / 1000)) kbit"
}

# verify_disk BYTES - the row of disk-size: what can be written in the place of the writable layer
verify_disk() {
	local limit="$1" block available
	size_text "$limit"
	asked_text=$text
	if [ ! "$disk_kind" ]; then
		row disk-size "$asked_text" 'no disk of its own' FAILED
		return 0
	fi
	read -r block available <<-END
		$(stat -f -c '%S %a' "$SC_ROOT")
	END
	if [ "$disk_kind" = quota ] && [ $((block * available)) -le $((limit + limit / 10)) ]; then
		row disk-size "$asked_text" '' 'not measured: the host has less room than that'
		return 0
	fi
	# the disk of one that has just ended is not there any more, only the directory of the host
	alive
	probe sc-probe watch ${with:+"$with"} 12 sc-probe fill "$disk_layers" $((limit * 2))
	alive
	if said used; then
		measured=$answer
		said filled
		measured=$((measured + answer))
		between "$measured" $((limit * 95 / 100)) $((limit * 105 / 100))
		size_text "$measured"
		said refused
		row disk-size "$asked_text" "$text, then $answer" "$ok"
	else
		excuse
		row disk-size "$asked_text" '' "$ok"
	fi
}

# verify_shm BYTES - the row of shm-size
verify_shm() {
	local start _
	read -r _ start _ <"$record/pid"
	probe sc-probe watch ${with:+"$with"} 5 sc-probe size "$pid" "$start" /dev/shm
	size_text "$1"
	asked_text=$text text=''
	if said size; then
		between "$answer" "$1" $(($1 + 4095))
		size_text "$answer"
	else
		excuse
	fi
	row shm-size "$asked_text" "$text" "$ok"
}

# verify_process KEY VALUE - the row of a ulimit, or of oom-score-adj: what the first process of the container has
verify_process() {
	local soft hard now_has
	if [ "$1" = oom-score-adj ]; then
		read -r now_has <"/proc/$pid/oom_score_adj" || now_has=''
		ok=ok
		# a process may raise it by itself, not lower it
		[ "$now_has" ] && [ "$now_has" -ge "$2" ] || ok=FAILED
		row "$1" "$2" "$now_has" "$ok"
	elif ulimit_read "$pid" "${1#ulimit.}"; then
		ok=ok
		if above "$hard" "${2#*:}"; then
			ok=FAILED
		elif above "${2#*:}" "$hard"; then
			ok='not measured: the process has lowered it, or never got it'
		fi
		row "$1" "$2" "$soft:$hard" "$ok"
	else
		row "$1" "$2" '' 'not measured: the process has ended'
	fi
}

# verify_other KEY VALUE - the row of what has no probe: what the kernel holds
verify_other() {
	local kernel
	held "$1" || kernel=''
	row "$1" "$2" "${kernel:+kernel: }${kernel%%"$nl"*}" 'not measured: there is no probe for it'
}
