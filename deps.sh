#!/bin/sh
# Install what scadm needs and this machine lacks
#: usage: ./deps.sh [-n] GROUP...      GROUP: run build test lint bench vm
#:        ./deps.sh -l GROUP...
#:   -n   only print the command
#:   -l   only print the names of all packages, those that are there too
#:
#: Knows apt, dnf, apk and pacman. When nothing is missing it says so and asks no package manager.
#: Not root: prints the command to type, exit status 1.
set -euf

PATH=$PATH:/usr/sbin:/sbin
managers='apt-get dnf apk pacman'

# needs - the table: group, how to see that it is there, packages (apt, dnf, apk, pacman), what for
#
# A check is a command in PATH, a header (in <>), a static library (name.a) or a word that present() knows.
# - stands for: comes with something else, or is not to be had there.
# A group with ? is good to have: tests that want it say requires and are skipped without it.
needs() {
	cat <<-'END'
		build  cc               gcc               gcc               gcc              gcc          the helpers are C
		build  make             make              make              make             make         the Makefile
		build  <stdio.h>        libc6-dev         glibc-devel       musl-dev         glibc        headers of the C library
		build  <linux/bpf.h>    linux-libc-dev    kernel-headers    linux-headers    linux-api-headers  device rules on cgroup v2 are eBPF
		build  <seccomp.h>      libseccomp-dev    libseccomp-devel  libseccomp-dev   libseccomp   compiles the system call filter
		build  <sys/capability.h>  libcap-dev     libcap-devel      libcap-dev       libcap       names of capabilities
		build  <sqlite3.h>      libsqlite3-dev    sqlite-devel      sqlite-dev       sqlite       addresses are leased in a database
		build? libc.a           libc6-dev         glibc-static      musl-dev         glibc        static helpers start faster
		build? libcap.a         libcap-dev        libcap-static     libcap-static    -            static helpers start faster
		build? libsqlite3.a     libsqlite3-dev    -                 sqlite-static    -            static helpers start faster
		run    ip               iproute2          iproute           iproute2         iproute2     links, addresses, routes, namespaces
		run    tc               iproute2          iproute-tc        iproute2         iproute2     spoofed addresses, --net-rate
		run    iptables         iptables          iptables-nft      iptables         iptables     published ports, the way out
		run    sqlite3          sqlite3           sqlite            sqlite           sqlite       reads and writes JSON and the database
		run    mount            mount             util-linux-core   util-linux-misc  util-linux   root file systems
		run    findmnt          util-linux        util-linux-core   findmnt          util-linux   which file system the state is on
		run    prlimit          util-linux        util-linux-core   util-linux-misc  util-linux   update --ulimit
		run    unshare          util-linux        util-linux-core   util-linux-misc  util-linux   tries what the kernel can, in namespaces that vanish
		run    flock            util-linux        util-linux-core   flock            util-linux   one change of a thing at a time
		run    setsid           util-linux        util-linux-core   setsid           util-linux   containers in the background
		run    setpriv          util-linux        util-linux        setpriv          util-linux   test sandbox
		run    losetup          mount             util-linux-core   losetup          util-linux   images in a file
		run    gnu-coreutils    coreutils         coreutils         coreutils        coreutils    readlink -m, env --default-signal, stat -c
		run    find             findutils         findutils         findutils        findutils    file trees
		run    awk              mawk              gawk              gawk             gawk         tables, and what is in mountinfo
		run    ps               procps            procps-ng         procps-ng        procps-ng    processes of a container
		run    tar              tar               tar               tar              tar          layers of images
		run    bsdtar           libarchive-tools  bsdtar            libarchive-tools libarchive   reads archives that are hostile
		run    gzip             gzip              gzip              gzip             gzip         images
		run    xz               xz-utils          xz                xz               xz           images
		run    zstd             zstd              zstd              zstd             zstd         images
		run    mke2fs           e2fsprogs         e2fsprogs         e2fsprogs        e2fsprogs    containers with a disk of their own size
		run    resize2fs        e2fsprogs         e2fsprogs         e2fsprogs-extra  e2fsprogs    update --disk-size
		run?   setquota         quota             quota             quota-tools      quota-tools  --disk-size by project quota
		run    pv               pv                pv                pv               pv           progress of a long import
		run    static-busybox   busybox-static    busybox           busybox-static   busybox      the smallest image there is
		run?   dot              graphviz          graphviz          graphviz         graphviz     map --format svg
		run?   skopeo           skopeo            skopeo            skopeo           skopeo       pull, push, save, load
		run?   tcpdump          tcpdump           tcpdump           tcpdump          tcpdump      scadm capture
		run?   ping             iputils-ping      iputils           iputils          iputils      scadm network check
		run?   catatonit        catatonit         catatonit         catatonit        catatonit    run --init
		run?   etcdctl          etcd-client       etcd              etcd-ctl         etcd         networks across hosts
		run?   ssh              openssh-client    openssh-clients   openssh-client   openssh      scadm -H ssh://...
		run    setfattr         attr              attr              attr             attr         opaque directories of layers
		test   bats-1.5         bats              bats              bats             bash-bats    runs the tests
		test   bash             bash              bash              bash             bash         bats, and one of three shells to test with
		test   dash             dash              dash              dash             dash         one of three shells to test with
		test   diff             diffutils         diffutils         diffutils        diffutils    the leak check
		test   timeout          coreutils         coreutils         coreutils        coreutils    ends tests that hang
		test?  etcd             etcd-server       etcd              etcd             etcd         tests of networks across hosts
		test?  ping             iputils-ping      iputils           iputils          iputils      tests of networks
		test?  mkfs.xfs         xfsprogs          xfsprogs          xfsprogs         xfsprogs     --disk-size by project quota
		test?  curl             curl              curl              curl             curl         tests of published ports
		test?  nginx            nginx-light       nginx             nginx            nginx        100 MB through a published port
		test?  socat            socat             socat             socat            socat        tests of published ports
		run    conntrack        conntrack         conntrack-tools   conntrack-tools  conntrack-tools  published UDP ports that move
		test?  umoci            umoci             -                 -                umoci        unpacks images to compare with
		test?  docker-registry  docker-registry   -                 docker-registry  -            pull and push
		test?  sshd             openssh-server    openssh-server    openssh-server   openssh      scadm -H ssh://...
		test?  podman           podman            podman            podman           podman       reads what save wrote
		test?  strace           strace            strace            strace           strace       counts processes and system calls
		test?  tmux             tmux              tmux              tmux             tmux         tests of terminals
		test?  script           bsdutils          util-linux        util-linux-misc  util-linux   tests of terminals
		test?  mkfs.xfs         xfsprogs          xfsprogs          xfsprogs         xfsprogs     tests of project quotas
		test?  mmdebstrap       mmdebstrap        -                 -                -            test of the Debian recipe
		test?  dnf              dnf               dnf               -                -            test of the CentOS recipe
		test?  rpm              rpm               rpm               -                -            test of the CentOS recipe
		lint   shellcheck       shellcheck        ShellCheck        shellcheck       shellcheck   mistakes in shell
		lint   shfmt            shfmt             shfmt             shfmt            shfmt        the form of shell
		lint   clang-format     clang-format      clang-tools-extra clang-extra-tools clang       the form of C
		lint   clang-tidy       clang-tidy        clang-tools-extra clang-extra-tools clang       mistakes in C
		lint   cppcheck         cppcheck          cppcheck          cppcheck         cppcheck     mistakes in C
		lint   mandoc           mandoc            mandoc            mandoc           mandoc       the form of man pages
		vm     qemu-system-x86_64  qemu-system-x86  qemu-system-x86-core  qemu-system-x86_64  qemu-system-x86  boots another kernel
		vm     mmdebstrap       mmdebstrap        -                 -                -            the root file system of that machine
		vm     dpkg-deb         dpkg              dpkg              dpkg             dpkg         its kernel comes in a package of Debian
		vm     depmod           kmod              kmod              kmod             kmod         the list of its modules
		vm     mke2fs           e2fsprogs         e2fsprogs         e2fsprogs        e2fsprogs    its disks
		vm     debugfs          e2fsprogs         e2fsprogs         e2fsprogs-extra  e2fsprogs    the logs it left there
		bench? strace           strace            strace            strace           strace       counts processes
		bench? runc             runc              runc              runc             runc         to compare with
		bench? podman           podman            podman            podman           podman       to compare with
		bench  iperf3           iperf3            iperf3            iperf3           iperf3       throughput
		bench? /usr/lib/cni/host-local  containernetworking-plugins  -  -            -            to compare with
	END
}

# header FILE - is it in an include directory?
header() {
	[ -e "/usr/include/$1" ] || [ -n "$(set +f && ls -d /usr/include/*-linux-*/"$1" 2>/dev/null)" ]
}

# library FILE - is it in a library directory?
library() {
	[ -n "$(set +f && ls -d /usr/lib/"$1" /usr/lib64/"$1" /usr/lib/*-linux-*/"$1" 2>/dev/null)" ]
}

# bats_1_5 - is bats new enough to keep stderr apart?
bats_1_5() {
	command -v bats >/dev/null || return 1
	local version=""
	version=$(bats --version)
	version=${version#* }
	case $version in
	0.* | 1.[0-4] | 1.[0-4].*) return 1 ;;
	esac
}

# static_busybox - one that runs in an empty root
static_busybox() {
	! command -v busybox.static >/dev/null || return 0
	command -v busybox >/dev/null || return 1
	! ldd "$(command -v busybox)" >/dev/null 2>&1
}

# present CHECK - is it there?
present() {
	case $1 in
	\<*\>)
		set -- "${1#<}"
		header "${1%>}"
		;;
	lib*.a) library "$1" ;;
	gnu-coreutils) env --default-signal=INT true 2>/dev/null ;;
	bats-1.5) bats_1_5 ;;
	static-busybox) static_busybox ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# install PACKAGE... - have the package manager fetch them
install() {
	case $manager in
	apt-get) DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends "$@" ;;
	dnf) dnf -q -y install "$@" ;;
	apk) apk add "$@" ;;
	pacman) pacman -S --needed --noconfirm "$@" ;;
	*) return 1 ;;
	esac </dev/null
}

# refresh - have the package manager look what there is
refresh() {
	case $manager in
	apt-get) apt-get -q -o DPkg::Lock::Timeout=300 update ;;
	apk) apk update ;;
	pacman) pacman -Sy ;;
	*) ;;
	esac </dev/null >/dev/null
}

dry="" list=""
case ${1-} in
-n) dry=yes && shift ;;
-l) list=yes && shift ;;
*) ;;
esac
case ${1-} in
'' | -*)
	sed -n 's/^#: \{0,1\}//p' "$0" >&2
	exit 2
	;;
*) ;;
esac
for group; do
	case $group in
	run | build | test | lint | bench | vm) ;;
	*)
		echo "deps.sh: $group: not one of run build test lint bench vm" >&2
		exit 2
		;;
	esac
done

manager="" column=0
for name in $managers; do
	column=$((column + 1))
	! command -v "$name" >/dev/null || {
		manager=$name
		break
	}
done

# Prints `PACKAGE needed|wanted CHECK` for what is not there, and tells the reader why
wanted=$(needs | while read -r group check apt dnf apk pacman why; do
	case " $* " in
	*" ${group%\?} "*) ;;
	*) continue ;;
	esac
	[ -n "$list" ] || ! present "$check" || continue
	case $column in
	1) package=$apt ;;
	2) package=$dnf ;;
	3) package=$apk ;;
	*) package=$pacman ;;
	esac
	[ "$package" != - ] || continue
	[ -n "$list" ] || echo "missing: $check ($package): $why" >&2
	case $group in
	*\?) echo "$package wanted $check" ;;
	*) echo "$package needed $check" ;;
	esac
done)
[ -n "$wanted" ] || {
	echo "deps: all there for: $*"
	exit 0
}
packages=$(printf '%s\n' "$wanted" | awk '!seen[$1]++ { print $1 }' | tr '\n' ' ')
[ -z "$list" ] || {
	# the words of $packages are names without blanks or globs
	# shellcheck disable=SC2086
	printf '%s\n' $packages
	exit 0
}
packages=${packages% }
[ -n "$manager" ] || {
	echo "deps.sh: none of $managers is here; the names above are those of Arch Linux" >&2
	exit 1
}
case $manager in
apt-get) command="apt-get install --no-install-recommends" ;;
dnf) command="dnf install" ;;
apk) command="apk add" ;;
*) command="pacman -S --needed" ;;
esac
if [ -n "$dry" ] || [ "$(id -u)" != 0 ]; then
	echo "to install what is missing, type:"
	echo "  $([ "$(id -u)" = 0 ] || echo 'sudo ')$command $packages"
	[ -n "$dry" ] && exit 0 || exit 1
fi

echo "deps: installing: $packages"
refresh || echo "deps.sh: $manager could not look for new packages; trying with what it knows" >&2
# the words of $packages are names without blanks or globs
# shellcheck disable=SC2086
if ! install $packages; then
	# one that cannot be had must not keep the others away
	for package in $packages; do
		install "$package" || echo "deps.sh: could not install $package" >&2
	done
fi
hash -r
failed=$(printf '%s\n' "$wanted" | while read -r package need check; do
	present "$check" && continue
	echo "deps.sh: still missing: $check ($package)" >&2
	[ "$need" = wanted ] || echo "$check"
done)
[ -z "$failed" ]
