# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/journal.sh and lib/network.sh
# lib/lease.sh - free addresses, and those of owners that are no more

# lease_next POOL [--after=ADDRESS] - sets $address to a free one, of a dead owner if there is no other
lease_next() {
	if ! address=$(sc-ipam "$database" next "$@" 2>&1); then
		case $1,$address in
		*' addresses are leased') ipam_reclaim "$1" ;;
		"bridge,"*": no pool 'bridge'"*)
			# gc takes the default network away at this moment: with the lock it has done so, and it is made anew
			network_lock
			network_unlock
			network_ready bridge
			;;
		*) die "no address for the container on $1: $address" ;;
		esac
		# a plan only says what will be dropped
		[ "$door" = print ] && [ "$address" ] || address=$(sc-ipam "$database" next "$@") ||
			die "no address for the container on $1: 'sc-ipam $database list $1' tells who has them"
	fi
	address=${address%/*}
}

# lease_free POOL ADDRESS - whether nobody holds a lease of it
lease_free() {
	local leased _
	while read -r _ leased _; do
		[ "$leased" != "$2" ] || return 1
	done <<-END
		$(sc-ipam "$database" list "$1")
	END
}

# ipam_reclaim POOL - drop the leases there of containers and cables that are no more; sets $address to the first one dropped
# Every lease of ours has its drop in a journal before it is taken. So who is named in no journal (the record was removed by
# hand, a disk was put back from a backup) is no more. Whoever has a lease under another kind of name took it by hand.
ipam_reclaim() {
	local leases owned dropped='' leased owner _
	# first the leases, then the journals: who takes one in between is not seen, or named
	leases=$(sc-ipam "$database" list "$1") || return 0
	set +f
	# a place without a journal is no mistake
	owned=$(grep -ohs -e '--owner=[0-9a-f]*' "$SC_ROOT"/containers/*/undo "$SC_ROOT"/connections/*/undo "$SC_ROOT"/networks/*/undo) || :
	set -f
	address=''
	while read -r _ leased owner _; do
		case ${#owner},$owner in
		12,*[!0-9a-f]* | 64,*[!0-9a-f]*) continue ;;
		12,* | 64,*) ;;
		*) continue ;;
		esac
		case $nl$owned$nl$dropped$nl in *"$nl--owner=$owner$nl"*) continue ;; esac
		dropped="$dropped$nl--owner=$owner" address=${address:-$leased}
		note "Nobody answers for $leased any more: no journal names its owner."
		cmd sc-ipam "$database" drop "$1" "--owner=$owner"
	done <<-END
		$leases
	END
}
