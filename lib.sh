# shellcheck shell=sh
# lib.sh - the core: messages, quoting, the door (cmd put feed undo …), the journal, names, options
#
# Every change to the system goes through the door: cmd, try, put, put0, feed, undo, undo_if. What the
# door prints (--dry-run, --explain, --step) is what it runs, quoted so that a shell reads the same words.
set -euf
LC_ALL=C
umask 022
# whatever the caller closed is there again: a file we open must not become our standard output
[ -e "/proc/$$/fd/0" ] || exec </dev/null
[ -e "/proc/$$/fd/1" ] || exec >/dev/null
[ -e "/proc/$$/fd/2" ] || exec 2>/dev/null
nl='
'
SC_LIB=${SC_LIB:-${0%/*}/..}
PATH=${SC_HELPERS:-$SC_LIB/build}:$SC_LIB/bin:$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
door=${SC_DOOR:-run} journal='' entry='' pending=0 hint='' bundle='' explained='' impatience='' disconnected=''
# what would make the tools we call do other things than we say
unset unwind_mark seen_summary header_shown closing TAR_OPTIONS GZIP BZIP BZIP2 XZ_OPT XZ_DEFAULTS ZSTD_CLEVEL \
	POSIXLY_CORRECT XTABLES_LIBDIR MKE2FS_CONFIG SQLITE_HISTORY CDPATH ENV BASH_ENV
verb=${0##*/scadm-}

# --- messages: prose goes to stderr, ids and data to stdout -------------------------------------------

# say TEXT - tell the user; control characters are not passed on to the terminal
say() {
	# if nobody hears it (a full disk behind 2), what is to be undone is undone all the same
	case $1 in
	*[!\ -~]*) printf 'scadm: %s\n' "$1" | printable >&2 ;;
	*) printf 'scadm: %s\n' "$1" >&2 ;;
	esac || :
}

# printable - stdin to stdout for a terminal: text in UTF-8, no control characters but line ends, of either range (C0, C1)
printable() {
	iconv -c -f UTF-8 -t UTF-8 2>/dev/null | sed "s/$(printf '\302')[$(printf '\200')-$(printf '\237')]/?/g" | tr '\000-\011\013-\037\177' '?'
}

# die TEXT [STATUS] - say why and leave (125 unless told otherwise); the journal is unwound on the way out
die() {
	say "$1"
	exit "${2:-125}"
}

# --- quoting ----------------------------------------------------------------------------------------

# quote WORD... - sets $quoted to the words as a shell reads them back; no subshell
quote() {
	local word rest
	quoted=''
	for word; do
		case $word in
		'' | *[!a-zA-Z0-9_./:=,+@%-]*)
			rest=$word word=''
			while :; do
				case $rest in
				*\'*) word=$word${rest%%\'*}"'\\''" rest=${rest#*\'} ;;
				*) break ;;
				esac
			done
			quoted="$quoted '$word$rest'"
			;;
		*) quoted="$quoted $word" ;;
		esac
	done
	quoted=${quoted# }
}

# --- the door ---------------------------------------------------------------------------------------

# show LINE - print a line of the plan: on stdout when that is all we do, else on stderr beside the work
show() {
	if [ "$door" = print ]; then
		printf '%s\n' "$1"
	elif [ -t 2 ]; then
		printf '%s\n' "$1" | printable >&2
	else
		printf '%s\n' "$1" >&2
	fi
}

# step LINE - show the line and, with --step, ask what to do with it; status 1: do not run it
step() {
	local answer
	show "$1"
	[ "$door" != print ] || return 1
	[ "$door" = step ] || return 0
	while :; do
		printf '  [r]un it, a [s]hell here, run to the [e]nd, [q]uit and undo? ' >&2
		read -r answer </dev/tty || answer=q
		case $answer in
		'' | r*) return 0 ;;
		s*) sh </dev/tty >/dev/tty 2>&1 || say "the shell left with $?" ;;
		e*)
			door=explain
			return 0
			;;
		q*) die 'stopped at your word' 130 ;;
		esac
	done
}

# note TEXT - a line of the lesson: printed where the plan is printed, nothing otherwise
note() {
	[ "$door" = run ] || show "# $1"
}

# cmd WORD... - make a change; if it fails its own undo lines are dropped, the rest is unwound and we leave
cmd() {
	try "$@" || failed "$?" "$@"
	pending=0 hint=''
}

# try WORD... - make a change that may be refused (somebody was faster); the status is the command's
try() {
	if [ "$door" != run ]; then
		quote "$@"
		step "$quoted" || return 0
	fi
	"$@"
}

# put FILE LINE... - write the lines to FILE
put() {
	local file="$1"
	shift
	if [ "$door" != run ]; then
		quote "$file"
		set -- "$quoted" "$@"
		local to="$1"
		shift
		quote "$@"
		step "printf '%s\\n' $quoted >$to" || return 0
	fi
	printf '%s\n' "$@" >"$file" || failed "$?" put "$file" "$@"
	pending=0
}

# put0 FILE WORD... - write the words to FILE, each ended by a NUL byte, as /proc/PID/environ has them
put0() {
	local file="$1" to
	shift
	if [ "$door" != run ]; then
		quote "$file"
		to=$quoted
		quote "$@"
		step "printf '%s\\0' $quoted >$to" || return 0
	fi
	printf '%s\0' "$@" >"$file" || failed "$?" put0 "$file"
	pending=0
}

# feed TEXT WORD... - run a command with TEXT on its standard input; undo lines stay, it may have done half
# `ip … -batch -` is shown as the ip commands that its lines stand for
feed() {
	local text="$1"
	shift
	if [ "$door" != run ]; then
		quote "$@"
		case $quoted in
		*' -batch -') step "$(printf '%s\n' "$text" | sed "s|^|${quoted% -batch -} |")" || return 0 ;;
		*) step "$quoted <<'END'$nl$text${nl}END" || return 0 ;;
		esac
	fi
	"$@" <<END || failed "$?" "$@"
$text
END
	pending=0 hint=''
}

# hint TEXT - what to tell the user if the next change fails: the likely cause, and what to do
hint() {
	hint=$1
}

# failed STATUS WORD... - a change did not work: take its undo lines out of the journal, say what, leave
failed() {
	local status="$1" kept
	shift
	while [ "$pending" -gt 0 ]; do
		kept=$(sed '$d' "$journal")
		# whole or not at all: on a full disk the line stays, which does no harm
		{ printf '%s' "$kept${kept:+$nl}" >"$journal.$$" && mv -f "$journal.$$" "$journal"; } 2>/dev/null || rm -f "$journal.$$"
		pending=$((pending - 1))
	done
	quote "$@"
	die "failed ($status): $quoted${hint:+$nl  $hint}"
}

# --- names, ids, settings ---------------------------------------------------------------------------

# valid_name WHAT NAME - refuse what could not be a name of ours: it becomes a path, a host name, a word in undo
valid_name() {
	case $2 in
	[!a-zA-Z0-9]* | *[!a-zA-Z0-9_.-]* | '') die "$1 '$2': a name is letters, digits, '_', '.' and '-', and starts with a letter or digit" ;;
	esac
	[ ${#2} -le 64 ] || die "$1 '$2': a name has at most 64 characters"
}

# absolute PATH - sets $path to PATH from the root on; a directory that is gone has no paths in it
absolute() {
	path=$1
	case $1 in /*) return 0 ;; esac
	[ "$PWD" != "${PWD#/}" ] && [ . -ef "$PWD" ] || die "'$1': the current directory is gone: go to another, or give the whole path"
	path=$PWD/$1
}

# new_id - sets $id to 64 random hexadecimal digits
new_id() {
	local half rest
	id=''
	while [ ${#id} -lt 64 ]; do
		read -r rest </proc/sys/kernel/random/uuid
		while [ "$rest" ]; do
			half=${rest%%-*} id=$id$half
			rest=${rest#"$half"} rest=${rest#-}
		done
	done
}

# id_range - sets $uid_base to the first of 65536 uids and gids for the object with this $id
id_range() {
	uid_base=$((((0x${id%"${id#????}"} & 0x2fff) + 0x1000) << 16))
}

# settings - flag over environment over /etc/scadm.conf (KEY=VALUE lines, read and never sourced) over default
settings() {
	local key value
	if [ -s "${SC_CONF:=/etc/scadm.conf}" ]; then
		while IFS='=' read -r key value || [ "$key" ]; do
			case $key in
			SC_ROOT) SC_ROOT=${SC_ROOT:-$value} ;;
			SC_RUN) SC_RUN=${SC_RUN:-$value} ;;
			SC_PREFIX) SC_PREFIX=${SC_PREFIX:-$value} ;;
			SC_CGROUP) SC_CGROUP=${SC_CGROUP:-$value} ;;
			SC_IMAGE) SC_IMAGE=${SC_IMAGE:-$value} ;;
			'' | '#'*) ;;
			*) die "$SC_CONF: unknown setting '$key'" ;;
			esac
		done <"$SC_CONF"
	fi
	SC_ROOT=${SC_ROOT:-/var/lib/scadm} SC_RUN=${SC_RUN:-/var/run/container} SC_PREFIX=${SC_PREFIX:-sc}
	case $SC_ROOT$SC_RUN in *[!a-zA-Z0-9_./-]* | [!/]*) die "SC_ROOT and SC_RUN are absolute paths of letters, digits and '_./-'" ;; esac
	valid_name SC_PREFIX "$SC_PREFIX"
	[ ${#SC_PREFIX} -le 11 ] || die "SC_PREFIX '$SC_PREFIX': at most 11 characters, it begins the names of links"
	SC_CGROUP=${SC_CGROUP:-$SC_PREFIX}
	case /$SC_CGROUP/ in
	*//* | */./* | */../* | *[!a-zA-Z0-9_.:@/-]*) die "SC_CGROUP '$SC_CGROUP': a path below the top of the cgroups, such as system.slice/scadm-cgroup.service/sc" ;;
	esac
	case $door in run | print | explain | step) ;; *) die "SC_DOOR is run, print, explain or step, not '$door'" ;; esac
	read -r boot_id </proc/sys/kernel/random/boot_id
}

. "$SC_LIB/lib/options.sh"
settings
