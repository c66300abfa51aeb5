# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/etcd.sh, lib/peers.sh and bin/scadm-network-agent
# lib/peers-watch.sh - the agent of a network across hosts: wait for what etcd has to say, and keep our lease alive
#
# Two children write to a pipe that the agent reads: `etcdctl watch` a line for each change of a block, and a clock the
# word tick, three times in the life of a lease. They end when the agent does, however that ends.

# agent_run - the work of the agent, for ever, or once
agent_run() {
	local failures=''
	clock='' watch=''
	[ "$how" = once ] || agent_clock
	while :; do
		if etcd_timeout=1s && etcd_get "$etcd_prefix/$network/"; then
			[ ! "$failures" ] || say "etcd at $etcd_endpoints answers again"
			failures=''
			agent_membership
			# one that fails (a link was taken away) is tried again when the clock ticks
			(peers_apply) || [ "$how" != once ] || exit 125
			[ "$how" != once ] || return 0
			agent_ready 0
			agent_watch
			agent_listen
		else
			[ "$how" != once ] || etcd_refuse
			[ "$failures" ] || {
				etcd_why
				say "etcd at $etcd_endpoints: $why: nothing is withdrawn, I try until it answers"
			}
			failures=1
			agent_ready 0
			agent_watch_end
			sleep 0.3
			agent_wanted
		fi
	done
}

# agent_ready STATUS - tell whoever detached us, once
agent_ready() {
	[ "$how" = detached ] || return 0
	printf '%s\n' "$1" >&5 || :
	exec 5>&-
	how=''
}

# agent_wanted - end when the network is no longer there
agent_wanted() {
	[ -e "$record/peer" ] || exit 0
}

# agent_membership - sets $lease, that of our own block; claims the block again if its lease has ended meanwhile
agent_membership() {
	local owner
	peers_list
	read -r lease owner <<-END
		$peers_own
	END
	if [ ! "$lease" ]; then
		agent_wanted
		[ "$failures" ] || say "the lease of the block $block is gone from etcd: claiming it again"
		try scadm-network-block claim "$network" "$block" || agent_lost "$?"
		[ "$door" = print ] || etcd_get "$etcd_prefix/$network/" || return 0
		peers_list
		read -r lease owner <<-END
			$peers_own
		END
	fi
	case $owner in '' | "$peers_host") ;; *) agent_lost 75 ;; esac
}

# agent_lost STATUS - the block could not be claimed again; leave if another host has it
agent_lost() {
	[ "$1" -eq 75 ] || return 0
	die "another host has the block $block of '$network' by now, or the network was made anew, while the lease of this host had ended: make it again here ('scadm rm' its containers, 'scadm network rm $network', 'scadm network create …')"
}

# agent_clock - make the pipe, and have ticks told
agent_clock() {
	# door: an anonymous pipe, which has a name for a moment
	mkfifo -m 600 "$record/pipe.$$"
	# door: as above
	exec 4<>"$record/pipe.$$"
	# door: as above
	rm -f "$record/pipe.$$"
	# shellcheck disable=SC2016 # for the shell that it is
	setpriv --pdeathsig KILL sh -c 'while sleep "$1" >/dev/null; do echo tick; done' clock "$(((peers_ttl + 2) / 3))" >&4 4>&- 5>&- 9>&- &
	clock=$!
}

# agent_watch - have changes told, from the revision on that is known
agent_watch() {
	# door: our own child is asked whether it is there
	[ ! "$watch" ] || ! kill -0 "$watch" 2>/dev/null || return 0
	setpriv --pdeathsig KILL etcdctl --dial-timeout=2s watch --prefix --rev="$((revision + 1))" -w json "$etcd_prefix/$network/blocks/" >&4 2>/dev/null 4>&- 9>&- &
	watch=$!
}

# agent_watch_end - watch no longer
agent_watch_end() {
	[ "$watch" ] || return 0
	# door: our own child
	kill "$watch" 2>/dev/null || :
	# bash and dash tell how it ended
	wait "$watch" 2>/dev/null || :
	watch=''
}

# agent_listen - return when there is a reason to look again
agent_listen() {
	local line seen
	while read -r line <&4; do
		case $line in
		tick)
			agent_wanted
			agent_keep_alive && kill -0 "$watch" 2>/dev/null || {
				agent_watch_end
				return 0
			}
			;;
		*'"revision":'*)
			# of several changes at once the first look saw all
			seen=${line#*'"revision":'}
			seen=${seen%%[!0-9]*}
			[ "${seen:-0}" -le "$revision" ] || return 0
			;;
		esac
	done
}

# agent_keep_alive - keep the lease of our block; status 1: etcd does not answer, or does not know it
agent_keep_alive() {
	# door: keeping what we have changes nothing; a client of etcd would wait for its answer for ever
	timeout 2 etcdctl --dial-timeout=1s lease keep-alive --once "$(printf %x "${lease:-0}")" >/dev/null 2>&1
}

# agent_leave STATUS - take our children along, and tell whoever waits that it will not be
agent_leave() {
	trap - EXIT
	agent_ready "$1"
	# door: our own child
	[ ! "$clock" ] || kill "$clock" 2>/dev/null || :
	agent_watch_end
	exit "$1"
}

# agent_stop - end the agent of $network, if it runs
agent_stop() {
	local pid tries=0
	peers_agent_runs || return 0
	# door: the plan of who calls us shows this very verb
	kill "$pid" 2>/dev/null || return 0
	while peers_agent_runs; do
		tries=$((tries + 1))
		# door: as above
		[ "$tries" -ne 100 ] || kill -9 "$pid" 2>/dev/null || :
		sleep 0.02
	done
}
