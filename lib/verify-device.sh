# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/verify.sh, lib/disk.sh and bin/scadm-verify
# lib/verify-device.sh - limits of block devices, and rules for device nodes

# device_of DIR - sets $device to MAJOR:MINOR of the whole disk that DIR lies on; status 1: on none
device_of() {
	local at
	device=$(findmnt -rn -o MAJ:MIN -T "$1") || return 1
	at=/sys/dev/block/$device
	[ -e "$at" ] || return 1
	# limits are those of the disk, not of its partitions
	[ ! -e "$at/partition" ] || read -r device <"$at/../dev"
}

# place_on DEVICE - sets $place to a directory on it where the container writes; status 1: there is none
place_on() {
	local device line
	place=$disk_layers
	! device_of "$place" || [ "$device" != "$1" ] || return 0
	while read -r place line; do
		# the backslash is one of fstab(5): a name with blanks
		# shellcheck disable=SC1003
		case $place,$line in
		*'\'* | [!/]*) continue ;;
		*rbind*,ro,* | *rbind*,ro' '*) continue ;;
		*rbind*) ;;
		*) continue ;;
		esac
		[ -d "$place" ] && device_of "$place" && [ "$device" = "$1" ] || continue
		return 0
	done <"$record/fstab"
	return 1
}

# throttle_device TEXT - sets $device to MAJOR:MINOR of a device number or node
throttle_device() {
	device=$1
	case $1 in
	/*)
		[ -b "$1" ] || return 0
		device=$(stat -L -c '%t:%T' "$1")
		device=$((0x${device%:*})):$((0x${device#*:}))
		;;
	esac
}

# verify_throttle DEVICE KIND NUMBER - the row of rbps, wbps, riops or wiops of a device
verify_throttle() {
	local device kind="$2" limit="$3" size node key='' line label before after words first='' idle all
	throttle_device "$1"
	label="io.max $device $kind"
	case $kind in
	*bps)
		size=$((limit / 10)) words=bytes_per_second
		size=$((size - size % 4096))
		[ "$size" -le 1048576 ] || size=1048576
		;;
	*) size=4096 words=ops_per_second ;;
	esac
	if throttle_first "$1" "$kind" "$limit" "$size"; then
		row "$label" "$limit" '' "not measured: $first comes first"
		return 0
	fi
	if [ "$size" -lt 4096 ] || [ "$limit" -lt 5 ]; then
		row "$label" "$limit" '' 'not measured: it is too slow for a few seconds'
		return 0
	fi
	if [ "${kind#w}" != "$kind" ]; then
		if ! place_on "$device"; then
			row "$label" "$limit" '' 'not measured: nothing that the container writes lies on that device'
			return 0
		fi
		set -- sc-probe write "$place" "$size"
		node=/dev/null
	else
		while IFS='=' read -r key line; do
			[ "$key" != DEVNAME ] || node=/dev/$line
			# where there is no such file there is no such device, which is said below
		done <"/sys/dev/block/$device/uevent" 2>/dev/null || :
		throttle_device "${node:=}"
		if [ ! -b "$node" ] || [ "$label" != "io.max $device $kind" ]; then
			row "$label" "$limit" '' 'not measured: this host has no node of that device'
			return 0
		fi
		set -- sc-probe read "$size"
	fi
	before=$(io_total "$kind")
	host_time
	now
	after=$time
	probe_from "$node" sc-probe watch ${with:+"$with"} 6 sc-cg exec "$cgroup" "$@" 2
	now
	if ! said "$words"; then
		excuse
		row "$label" "$limit" '' "$ok"
		return 0
	fi
	measured=$answer
	between "$measured" $((limit * 80 / 100)) $((limit * 120 / 100))
	# others in the container had a part of it: then all of it together counts
	if [ "$ok" = FAILED ] && [ "$measured" -lt "$limit" ] && [ "$time" -gt "$after" ]; then
		before=$((($(io_total "$kind") - before) * 100 / (time - after)))
		case $kind in
		*bps)
			[ "$before" -le "$measured" ] || between "$before" $((limit * 80 / 100)) $((limit * 120 / 100))
			[ "$ok" = FAILED ] || measured=$before
			;;
		*) [ "$before" -le $((measured * size * 6 / 5)) ] || ok='not measured: the container uses the device itself meanwhile' ;;
		esac
	fi
	[ "$measured" -ge "$limit" ] || excuse_busy
	if [ "$ok" = FAILED ] && [ "$measured" -lt "$limit" ]; then
		probe_from "$node" sc-probe watch ${with:+"$with"} 3 "$@" 0.5
		! said "$words" || [ "$answer" -gt $((limit * 120 / 100)) ] ||
			ok="not measured: the device itself is no faster than $answer"
	fi
	row "$label" "$limit" "$measured" "$ok"
}

# throttle_first DEVICE KIND NUMBER SIZE - whether the limit of the other kind, bytes or requests, stops requests of
# SIZE before this one; sets $first to it
throttle_first() {
	local device kind number
	while read -r device kind number; do
		[ "$device" = "$1" ] || continue
		case $2,$kind in
		rbps,riops | wbps,wiops) [ $((number * $4)) -gt $(($3 * 5 / 4)) ] || first="$kind=$number" ;;
		riops,rbps | wiops,wbps) [ "$number" -gt $(($3 * $4 * 5 / 4)) ] || first="$kind=$number" ;;
		esac
	done <<-END
		$throttles
	END
	[ "$first" ]
}

# io_total KIND - print the bytes that the container has read or written by now, of all devices
io_total() {
	case $1 in
	r*) usage_of io.rbytes ;;
	*) usage_of io.wbytes ;;
	esac
}

# probe_from FILE WORD... - run a probe with FILE as standard input, opened before the control group forbids it
probe_from() {
	local file="$1"
	shift
	got=''
	quote "$file"
	planned " <$quoted" "$@" || return 0
	# its lines say what was found, or why nothing was; the status adds nothing
	got=$("$@" 2>&1 <"$file") || :
}

# rule_numbers TYPE MAJOR MINOR - sets $type $major $minor to a device that a rule is about
rule_numbers() {
	type=$1 major=$2 minor=$3
	[ "$type" != a ] || type=c major='*' minor='*'
	case $type,$major in
	c,'*') major=1 ;;
	b,'*') major=7 ;;
	esac
	[ "$minor" != '*' ] || case $type,$major in
	c,1) minor=3 ;;
	*) minor=0 ;;
	esac
}

# rule_expected ACCESS - what the rules together say of $type $major:$minor: sets $expected to ok or EPERM
rule_expected() {
	local line key rule
	expected=ok
	while IFS= read -r line; do
		key=${line%%=*} rule=${line#*=}
		case $key,$rule in
		devices,default)
			expected=EPERM
			case $1,$type,$major:$minor in
			m,* | [rw],c,1:[35789] | [rw],c,5:[02] | [rw],c,136:*) expected=ok ;;
			esac
			;;
		*,a | *,'a '*) [ "$key" = devices.deny ] && expected=EPERM || expected=ok ;;
		*)
			# the rule is a pattern: its * stands for every number
			# shellcheck disable=SC2254
			case "$type $major:$minor" in
			${rule% *})
				case ${rule##* } in
				*"$1"*) [ "$key" = devices.deny ] && expected=EPERM || expected=ok ;;
				esac
				;;
			esac
			;;
		esac
	done <<-END
		$rules
	END
}

# verify_rule KEY=RULE - the row of a rule for devices
verify_rule() {
	local key="${1%%=*}" rule="${1#*=}" type major minor letters=rwm numbers
	measured='' ok=ok
	case $rule in
	default)
		for numbers in 3 1; do
			type=c major=1 minor=$numbers
			verify_node rw
		done
		;;
	a | 'a '*)
		rule_numbers a '*' '*'
		verify_node rwm
		;;
	*)
		letters=${rule##* } numbers=${rule#* }
		numbers=${numbers% *}
		rule_numbers "${rule%% *}" "${numbers%:*}" "${numbers#*:}"
		verify_node "$letters"
		;;
	esac
	row "$key" "$rule" "$measured" "$ok"
}

# verify_node ACCESS - what the kernel says to each kind of access to $type $major:$minor; adds to $measured and $ok
verify_node() {
	local letter name reason expected
	probe sc-probe node "$type" "$major:$minor" sc-probe watch ${with:+"$with"} 5 sc-cg exec "$cgroup" sc-probe access
	measured="$measured${measured:+; }$type $major:$minor"
	for letter in r w m; do
		case $1 in *"$letter"*) ;; *) continue ;; esac
		case $letter in r) name='read' ;; w) name='write' ;; m) name=mknod ;; esac
		if ! said "$name"; then
			reason=$ok
			excuse
			[ "$reason" != FAILED ] || ok=FAILED
			return 0
		fi
		measured="$measured $letter=$answer"
		rule_expected "$letter"
		[ "$answer" = "$expected" ] || ok=FAILED
	done
}
