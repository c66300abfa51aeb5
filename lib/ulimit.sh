# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh: nl
# lib/ulimit.sh - what processes inherit and no cgroup knows: resource limits, and who the OOM killer takes first
# Sources: setrlimit(2), proc_pid_limits(5), proc_pid_oom_score_adj(5).

skipped=''

# ulimit_label NAME - sets $label to what the kernel calls it in /proc/PID/limits; status 1: there is none such
ulimit_label() {
	case $1 in
	as) label='Max address space' ;;
	core) label='Max core file size' ;;
	cpu) label='Max cpu time' ;;
	data) label='Max data size' ;;
	fsize) label='Max file size' ;;
	locks) label='Max file locks' ;;
	memlock) label='Max locked memory' ;;
	msgqueue) label='Max msgqueue size' ;;
	nice) label='Max nice priority' ;;
	nofile) label='Max open files' ;;
	nproc) label='Max processes' ;;
	rss) label='Max resident set' ;;
	rtprio) label='Max realtime priority' ;;
	rttime) label='Max realtime timeout' ;;
	sigpending) label='Max pending signals' ;;
	stack) label='Max stack size' ;;
	*) return 1 ;;
	esac
}

# ulimit_read PID NAME - sets $soft and $hard to what the process has, -1 for unlimited; status 1: it is gone
ulimit_read() {
	local line
	ulimit_label "$2" || return 1
	soft='' hard=''
	{
		while IFS= read -r line; do
			case $line in
			"$label "*)
				line=${line#"$label"}
				# shellcheck disable=SC2086 # split on purpose: SOFT HARD [UNIT]
				set -- $line
				soft=$1 hard=$2
				;;
			esac
		done <"/proc/$1/limits"
	} 2>/dev/null || return 1
	[ "$soft" != unlimited ] || soft=-1
	[ "$hard" != unlimited ] || hard=-1
	[ "$soft" ]
}

# may_raise - whether we may raise resource limits and lower oom_score_adj (CAP_SYS_RESOURCE)
may_raise() {
	local key value
	while read -r key value; do
		[ "$key" != CapEff: ] || break
	done <"/proc/$$/status"
	# capability 24 is the lowest bit of the seventh hexadecimal digit from the end
	value=${value%??????}
	case $value in *[13579bdf]) ;; *) return 1 ;; esac
}

# ulimit_number TEXT - sets $number; unlimited is -1
ulimit_number() {
	number=$1
	case $1 in
	unlimited | -1) number=-1 ;;
	'' | *[!0-9]* | 0?* | ????????????????*) die "--ulimit '$value': write NAME=SOFT[:HARD] with numbers, or unlimited" ;;
	esac
}

# above ONE OTHER - whether the limit ONE is higher than OTHER, where -1 is the highest
above() {
	[ "$2" != -1 ] || return 1
	[ "$1" = -1 ] || [ "$1" -gt "$2" ]
}

# ulimit_parse NAME=SOFT[:HARD] - sets $ulimit to NAME=SOFT:HARD; empty where this caller may not set it
ulimit_parse() {
	local name="${1%%=*}" asked_soft
	ulimit_label "$name" || die "--ulimit '$1': there is no resource limit '$name'; ulimits are those of setrlimit(2) in small letters, such as nofile and nproc"
	case $1 in *=*) ;; *) die "--ulimit '$1': write NAME=SOFT[:HARD]" ;; esac
	value=$1
	ulimit_number "${1##*[=:]}"
	ulimit=$number
	number=${1#*=}
	ulimit_number "${number%%:*}"
	asked_soft=$number
	! above "$asked_soft" "$ulimit" || die "--ulimit '$1': the soft limit is above the hard one"
	[ "$name" != nofile ] || [ "$ulimit" = -1 ] || [ "$ulimit" -ge 16 ] || die "--ulimit '$1': a container does not start with less than 16 descriptors"
	ulimit_read "$$" "$name" || die "cannot read /proc/$$/limits"
	if above "$ulimit" "$hard" && ! may_raise; then
		say "--ulimit $1: skipped: it is above $hard, the hard limit of this shell, and root here has no CAP_SYS_RESOURCE to raise it"
		ulimit='' skipped=1
	else
		ulimit=$name=$asked_soft:$ulimit
	fi
}

# oom_score_adj_parse NUMBER - sets $score; empty where this caller may not set it
oom_score_adj_parse() {
	local now
	case ${1#-} in
	'' | *[!0-9]* | 0?* | ?????*) score=1001 ;;
	*) score=$1 ;;
	esac
	[ "$score" -ge -1000 ] && [ "$score" -le 1000 ] || die "--oom-score-adj '$1': a number from -1000 (never) to 1000 (first)"
	read -r now <"/proc/$$/oom_score_adj"
	if [ "$score" -lt "$now" ] && ! may_raise; then
		say "--oom-score-adj $1: skipped: it is below $now, that of this shell, and root here has no CAP_SYS_RESOURCE to lower it"
		score='' skipped=1
	fi
}
