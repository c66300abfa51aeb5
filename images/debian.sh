#!/bin/sh
# Debian: how a package manager fills an empty directory from nothing
#: usage: debian.sh DIR [--suite=NAME] [--mirror=URL] [--variant=minbase] [--include=PACKAGE,…]
#:   --suite=NAME     bookworm, trixie, stable … (SC_DEBIAN_SUITE; default: the host's, if it is Debian)
#:   --mirror=URL     (SC_DEBIAN_MIRROR; default: the host's apt sources if it is Debian and of that
#:                    suite, else http://deb.debian.org/debian)
#:   --variant=NAME   as mmdebstrap or debootstrap have them (default minbase)
#:   --include=LIST   more packages, with commas
#
# What a reader learns: the first packages are unpacked by hand, the rest installs itself in there. Every
# one is checked against an index that is signed with a key of the host's keyring.
set -euf
umask 022
PATH=$PATH:/usr/sbin:/sbin

# die TEXT - say why and leave; whoever called us removes DIR
die() {
	printf 'debian.sh: %s\n' "$1" >&2
	exit 1
}

# quietly COMMAND... - show what it says to a terminal, else only the end of it if it fails
quietly() {
	if [ -t 2 ]; then
		"$@" >&2
	else
		"$@" >"$private/log" 2>&1 </dev/null
	fi || {
		[ -t 2 ] || tail -n 15 "$private/log" >&2
		die "failed: $*"
	}
}

# host WORD - a word of the host's /etc/os-release
host() {
	sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release
}

dir='' suite=${SC_DEBIAN_SUITE-} mirror=${SC_DEBIAN_MIRROR-} variant=minbase include=''
while [ $# -gt 0 ]; do
	case $1 in
	--suite=*) suite=${1#*=} ;;
	--mirror=*) mirror=${1#*=} ;;
	--variant=*) variant=${1#*=} ;;
	--include=*) include=${1#*=} ;;
	-h | --help) sed -n 's/^#: \{0,1\}//p' "$0" && exit 0 ;;
	-*) die "unknown option $1 (values follow a '=')" ;;
	*) [ ! "$dir" ] || die "unexpected '$1'" && dir=$1 ;;
	esac
	shift
done
[ "$dir" ] || die 'which directory? see --help'
mkdir -p "$dir"
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac

own_suite=''
[ "$(host ID)" != debian ] || own_suite=$(host VERSION_CODENAME)
suite=${suite:-${own_suite:-stable}}

# a place beside DIR that only we can write; both tools mount and cache only below DIR or here
private=$(mktemp -d "$dir.debian-XXXXXX")
trap 'rm -rf --one-file-system "$private"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
export TMPDIR="$private" DEBIAN_FRONTEND=noninteractive

# Whatever a package leaves mounted or running ends with these namespaces.
set -- unshare --mount --pid --fork --kill-child --mount-proc --propagation private
if command -v mmdebstrap >/dev/null; then
	set -- "$@" mmdebstrap --mode=root --variant="$variant" ${include:+"--include=$include"} --format=directory "$suite" "$dir"
	# the host's sources of Debian itself: what else it installs from is not for an image
	if [ "$mirror" ]; then
		set -- "$@" "$mirror"
	elif [ "$suite" = "$own_suite" ]; then
		set +f
		for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
			[ ! -s "$file" ] || ! grep -q '://[^/ ]*/debian' "$file" || set -- "$@" "$file"
		done
		set -f
	fi
elif command -v debootstrap >/dev/null; then
	set -- "$@" debootstrap --variant="$variant" ${include:+"--include=$include"} "$suite" "$dir" "${mirror:-http://deb.debian.org/debian}"
else
	die 'mmdebstrap or debootstrap is needed: apt-get install mmdebstrap, dnf install debootstrap, apk add debootstrap'
fi
quietly "$@"

# caches, and what belongs to the machine that built it
find "$dir/var/cache/apt" "$dir/var/lib/apt/lists" "$dir/var/log" -xdev -type f -delete
rm -f "$dir/etc/hostname" "$dir/etc/resolv.conf" "$dir/etc/machine-id"
printf '%s\n' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'CMD ["bash"]' >"${dir%/*}/changes"
