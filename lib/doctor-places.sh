# shellcheck shell=sh
# lib/doctor-places.sh - rows of doctor: file systems and the network
# shellcheck disable=SC2154 # the words of lib/doctor.sh

# doctor_place - sets $place to what there is of the path of the state directory
doctor_place() {
	place=$SC_ROOT
	while [ ! -e "$place" ] && [ "$place" ]; do place=${place%/*}; done
	place=${place:-/}
}

# doctor_filesystems - the rows of overlay, the state directory, loop devices and quota
doctor_filesystems() {
	local listed='' loops='' type
	doctor_group 'file systems'
	while read -r listed type; do
		[ "$listed" != overlay ] && [ "$type" != overlay ] || break
		listed=''
	done </proc/filesystems
	doctor_module overlay:OVERLAY_FS
	case $listed,$module in
	,loadable) doctor_row ok overlay run 'a module, loaded on first use' ;;
	,unknown | ,absent)
		doctor_kernel_fix OVERLAY_FS
		doctor_row missing overlay run 'neither in /proc/filesystems nor a module' 'modprobe overlay' "$fix"
		;;
	*) doctor_row ok overlay run 'in /proc/filesystems' ;;
	esac
	while read -r listed type; do
		[ "$type" != loop ] || loops=1
	done </proc/devices
	doctor_module loop:BLK_DEV_LOOP
	case $loops,$module in ,loadable) loops=1 ;; esac
	[ -e /dev/loop-control ] || loops=''
	doctor_state "$loops"
	if [ "$kernel_number" -ge 519 ] || [ ! "$root" ]; then
		if [ "$in_file" ]; then
			doctor_row ok idmap 'run, but for --userns=host' "not tried on $SC_ROOT.ext4; Linux $release can"
		elif [ "$root" ] && [ ! "$layers_there" ]; then
			doctor_row ok idmap 'run, but for --userns=host' "not tried: $place has no two directories; Linux $release can"
		else
			doctor_tried idmap 'run, but for --userns=host' "$place_type at $place: owners are translated, overlay on top of it" sc-clone \
				'set SC_ROOT to a directory on ext4, xfs or btrfs; or use --userns=host'
		fi
	else
		doctor_row missing idmap 'run, but for --userns=host' "Linux $release lays no overlay over translated owners" 'boot Linux 6.1 or later'
	fi
	if [ "$loops" ]; then
		doctor_row ok 'loop devices' '--disk-size' /dev/loop-control
	else
		doctor_row limited 'loop devices' '--disk-size' 'no /dev/loop-control, or no driver for it' 'modprobe loop' \
			'echo loop >/etc/modules-load.d/scadm.conf   # after a reboot too' 'docker run --privileged, if this is a container'
	fi
	doctor_quota
}

# doctor_state LOOPS - the row of the file system of $SC_ROOT, by the rule of state_storage in lib/journal.sh; sets
# $in_file if the state is, or is going to be, in a file system of its own
doctor_state() {
	local how="set SC_ROOT to a directory on ext4, xfs, btrfs or tmpfs: echo SC_ROOT=DIR >>$SC_CONF"
	in_file=''
	case ,$place_options, in
	*,ro,*)
		doctor_row missing SC_ROOT run "$place is read-only ($place_type)" "mount -o remount,rw $place_mount" "$how"
		return 0
		;;
	esac
	[ ! -e "$SC_ROOT.ext4" ] || place_type=ext4 in_file=1
	case $place_type in
	overlay | aufs | nfs* | smb* | cifs | 9p | fuse* | vfat | msdos | exfat | ramfs)
		if [ "$1" ] && doctor_has mkfs.ext4 mount; then
			in_file=1
			doctor_row limited SC_ROOT run "no overlay can keep what it writes on $place_type: run puts the state into $SC_ROOT.ext4" "$how"
		else
			doctor_row missing SC_ROOT run "no overlay can keep what it writes on $place_type, and there are no loop devices for a file in its place" "$how"
		fi
		;;
	squashfs | iso9660 | erofs) doctor_row missing SC_ROOT run "nothing can be written to $place_type" "$how" ;;
	*) doctor_row ok SC_ROOT run "$place: ${place_type:-unknown}" ;;
	esac
}

# doctor_quota - the row of project quota, which would bound what a container writes without a loop device
doctor_quota() {
	case ,$place_options,$place_type in
	*,prjquota,*)
		if doctor_has setquota repquota; then
			doctor_row ok 'project quota' '--disk-size (else a loop device)' "$place_type at $place"
		else
			doctor_package setquota
			doctor_row limited 'project quota' '--disk-size (else a loop device)' 'in force, but there are no setquota and repquota' "$fix"
		fi
		;;
	*,xfs)
		doctor_row limited 'project quota' '--disk-size (else a loop device)' "$place_type at $place is mounted without prjquota" \
			"add prjquota to the options of its line in /etc/fstab (of the root file system: rootflags=prjquota at boot), and reboot"
		;;
	*,ext4)
		doctor_module quota_v2:QFMT_V2
		if [ "$module" = absent ]; then
			doctor_kernel_fix QFMT_V2
			doctor_row limited 'project quota' '--disk-size (else a loop device)' 'not in this kernel: QFMT_V2' "$fix"
		else
			doctor_row limited 'project quota' '--disk-size (else a loop device)' "ext4 at $place is mounted without prjquota" \
				"tune2fs -O project,quota $place_source   # while it is not mounted" 'add prjquota to its line in /etc/fstab, and reboot'
		fi
		;;
	*) doctor_row limited 'project quota' '--disk-size (else a loop device)' "${place_type:-this file system} has none" 'set SC_ROOT to a directory on ext4 or xfs' ;;
	esac
}

# doctor_network - the rows of links, the firewall, forwarding, rates
doctor_network() {
	doctor_group network
	doctor_kernel_fix BRIDGE
	doctor_tried bridge run 'made and gone' ip "$fix"
	doctor_kernel_fix VETH
	doctor_tried veth run 'made and gone' ip "$fix"
	doctor_bridge_name
	doctor_tried rules run 'nat, conntrack, link groups and comments are accepted' iptables \
		"iptables speaks to ${backend:-nothing}; there may be another one that the kernel understands: update-alternatives --config iptables"
	doctor_firewall
	doctor_read /proc/sys/net/ipv4/ip_forward
	case ,$sys_options,$text in
	*,ro,*0) doctor_row missing ip_forward run '0, and /proc/sys is read-only: run cannot switch it on' 'sysctl -w net.ipv4.ip_forward=1   # on the host' ;;
	*,) doctor_row missing ip_forward run 'no /proc/sys/net/ipv4/ip_forward' 'mount -t proc proc /proc' ;;
	*,1) doctor_row ok ip_forward run 1 ;;
	*) doctor_row ok ip_forward run '0: run switches it on as long as its bridge is there' ;;
	esac
	doctor_read /proc/sys/net/bridge/bridge-nf-call-iptables
	case $text in
	1) doctor_row ok br_netfilter 'run (nothing needs it)' '1: frames between containers pass our chain, which lets them' ;;
	*) doctor_row ok br_netfilter 'run (nothing needs it)' 'frames between containers do not pass the firewall' ;;
	esac
	doctor_kernel_fix NET_CLS_BPF
	doctor_tried sources 'run (spoofed addresses)' 'clsact and a classic bpf program are accepted' tc "$fix"
	doctor_kernel_fix NET_SCH_TBF
	doctor_tried tbf '--net-rate, --net-rate-in' 'a token bucket is accepted' tc "$fix"
	doctor_kernel_fix IFB
	doctor_tried ifb '--net-rate, --net-rate-out' 'ifb, clsact, u32 and mirred are accepted' tc "$fix"
	doctor_kernel_fix NETFILTER_XT_TARGET_CLASSIFY
	doctor_tried classify --net-prio 'xt_CLASSIFY is accepted' iptables "$fix"
}

# doctor_bridge_name - the row of the default bridge: somebody else may have made one of that name
doctor_bridge_name() {
	local name="$SC_PREFIX-br0"
	if [ ! -e "/sys/class/net/$name" ]; then
		doctor_row ok "$name" run 'not there yet: run makes it'
	elif [ -e "$SC_ROOT/networks/bridge/network" ]; then
		doctor_row ok "$name" run 'there, and made by scadm'
	elif [ "$root" ]; then
		doctor_row missing "$name" run 'there, and scadm did not make it' "ip link del dev $name" \
			"or choose another name for our links: echo SC_PREFIX=NAME >>$SC_CONF"
	fi
}

# doctor_backend - sets $backend to what iptables speaks to: nf_tables, legacy, or nothing without iptables
doctor_backend() {
	local version
	backend='' backend_version=''
	doctor_has iptables || return 0
	version=$(iptables -V 2>/dev/null) || return 0
	backend_version=$version
	case $version in *nf_tables*) backend=nf_tables ;; *) backend=legacy ;; esac
}

# doctor_firewall - the row of what else has rules here
doctor_firewall() {
	local others='' rules='' policy=''
	# systemd notes here which units run
	[ ! -L /run/systemd/units/invocation:firewalld.service ] || others=firewalld
	[ ! -e /sys/class/net/docker0 ] || others="$others${others:+, }docker"
	[ ! -e /run/ufw.lock ] && [ ! -e /lib/ufw/ufw-init ] || others="$others${others:+, }ufw"
	# only where asking makes no table and loads no module
	case $backend,$root in
	legacy,1)
		[ ! -r /proc/net/ip_tables_names ] || while read -r text; do
			[ "$text" != filter ] || rules=$(iptables -S FORWARD 2>/dev/null) || rules=''
		done </proc/net/ip_tables_names
		;;
	nf_tables,1) [ ! -d /sys/module/nf_tables ] || ! doctor_has nft || rules=$(nft list chain ip filter FORWARD 2>/dev/null) || rules='' ;;
	esac
	case $rules in *'policy drop'* | *'-P FORWARD DROP'*) policy='FORWARD drops what nobody accepts; our chain stands before that' ;; esac
	case $others in
	*firewalld*) doctor_row limited 'other firewalls' 'run (the way out), -p' "$others: firewalld has tables of its own, which may drop what ours accept" \
		"firewall-cmd --permanent --zone=trusted --add-interface=$SC_PREFIX-br0 && firewall-cmd --reload" ;;
	*) doctor_row ok 'other firewalls' 'run (the way out), -p' "${others:-none seen}${policy:+; $policy}" ;;
	esac
}
