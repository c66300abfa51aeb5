#!/bin/sh
# CentOS: how rpm and dnf fill a directory that is none of theirs, on a host that has no rpm of its own
#: usage: centos.sh DIR [--release=N] [--url=URL] [--key=FILE|URL] [--stub=URL] [PACKAGE...]
#:   --release=N      7, or 9 … for CentOS Stream (SC_CENTOS_RELEASE, default 7)
#:   --url=URL        of the repository, file:// too (SC_CENTOS_URL, default CentOS's own)
#:   --key=FILE|URL   every package must be signed with it (SC_CENTOS_KEY, default CentOS's own)
#:   --stub=URL       one more repository whose packages need no signature, for stand-ins (SC_CENTOS_STUB)
#:   PACKAGE...       what to install (default: bash coreutils centos-release findutils)
#
# What a reader learns: a package manager believes its host at many places, and each must be told
# otherwise: where its database lies, whose repositories and plugins count, what the release is called.
set -euf
umask 022
PATH=$PATH:/usr/sbin:/sbin

# die TEXT - say why and leave; whoever called us removes DIR
die() {
	printf 'centos.sh: %s\n' "$1" >&2
	exit 1
}

# quietly COMMAND... - show what it says to a terminal, else only the end of it if it fails
quietly() {
	if [ -t 2 ]; then
		"$@" >&2
	else
		"$@" >"$private/output" 2>&1 </dev/null
	fi || {
		[ -t 2 ] || tail -n 15 "$private/output" >&2
		die "failed: $*"
	}
}

dir='' release=${SC_CENTOS_RELEASE:-7} url=${SC_CENTOS_URL-} key=${SC_CENTOS_KEY-} stub=${SC_CENTOS_STUB-} packages=''
while [ $# -gt 0 ]; do
	case $1 in
	--release=*) release=${1#*=} ;;
	--url=*) url=${1#*=} ;;
	--key=*) key=${1#*=} ;;
	--stub=*) stub=${1#*=} ;;
	-h | --help) sed -n 's/^#: \{0,1\}//p' "$0" && exit 0 ;;
	-*) die "unknown option $1 (values follow a '=')" ;;
	*[!a-zA-Z0-9_.+/-]*) [ ! "$dir" ] || die "'$1' is no package" && dir=$1 ;;
	*) [ "$dir" ] && packages="$packages $1" || dir=$1 ;;
	esac
	shift
done
[ "$dir" ] || die 'which directory? see --help'
case $release in '' | *[!0-9]*) die "--release is a number, not '$release'" ;; esac
command -v dnf >/dev/null || die 'dnf is needed: apt-get install dnf, dnf install dnf, apk add dnf'
case $release in
# 7 has come to its end: what it was lies in the vault
7) url=${url:-https://vault.centos.org/7.9.2009/os/x86_64/} key=${key:-https://vault.centos.org/RPM-GPG-KEY-CentOS-7} name=centos-release ;;
*) url=${url:-https://mirror.stream.centos.org/$release-stream/BaseOS/$(uname -m)/os/} key=${key:-https://www.centos.org/keys/RPM-GPG-KEY-CentOS-Official} name=centos-stream-release ;;
esac
case $key in *://*) ;; /*) key=file://$key ;; *) key=file://$PWD/$key ;; esac
mkdir -p "$dir"
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac

# dnf's world: a HOME, an empty config, and a directory for everything it would look for on the host
private=$(mktemp -d "$dir.centos-XXXXXX")
trap 'rm -rf --one-file-system "$private"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$private/none" "$private/cache" "$private/log" "$private/state"
: >"$private/dnf.conf"
# Debian's rpm otherwise keeps the database in a home directory
printf '%%_dbpath /var/lib/rpm\n' >"$private/.rpmmacros"
export HOME="$private" TMPDIR="$private"

# scriptlets write to /dev/null, which must not become a file of the image
mkdir "$dir/dev"
mknod -m 666 "$dir/dev/null" c 1 3
mknod -m 666 "$dir/dev/zero" c 1 5
mknod -m 666 "$dir/dev/random" c 1 8
mknod -m 666 "$dir/dev/urandom" c 1 9

# a process namespace ends what a scriptlet leaves running; names of packages are split on purpose
# shellcheck disable=SC2086
quietly unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
	dnf --assumeyes --config="$private/dnf.conf" --installroot="$dir" --releasever="$release" \
	--setopt=reposdir="$private/none" --setopt=varsdir="$private/none" --setopt=pluginpath="$private/none" \
	--setopt=cachedir="$private/cache" --setopt=logdir="$private/log" --setopt=persistdir="$private/state" \
	--repofrompath=base,"$url" --setopt=base.gpgcheck=1 --setopt=base.gpgkey="$key" \
	${stub:+--repofrompath=stub,"$stub" --setopt=stub.gpgcheck=0} \
	--setopt=install_weak_deps=False --setopt=tsflags=nodocs --setopt=keepcache=False \
	install ${packages:-bash coreutils "$name" findutils}

rm -f "$dir/dev/null" "$dir/dev/zero" "$dir/dev/random" "$dir/dev/urandom"
[ -e "$dir/etc/centos-release" ] || die "no centos-release among the packages: is $url a repository of CentOS?"
find "$dir/var/cache" "$dir/var/log" -xdev -type f -delete
printf '%s\n' 'CMD ["/bin/bash"]' >"${dir%/*}/changes"
