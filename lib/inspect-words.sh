# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for inspect; the words of lib.sh, of inspect, and of the modules that it reads in
# lib/inspect-words.sh - what inspect is to look at, and how it is printed: containers, images, volumes, networks

names='' others='' missing=0 started=''

# inspect_words WORD... - sets $names to the containers, $others to the JSON of what is something else
inspect_words() {
	local word
	for word; do
		case ${type:-container} in container) ! inspect_is_container "$word" || continue ;; esac
		case ${type:-image} in image) ! inspect_other image "$word" || continue ;; esac
		case ${type:-volume} in volume) ! inspect_other volume "$word" || continue ;; esac
		case ${type:-network} in network) ! inspect_other network "$word" || continue ;; esac
		case $type in
		'') say "there is no container, image, volume or network '$word'; 'scadm ps -a', 'scadm images', 'scadm volume ls' and 'scadm network ls' list what there is" ;;
		container) say "there is no container '$word'; 'scadm ps -a' lists all" ;;
		image) say "there is no image '$word'; 'scadm images' lists all" ;;
		*) say "there is no $type '$word'; 'scadm $type ls' lists all" ;;
		esac
		missing=125
	done
}

# inspect_is_container WORD - add it to $names; status 1: it is no container
inspect_is_container() {
	local complaint
	case $1 in
	'' | [!a-zA-Z0-9]* | *[!a-zA-Z0-9_.-]*) return 1 ;;
	esac
	# a name needs no process; the beginning of an id may be that of several, which find_container does not return from
	if [ ! -e "$SC_ROOT/containers/$1/undo" ]; then
		case $1 in *[!0-9a-f]*) return 1 ;; esac
		complaint=$(find_container "$1" 2>&1) || {
			case $complaint in *'more than one'*) ;; *) return 1 ;; esac
			say "${complaint#scadm: }"
			missing=125
			return 0
		}
	fi
	find_container "$1"
	if [ -e "$record/config.json" ]; then
		names="$names $name"
	else
		say "'$name' has no record yet: it is being made, or 'scadm gc' removes what is left of it"
		missing=125
	fi
}

# inspect_other KIND WORD - add what another verb says of it to $others; status 1: it says nothing
inspect_other() {
	local json
	[ -x "$SC_LIB/bin/scadm-$1-inspect" ] || return 1
	json=$("$SC_LIB/bin/scadm-$1-inspect" -- "$2" 2>/dev/null) || return 1
	json=${json#*[}
	others=$others${others:+,}${json%]*}
}

# inspect_records - ask for what is known of the containers; sets $rows: NAME ID STATE RUNNING PID CODE OOM FINISHED
# SINCE HEALTH STREAK RESTARTS
inspect_records() {
	local running shorts='' streak
	rows=''
	for name in $names; do
		{ read -r short <"$SC_ROOT/containers/$name/id"; } 2>/dev/null || continue
		case $short in '' | *[!0-9a-f]*) continue ;; esac
		! is_running "$SC_ROOT/containers/$name" || shorts="$shorts $short"
	done
	# shellcheck disable=SC2086 # split on purpose: digits
	find_frozen $shorts
	for name in $names; do
		record=$SC_ROOT/containers/$name
		{ read -r short <"$record/id"; } 2>/dev/null || short=''
		case $short in *[!0-9a-f]*) short='' ;; esac
		find_state "$record"
		case $state in running | paused | restarting) running=true ;; *) running=false ;; esac
		{ read -r health streak <"$record/health"; } 2>/dev/null || health='' streak=0
		case $health in starting | healthy | unhealthy) ;; *) health='' ;; esac
		case $streak in '' | *[!0-9]*) streak=0 ;; esac
		inspect_limits
		[ ! -e "$record/pid" ] || started="$started $record/pid"
		rows="$rows${rows:+,}('$name','$short','$state','$running',$pid,$code,'$oom','$finished','$health',$streak,$restarts)"
		[ ! "$size" ] || list_layers="$list_layers $record/upper $record/disk/upper"
	done
	inspect_kernel
}

# inspect_began - print rows of SQL: when each container began to run, which is when its pid was written
inspect_began() {
	local at path
	# one that was removed this moment is no mistake
	# shellcheck disable=SC2086 # split on purpose: SC_ROOT and names have no blanks
	{ stat -c '%Y %n' $started 2>/dev/null || :; } | while read -r at path; do
		path=${path%/pid}
		printf "INSERT INTO began VALUES ('%s', %s);\n" "${path##*/}" "$at"
	done
}

# inspect_lines WORD... - print the line that each container was made with, and leave
inspect_lines() {
	local word
	for word; do
		find_container "$word"
		[ -e "$record/argv" ] || die "'$name' has no record of the line it was made with"
	done
	for word; do
		find_container "$word"
		# a shell of its own quotes the words as a plan does
		# shellcheck disable=SC2016
		word=$(SC_LIB=$SC_LIB xargs -0 -x -s 1900000 sh -c '. "$SC_LIB/lib.sh"; quote scadm "$@"; printf "%s\n" "$quoted"' scadm-inspect <"$record/argv") ||
			die "cannot read $record/argv"
		if [ -t 1 ]; then
			printf '%s\n' "$word" | sed "$(escapes)"
		else
			printf '%s\n' "$word"
		fi
	done
	exit 0
}

# inspect_print ROWS - print the array of all, as the user wants it, and leave; ROWS begin with the names of damaged records
inspect_print() {
	local all="$1" damaged status="$missing"
	while :; do
		case $all in
		'damaged '*)
			damaged=${all%%"$nl"*}
			say "the record of '${damaged#damaged }' is damaged: its config.json is no JSON; 'scadm rm ${damaged#damaged }' removes the container"
			status=125 all=${all#*"$nl"}
			;;
		*) break ;;
		esac
	done
	all=${all%]}
	[ "$all" = '[' ] || [ ! "$others" ] || all=$all,
	all=$all$others]
	if [ ! "$format" ]; then
		printf '%s\n' "$all" | inspect_indent || die 'cannot run awk, which prints JSON'
	elif [ "$all" != '[]' ]; then
		printf '%s\n' "$all" | inspect_format "$format" || status=$?
	fi
	exit "$status"
}
