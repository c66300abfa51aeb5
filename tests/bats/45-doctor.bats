#!/usr/bin/env bats
# doctor: what it says is what run can do here; what is not there has its row and the line that mends it

load helpers
load ready

# row FEATURE - the row of a feature in $output, and the lines that mend it
row() {
	awk -v feature="$1" '
		/^  (ok|limited|missing|unknown) / { shown = index(substr($0, 12), feature "  ") == 1 }
		/^[^ ]/ { shown = 0 }
		shown' <<<"$output"
}

# hiding FILE... -- COMMAND... - run COMMAND where these programs are not there; mount itself can be the last one
hiding() {
	# shellcheck disable=SC2016 # a script for the shell in the namespace
	unshare -m sh -ec 'while [ "$1" != -- ]; do
		for dir in /usr/sbin /sbin /usr/bin /bin; do
			[ ! -x "$dir/$1" ] || mount --bind /dev/null "$dir/$1"
		done
		shift
	done
	shift
	exec "$@"' sh "$@"
}

# nowhere COMMAND... - run it as an instance of scadm that has nothing yet
nowhere() {
	SC_ROOT=$BATS_TEST_TMPDIR/state SC_RUN=$BATS_TEST_TMPDIR/run SC_PREFIX=sd "$@"
}

# agrees COMMAND... - does doctor, run behind COMMAND, say what run behind COMMAND does? sets $output to its rows
agrees() {
	local told=0 did=0
	output=$("$@" scadm doctor 2>&1 3>&-) || told=$?
	"$@" scadm run --rm busybox true </dev/null >"$BATS_TEST_TMPDIR/did" 2>&1 3>&- || did=$?
	printf '%s\n' "$output"
	echo "doctor: $told, run: $did"
	cat "$BATS_TEST_TMPDIR/did"
	case $told,$did in
	0,0) like "$output" '*scadm run can work here' ;;
	1,125) like "$output" '*scadm run cannot work here: *' ;;
	*) return 1 ;;
	esac
	last=$told
}

# untouched - what probing could leave: modules, files, what the leak check does not look at
untouched() {
	cut -d ' ' -f 1 /proc/modules | sort
	find /run /tmp /mnt /etc /dev -xdev ! -path "$BATS_RUN_TMPDIR*" -printf '%p %y %m\n' | sort
}

@test "doctor: rows under headings, and run works where it says so" {
	agrees env
	same "$last" 0
	local heading
	for heading in kernel 'control groups' namespaces 'file systems' network tools settings; do
		grep -qx "$heading" <<<"$output"
	done
	# every line is a heading, a row of four columns, a line that mends, or the last one
	same "$(grep -vE '^$|^[a-z ]+$|^  (ok|limited|missing|unknown) +[^ ].*  [^ ].*  [^ ]|^             mend: [^ ]|^scadm run can work here$' <<<"$output")" ''
	# and each that is not ok is mended somehow
	same "$(awk 'wanted && !/^ *mend:/ { print } { wanted = /^  (limited|missing|unknown)/ }' <<<"$output")" ''
	like "$(row 'kernel version')" "  ok *$(uname -r)*"
	like "$(row container)" '  ok *'
	like "$(row bridge)" '  ok *'
	like "$(row ip)" "  ok *$(command -v ip)*iproute2*"
	like "$(row SC_ROOT)" '*/var/lib/scadm*'
}

@test "doctor: it changes nothing" {
	untouched >"$BATS_TEST_TMPDIR/before"
	expect 0 nowhere scadm doctor
	untouched >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	[ ! -e "$BATS_TEST_TMPDIR/state" ]
	[ ! -e "$BATS_TEST_TMPDIR/run" ]
}

@test "doctor: -q prints what is not ok, JSON is the same facts" {
	sc doctor
	grep -E '^  (limited|missing|unknown)' <<<"$output" >"$BATS_TEST_TMPDIR/bad" || [ $? = 1 ]
	grep -cE '^  (ok|limited|missing|unknown)' <<<"$output" >"$BATS_TEST_TMPDIR/rows"
	sc doctor -q
	diff <(grep -E '^  (ok|limited|missing|unknown)' <<<"$output") "$BATS_TEST_TMPDIR/bad"
	scadm doctor --format json >"$BATS_TEST_TMPDIR/json"
	same "$(sqlite3 :memory: "SELECT json_valid(readfile('$BATS_TEST_TMPDIR/json'))")" 1
	# one more: the verdict
	same "$(sqlite3 :memory: "SELECT count(*) - 1 FROM json_each(readfile('$BATS_TEST_TMPDIR/json'))")" "$(cat "$BATS_TEST_TMPDIR/rows")"
	same "$(sqlite3 :memory: "SELECT count(*) FROM json_each(readfile('$BATS_TEST_TMPDIR/json'))
		WHERE json_extract(value, '$.status') <> 'ok'")" "$(wc -l <"$BATS_TEST_TMPDIR/bad")"
	same "$(sqlite3 :memory: "SELECT json_extract(value, '$.status'), json_extract(value, '$.found'), json_array_length(value, '$.fix')
		FROM json_each(readfile('$BATS_TEST_TMPDIR/json')) WHERE json_extract(value, '$.group') = 'verdict'")" 'ok|scadm run can work here|0'
}

@test "doctor: a mistake on the command line is 125" {
	sc 125 doctor --nope
	like "$stderr" '*--nope*'
	sc 125 doctor kernel
	sc 125 doctor --format=xml
	sc 125 doctor --format
	sc doctor --help
	like "$output" '*usage: scadm doctor*'
}

@test "doctor: another user is told to be root, and what could not be looked at" {
	expect 1 setpriv --reuid=65534 --regid=65534 --clear-groups scadm doctor
	same "$stderr" ''
	like "$(row root)" $'  missing *65534*\n*mend: sudo scadm doctor'
	like "$(row container)" '  unknown *takes root*'
	like "$output" '*scadm run cannot work here: root'
}

@test "doctor: programs that are not there are all listed, with the package of deps.sh" {
	local name package
	agrees hiding sqlite3 flock bsdtar zstd --
	same "$last" 1
	hiding sqlite3 flock bsdtar zstd -- "$ROOT/deps.sh" -n run 2>"$BATS_TEST_TMPDIR/deps" >/dev/null
	for name in sqlite3 flock bsdtar zstd; do
		package=$(sed -n "s/^missing: $name (\(.*\)):.*/\1/p" "$BATS_TEST_TMPDIR/deps")
		[ "$package" ]
		like "$(row "$name")" "  missing *mend: * $package"
	done
	like "$output" '*cannot work here: sqlite3, flock'
}

@test "doctor: a shell that cannot read any more after a signal is seen" {
	local shell
	sc doctor
	like "$(row /bin/sh)" '  ok * /bin/sh *'
	shell=$(readlink -f /bin/sh)
	cp "$shell" /run/real-sh
	printf '#!/run/real-sh\ncase "$*" in *USR1*) exit 1 ;; esac\nexec /run/real-sh "$@"\n' >/run/other-sh
	chmod 755 /run/other-sh
	mount --bind /run/other-sh "$shell"
	run apart scadm doctor
	umount "$shell"
	rm /run/real-sh /run/other-sh
	like "$(row /bin/sh)" '  limited * /bin/sh *cannot read*mend: *dash*'
}

@test "doctor: it lives without nearly everything" {
	expect 1 hiding ip tc iptables iptables-restore gzip xz zstd tar bsdtar grep zgrep env sed awk mawk find ldd busybox pv \
		losetup mke2fs sqlite3 unshare mount -- "$ROOT/bin/scadm-doctor" --format json
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/json"
	same "$(sqlite3 :memory: "SELECT group_concat(json_extract(value, '$.feature')) FROM json_each(readfile('$BATS_TEST_TMPDIR/json'))
		WHERE json_extract(value, '$.group') = 'tools' AND json_extract(value, '$.feature') IN ('ip', 'iptables', 'sqlite3', 'mount', 'gnu-coreutils')
		AND json_extract(value, '$.status') = 'missing' AND json_array_length(value, '$.fix') > 0")" ip,iptables,sqlite3,mount,gnu-coreutils
	same "$(sqlite3 :memory: "SELECT DISTINCT json_extract(value, '$.status') FROM json_each(readfile('$BATS_TEST_TMPDIR/json'))
		WHERE json_extract(value, '$.feature') IN ('container', 'bridge', 'veth')")" unknown
}

@test "doctor: another package manager has other names" {
	local fake="$BATS_TEST_TMPDIR/fake"
	mkdir "$fake"
	printf '#!/bin/sh\nexit 1\n' >"$fake/apk"
	chmod +x "$fake/apk"
	PATH=$fake:$PATH expect 1 hiding bsdtar ip apt-get dnf -- scadm doctor -q
	like "$(row bsdtar)" '*mend: apk add libarchive-tools'
	like "$(row ip)" '*mend: apk add iproute2'
	expect 1 hiding ip apt-get dnf apk pacman -- scadm doctor -q
	like "$(row ip)" '*mend: install the package of ip*'
}

@test "doctor: an iptables that the kernel refuses is seen before run finds out" {
	local fake="$BATS_TEST_TMPDIR/fake"
	mkdir "$fake"
	printf '#!/bin/sh\necho "iptables v1.8.7 (nf_tables)"\n' >"$fake/iptables"
	printf '#!/bin/sh\necho "cannot initialize table nat" >&2\nexit 3\n' >"$fake/iptables-restore"
	chmod +x "$fake/iptables" "$fake/iptables-restore"
	PATH=$fake:$PATH agrees nowhere
	same "$last" 1
	like "$(row rules)" '  missing *cannot initialize table nat*nf_tables*update-alternatives --config iptables'
	like "$(row iptables)" '  ok *v1.8.7 (nf_tables)'
}

@test "doctor: control groups that cannot be written" {
	# shellcheck disable=SC2016 # a script for the shell in the namespace
	agrees unshare -m sh -c 'awk "/ - cgroup2? /{ print \$5 }" /proc/self/mountinfo | xargs -n 1 mount -o remount,bind,ro && exec "$@"' sh
	same "$last" 1
	like "$(row 'cgroup mounts')" '  missing *read-only*mount -o remount,rw*'
	like "$output" '*cannot work here: cgroup mounts'
}

@test "doctor: no control groups at all" {
	# shellcheck disable=SC2016 # a script for the shell in the namespace
	agrees unshare -m sh -c 'umount -R /sys/fs/cgroup && exec "$@"' sh
	same "$last" 1
	like "$(row 'cgroup version')" '  missing *mount -t cgroup2 cgroup2 /sys/fs/cgroup*'
}

@test "doctor: version 2 alone, while version 1 has the controllers" {
	requires cgroup1 pids
	# shellcheck disable=SC2016 # a script for the shell in the namespace
	agrees unshare -m sh -c 'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh
	same "$last" 1
	like "$(row 'cgroup version')" '  ok *v2 at /sys/fs/cgroup'
	like "$(row 'default limits')" '  missing *pids*'
	like "$(row pids)" '  missing *version 1 has it*mount -t cgroup -o pids cgroup /sys/fs/cgroup/pids*cgroup_no_v1=all*'
	like "$(row freezer)" '  ok *v2*'
}

@test "doctor: every controller that sc-cg can set is ok, with where it is" {
	requires cpu memory
	sc doctor
	like "$(row cpu)" '  ok *v[12]*/sys/fs/cgroup*'
	like "$(row memory)" '  ok *v[12]*/sys/fs/cgroup*'
	like "$(row 'default limits')" '  ok *pids.max=2048*'
}

@test "doctor: a lid on the number of processes above us is seen" {
	requires pids
	sc-cg create doctor-test
	sc-cg set doctor-test pids.max=200
	expect 0 sc-cg exec doctor-test scadm doctor -q
	sc-cg rm doctor-test
	like "$(row processes)" '  limited *may hold 200*mend: echo max >*/doctor-test/pids.max*'
}

@test "doctor: the line for the boot loader is the one of this boot loader" {
	requires cgroup1
	local fake="$BATS_TEST_TMPDIR/fake"
	mkdir "$fake"
	printf '#!/bin/sh\n' >"$fake/grubby"
	chmod +x "$fake/grubby"
	PATH=$fake:$PATH sc doctor -q
	like "$(row 'v2 alone')" "*mend: grubby --update-kernel=ALL --args='systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all' && reboot"
	# the file lies on that of this machine in a mount namespace; /etc of the sandbox is thrown away
	echo 'GRUB_CMDLINE_LINUX="quiet"' >"$BATS_TEST_TMPDIR/grub"
	mkdir -p /etc/default
	[ -e /etc/default/grub ] || : >/etc/default/grub
	expect 0 unshare -m sh -ec 'mount --bind "$1" /etc/default/grub && scadm doctor -q' sh "$BATS_TEST_TMPDIR/grub"
	like "$(row 'v2 alone')" "*mend: sed -i 's/*systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all*' /etc/default/grub && *grub*"
	# and the line does what it says
	sh -c "$(row 'v2 alone' | sed -n 's/^ *mend: \(sed .* \)\/etc\/default\/grub .*/\1/p')$BATS_TEST_TMPDIR/grub"
	same "$(cat "$BATS_TEST_TMPDIR/grub")" 'GRUB_CMDLINE_LINUX="systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all quiet"'
}

@test "doctor: namespaces that a limit forbids" {
	requires userns
	expect 1 unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && scadm doctor'
	like "$(row net)" '  missing *user.max_net_namespaces is 0*sysctl -w user.max_net_namespaces=15000*'
	like "$(row container)" '  missing *'
	like "$(row root)" '  limited *user namespace*'
	like "$output" '*scadm run cannot work here: *net*container*'
}

@test "doctor: a capability that root lacks" {
	agrees nowhere setpriv --bounding-set=-net_admin
	same "$last" 1
	like "$(row capabilities)" '  missing *without net_admin*--cap-add*'
	like "$(row bridge)" '  missing *mend: see capabilities above: there is no net_admin'
}

@test "doctor: helpers that are not built, and those of another machine" {
	local helpers="$BATS_TEST_TMPDIR/helpers"
	mkdir "$helpers"
	SC_HELPERS=$helpers agrees env
	same "$last" 1
	like "$(row helpers)" '  missing *not built: sc-cg sc-clone*mend: *make -C *'
	like "$(row 'seccomp filter')" '  missing *'
	like "$(row container)" '  unknown *'
	local name
	for name in sc-cg sc-clone sc-ipam sc-netns sc-nsexec sc-tty; do
		printf '\177ELF nothing\n' >"$helpers/$name"
		chmod +x "$helpers/$name"
	done
	SC_HELPERS=$helpers expect 1 scadm doctor
	like "$(row helpers)" '  missing *cannot be run on this machine: sc-cg sc-clone*'
	like "$(row container)" '  missing *'
}

@test "doctor: a state directory that cannot be written, or lies on an overlay" {
	requires overlay loop
	SC_PREFIX=sd SC_ROOT=/usr/scadm-state expect 1 scadm doctor
	like "$(row SC_ROOT)" '  missing *read-only*mend: mount -o remount,rw /*'
	# /etc is an overlay in the sandbox
	SC_PREFIX=sd SC_ROOT=/etc/scadm-state sc doctor
	grep -q ' /etc .* - overlay ' /proc/self/mountinfo
	like "$(row SC_ROOT)" '  limited *overlay*/etc/scadm-state.ext4*mend: set SC_ROOT to a directory on ext4*'
	[ ! -e /etc/scadm-state.ext4 ]
}

@test "doctor: a bridge of our name that is somebody else's" {
	ip link add name sd-br0 type bridge
	agrees nowhere
	ip link del dev sd-br0
	same "$last" 1
	like "$(row sd-br0)" '  missing *scadm did not make it*mend: ip link del dev sd-br0*'
}

@test "doctor: systemd and firewalld are looked at where they run" {
	mkdir -p /run/systemd/system /run/systemd/units
	ln -s x /run/systemd/units/invocation:firewalld.service
	sc doctor
	SC_CGROUP=system.slice/scadm-cgroup.service/sc scadm doctor >"$BATS_TEST_TMPDIR/named"
	rm -r /run/systemd/system /run/systemd/units
	like "$(row systemd)" '  limited *daemon-reload*systemctl enable --now scadm-cgroup.service*echo SC_CGROUP=system.slice/scadm-cgroup.service/sc >>/etc/scadm.conf'
	like "$(row 'other firewalls')" '  limited *firewalld*firewall-cmd --permanent --zone=trusted --add-interface=sc-br0*'
	output=$(cat "$BATS_TEST_TMPDIR/named")
	like "$(row systemd)" '  limited *which does not run*mend: systemctl enable --now scadm-cgroup.service'
}

@test "doctor: settings and where they come from" {
	printf '%s\n' '# ours' SC_PREFIX=sd SC_IMAGE=alpine >"$BATS_TEST_TMPDIR/conf"
	SC_CONF=$BATS_TEST_TMPDIR/conf SC_RUN=/run/other SC_IMAGE=debian sc doctor
	like "$(row SC_PREFIX)" "*sd ($BATS_TEST_TMPDIR/conf)"
	like "$(row SC_RUN)" '*/run/other (the environment)'
	like "$(row SC_IMAGE)" '*debian (the environment)'
	like "$(row SC_ROOT)" '*/var/lib/scadm (default)'
}
