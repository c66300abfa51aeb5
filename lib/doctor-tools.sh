# shellcheck shell=sh
# lib/doctor-tools.sh - rows of doctor: programs, our helpers, settings, and the verdict
# shellcheck disable=SC2154 # the words of lib/doctor.sh

# doctor_tools - a row for each program of the table of deps.sh, then the helpers
doctor_tools() {
	local check why needs first=run
	doctor_group tools
	# the image of `run` without a name is built when it is used first
	[ ! -e "$SC_ROOT/images/busybox:latest.json" ] || first='import, image-build'
	[ "$table" ] || table="ip - links
iptables - published ports, the way out
sqlite3 - reads and writes JSON and the database
flock - one change of a thing at a time
gnu-coreutils - readlink -m, env --default-signal, stat -c
bsdtar - reads archives that are hostile
static-busybox - the smallest image there is$nl"
	while read -r check _ why; do
		case $check in
		'') continue ;;
		ip | iptables | sqlite3 | flock | gnu-coreutils) needs=run ;;
		# door: words, no commands
		bsdtar | static-busybox | setpriv | find | awk | tar | mount | unshare) needs=$first ;;
		setsid) needs='run -d' ;;
		# door: words, no commands
		losetup | mke2fs) needs='--disk-size' ;;
		gzip | xz | zstd | pv) needs='import' ;;
		*) needs=$why ;;
		esac
		doctor_tool "$check" "$needs" "$why"
	done <<-END
		$table
	END
	doctor_shell
	doctor_helpers
}

# doctor_tool CHECK NEEDS WHY - the row of one program, with its version where that matters
doctor_tool() {
	local version=''
	case $1 in
	gnu-coreutils)
		if ! env --default-signal=INT true 2>/dev/null; then
			doctor_package "$1"
			doctor_row missing "$1" "$2" "$3; env has no --default-signal" "$fix"
			return 0
		fi
		;;
	static-busybox)
		if ! doctor_static_busybox; then
			doctor_package "$1"
			doctor_row missing "$1" "$2" "$3; none that runs in an empty root" "$fix"
			return 0
		fi
		;;
	*)
		if ! doctor_has "$1"; then
			doctor_package "$1"
			doctor_row missing "$1" "$2" "$3; not in PATH" "$fix"
			return 0
		fi
		version=$at
		;;
	esac
	case $1 in
	iptables) version="$version, $backend_version" ;;
	ip | tc) version="$version, $("$1" -V 2>&1)" || version="$version (has no version)" ;;
	sqlite3)
		if ! version="$version $(sqlite3 -init /dev/null :memory: "SELECT sqlite_version() || substr(json_quote('') || (SELECT count(*) FROM json_each('[]')) || ifnull(readfile('/dev/null'), ''), 1, 0);" 2>&1)"; then
			doctor_package "$1"
			doctor_first_line "$version"
			doctor_row missing "$1" "$2" "has no JSON functions or no readfile: $line" "$fix"
			return 0
		fi
		;;
	# door: words, no commands
	tar | bsdtar | mount) version="$version, $("$1" --version 2>&1)" || version="$version (has no version)" ;;
	esac
	doctor_first_line "${version:-there}"
	doctor_row ok "$1" "$2" "$line"
}

# doctor_shell - the row of the shell that runs us: one that catches a signal must be able to read afterwards
doctor_shell() {
	local shell
	doctor_has timeout || return 0
	shell=$(readlink -f /bin/sh) || shell=/bin/sh
	# the shell that is asked expands it
	# shellcheck disable=SC2016
	if timeout -k 1 5 /bin/sh -c 'trap : USR1; kill -USR1 $$; read -r line </proc/uptime; test "$line"'; then
		doctor_row ok /bin/sh run "$shell"
	else
		doctor_row limited /bin/sh 'run that gets a signal' "$shell cannot read any more when it has caught one (BusyBox 1.38.0): Ctrl-C would not end a container" \
			'have dash, bash or another BusyBox behind /bin/sh'
	fi
}

# doctor_static_busybox - is there one that runs in an empty root?
doctor_static_busybox() {
	local busybox
	! doctor_has busybox.static || return 0
	doctor_has busybox || return 1
	busybox=$at
	! doctor_has ldd || ! ldd "$busybox" >/dev/null 2>&1
}

# doctor_helpers - the rows of our own programs and the filter that was made with them
doctor_helpers() {
	local name lost='' broken='' status
	for name in sc-cg sc-clone sc-ipam sc-netns sc-nsexec sc-tty; do
		status=0
		if [ ! -x "$helpers/$name" ]; then
			lost="$lost $name"
		else
			# without arguments each complains and ends with 125
			"$helpers/$name" </dev/null >/dev/null 2>&1 || status=$?
			[ "$status" = 125 ] || broken="$broken $name"
		fi
	done
	if [ "$lost" ]; then
		doctor_row missing helpers run "not built:$lost" "$SC_LIB/deps.sh build && make -C $SC_LIB"
	elif [ "$broken" ]; then
		doctor_row missing helpers run "cannot be run on this machine:$broken" "make -C $SC_LIB clean all"
	else
		doctor_row ok helpers run "$helpers"
	fi
	if [ -s "$helpers/seccomp.bpf" ]; then
		doctor_row ok 'seccomp filter' run "$helpers/seccomp.bpf"
	else
		doctor_row missing 'seccomp filter' 'run, but for seccomp=unconfined' "no $helpers/seccomp.bpf" "make -C $SC_LIB"
	fi
}

# doctor_settings - a row for each setting in force, and where it comes from
doctor_settings() {
	local key from value name
	doctor_group settings
	for name in SC_ROOT SC_RUN SC_PREFIX SC_CGROUP SC_IMAGE; do
		from=default
		case " $from_environment " in
		*" $name "*) from='the environment' ;;
		*)
			[ ! -r "$SC_CONF" ] || while IFS='=' read -r key value || [ "$key" ]; do
				[ "$key" != "$name" ] || from=$SC_CONF
			done <"$SC_CONF"
			;;
		esac
		case $name in
		SC_ROOT) value=$SC_ROOT needs='the state' ;;
		SC_RUN) value=$SC_RUN needs='what a reboot takes' ;;
		SC_PREFIX) value=$SC_PREFIX needs='names of links and bridges' ;;
		SC_CGROUP) value=${SC_CGROUP:-$SC_PREFIX} needs='the parent of our control groups' ;;
		SC_IMAGE) value=${SC_IMAGE:-busybox} needs='the image of run' ;;
		esac
		doctor_row ok "$name" "$needs" "$value ($from)"
	done
}

# doctor_verdict - the last line; status 1 if `run` cannot work
doctor_verdict() {
	local status=ok found='scadm run can work here'
	[ ! "$hindrances" ] || status=missing found="scadm run cannot work here: $hindrances"
	if [ "$format" = json ]; then
		group=verdict
		doctor_object "$status" 'scadm run' 'everything' "$found"
	else
		printf '%s%s\n' "$between" "$found"
	fi
	[ ! "$hindrances" ]
}
