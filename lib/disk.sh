# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/limits.sh and the verbs: door bytes option record short userns name
# lib/disk.sh - --disk-size: how much a container can write, of data and of files, into its writable layer
#
# Where project quota is in force on the file system of $SC_ROOT, the directory $record/disk is a project with a
# limit ($disk_kind is quota). Everywhere else it is the mount point of a small ext4 in a sparse file beside it
# (loop). The two directories of the overlay, upper/ and work/, lie in $disk_layers.
#
# run: disk_ask; above the mark `# keep` disk_file, below it disk_up     start: disk_find, disk_up
# update: disk_find, disk_set_ask, disk_set                              inspect: disk_find

# what every ext4 file has, and what it needs for each 8192 bytes that it promises: see disk_bytes
disk_bytes_fixed=4456448 disk_bytes_inode=8192

# disk_parse TEXT - sets $disk_size to the bytes that TEXT (500m, 2g) means
disk_parse() {
	limits_bytes "$1"
	[ "$bytes" -ge 8388608 ] || die "$option '$1': the smallest disk is 8m"
	# what ext4 can number without 64-bit blocks: every kernel and every e2fsprogs can grow up to this
	[ "$bytes" -le 15393162788864 ] || die "$option '$1': the largest disk is 14336g"
	disk_size=$bytes
}

# disk_bytes SIZE - sets $file_bytes to the length of a file whose ext4 has SIZE bytes for the container
# Not counted are the journal (4 MiB), the inode tables (1/32), what ext4 keeps back for itself (1/50) and the maps
# of the first group; it is right within 3 %, and nothing of this is taken from the host before it is used.
disk_bytes() {
	file_bytes=$(((($1 + $1 / 20 + disk_bytes_fixed) / 4096) * 4096))
}

# disk_ask - choose the way for $disk_size, if there is one: sets $disk_kind and $disk_layers; refuses what this
# host cannot do
disk_ask() {
	disk_kind='' disk_layers=$record
	[ "$disk_size" ] || return 0
	disk_kind=loop disk_layers=$record/disk
	# In the host's user namespace the owner of a file may give it to another project, and be rid of the limit;
	# in any other the kernel lets nobody (fileattr_set_prepare), root inside included.
	if [ "$userns" = auto ] && disk_project; then
		if command -v setquota >/dev/null && command -v repquota >/dev/null; then
			disk_kind=quota
			disk_project_free
		else
			say "project quota is in force on $project_mount, but setquota is not installed (package quota): a disk in a file is made instead"
		fi
	fi
	[ "$disk_kind" = quota ] || disk_loop_ask
	disk_room
}

# disk_find - sets $disk_kind (empty: none) and $disk_layers for the container of a $record that is there already
disk_find() {
	disk_kind='' disk_layers=$record
	if [ -e "$record/disk.ext4" ]; then
		disk_kind=loop disk_layers=$record/disk
	elif [ -e "$record/disk" ]; then
		disk_kind=quota disk_layers=$record/disk
	fi
}

# disk_project - whether project quota is in force where $SC_ROOT is; sets $project and $project_mount
disk_project() {
	local type options
	[ -d "$SC_ROOT" ] || return 1
	read -r project_mount type options <<-END || return 1
		$(findmnt -rn -o TARGET,FSTYPE,FS-OPTIONS -T "$SC_ROOT")
	END
	case $type,$options, in
	ext4,*,prjquota,* | xfs,*,prjquota,*) ;;
	*) return 1 ;;
	esac
	# far above the numbers that people write into /etc/projid
	project=$((0x40000000 + 0x${short#?????}))
}

# disk_project_free - refuse a project that somebody else has: two would share one limit
disk_project_free() {
	local word projects
	projects=$(repquota -P -n "$project_mount" 2>/dev/null) || die "cannot read the project quota of $project_mount (repquota -P -n $project_mount)"
	while read -r word _; do
		[ "$word" != "#$project" ] || die "project $project has a limit on $project_mount already: try again, the number is a random one"
	done <<-END
		$projects
	END
}

# disk_loop_ask - refuse what would fail halfway: no mkfs.ext4, no loop device
disk_loop_ask() {
	local free
	disk_bytes "$disk_size"
	command -v mkfs.ext4 >/dev/null || die '--disk-size: mkfs.ext4 is needed: install e2fsprogs'
	# door: a query
	free=$(losetup -f 2>&1) || die "--disk-size needs a loop device ($free): try 'modprobe loop', or mount the file system of $SC_ROOT with prjquota"
	[ -b "$free" ] || die "--disk-size needs a loop device, and $free, the first that is free, has no node: 'mknod $free b 7 ${free#/dev/loop}'"
}

# disk_room - say so when the host has less room than is promised
disk_room() {
	local block available
	[ -d "$SC_ROOT" ] || return 0
	read -r block available <<-END || return 0
		$(stat -f -c '%S %a' "$SC_ROOT")
	END
	[ $((block * available)) -ge "$disk_size" ] ||
		say "the file system of $SC_ROOT has $((block * available / 1048576)) MiB left, less than this disk may take: when it is full, the container gets errors before its limit"
}

# disk_file - make what lasts as long as the container: the file, or the project
disk_file() {
	case $disk_kind in
	quota)
		note "A project is a number on every file below $record/disk; the kernel counts what they take together."
		cmd mkdir -m 0700 "$record/disk"
		disk_project_undo
		hint "is quota in force? 'repquota -P $project_mount' tells"
		disk_project_limit
		hint "'lsattr -p -d $record/disk' shows the project of a directory"
		cmd chattr -p "$project" +P "$record/disk"
		;;
	loop)
		note "The container gets a disk of its own: a file of $file_bytes bytes, of which only what is written takes room."
		cmd truncate -s "$file_bytes" "$record/disk.ext4"
		# Blocks of 4096 bytes also on a small disk: a page each, and room to grow. No reserve for root (-m 0): root
		# inside would have it. A journal, since a container outlives a crash of the host, and nobody would check its
		# disk before the next start; 4 MiB, the least there is. 64bit: the maps of a disk that grows need it.
		cmd mkfs.ext4 -q -F -m 0 -b 4096 -i "$disk_bytes_inode" -I 256 -J size=4 -O 64bit "$record/disk.ext4"
		cmd mkdir -m 0700 "$record/disk"
		;;
	esac
}

# disk_project_undo - the undo of the limit; a file system that has no quota any more has no limit to remove
disk_project_undo() {
	local remove
	quote setquota -P "$project" 0 0 0 0 "$project_mount"
	remove=$quoted
	quote repquota -P "$project_mount"
	undo_line "$remove || ! $quoted >/dev/null 2>&1"
}

# disk_project_limit - the limit in KiB, and one of files: empty ones would use up the inodes of the host
disk_project_limit() {
	cmd setquota -P "$project" 0 $((disk_size / 1024)) 0 $((disk_size / disk_bytes_inode)) "$project_mount"
}

# disk_up - make what lasts as long as the container runs: the mount of its disk
disk_up() {
	local at
	[ "$disk_kind" = loop ] || return 0
	note "Nothing on it is for the host to run or open; inside, the flags of the overlay count."
	quote "$record/disk"
	at=$quoted
	# Lazily: whoever stands in it (a shell of root, a backup) does not keep the record from being removed. The kernel
	# frees the loop device with the last user, and another mount of the file would find that device, not a second one.
	undo_line "! mountpoint -q $at || umount -l $at || ! mountpoint -q $at"
	hint "are there loop devices? 'losetup -f' tells; the kernel's own words are in 'dmesg'"
	# discard: what is deleted inside is given back to the host. After an error of the host's disk the container
	# reads on, but writes nothing more into a file system that is broken.
	cmd mount -t ext4 -o loop,nosuid,nodev,noexec,noatime,discard,errors=remount-ro "$record/disk.ext4" "$record/disk"
	note "Past the cache of the host: what the container writes counts as its own for --device-write-bps, and is cached once."
	# shellcheck disable=SC2016 # the kernel chose the device just now, also when the plan is run
	try sh -c 'losetup --direct-io=on "$(findmnt -rn -o SOURCE -M "$1")" 2>/dev/null' sh "$record/disk" ||
		case $limits in *_device=* | *io.max=*) say "--disk-size: the file system of $SC_ROOT cannot write past its cache: limits of a device do not hold for this container" ;; esac
}

# disk_set_ask - refuse what cannot be done to the disk of this container; sets $file_bytes and $device
disk_set_ask() {
	local length
	device=''
	case $disk_kind in
	quota)
		disk_project || die "the limit of '$name' is a project quota, which is not in force: mount the file system of $SC_ROOT with prjquota"
		return 0
		;;
	'') die "'$name' was made without --disk-size, and what it has written lies among the host's files: a new container can have one" ;;
	esac
	disk_bytes "$disk_size"
	length=$(stat -c %s "$record/disk.ext4") || die "cannot look at $record/disk.ext4"
	[ "$file_bytes" -ge "$length" ] || die "the disk of '$name' is larger than that, and it can only grow"
	command -v resize2fs >/dev/null || die '--disk-size: resize2fs is needed: install e2fsprogs'
	mountpoint -q "$record/disk" || return 0
	device=$(findmnt -rn -o SOURCE -M "$record/disk") && [ -b "$device" ] || die "cannot find the loop device of $record/disk"
	may_raise ||
		die "the kernel lets only root with CAP_SYS_RESOURCE grow an ext4 that is in use, and root here lacks it: the disk of '$name' can grow when it has ended"
}

# disk_set - give the disk its new size, $disk_size; at once where it is in use. There is no way back from larger.
disk_set() {
	case $disk_kind in
	quota) disk_project_limit ;;
	loop)
		note "First the file, then the device, then the file system: each sees the new end of the one below it."
		cmd truncate -s "$file_bytes" "$record/disk.ext4"
		hint "the same once more goes on where this stopped"
		if [ "$device" ]; then
			cmd losetup -c "$device"
			disk_resize "$device"
		else
			# resize2fs wants a check first; status 1: it had something to repair, and did
			try e2fsck -f -p "$record/disk.ext4" >&2 || [ $? -eq 1 ] || die "the disk of '$name' is damaged: 'e2fsck -f $record/disk.ext4' asks what to do"
			disk_resize "$record/disk.ext4"
		fi
		;;
	esac
}

# disk_resize FILE - grow the ext4 to the size of its device or file; what resize2fs tells is not for our stdout
disk_resize() {
	if [ "$door" = print ]; then
		cmd resize2fs "$1"
	else
		cmd resize2fs "$1" >/dev/null
	fi
}
