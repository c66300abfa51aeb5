# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/find.sh, lib/json.sh, lib/rate.sh, lib/disk.sh and lib/ulimit.sh
# lib/inspect.sh - the limits of containers: what was asked, and what the kernel holds now
#
# What is found becomes rows of SQL: $asked_rows and $actual_rows are ('ID12','KEY','VALUE'),… However many containers
# there are, each tool is started once for all of them: sc-cg, tc, iptables, stat.

asked_rows='' actual_rows='' cgroups='' disks='' disk_owners='' seen=' ' only=''
unset rates rules

# inspect_asked SHORT KEY VALUE - add a row: the container was to have that
inspect_asked() {
	local key
	sql_string "$2"
	key=$sql
	sql_string "$3"
	asked_rows="$asked_rows${asked_rows:+,}('$1',$key,$sql)"
}

# inspect_actual SHORT KEY VALUE - add a row: the kernel holds that for the container
inspect_actual() {
	local key
	sql_string "$2"
	key=$sql
	sql_string "$3"
	actual_rows="$actual_rows${actual_rows:+,}('$1',$key,$sql)"
}

# inspect_limits - read what was asked of the container with $record $short $pid (0: it does not run)
# What its processes hold is read at once; $cgroups and $disks are what inspect_kernel has to ask for.
inspect_limits() {
	local line key keys=' ' words=''
	case $seen in *" $short "*) return 0 ;; esac
	seen="$seen$short "
	[ -e "$record/limits" ] || return 0
	while IFS= read -r line; do
		key=${line%%=*}
		[ "$key" ] || continue
		inspect_asked "$short" "$key" "${line#*=}"
		[ "$pid" -gt 0 ] || continue
		case $keys in *" $key "*) continue ;; esac
		keys="$keys$key "
		case $key in
		net-rate-in) rate_read && inspect_actual "$short" "$key" "${actual_in:-none}" ;;
		net-rate-out) rate_read && inspect_actual "$short" "$key" "${actual_out:-none}" ;;
		net-prio) inspect_priority ;;
		disk-size) disk_find && disks="$disks $record $record/disk" disk_owners="$disk_owners $record/disk=$short:$disk_kind " ;;
		shm-size) ! shm_read "$pid" || inspect_actual "$short" "$key" "$shm" ;;
		ulimit.*) ! ulimit_read "$pid" "${key#ulimit.}" || inspect_actual "$short" "$key" "$soft:$hard" ;;
		oom-score-adj) ! { read -r line <"/proc/$pid/oom_score_adj"; } 2>/dev/null || inspect_actual "$short" "$key" "$line" ;;
		# rules that add up cannot be asked for
		devices | devices.allow | devices.deny) ;;
		*[!a-zA-Z0-9_.]*) ;;
		*) words="$words $key" ;;
		esac
	done <"$record/limits"
	[ "$words" ] || return 0
	# of one cgroup alone sc-cg does not say which it is
	[ "$cgroups" ] && only='' || only=$short
	cgroups="$cgroups${cgroups:+ --} $SC_CGROUP/$short$words"
}

# inspect_priority - the priority of what the container sends, from the rule that gives it
inspect_priority() {
	local rule
	[ "${rules+asked}" ] || rules=$(iptables -w 10 -t mangle -S 2>/dev/null) || rules=''
	case $rules in
	*"-A SC-$short "*)
		rule=${rules#*"-A SC-$short "}
		rule=${rule%%"$nl"*}
		case $rule in *' --set-class 0000:000'[0-9a-f]) inspect_actual "$short" net-prio $((0x${rule##*:})) ;; esac
		;;
	# the table always has lines; without any nobody could be asked
	?*) inspect_actual "$short" net-prio none ;;
	esac
}

# inspect_kernel - ask for what the cgroups and the disks of all containers hold
inspect_kernel() {
	local line short="$only" status=0 held
	if [ "$cgroups" ]; then
		# what cannot be read, as somebody removed it or it can only be written, is missing, and null in JSON
		# shellcheck disable=SC2086 # split on purpose: settings and inspect_limits check for blanks and globs
		held=$(sc-cg get $cgroups 2>/dev/null) || status=$?
		[ "$status" -le 125 ] || die "cannot run sc-cg, which reads the limits ($status); are the helpers built? 'make'"
		while IFS= read -r line; do
			case $line in
			'cgroup '*) short=${line##*/} ;;
			*=*) inspect_actual "$short" "${line%%=*}" "${line#*=}" ;;
			esac
		done <<-END
			$held
		END
	fi
	[ ! "$disks" ] || inspect_disks
}

# inspect_disks - the sizes of the disks; a disk in a file that is not mounted is on the file system of its record
inspect_disks() {
	local path identity block all free available owner above='' held
	# one that was removed just now has no line
	# shellcheck disable=SC2086 # as above
	held=$(stat -f -c '%n %i %S %b %f %a' $disks 2>/dev/null) || [ "$held" ] || return 0
	while read -r path identity block all free available; do
		case $disk_owners in
		*" $path="*)
			owner=${disk_owners#*" $path="}
			owner=${owner%% *}
			# as df counts: what is used and what is left, without what is kept back
			[ "$owner" != "${owner%:quota}" ] || [ "$above" != "${path%/disk} $identity" ] || continue
			inspect_actual "${owner%:*}" disk-size $((block * (all - free + available)))
			;;
		*) above="$path $identity" ;;
		esac
	done <<-END
		$held
	END
}
