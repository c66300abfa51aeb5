#!/bin/sh
# Alpine Linux: how an image that others made is fetched, checked and unpacked
#: usage: alpine.sh DIR [--tar=FILE] [--release=X.Y.Z] [--arch=ARCH] [--mirror=URL] [--sha256=SUM]
#:   --tar=FILE        a minirootfs that is here already (SC_ALPINE_TAR)
#:   --release=X.Y.Z   which one to download (SC_ALPINE_RELEASE, default 3.20.3)
#:   --arch=ARCH       x86_64, aarch64 … (default: this machine's)
#:   --mirror=URL      (SC_ALPINE_MIRROR, default https://dl-cdn.alpinelinux.org/alpine)
#:   --sha256=SUM      what the archive must be; without it, what the mirror says over https
#
# What a reader learns: a distribution's image is a tar archive and a checksum. Who fetches one trusts
# the sum, not the wire; and unpacks it as if the sum were worth nothing (see scadm-unpack).
set -euf
umask 022

# die TEXT - say why and leave; whoever called us removes DIR
die() {
	printf 'alpine.sh: %s\n' "$1" >&2
	exit 1
}

# fetch URL FILE - download, with what there is
fetch() {
	if command -v curl >/dev/null; then
		curl --fail --location --silent --show-error --connect-timeout 20 --output "$2" "$1"
	elif command -v wget >/dev/null; then
		wget -q -T 20 -O "$2" "$1"
	else
		die 'curl or wget is needed to download; or give --tar=FILE'
	fi || die "cannot download $1; is there a network? --tar=FILE takes an archive that is here"
}

dir='' tar=${SC_ALPINE_TAR-} release=${SC_ALPINE_RELEASE:-3.20.3} sum=''
mirror=${SC_ALPINE_MIRROR:-https://dl-cdn.alpinelinux.org/alpine} arch=$(uname -m)
while [ $# -gt 0 ]; do
	case $1 in
	--tar=*) tar=${1#*=} ;;
	--release=*) release=${1#*=} ;;
	--arch=*) arch=${1#*=} ;;
	--mirror=*) mirror=${1#*=} ;;
	--sha256=*) sum=${1#*=} ;;
	-h | --help) sed -n 's/^#: \{0,1\}//p' "$0" && exit 0 ;;
	-*) die "unknown option $1 (values follow a '=')" ;;
	*) [ ! "$dir" ] || die "unexpected '$1'" && dir=$1 ;;
	esac
	shift
done
[ "$dir" ] || die 'which directory? see --help'
mkdir -p "$dir"
case $release in *.*.*) ;; *) die "--release is X.Y.Z, not '$release'" ;; esac

# a place beside DIR that only we can write, for what is not part of the image
private=$(mktemp -d "$dir.alpine-XXXXXX")
trap 'rm -rf "$private"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ ! "$tar" ]; then
	url=$mirror/v${release%.*}/releases/$arch/alpine-minirootfs-$release-$arch.tar.gz
	tar=$private/rootfs.tar.gz
	fetch "$url" "$tar"
	if [ ! "$sum" ]; then
		fetch "$url.sha256" "$private/sum"
		read -r sum _ <"$private/sum" || [ "$sum" ] || die "$url.sha256 is empty"
	fi
fi
[ -r "$tar" ] || die "$tar: no such archive"
if [ "$sum" ]; then
	real=$(sha256sum <"$tar")
	[ "${real%% *}" = "$sum" ] || die "$tar is not what it should be: sha256 ${real%% *}, expected $sum"
fi

"${0%/*}/../bin/scadm-unpack" "$tar" "$dir"
[ -e "$dir/etc/alpine-release" ] || die "$tar holds no Alpine Linux"
# beside DIR: the words of a Dockerfile that go into the image's config
printf '%s\n' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'CMD ["/bin/sh"]' >"${dir%/*}/changes"
