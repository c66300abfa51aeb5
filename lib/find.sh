# shellcheck shell=sh
# lib/find.sh - containers by name or by the beginning of an id, and what the kernel says of them

# find_container WORD - sets $name $record $short; a name, or the beginning of one id and no other's
find_container() {
	local found='' dir
	valid_name container "$1"
	if [ -e "$SC_ROOT/containers/$1/undo" ]; then
		name=$1
	else
		set +f
		for dir in "$SC_ROOT"/containers/*; do
			set -f
			{ read -r short <"$dir/id"; } 2>/dev/null || continue
			case $short in
			"$1"*)
				[ ! "$found" ] || die "'$1' is the beginning of more than one id: ${found##*/} and ${dir##*/}"
				found=$dir
				;;
			esac
			# a whole id, as run -d prints it
			case $1 in
			"$short"*) [ "$found" ] || [ ${#1} -lt 12 ] || found=$dir ;;
			esac
		done
		set -f
		[ "$found" ] || die "there is no container '$1'; 'scadm ps -a' lists all"
		name=${found##*/}
	fi
	record=$SC_ROOT/containers/$name
	{ read -r short <"$record/id"; } 2>/dev/null || short=''
}

# find_owner NAME - sets $owner_pid to the living process that answers for the container; status 1: nobody does
find_owner() {
	local file rest
	owner_pid=''
	set +f
	for file in "$SC_RUN"/.owners/*:containers:"$1"; do
		set -f
		rest=${file##*/}
		rest=${rest%:containers:*}
		[ ! -e "$file" ] || ! is_process "$rest" || owner_pid=${rest%%:*}
	done
	set -f
	[ "$owner_pid" ]
}

# find_entry NAME - whether anybody, dead or alive, is listed as answering for the record
find_entry() {
	local file
	set +f
	for file in "$SC_RUN"/.owners/*:"$1"; do
		set -f
		[ ! -e "$file" ] || return 0
	done
	set -f
	return 1
}

# find_state RECORD - sets $state (created running exited) $pid $since (seconds) $code $oom
find_state() {
	local uptime finished start _
	state=created since=0 code=0 oom=false finished='' pid=0
	if is_running "$1"; then
		read -r uptime _ </proc/uptime
		read -r _ start _ <"$1/pid"
		# the kernel counts start times in hundredths of a second (USER_HZ)
		state=running since=$((${uptime%%.*} - start / 100))
		return 0
	fi
	pid=0
	if { read -r code oom finished <"$1/exit"; } 2>/dev/null; then
		state=exited
	elif [ -e "$1/pid" ]; then
		# nobody lived to see how it ended
		state=exited code=137
	fi
	case $code in '' | *[!0-9]*) code=137 ;; esac
	case $oom in true | false) ;; *) oom=false ;; esac
}

# find_duration SECONDS - sets $duration, as docker words it
find_duration() {
	if [ "$1" -lt 60 ]; then
		duration="$1 seconds"
	elif [ "$1" -lt 3600 ]; then
		duration="$(($1 / 60)) minutes"
	elif [ "$1" -lt 172800 ]; then
		duration="$(($1 / 3600)) hours"
	else
		duration="$(($1 / 86400)) days"
	fi
}

# lock_limits - one update or verify of the container at a time; the lock, descriptor 7, dies with its holder
lock_limits() {
	[ "$door" != print ] || return 0
	exec 7<"$record/config.json"
	# door: a lock is no change; and a plan is run by one shell
	flock -w 60 7 || die "another update or verify of '$name' is at work"
}
