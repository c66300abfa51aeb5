# shellcheck shell=sh
# lib/doctor.sh - what doctor says and how: rows, lines that mend, modules of the kernel, packages, settings
#
# Everything here is a query. The rows are made from what the shell itself can read, as far as possible:
# a machine that needs a doctor may lack any program.

# doctor_plain TEXT - sets $plain to TEXT in one line of printable ASCII
doctor_plain() {
	local rest="$1" char
	plain=$1
	case $1 in
	*[!\ -~]*)
		plain=''
		while [ "$rest" ]; do
			char=${rest%"${rest#?}"} rest=${rest#?}
			case $char in [\ -~]) plain=$plain$char ;; *) plain=$plain'?' ;; esac
		done
		;;
	esac
}

# doctor_first_line TEXT - sets $line to the first line of TEXT, at most 80 characters of it
doctor_first_line() {
	line=${1%%"$nl"*}
	while [ ${#line} -gt 80 ]; do
		case $line in *' '*) line=${line% *} ;; *) break ;; esac
	done
}

# doctor_group NAME - the heading of the rows that follow
doctor_group() {
	group=$1 heading=$1
}

# doctor_row STATUS FEATURE NEEDS FOUND [FIX...] - print one row: ok, limited, missing or unknown; each FIX is a
# line to type or to follow. What `run` needs without any option has a NEEDS that begins with the word alone.
doctor_row() {
	local status="$1" feature="$2" needs="$3" found fix
	case $status,$needs in missing,run | missing,run,*) hindrances="$hindrances${hindrances:+, }$feature" ;; esac
	[ "$status" != ok ] || [ ! "$quiet" ] || return 0
	doctor_plain "$4"
	found=$plain
	shift 4
	if [ "$format" = json ]; then
		doctor_object "$status" "$feature" "$needs" "$found" "$@"
		return 0
	fi
	[ ! "$heading" ] || printf '%s%s\n' "$between" "$heading"
	heading='' between=$nl
	printf '  %-7s  %-16s  %-32s  %s\n' "$status" "$feature" "$needs" "$found"
	for fix; do
		doctor_plain "$fix"
		printf '             mend: %s\n' "$plain"
	done
}

# doctor_object STATUS FEATURE NEEDS FOUND [FIX...] - the same as a member of the JSON array
doctor_object() {
	local object='' key word fixes=''
	for key in status feature needs found; do
		json_string "$1"
		object="$object,\"$key\":$json"
		shift
	done
	for word; do
		doctor_plain "$word"
		json_string "$plain"
		fixes=$fixes${fixes:+,}$json
	done
	json_string "$group"
	printf '%s{"group":%s%s,"fix":[%s]}' "$between" "$json" "$object" "$fixes"
	between=,$nl
}

# doctor_has PROGRAM... - whether all are there; sets $at to where the last one is
# No process, and not `command -v`: that of bash is content with a file that cannot be executed.
doctor_has() {
	local program dir IFS=:
	for program; do
		at=''
		for dir in $PATH; do
			[ -x "$dir/$program" ] && [ ! -d "$dir/$program" ] || continue
			at=$dir/$program
			break
		done
		[ "$at" ] || return 1
	done
}

# doctor_glob PATTERN - sets $file to the first file that matches; status 1: none does
doctor_glob() {
	set +f
	for file in $1; do
		set -f
		[ -e "$file" ] && return 0
		break
	done
	set -f
	return 1
}

# doctor_read FILE - sets $text to the first line of a file, empty if there is none to be read
doctor_read() {
	text=''
	# a line without its end, or a file that may not be read after all: $text says what there was
	[ ! -r "$1" ] || { read -r text <"$1"; } 2>/dev/null || :
}

# doctor_sysctls - sets $sysctls to lines FILE:VALUE; the shell's own read gets only the first digit of a number there
doctor_sysctls() {
	local dir=/proc/sys/user
	sysctls=''
	# of those that are not there grep says so with its status; doctor_sysctl finds none
	! doctor_has grep || sysctls=$(grep -sH '' /proc/sys/kernel/pid_max "$dir/max_mnt_namespaces" \
		"$dir/max_pid_namespaces" "$dir/max_net_namespaces" "$dir/max_ipc_namespaces" "$dir/max_uts_namespaces" \
		"$dir/max_cgroup_namespaces" "$dir/max_user_namespaces") || :
}

# doctor_sysctl FILE - sets $text to the number in a file below /proc/sys, empty if it could not be read
doctor_sysctl() {
	text=''
	case $nl$sysctls$nl in *"$nl$1:"*)
		text=$nl$sysctls$nl
		text=${text#*"$nl$1:"}
		text=${text%%"$nl"*}
		;;
	esac
}

# doctor_mounts - read /proc/self/mountinfo: sets $mount_points, the cgroup mounts $v1 (lines POINT OPTIONS WORDS) and
# $v2 with $v2_options, and of the file system with $place its $place_mount $place_type $place_options $place_source
doctor_mounts() {
	local mount_root point options rest super longest=''
	mount_points=' ' v1='' v2='' v2_options='' place_type='' place_options='' place_source='' place_mount=/ sys_options=''
	[ -r /proc/self/mountinfo ] || return 0
	while read -r _ _ _ mount_root point options rest; do
		mount_points="$mount_points$point "
		super=${rest#*- }
		case ${super%% *},$mount_root in
		cgroup*,/..*) ;;
		cgroup,*) v1="$v1$point $options ${super##* }$nl" ;;
		cgroup2,*) [ "$v2" ] && [ "$mount_root" != / ] || v2=$point v2_options=$options ;;
		esac
		case $point in /proc/sys | /proc) sys_options=$options ;; esac
		case $place/ in
		"${point%/}/"*)
			[ ${#point} -ge ${#longest} ] || continue
			longest=$point place_mount=$point place_type=${super%% *} place_options=$options,${super##* }
			super=${super#* }
			place_source=${super%% *}
			;;
		esac
	done </proc/self/mountinfo
}

# --- the kernel's parts -----------------------------------------------------------------------------

# doctor_modules_read - sets $modules to what there is in files of the running kernel, $modules_off if it may load none
doctor_modules_read() {
	local dir="/lib/modules/$release" names
	names='bridge|veth|ifb|sch_tbf|sch_ingress|cls_u32|act_mirred|xt_CLASSIFY|overlay|loop|bfq|quota_v2'
	names="$names|nf_tables|nft_compat|nft_chain_nat|ip_tables|iptable_filter|iptable_nat|iptable_mangle|nf_nat|nf_conntrack|xt_conntrack|xt_comment|xt_addrtype|xt_devgroup|xt_MASQUERADE"
	modules='' modules_off='' config=''
	# no match is an answer
	[ ! -d "$dir" ] || ! doctor_has grep ||
		modules=$(grep -oE "/($names)\\.ko" /dev/null "$dir/modules.dep" "$dir/modules.builtin" 2>/dev/null) || :
	doctor_read /proc/sys/kernel/modules_disabled
	[ "$text" != 1 ] || modules_off=1
}

# doctor_config - sets $config to the lines of the kernel's configuration that we ask for, once
doctor_config() {
	local file pattern='^CONFIG_(BRIDGE|VETH|IFB|NET_SCH_|NET_CLS|NET_ACT|NETFILTER_XT|NF_|IP_NF|NFT_|OVERLAY_FS|BLK_DEV_LOOP|QFMT|CGROUP|PSI|IOSCHED_BFQ|MEMCG|CPUSETS|BLK_CGROUP|SECCOMP)'
	[ ! "$config" ] || return 0
	config=unknown
	for file in /proc/config.gz "/boot/config-$release" "/lib/modules/$release/config"; do
		[ -r "$file" ] && doctor_has grep || continue
		# no match is an answer
		case $file in
		*.gz) ! doctor_has gzip || config=$(gzip -dc <"$file" | grep -E "$pattern") || : ;;
		*) config=$(grep -E "$pattern" "$file") || : ;;
		esac
		[ "$config" != unknown ] && [ "$config" ] && return 0
		config=unknown
	done
}

# doctor_module NAME:CONFIG - sets $module: loaded, builtin, loadable, absent, or unknown
doctor_module() {
	local name="${1%%:*}" option="CONFIG_${1#*:}"
	module=unknown
	if [ -d "/sys/module/$name" ]; then
		module=loaded
		return 0
	fi
	case $modules in
	*"builtin:/$name.ko"*) module=builtin ;;
	*"dep:/$name.ko"*) [ "$modules_off" ] && module=absent || module=loadable ;;
	*)
		doctor_config
		case $nl$config$nl in
		*"$nl$option=y$nl"*) module=builtin ;;
		*"${nl}unknown$nl"*) ;;
		*) module=absent ;;
		esac
		;;
	esac
}

# doctor_later NAME:CONFIG... - sets $later to those that the kernel loads when they are used first, and $absent
doctor_later() {
	local pair
	later='' absent=''
	for pair; do
		doctor_module "$pair"
		case $module in
		loadable) later="$later${later:+ }${pair%%:*}" ;;
		absent) absent="$absent${absent:+ }$pair" ;;
		esac
	done
}

# doctor_kernel_fix CONFIG - sets $fix: where this part of a kernel comes from
doctor_kernel_fix() {
	local dir="/lib/modules/$release"
	fix="boot a kernel that is built with CONFIG_$1"
	if [ "$modules_off" ]; then
		fix='reboot: kernel.modules_disabled forbids to load modules until then'
	elif [ -d "$dir" ]; then
		case $installs in
		apt*) [ ! -e /etc/lsb-release ] || fix="apt-get install linux-modules-extra-$release" ;;
		dnf*) fix="dnf install kernel-modules-extra-$release" ;;
		esac
	elif [ ! "$in_container" ] && doctor_glob '/lib/modules/*'; then
		fix="reboot: the modules of the running kernel $release are no longer installed"
	fi
}

# doctor_boot WORDS - sets $fix to the command that adds WORDS to the kernel's command line here
doctor_boot() {
	local file
	if doctor_has grubby; then
		fix="grubby --update-kernel=ALL --args='$1' && reboot"
	elif [ -e /etc/default/grub ]; then
		fix="sed -i 's/^GRUB_CMDLINE_LINUX=\"/&$1 /' /etc/default/grub"
		doctor_has update-grub && fix="$fix && update-grub && reboot" || fix="$fix && grub-mkconfig -o /boot/grub/grub.cfg && reboot"
	elif [ -e /etc/update-extlinux.conf ]; then
		fix="sed -i 's/^default_kernel_opts=\"/&$1 /' /etc/update-extlinux.conf && update-extlinux && reboot"
	else
		fix="add $1 to the kernel's command line (the boot loader's setting) and reboot"
		for file in /boot/firmware/cmdline.txt /boot/cmdline.txt; do
			[ ! -e "$file" ] || fix="sed -i 's/\$/ $1/' $file && reboot"
		done
	fi
}

# --- packages: the table is that of deps.sh ---------------------------------------------------------

# doctor_table - sets $table to the lines `CHECK PACKAGE WHY` of deps.sh for this package manager, and $installs
doctor_table() {
	local group check apt dnf apk pacman why
	table='' installs=''
	if doctor_has apt-get; then
		installs='apt-get install'
	elif doctor_has dnf; then
		installs='dnf install'
	elif doctor_has apk; then
		installs='apk add'
	elif doctor_has pacman; then
		installs='pacman -S'
	fi
	[ -r "$SC_LIB/deps.sh" ] || return 0
	while read -r group check apt dnf apk pacman why; do
		case $group,$installs in
		END,*) break ;;
		run,apt* | run\?,apt*) table="$table$check $apt $why$nl" ;;
		run,dnf* | run\?,dnf*) table="$table$check $dnf $why$nl" ;;
		run,apk* | run\?,apk*) table="$table$check $apk $why$nl" ;;
		run,* | run\?,*) table="$table$check $pacman $why$nl" ;;
		esac
	done <"$SC_LIB/deps.sh"
}

# doctor_package CHECK - sets $fix to the command that installs it
doctor_package() {
	local rest
	fix="install $1 with the package manager of this distribution"
	case $nl$table in
	*"$nl$1 "*)
		rest=$nl$table
		rest=${rest#*"$nl$1 "}
		rest=${rest%%"$nl"*}
		if [ "$installs" ]; then
			[ "${rest%% *}" = - ] || fix="$installs ${rest%% *}"
		else
			fix="install the package of $1 (on Arch Linux it is ${rest%% *})"
		fi
		;;
	esac
}
