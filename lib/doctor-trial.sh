# shellcheck shell=sh
# lib/doctor-trial.sh - what only a trial can tell, in namespaces that vanish with the process that made them
# shellcheck disable=SC2154 # the words of lib/doctor.sh
#
# A trial must not make the host's kernel load a module: what waits for one is not tried.

# doctor_needs FEATURE - sets $parts to the modules that a trial of FEATURE uses, as NAME:CONFIG
doctor_needs() {
	case $1 in
	bridge) parts=bridge:BRIDGE ;;
	veth) parts=veth:VETH ;;
	rules)
		parts='nf_nat:NF_NAT nf_conntrack:NF_CONNTRACK xt_conntrack:NETFILTER_XT_MATCH_CONNTRACK xt_comment:NETFILTER_XT_MATCH_COMMENT xt_addrtype:NETFILTER_XT_MATCH_ADDRTYPE xt_devgroup:NETFILTER_XT_MATCH_DEVGROUP xt_MASQUERADE:NETFILTER_XT_TARGET_MASQUERADE'
		case $backend in
		nf_tables) parts="$parts nf_tables:NF_TABLES nft_compat:NFT_COMPAT nft_chain_nat:NFT_NAT" ;;
		legacy) parts="$parts ip_tables:IP_NF_IPTABLES iptable_filter:IP_NF_FILTER iptable_nat:IP_NF_NAT" ;;
		esac
		;;
	tbf) parts='veth:VETH sch_tbf:NET_SCH_TBF' ;;
	ifb) parts='veth:VETH ifb:IFB sch_ingress:NET_SCH_INGRESS cls_u32:NET_CLS_U32 act_mirred:NET_ACT_MIRRED' ;;
	sources) parts='veth:VETH sch_ingress:NET_SCH_INGRESS cls_bpf:NET_CLS_BPF' ;;
	classify)
		parts=xt_CLASSIFY:NETFILTER_XT_TARGET_CLASSIFY
		case $backend in
		nf_tables) parts="$parts nf_tables:NF_TABLES nft_compat:NFT_COMPAT" ;;
		legacy) parts="$parts ip_tables:IP_NF_IPTABLES iptable_mangle:IP_NF_MANGLE" ;;
		esac
		;;
	idmap) parts=overlay:OVERLAY_FS ;;
	container) parts='' ;;
	esac
}

# doctor_trials - sets $trial to a line `FEATURE ok` or `FEATURE no WHY` for all that can be tried
doctor_trials() {
	local feature parts tries='' absent later work='' dir
	trial=''
	[ "$root" ] || return 0
	doctor_layers
	for feature in container idmap bridge veth rules sources tbf ifb classify; do
		doctor_needs "$feature"
		# shellcheck disable=SC2086 # words of our own
		doctor_later $parts
		case $feature in
		container) [ -x "$helpers/sc-clone" ] || continue ;;
		idmap) [ -x "$helpers/sc-clone" ] && [ "$layers_there" ] || continue ;;
		bridge | veth) doctor_has ip || continue ;;
		sources | tbf | ifb) doctor_has ip tc || continue ;;
		rules | classify) [ "$backend" ] && doctor_has iptables-restore || continue ;;
		esac
		[ "$later" ] || tries="$tries $feature"
	done
	# a directory to cover with a file system of our own: none of those that we look into
	for dir in /run /tmp /mnt; do
		case $place/,$SC_LIB/,${SC_HELPERS:-} in "$dir"/*,* | *,"$dir"/*) continue ;; esac
		[ ! -d "$dir" ] || [ -L "$dir" ] || { work=$dir && break; }
	done
	if ! doctor_has unshare mount || [ ! "$work" ]; then
		return 0
	fi
	# shellcheck disable=SC2086 # words of our own
	trial=$(SC_DOOR=run unshare -m -n "$0" --inside "$work" "$layers_there" $tries 2>&1) && return 0
	doctor_first_line "${trial#unshare: }"
	trial="container no $line"
}

# doctor_tried FEATURE NEEDS FOUND TOOL FIX - the row of something that was tried; FOUND is said where it worked, FIX
# where it did not although the kernel has all that it takes; without TOOL it could not be tried
doctor_tried() {
	local parts why='' absent later
	doctor_needs "$1"
	# shellcheck disable=SC2086 # words of our own
	doctor_later $parts
	case $nl$trial$nl in
	*"$nl$1 ok$nl"*)
		doctor_row ok "$1" "$2" "$3"
		return 0
		;;
	*"$nl$1 no "*) why=$nl$trial why=${why#*"$nl$1 no "} ;;
	esac
	doctor_first_line "$why"
	if [ "$absent" ]; then
		doctor_kernel_fix "${absent##*:}"
		doctor_row missing "$1" "$2" "not in this kernel: $absent" "$fix"
	elif [ "$why" ] && [ "$powerless" ]; then
		doctor_row missing "$1" "$2" "$line" "see capabilities above: there is no$powerless"
	elif [ "$why" ]; then
		doctor_row missing "$1" "$2" "$line" "$5"
	elif [ "$later" ]; then
		doctor_row ok "$1" "$2" "not tried: the kernel loads $later on first use"
	elif [ ! "$root" ]; then
		doctor_row unknown "$1" "$2" 'not tried: that takes root' 'sudo scadm doctor'
	elif ! doctor_has unshare mount; then
		doctor_package unshare
		doctor_row unknown "$1" "$2" 'not tried: that takes unshare(1) and mount(8)' "$fix"
	elif [ "$4" = sc-clone ] && [ ! -x "$helpers/sc-clone" ]; then
		doctor_row unknown "$1" "$2" 'not tried: sc-clone is not built' 'see helpers below'
	elif ! doctor_has "$4"; then
		doctor_package "$4"
		doctor_row unknown "$1" "$2" "not tried: there is no $4" "$fix"
	else
		doctor_row unknown "$1" "$2" 'not tried: no namespace could be made for it' 'see container above'
	fi
}

# --- inside: all of this happens in namespaces of our own ----------------------------------------------

# doctor_inside WORK LAYERS FEATURE... - try each feature and print what came of it
doctor_inside() {
	local work="$1" layers_there="$2" feature
	shift 2
	# door: our own mount namespace
	mount -t tmpfs -o mode=0755 tmpfs "$work" || exit 1
	# an older iptables makes a lock file in /run
	export XTABLES_LOCKFILE="$work/xtables.lock"
	for feature; do
		case $feature in
		container) doctor_try_container ;;
		idmap) doctor_try_layers ;;
		bridge) doctor_try bridge ip link add dev doctor0 type bridge ;;
		veth) doctor_try veth ip link add dev doctor1 type veth peer name doctor2 ;;
		tbf) doctor_try tbf tc qdisc add dev doctor1 root tbf rate 1mbit burst 32k latency 50ms ;;
		sources) doctor_try sources doctor_sources ;;
		ifb) doctor_try ifb doctor_mirror ;;
		classify) doctor_try classify iptables -t mangle -A POSTROUTING -j CLASSIFY --set-class 1:1 ;;
		rules)
			doctor_try rules iptables-restore <<-'END'
				*filter
				-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment doctor -j ACCEPT
				-A FORWARD -m devgroup ! --src-group 1482 -m addrtype --dst-type LOCAL -j ACCEPT
				COMMIT
				*nat
				-A POSTROUTING -s 10.99.0.0/16 ! -o doctor0 -j MASQUERADE
				COMMIT
			END
			;;
		esac
	done
}

# doctor_try FEATURE COMMAND... - print whether the command worked, else its first line of complaint
doctor_try() {
	local feature="$1" said line
	shift
	if said=$("$@" 2>&1); then
		printf '%s ok\n' "$feature"
	else
		doctor_first_line "$said"
		printf '%s no %s\n' "$feature" "${line:-$1 failed without a word}"
	fi
}

# doctor_mirror - lead what comes in on doctor1 through an ifb, as --net-rate-out does
doctor_mirror() {
	# door: our own network namespace
	ip link add dev doctor3 type ifb && tc -batch - <<-'END'
		qdisc replace dev doctor1 clsact
		filter replace dev doctor1 ingress protocol all prio 2 handle 800::1 u32 match u32 0 0 at -4 action mirred egress redirect dev doctor3
	END
}

# doctor_sources - look at what comes in on doctor1 with a program, as lib/source-check.sh does
doctor_sources() {
	# door: our own network namespace
	tc -batch - <<-'END'
		qdisc replace dev doctor1 clsact
		filter replace dev doctor1 ingress protocol all prio 1 handle 1 bpf da bytecode '1,6 0 0 4294967295'
	END
}

# doctor_chain FEATURE FSTAB WORD... - make a container from the fstab up to its command, which is not there: 127
doctor_chain() {
	local feature="$1" status=0 said line
	# door: a file system of our own
	printf '%s\n' "$2" >"$work/fstab"
	shift 2
	# door: it ends before it has run anything
	said=$("$helpers/sc-clone" --pid --uts --ipc --cgroup --net --user --uid-map=0:1879048192:65536 --gid-map=0:1879048192:65536 \
		--root="$work/root" --fstab="$work/fstab" "$@" --hostname=doctor --caps=default --no-new-privs \
		-- /no/such/program 2>&1 </dev/null) || status=$?
	# the shell says 127 as well, for a sc-clone that cannot be run
	case $status,$said in
	127,*/no/such/program*) printf '%s ok\n' "$feature" ;;
	*)
		doctor_first_line "${said#sc-clone: }"
		printf '%s no %s\n' "$feature" "${line:-sc-clone ended with $status}"
		;;
	esac
}

# doctor_try_container - the mounts that every container has, on a root of nothing
doctor_try_container() {
	local seccomp="$helpers/seccomp.bpf"
	# door: a file system of our own
	mkdir "$work/root" || exit 1
	[ ! -e "$seccomp" ] && seccomp='' || seccomp=--seccomp=$seccomp
	doctor_chain container "$work/root / none rbind
proc /proc proc X-mount.mkdir,nosuid,nodev,noexec
tmpfs /dev tmpfs X-mount.mkdir,nosuid,noexec,mode=755,size=64k
devpts /dev/pts devpts X-mount.mkdir,nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5
mqueue /dev/mqueue mqueue X-mount.mkdir,nosuid,noexec,nodev
sysfs /sys sysfs X-mount.mkdir,nosuid,noexec,nodev,ro
cgroup /sys/fs/cgroup cgroup nosuid,noexec,nodev,relatime,ro" --dev ${seccomp:+"$seccomp"}
}

# doctor_try_layers - two directories that are there, laid over each other, with owners translated: nothing is written
doctor_try_layers() {
	[ -d "$work/root" ] || mkdir "$work/root" || exit 1 # door: a file system of our own
	doctor_chain idmap "overlay / overlay lowerdir=$layers_there,ro,X-mount.idmap"
}

# doctor_layers - sets $layers_there to two directories of the file system of $place, A:B, empty if there are none
doctor_layers() {
	local dir
	layers_there=''
	set +f
	for dir in "$SC_ROOT"/layers/ "$SC_ROOT"/images/ "$place"/*/; do
		set -f
		dir=${dir%/}
		[ -d "$dir" ] && [ ! -L "$dir" ] && [ "$dir" != "$layers_there" ] || continue
		case $dir in *[!a-zA-Z0-9_./-]*) continue ;; esac
		# of another file system
		case $mount_points in *" $dir "*) continue ;; esac
		if [ "$layers_there" ]; then
			layers_there=$layers_there:$dir
			return 0
		fi
		layers_there=$dir
	done
	set -f
	layers_there=''
}
