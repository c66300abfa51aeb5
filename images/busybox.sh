#!/bin/sh
# A root file system of one program: what is the least that a container needs?
#: usage: busybox.sh DIR [--busybox=FILE]
#:   --busybox=FILE   a static busybox (default: the host's)
#
# What a reader learns: a root file system is files and nothing else. One static program under 400 names,
# five text files, and empty directories where the kernel's own file systems will be mounted.
set -euf
umask 022
PATH=$PATH:/usr/sbin:/sbin

# die TEXT - say why and leave; whoever called us removes DIR
die() {
	printf 'busybox.sh: %s\n' "$1" >&2
	exit 1
}

dir='' busybox=''
while [ $# -gt 0 ]; do
	case $1 in
	--busybox=*) busybox=${1#*=} ;;
	--busybox) [ $# -gt 1 ] || die '--busybox needs a value' && busybox=$2 && shift ;;
	-h | --help) sed -n 's/^#: \{0,1\}//p' "$0" && exit 0 ;;
	-*) die "unknown option $1" ;;
	*) [ ! "$dir" ] || die "unexpected '$1'" && dir=$1 ;;
	esac
	shift
done
[ "$dir" ] || die 'which directory? see --help'
mkdir -p "$dir"

# A static program needs no other file. The proof: it runs in a root where there is no other file.
mkdir "$dir/bin"
for file in "${busybox:-busybox.static}" ${busybox:+-} /bin/busybox /usr/bin/busybox; do
	[ "$file" != - ] || break
	file=$(command -v "$file") || continue
	cp -L "$file" "$dir/bin/busybox"
	chroot "$dir" /bin/busybox true 2>/dev/null && break
	rm -f "$dir/bin/busybox"
done
[ -x "$dir/bin/busybox" ] ||
	die "no static busybox${busybox:+ at $busybox} (a dynamic one will not do): apt-get install busybox-static, dnf install busybox, apk add busybox-static"
chmod 755 "$dir/bin/busybox"

mkdir -p "$dir/dev" "$dir/etc" "$dir/home" "$dir/mnt" "$dir/opt" "$dir/proc" "$dir/run" "$dir/sbin" "$dir/srv" "$dir/sys" \
	"$dir/usr/bin" "$dir/usr/lib" "$dir/usr/sbin" "$dir/var/log" "$dir/var/spool"
mkdir -m 1777 "$dir/tmp" "$dir/var/tmp"
mkdir -m 700 "$dir/root"
ln -s ../run "$dir/var/run"

# The image makes its own names, in one go: its shell needs no new program for a link.
names=$(chroot "$dir" /bin/busybox --list-full 2>/dev/null) ||
	names=$(chroot "$dir" /bin/busybox --list | sed 's|^|bin/|')
# the variable is of that shell
# shellcheck disable=SC2016
printf '%s\n' "$names" | chroot "$dir" /bin/busybox sh -c 'while read -r name; do
	case $name in
	bin/busybox) ;;
	bin/* | sbin/* | usr/bin/* | usr/sbin/*) ln -s /bin/busybox "/$name" ;;
	# and linuxrc is for an initrd
	esac
done'
[ -L "$dir/bin/sh" ] || die "this busybox has no sh, and a container without one is no fun"

cat >"$dir/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
END
cat >"$dir/etc/group" <<'END'
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
www-data:x:33:
users:x:100:
nogroup:x:65534:
END
printf '%s\n' 'root:*:19000::::::' 'nobody:*:19000::::::' >"$dir/etc/shadow"
chmod 640 "$dir/etc/shadow"
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$dir/etc/nsswitch.conf"
version=$(chroot "$dir" /bin/busybox | sed -n '1s/^BusyBox v\([0-9.]*\).*/\1/p')
cat >"$dir/etc/os-release" <<END
NAME="BusyBox"
ID=busybox
VERSION_ID=$version
PRETTY_NAME="BusyBox $version"
HOME_URL="https://busybox.net/"
END
