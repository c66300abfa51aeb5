# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/find.sh and bin/scadm-verify: door nl record short cgroup
# lib/verify.sh - limits measured by using them up: what all probes share
#
# A verify_* function adds a row for each of its limits. $ok of a row is `ok`, `FAILED` or `not measured: REASON`.
# Whatever has to be compared is the total of the control group, so what the container does meanwhile counts too.
# A probe runs below `sc-probe watch`, which ends it with us and makes it the first victim of the OOM killer.

# row LIMIT ASKED MEASURED OK - add a line to the table
row() {
	case $4 in
	FAILED) failed=1 ;;
	ok) [ ! "$quiet" ] || return 0 ;;
	esac
	rows=$rows$1$tab$2$tab${3:--}$tab$4$nl
}

# confirmed FUNCTION WORD... - let a function add its row; one that says FAILED is measured once more, as a host that
# stood still for a moment looks like a limit that does not hold
confirmed() {
	local failed_before="$failed" rows_before="$rows"
	failed=''
	"$@"
	[ ! "$failed" ] || {
		failed='' rows=$rows_before
		"$@"
	}
	failed=${failed:-$failed_before}
}

# between NUMBER LEAST MOST - sets $ok
between() {
	if [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; then ok=ok; else ok=FAILED; fi
}

# planned REST WORD... - print the chain of a probe, and REST, where the plan is printed; status 1: it is not to be run
planned() {
	local rest="$1"
	shift
	[ "$door" != run ] || return 0
	quote "$@"
	show "$quoted$rest"
	[ "$door" != print ]
}

# alive - leave when the container has ended meanwhile: what is measured then says nothing
alive() {
	is_running "$record" || die "'$name' has ended meanwhile; its limits went with it"
}

# probe WORD... - run a probe; sets $got to the lines it prints, what it complains of included
probe() {
	got=''
	planned '' "$@" || return 0
	alive
	# its lines say what was found, or why nothing was; the status adds nothing
	got=$("$@" 2>&1) || :
}

# said KEY - sets $answer to the last value of KEY in $got; status 1: there is none
said() {
	local key value
	answer=''
	while read -r key value; do
		[ "$key" != "$1" ] || answer=$value
	done <<-END
		$got
	END
	[ "$answer" ]
}

# excuse - sets $ok to the reason why a probe found out nothing: its own words
excuse() {
	local line
	ok='not measured: the probe was stopped'
	[ "$door" != print ] || ok='not measured: only the plan is printed'
	while IFS= read -r line; do
		case $line in 'sc-'*': '*) ok="not measured: ${line#*: }" ;; esac
	done <<-END
		$got
	END
}

# fail_with WORD... - end the reading of a probe that did not start, with what it said instead
fail_with() {
	printf '%s\n' "$*"
	exit 0
}

# now - sets $time to hundredths of a second
now() {
	local uptime _
	read -r uptime _ </proc/uptime
	time=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
}

# host_time - sets $idle and $all to the time that the CPUs of this host spent idle, and altogether
host_time() {
	local user nice system iowait irq softirq steal _
	read -r _ user nice system idle iowait irq softirq steal _ </proc/stat
	idle=$((idle + iowait))
	all=$((idle + user + nice + system + irq + softirq + steal))
}

# excuse_busy - for what was less than asked: when this host had hardly a free CPU since host_time was asked, that is no
# fault of the limit, and $ok says so
excuse_busy() {
	local idle_before="$idle" all_before="$all"
	host_time
	[ "$ok" != FAILED ] || [ $(((idle - idle_before) * 100)) -gt $(((all - all_before) * 20)) ] ||
		ok='not measured: other work on this host left it less than its limit'
}

# usage_of KEY - print what sc-cg stat says of KEY, 0 for nothing
usage_of() {
	sc-cg stat "$cgroup" | awk -v key="$1" '$1 == key { value = $2 } END { print value == "" ? 0 : value }'
}

# seconds MICROSECONDS - sets $seconds to that with three decimals
seconds() {
	seconds=$(($1 % 1000000 / 1000 + 1000))
	seconds=$(($1 / 1000000)).${seconds#1}
}

# size_text BYTES - sets $text to it in MiB, or in bytes when it is less
size_text() {
	case $1 in
	max | ????? | ???? | ??? | ?? | ?) text=$1 ;;
	*) text="$(($1 / 1048576)).$(($1 % 1048576 * 10 / 1048576)) MiB" ;;
	esac
}

# bytes_of TEXT - sets $bytes: a number, or max; TEXT as sc-cg takes it
bytes_of() {
	case $1 in
	-1 | max) bytes=max ;;
	*[kK]) bytes=$((${1%?} * 1024)) ;;
	*[mM]) bytes=$((${1%?} * 1048576)) ;;
	*[gG]) bytes=$((${1%?} * 1073741824)) ;;
	*) bytes=$1 ;;
	esac
}

# expand LIST - sets $numbers to the numbers of a list such as 0-2,5, between blanks
expand() {
	local rest="$1," piece n
	numbers=' '
	while [ "$rest" ]; do
		piece=${rest%%,*} rest=${rest#*,} n=${piece%-*}
		while [ "$n" ] && [ "$n" -le "${piece#*-}" ]; do
			numbers="$numbers$n " n=$((n + 1))
		done
	done
}

# held KEY - sets $kernel to what the kernel holds for the container; status 1: this host has no such thing
held() {
	kernel=$(sc-cg get "$cgroup" "$1" 2>/dev/null) || return 1
	kernel=${kernel#*=}
}
