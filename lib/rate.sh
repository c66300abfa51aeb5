# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/journal.sh, lib/limits.sh and of the verbs: nl door short record address
# lib/rate.sh - how fast a container may send and receive, and which packets leave the host first
#
# All of it is at the host's end of the container's cable, v-ID12, where its root cannot reach it. A shaper, see
# tc-tbf(8), works where packets leave a link: what goes into the container leaves v-ID12. What comes out of it
# only arrives there; so that it leaves something too, it is led through i-ID12, a link that hands every packet
# back to where it came from (an ifb). The filter that leads it there has priority 2: the one of lib/source-check.sh
# comes before it, on the same clsact, and what that one drops does not count.
#
# $net_rate_in and $net_rate_out are BITS_PER_SECOND:BURST_BYTES; empty or `none` is no limit, as for $net_prio.

. "$SC_LIB/lib/undo-later.sh"

# rate_parse OPTION TEXT - sets $rate to BITS_PER_SECOND:BURST_BYTES, or to none; TEXT is RATE[:BURST], RATE as for tc(8)
rate_parse() {
	local number="${2%%:*}" burst='' unit part='' bits
	rate=none
	[ "$2" != none ] || return 0
	case $2 in *:*) burst=${2#*:} ;; *) burst=default ;; esac
	unit=${number#"${number%%[!0-9.]*}"}
	number=${number%"$unit"}
	case $number in *.*) part=${number#*.} number=${number%%.*} ;; esac
	case $unit in
	'' | [bB]it) unit=1 ;;
	[kK][bB]it) unit=1000 ;;
	[mM][bB]it) unit=1000000 ;;
	[gG][bB]it) unit=1000000000 ;;
	[kK]ibit) unit=1024 ;;
	[mM]ibit) unit=1048576 ;;
	[gG]ibit) unit=1073741824 ;;
	bps) unit=8 ;;
	[kK]bps) unit=8000 ;;
	[mM]bps) unit=8000000 ;;
	[gG]bps) unit=8000000000 ;;
	[kK]ibps) unit=8192 ;;
	[mM]ibps) unit=8388608 ;;
	[gG]ibps) unit=8589934592 ;;
	*) number=x ;;
	esac
	case $number,$part in
	*,*[!0-9]* | *,????* | *[!0-9]*,* | ,* | 0[0-9]*,* | ?????????????*,*)
		die "$1 '$2': write RATE[:BURST]: a number of bits per second with kbit, mbit or gbit, or of bytes with kbps, mbps or gbps, such as 10mbit"
		;;
	esac
	# in thousandths, as a shell has no fractions; the 1 keeps a leading 0 from meaning an octal number
	part=${part}000
	bits=$((number * 1000 + 1${part%"${part#???}"} - 1000))
	if [ "$bits" -gt $((100000000000000 / unit)) ] || [ $((bits * unit)) -lt 8000000 ]; then
		die "$1 '$2': a rate is from 8kbit to 100gbit; 'none' is no limit"
	fi
	bits=$((bits * unit / 1000))
	rate_burst "$1" "$burst" "$bits"
	command -v tc >/dev/null || die "$1 '$2': there is no tc(8) here; it comes with iproute2 (in some distributions as iproute-tc)"
	rate=$bits:$burst
}

# rate_burst OPTION TEXT BITS - sets $burst to the bytes that may pass at once after a pause, for that rate
rate_burst() {
	local unit=1
	case $2 in
	default)
		# 40 ms: a busy CPU serves the shaper so late and the rate still holds. Two full frames at least.
		burst=$(($3 / 200))
		[ "$burst" -ge 3028 ] || burst=3028
		return 0
		;;
	*[kK]) unit=1024 ;;
	*[mM]) unit=1048576 ;;
	esac
	burst=${2%[bkmBKM]}
	case $burst in
	'' | *[!0-9]* | 0* | ??????????*) die "$1: the burst '$2' is a number of bytes, or with k or m" ;;
	esac
	burst=$((burst * unit))
	# below one frame none would pass; tc(8) counts the time it takes to fill in 32 bits
	[ "$burst" -ge 1600 ] && [ "$burst" -le 1073741824 ] && [ "$burst" -le $(($3 * 60 / 8)) ] ||
		die "$1: the burst '$2' is from 1600 bytes to 1024m, and not more than the rate carries in a minute"
}

# rate_wanted RATE - whether that is a limit; sets $shaper to the words of tc(8) that keep it
rate_wanted() {
	local bits="${1%:*}" limit
	case $1 in '' | none) return 1 ;; esac
	# What waits longer than 50 ms is dropped: whoever sends learns of the limit by that, and a longer queue
	# would only be a longer wait for all. Eight full frames at least, or TCP cannot tell loss from silence.
	limit=$((bits / 160))
	[ "$limit" -ge 12112 ] || limit=12112
	shaper="tbf rate ${bits}bit burst ${1#*:} limit $limit"
}

# rate_links LINES - let the cable v-$short keep $net_rate_in and $net_rate_out; LINES are for tc(8) as well, and come before
rate_links() {
	local lines="$1" shaper
	if rate_wanted "$net_rate_in"; then
		note "What goes into the container leaves the host's end of its cable: it waits there until it may."
		lines="$lines${lines:+$nl}qdisc replace dev v-$short root $shaper"
	fi
	if rate_wanted "$net_rate_out"; then
		rate_ifb
		# u32 with a mask of nothing matches all it can read: these 4 bytes are in every Ethernet header
		lines="$lines${lines:+$nl}qdisc replace dev i-$short root $shaper
qdisc replace dev v-$short clsact
filter replace dev v-$short ingress protocol all prio 2 handle 800::1 u32 match u32 0 0 at -4 action mirred egress redirect dev i-$short"
	fi
	[ "$lines" ] || return 0
	hint 'this needs sch_tbf, and for what comes out sch_ingress, cls_u32 and act_mirred in the kernel'
	case $lines in *' bpf '*) hint "$hint; and cls_bpf for the check of sources, which networks made with '-o source-check=off' do without" ;; esac
	feed "$lines" tc -batch -
}

# rate_ifb - the link i-$short
rate_ifb() {
	[ ! -e "/sys/class/net/i-$short" ] || return 0
	note "What comes out of the container is led through a link of its own, and waits where it leaves that."
	# door: -n only asks
	if [ ! -e /sys/module/ifb ] && modprobe -n -q ifb 2>/dev/null; then
		note "Loaded without this, the module makes two links of its own as well."
		cmd modprobe ifb numifbs=0
	fi
	undo_later " i-$short" undo_if "/sys/class/net/i-$short" ip link del dev "i-$short"
	hint 'this needs ifb in the kernel'
	cmd ip link add "i-$short" up type ifb
}

# rate_priority - let what $address sends leave the host with priority $net_prio
# After routing: the kernel sets the priority of what it forwards by its TOS field, whatever it was before.
rate_priority() {
	local class tag="-m comment --comment \"scadm $name\""
	class=$(printf '0:%x' "$net_prio")
	note "Priority $net_prio for what the container sends to the outside: the queue of the link there looks at it."
	undo_later " SC-$short" undo scadm-firewall rm "SC-$short"
	hint 'this needs xt_CLASSIFY in the kernel'
	feed "*mangle
:SC-$short - [0:0]
-A SC-$short -s $address $tag -j CLASSIFY --set-class $class
-I POSTROUTING $tag -j SC-$short
COMMIT" iptables-restore -w 10 --noflush
}

# rate_set - the same and $net_prio for a container that runs, with the record $record; also takes away what is not wanted
rate_set() {
	local lines='' had_link='' actual_in actual_out actual_prio
	unset rates
	rate_read
	[ ! -e "/sys/class/net/i-$short" ] || had_link=1
	# A shaper that is changed keeps its queue, and a packet in it that is larger than the new burst would wait
	# for ever with all behind it: a new one takes its place.
	[ ! "$actual_in" ] || lines="qdisc del dev v-$short root"
	[ ! "$actual_out" ] || lines="$lines${lines:+$nl}qdisc del dev i-$short root"
	# replaced, as it may not be there: somebody was killed before he came to that. Its clsact is not only ours.
	[ ! "$had_link" ] || rate_wanted "$net_rate_out" ||
		lines="$lines${lines:+$nl}qdisc replace dev v-$short clsact
filter replace dev v-$short ingress protocol all prio 2 handle 800::1 u32 match u32 0 0 at -4 classid :1
filter del dev v-$short ingress prio 2"
	rate_links "$lines"
	# after the filter that led to it: what finds no link there is dropped
	[ ! "$had_link" ] || rate_wanted "$net_rate_out" || cmd ip link del dev "i-$short"
	rate_priority_read
	if [ "${net_prio:-none}" != "${actual_prio:-none}" ]; then
		[ ! "$actual_prio" ] || rate_priority_down
		[ "${net_prio:-none}" = none ] || rate_priority
	fi
	# it may have ended meanwhile, and its journal have been read before our lines were in it
	[ "$door" = print ] || is_running "$record" || rate_down
}

# rate_priority_down - take the chain away
rate_priority_down() {
	cmd scadm-firewall rm "SC-$short" mangle
}

# rate_down - take away what is there of a container that is gone
rate_down() {
	local actual_prio link
	rate_priority_read
	[ ! "$actual_prio" ] || rate_priority_down
	for link in "i-$short" "v-$short"; do
		[ ! -e "/sys/class/net/$link" ] || try ip link del dev "$link" || [ ! -e "/sys/class/net/$link" ] ||
			die "cannot remove the link $link; 'ip link del dev $link' does"
	done
}

# rate_priority_read - sets $actual_prio to the priority the kernel holds for $short, empty for none
rate_priority_read() {
	local rules
	actual_prio=''
	rules=$(iptables -w 10 -t mangle -S "SC-$short" 2>/dev/null) || return 0
	case $rules in *'--set-class 0000:000'?) actual_prio=$((0x${rules##*:})) ;; esac
}

# rate_read - sets $actual_in $actual_out to the rates the kernel holds for v-$short, empty for no limit
# It asks once for any number of containers: $rates has a line LINK BYTES_PER_SECOND BURST for each shaper.
rate_read() {
	local link bytes burst
	[ "${rates+asked}" ] || rates=$(
		tc -j qdisc show | tr '}' '\n' |
			sed -n 's/.*"kind":"tbf",.*"dev":"\([vi]-[0-9a-f]*\)".*"rate":\([0-9]*\),"burst":\([0-9]*\).*/\1 \2 \3/p'
	)
	actual_in='' actual_out=''
	while read -r link bytes burst; do
		case $link in
		"v-$short") actual_in=$((bytes * 8)):$burst ;;
		"i-$short") actual_out=$((bytes * 8)):$burst ;;
		esac
	done <<-END
		$rates
	END
}
