# shellcheck shell=sh
# lib/find.sh - containers by name or by the beginning of an id, and what the kernel says of them

# find_container WORD - sets $name $record $short; a name, or the beginning of one id and no other's
find_container() {
	local found='' dir
	case $1 in -?*) bad_usage "options stand before the names: '$1' comes too late" ;; esac
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

# find_frozen ID... - sets $frozen to those of the running containers whose processes the kernel has stopped, between
# blanks; the ids are the first 12 digits. One process for all; find_state asks for one itself where nobody did.
find_frozen() {
	local short words='' line held status=0
	frozen=' '
	for short; do
		words="$words${words:+ --} $SC_CGROUP/$short freezer.state"
	done
	[ "$words" ] || return 0
	# of one cgroup alone sc-cg does not say which it is; one that ended this moment is no news
	# shellcheck disable=SC2086 # split on purpose: settings checks SC_CGROUP for blanks and globs, an id is digits
	held=$(sc-cg get $words 2>/dev/null) || status=$?
	[ "$status" -le 125 ] || die "cannot run sc-cg, which knows who is paused ($status); are the helpers built? 'make'"
	short=$1
	while IFS= read -r line; do
		case $line in
		'cgroup '*) short=${line##*/} ;;
		freezer.state=FROZEN) frozen="$frozen$short " ;;
		esac
	done <<-END
		$held
	END
}

# find_running RECORD - sets the words of find_state for a container that runs
find_running() {
	local uptime start short _
	read -r uptime _ </proc/uptime
	# one with --rm may have ended this moment, and its record is gone
	{ read -r _ start _ <"$1/pid"; } 2>/dev/null || start=${uptime%%.*}00
	# the kernel counts start times in hundredths of a second (USER_HZ)
	state=running since=$((${uptime%%.*} - start / 100))
	{ read -r health _ <"$1/health"; } 2>/dev/null || health=''
	case $health in starting | healthy | unhealthy) ;; *) health='' ;; esac
	{ read -r short <"$1/id"; } 2>/dev/null || return 0
	case $short in '' | *[!0-9a-f]*) return 0 ;; esac
	if [ "${frozen+asked}" ]; then
		case $frozen in *" $short "*) state=paused ;; esac
		return 0
	fi
	find_frozen "$short"
	[ "$frozen" = ' ' ] || state=paused
	unset frozen
}

# find_code RECORD - sets $code to the status that sc-clone added to the pid file when the first process had ended; status 1:
# there is none. It has the file locked until then: whoever has a supervisor that lives is waited for, the others are many
find_code() {
	local boot
	{
		read -r _ _ boot || return 1
		! read -r code || return 0
		[ "$boot" = "$boot_id" ] && find_owner "${1##*/}" && flock -s -w 5 0 && read -r code
	} 2>/dev/null <"$1/pid"
}

# find_state RECORD - sets $state (created running paused restarting exited) $pid $since (seconds) $code $oom $finished
# $health and $restarts; a container is restarting while its supervisor waits before the next start
find_state() {
	local _
	state=created since=0 code=0 oom=false finished='' pid=0 health='' restarts=0
	{ read -r restarts _ <"$1/restarts"; } 2>/dev/null || restarts=0
	case $restarts in '' | *[!0-9]*) restarts=0 ;; esac
	if is_running "$1"; then
		find_running "$1"
		return 0
	fi
	pid=0
	if { read -r code oom finished <"$1/exit"; } 2>/dev/null; then
		state=exited
	elif find_code "$1"; then
		state=exited
	elif [ -e "$1/pid" ]; then
		# nobody lived to see how it ended
		state=exited code=137
	fi
	case $code in '' | *[!0-9]*) code=137 ;; esac
	case $oom in true | false) ;; *) oom=false ;; esac
	case $finished in *[!0-9TZ:.-]*) finished='' ;; esac
	[ "$restarts" = 0 ] || [ "$state" = created ] || ! find_owner "${1##*/}" || state=restarting
}

# lock_limits - one update or verify of the container at a time; the lock, descriptor 7, dies with its holder
lock_limits() {
	[ "$door" != print ] || return 0
	# without `command` a shell ends when exec cannot open a file
	{ command exec 7<"$record/config.json"; } 2>/dev/null || die "'$name' was removed just now"
	# door: a lock is no change; and a plan is run by one shell
	flock -w 60 7 || die "another update or verify of '$name' is at work"
}

# lock_record - one start, stop, end or removal of the container at a time; the lock, descriptor 9, dies with its holder
lock_record() {
	[ "$door" != print ] || return 0
	# as above
	{ command exec 9<"$record"; } 2>/dev/null || die "'$name' was removed just now"
	# door: a lock is no change; and a plan is run by one shell
	flock -w 20 9 || die "'$name' is being started, stopped or removed by another command"
}
