# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for run, create and start; the words of lib.sh, lib/find.sh and lib/create.sh
# lib/attach-container.sh - --net=container:NAME: a container in the network namespace of another one
#
# It sees the links, addresses, sockets and ports of the other, and has its names: hosts, resolv.conf, host name. The
# record keeps the id of the other, as that may get another name.

# attach_container_find WORD - sets $of_name $of_record $of_id (12 digits) $of_netns and $of_uid_base: the container whose
# network it is, also when that of WORD is another one's itself. $of_uid_base is empty when the host owns the namespace.
attach_container_find() {
	local word="$1" name record short id uid_base json net tries=0
	while :; do
		find_container "$word"
		[ -e "$record/config.json" ] || die "'$name' is being made, or was left half made ('scadm gc' removes that)"
		json=$(cat "$record/config.json")
		net=${json#*'"NetworkMode":"'}
		net=${net%%'"'*}
		case $net in container:*) word=${net#container:} ;; *) break ;; esac
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || die "'$1' has the network of a container that has its own"
	done
	of_name=$name of_record=$record of_id=$short of_netns=$name of_uid_base=''
	case $net in host) die "'$name' has the network of the host: say --net=host" ;; esac
	if [ -e "$record/networks" ] || [ "$net" = none ] || [ "$net" = bridge ]; then
		case $json in *'"UsernsMode":"auto"'*)
			id=$short
			id_range
			of_uid_base=$uid_base
			;;
		esac
	else
		of_netns=$net
		[ ! -e "$SC_ROOT/netns/$net/uid_base" ] || read -r of_uid_base <"$SC_ROOT/netns/$net/uid_base"
	fi
}

# attach_container_ask - what --net=container:WORD asks of a new container: sets $net, with the id, and $hostname
attach_container_ask() {
	case $net in container:*) ;; *) return 0 ;; esac
	[ ! "$hostname" ] || die "--hostname '$hostname': with --net=container:… the host name is that of the other"
	attach_container_find "${net#container:}"
	net=container:$of_id
	read -r hostname <"$of_record/hostname"
}

# attach_container_files - sets $hosts and $resolv_conf to those of the other
attach_container_files() {
	local line
	case $net in container:*) ;; *) return 0 ;; esac
	attach_container_hosts
	resolv_conf=''
	while IFS= read -r line || [ "$line" ]; do
		resolv_conf=$resolv_conf${resolv_conf:+$nl}$line
	done <"$of_record/resolv.conf"
}

# attach_container_hosts - sets $hosts to the hosts file that the other has mounted
attach_container_hosts() {
	local source target=''
	while read -r source target _; do
		[ "$target" != /etc/hosts ] || break
	done <"$of_record/fstab"
	[ "$target" = /etc/hosts ] || die "$of_record/fstab names no /etc/hosts"
	hosts=$source
}

# attach_container_netns - sets $netns to the name of the namespace of the other
attach_container_netns() {
	[ "${of_id-}" ] || attach_container_find "${net#container:}"
	netns=$of_netns
}

# attach_container_userns - sets $uid_base and $user_of to the user namespace that owns that namespace, so that no root inside
# has a say in it that it does not have in the other container
attach_container_userns() {
	case $net in container:*) ;; *) return 0 ;; esac
	[ "$of_uid_base" ] && [ "$userns" = auto ] || return 0
	uid_base=$of_uid_base user_of=/run/netns/$netns
}

# attach_container_running - refuse to start while the other does not run
attach_container_running() {
	case $net in container:*) ;; *) return 0 ;; esac
	is_running "$of_record" || die "'$of_name', whose network it is to have, does not run: 'scadm start $of_name' first"
	[ -e "/run/netns/$netns" ] || die "the network namespace '$netns' of '$of_name' has lost its name: start '$of_name' again"
}

# attach_container_again - a container that starts once more sees the hosts file that the other has now
attach_container_again() {
	local hosts
	case $net in container:*) ;; *) return 0 ;; esac
	attach_container_hosts
	grep -qF -- "$hosts /etc/hosts " "$record/fstab" || cmd sed -i "s|^[^ ]*\\( /etc/hosts \\)|$hosts\\1|" "$record/fstab"
}
