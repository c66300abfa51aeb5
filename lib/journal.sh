# shellcheck shell=sh
# lib/journal.sh - the undo journal: every change states its undo on the line above, write-ahead
# shellcheck disable=SC2154 # the words of lib.sh: door, nl, boot_id, hint
#
# A record is a directory $SC_ROOT/KIND/NAME; its journal is the file `undo` there. While somebody works on
# it there is an empty file $SC_RUN/.owners/PID:STARTTIME:KIND:NAME, so that what a dead process left half
# done is found by one listing. In a journal, lines above `# keep` outlive the process and a reboot.

# begin KIND NAME - reserve the record; from here on whatever ends us unwinds what we did
begin() {
	local record="$SC_ROOT/$1/$2" link=''
	[ "${header_shown-}" ] || header
	state_ready
	reap
	own "$1" "$2"
	hint "if it exists: somebody makes $1/$2 at this moment, or it is left from before, see 'scadm gc'"
	cmd mkdir -m 0700 "$record"
	journal=$record/undo
	# the link first: without a record the name is free
	[ "$1" != containers ] || link=$SC_RUN/$2
	quote rm -rf --one-file-system ${link:+"$link"} "$record" "$entry"
	# in one write: with an owner but nothing to undo, the record would stay for ever
	undo_line "# owner $owner" "$quoted"
	pending=0
}

# resume KIND NAME - go on with a record that is there (and locked): what we do now is unwound down to `# keep`
resume() {
	own "$1" "$2"
	journal=$SC_ROOT/$1/$2/undo unwind_mark=keep
	undo_line "# owner $owner"
	pending=0
}

# header - the head of a printed plan: what makes it run as a script of its own
header() {
	header_shown=1
	[ "$door" = print ] || return 0
	quote "${SC_HELPERS:-$SC_LIB/build}:$SC_LIB/bin"
	show '#!/bin/sh -e'
	show "PATH=$quoted:\$PATH"
	show 'export PATH; umask 022'
	# shellcheck disable=SC2016 # the plan has an owner of its own: the shell that runs it
	show 'owner=$$:$(cut -d" " -f22 /proc/$$/stat)'
}

# own KIND NAME - say in $SC_RUN/.owners that this process answers for the record
own() {
	local stat
	read -r stat <"/proc/$$/stat"
	# shellcheck disable=SC2086 # split on purpose: what follows the name are numbers
	set -- "$1" "$2" ${stat##*) }
	owner=$$:${22}
	entry=$SC_RUN/.owners/$owner:$1:$2
	if [ "$door" != run ]; then
		step ": >$(owner_quoted "$entry")" || return 0
	fi
	: >"$entry" || die "cannot write $entry"
	trap leave EXIT
	trap 'trap "" INT TERM HUP; exit 130' INT
	trap 'trap "" INT TERM HUP; exit 143' TERM
	trap 'trap "" INT TERM HUP; exit 129' HUP
}

# owner_quoted TEXT - print TEXT quoted; in a plan the owner is the plan's own variable
owner_quoted() {
	if [ "$door" != print ]; then
		quote "$1"
		printf '%s' "$quoted"
		return 0
	fi
	# shellcheck disable=SC2016 # the plan expands it
	printf '"%s$owner%s"' "${1%%"$owner"*}" "${1#*"$owner"}"
}

# undo WORD... - append a command to the journal; it must be harmless when repeated
undo() {
	quote "$@"
	undo_line "$quoted"
}

# undo_if FILE WORD... - the same, for a command that complains when what it removes is gone already
undo_if() {
	local file
	quote "$1"
	file=$quoted
	shift
	quote "$@"
	# asked twice: it may go while the command is on its way
	undo_line "test ! -e $file || $quoted || test ! -e $file"
}

# undo_line LINE... - append lines to the journal; `# WORD` marks a place in it
undo_line() {
	local to line words=''
	for line; do
		case $line in *"$nl"*) die "BUG: a line break in an undo: $line" ;; esac
		pending=$((pending + 1))
		[ "$door" != run ] || continue
		case $line in
		*"$owner"*) words="$words $(owner_quoted "$line")" ;;
		*)
			quote "$line"
			words="$words $quoted"
			;;
		esac
	done
	if [ "$door" != run ]; then
		quote "$journal"
		to=$quoted
		step "printf '%s\\n'$words >>$to" || return 0
	fi
	printf '%s\n' "$@" >>"$journal" || die "cannot write $journal"
}

# unwind [keep] - undo what the journal says, last line first (down to `# keep`)
# status 1: something could not be undone; it stays in the journal
# shellcheck disable=SC2120 # the mark is for the verbs
unwind() {
	pending=0
	try scadm-undo "$journal" "$@"
}

# commit - what was made stays; nobody answers for the record any longer
commit() {
	journal='' pending=0
	if [ "$door" = print ]; then
		show "rm -f $(owner_quoted "$entry")"
	else
		try rm -f "$entry"
	fi
}

# leave - on the way out: unwind, and say so if that was not possible
leave() {
	local status="$?"
	trap - EXIT
	trap '' INT TERM HUP
	[ "$door" != step ] || door=explain
	[ "$status" -ne 1 ] || [ "$explained" ] || say "$verb: stopped by a command that failed without a word (BUG)"
	if [ "$journal" ] && [ "$door" != print ]; then
		# not even the first line could be written: there is nothing to undo but the record itself
		[ -s "$journal" ] || {
			rm -f "$journal"
			rmdir "${journal%/undo}"
		}
		unwind ${unwind_mark+"$unwind_mark"} || say "not everything could be undone; 'scadm gc' tries again"
	fi
	[ ! -e "$entry" ] || rm -f "$entry"
	exit "$status"
}

# reap [-f] - replay what dead processes left half done (-f: also look whether a pid was taken by another)
reap() {
	local file rest pid record
	set +f
	for file in "$SC_RUN"/.owners/*; do
		set -f
		rest=${file##*/} pid=${rest%%:*}
		[ ! -d "/proc/$pid" ] || { [ "${1-}" ] && ! is_process "${rest%%:[a-z]*}"; } || continue
		# asked last: who ends by itself removes its entry first
		[ -e "$file" ] || continue
		record=$SC_ROOT/${rest#*:*:}
		record=${record%:*}/${record##*:}
		reap_record "$record" "${rest%%:[a-z]*}"
		try rm -f "$file"
	done
	set -f
}

# reap_record DIR [OWNER] - replay the journal of a record (that OWNER was the last to own) unless it still runs
reap_record() {
	local last=''
	if [ -s "$1/undo" ]; then
		[ ! "${2-}" ] || last=$(sed -n 's/^# owner //p' "$1/undo" | tail -n 1)
		[ "$last" = "${2-}" ] || return 0
		if [ "${1%/containers/*}" != "$1" ] && [ ! "${rebooted-}" ]; then
			! reap_adopted "$1" "${2-}" || return 0
		fi
		! is_running "$1" || return 0
		note "Nobody answers for $1 any more."
		# with /. as flock would make a file where a directory is gone: an undo that outlived its owner was at it
		try flock "$1/." scadm-undo ${rebooted:+--rebooted} "$1/undo" keep || [ ! -e "$1/undo" ] || say "could not undo all of $1/undo"
	elif [ -d "$1" ] && [ "${2-}" ]; then
		[ ! -e "$1/undo" ] || try rm -f "$1/undo"
		try rmdir "$1" 2>/dev/null || return 0
	fi
}

# reap_adopted RECORD [OWNER] - have somebody answer for a container again that runs, or is to run again, and note the end of one
# that nobody saw end; status 1: there is only to undo
reap_adopted() {
	local code=137
	# one without an owner and with an exit status was not restarted on purpose
	if is_running "$1" || { [ -e "$1/restart" ] && [ -e "$1/pid" ] && [ ! -e "$1/stopped" ] && { [ "${2-}" ] || [ ! -e "$1/exit" ]; }; }; then
		note "Nobody answers for ${1##*/} any more, and it runs, or is to run again."
		try scadm-supervise --adopt "${1##*/}"
		return 0
	fi
	[ -e "$1/pid" ] && [ ! -e "$1/exit" ] || return 1
	# sc-clone has it locked until it has added the status
	{ flock -s -w 5 0 && read -r _ && read -r code; } <"$1/pid" || code=137
	# shellcheck disable=SC2016 # for the sh of the plan
	try sh -c '{ printf "%s\n" "$2" >"$1/exit"; } 2>/dev/null || test ! -e "$1/undo"' sh "$1" "$code false $(date -u +%Y-%m-%dT%H:%M:%SZ)" ||
		die "cannot write $1/exit"
	return 1
}

# is_process PID:STARTTIME - whether that very process is still there
is_process() {
	local stat='' line
	# a process may have line breaks in its name, and there it ends with the last `)`
	while IFS= read -r line; do
		stat=$line
	done 2>/dev/null <"/proc/${1%%:*}/stat" || return 1
	# shellcheck disable=SC2086 # split on purpose
	set -- "$1" - ${stat##*) }
	[ "${1#*:}" = "${22-}" ] && [ "$3" != Z ]
}

# is_running DIR - ask the kernel whether the container of this record runs; sets $pid
is_running() {
	local start boot
	pid=''
	{ read -r pid start boot <"$1/pid"; } 2>/dev/null || return 1
	[ "$boot" = "$boot_id" ] && is_process "$pid:$start"
}

# state_storage - where the state directory cannot hold the upper layer of an overlay (it lies on one itself:
# a container, a live system), put it on an ext4 file system in a sparse file beside it
state_storage() {
	local place="$SC_ROOT"
	if [ ! -e "$SC_ROOT.ext4" ]; then
		while [ ! -e "$place" ]; do
			place=${place%/*}
			place=${place:-/}
		done
		case $(stat -f -c %T "$place") in
		overlayfs | aufs | nfs* | smb* | cifs | v9fs | fuse* | msdos | ramfs) ;;
		*) return 0 ;;
		esac
		say "$place is of a kind that no overlay can write to: the state goes into $SC_ROOT.ext4, mounted on $SC_ROOT"
		cmd mkdir -p "${SC_ROOT%/*}"
		umask 077
		cmd truncate -s 20G "$SC_ROOT.ext4.$$"
		cmd mkfs.ext4 -q "$SC_ROOT.ext4.$$"
		# only a whole file system gets the name, and only one of two who were as fast
		try mv -n "$SC_ROOT.ext4.$$" "$SC_ROOT.ext4"
		cmd rm -f "$SC_ROOT.ext4.$$"
		umask 022
	fi
	cmd mkdir -p -m 0700 "$SC_ROOT"
	hint "are there loop devices? 'losetup -f' tells; or set SC_ROOT to a directory on ext4, xfs, btrfs or tmpfs"
	[ "$door" = print ] || [ ! -e "$SC_ROOT/containers" ] || return 0
	cmd mount -o loop "$SC_ROOT.ext4" "$SC_ROOT"
	cmd chmod 0700 "$SC_ROOT"
}

# state_is_ready - whether somebody has made it ready since the boot; sets $last_boot to that of the last time
state_is_ready() {
	last_boot=''
	[ ! -e "$SC_RUN/.boot_id" ] || read -r last_boot <"$SC_RUN/.boot_id" || last_boot=''
	[ "$last_boot" = "$boot_id" ] && [ -d "$SC_ROOT/networks" ]
}

# state_ready - make the state directories; after a reboot, undo what the journals say did not outlive it
# (but not networks: each is repaired when it is used next)
state_ready() {
	local record rebooted=1
	! state_is_ready || return 0
	if [ "$door" != print ]; then
		# door: a place for the lock, which is no change; and a plan is run by one shell
		mkdir -p "$SC_RUN"
		# door: as above. The first after a boot undoes what others left, the others wait
		exec 8>"$SC_RUN/.boot.lock"
		flock 8
		! state_is_ready || {
			exec 8>&-
			return 0
		}
	fi
	[ -e "$SC_ROOT/containers" ] || state_storage
	cmd mkdir -p -m 0700 "$SC_ROOT" "$SC_ROOT/containers" "$SC_ROOT/networks" "$SC_ROOT/netns" \
		"$SC_ROOT/connections" "$SC_ROOT/cgroups" "$SC_ROOT/imports" "$SC_ROOT/images" "$SC_ROOT/layers" "$SC_ROOT/merged" "$SC_ROOT/updates" "$SC_ROOT/blobs" "$SC_ROOT/blobs/sha256" "$SC_ROOT/volumes"
	cmd mkdir -p "$SC_RUN" "$SC_RUN/.owners"
	set +f
	for record in "$SC_ROOT"/imports/* "$SC_ROOT"/updates/* "$SC_ROOT"/cgroups/* "$SC_ROOT"/containers/* "$SC_ROOT"/connections/* \
		"$SC_ROOT"/netns/*; do
		set -f
		# of this boot: only a new version of ours wants one more directory
		[ "$last_boot" != "$boot_id" ] || break
		[ ! -e "$record" ] || reap_record "$record"
		[ ! -e "$record/config.json" ] || try ln -sfn "$record" "$SC_RUN/${record##*/}"
	done
	set -f
	# its times are of the last boot
	[ "$last_boot" = "$boot_id" ] || cmd rm -f "$SC_RUN/.events.log" "$SC_RUN/.events.log.1"
	put "$SC_RUN/.boot_id" "$boot_id"
	[ "$door" = print ] || exec 8>&-
}
