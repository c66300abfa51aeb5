# shellcheck shell=sh
# lib/whiteout.sh - an unpacked layer of an OCI image becomes a lower directory of an overlay
# shellcheck disable=SC2034 # whiteout_umask is for scadm-unpack
#
# In an archive the file `.wh.NAME` says that NAME of the layers below is gone, and `.wh..wh..opq` that all of
# them is, in this directory (OCI image-spec, layer.md, "Whiteouts"). For overlayfs the first is a character device
# 0:0 called NAME, the second the attribute trusted.overlay.opaque=y of the directory. A whiteout says nothing
# of its own layer: `.wh.a` beside a directory `a` makes that one opaque.
#
# An archive may name a directory only as a part of paths. What overlayfs shows is the topmost one, so it has
# to look like that of the layers below. bsdtar makes such a directory with a mode that nobody gives
# one, by which it is found.
#
# All this is done after the unpacking, in a tree that nobody else sees or changes: no name in it can turn into a
# link under our hands. Names go from program to program ended by NUL. The changes are made by bsdtar, in its box,
# from a list in the format of mtree(5), one process for all.

# 0777 without this is 0021
whiteout_umask=0756

# whiteout_prepare DIR - give DIR the mode that says: the archive did not describe it
whiteout_prepare() {
	# door: a step of a change that cmd calls
	chmod 0021 "$1" || die "cannot change the mode of $1"
}

# whiteout_convert DIR BELOW - make DIR, with its box around it, a lower directory; BELOW is HEX:HEX:..., topmost
# first. status 1: it cannot be done; $wrong says why, if there is more to say
whiteout_convert() {
	local dir="$1" below="$2" marks
	marks=$(find "$dir" -xdev -name '.wh.*' -print -quit) || return 1
	if [ "$marks" ]; then
		[ ! "$(find "$dir" -xdev \( -name .wh. -o -name .wh.. -o -name .wh... \) -print -quit)" ] || {
			wrong='it has a whiteout of nothing (.wh.), or of the directory itself'
			return 1
		}
		# door: a step of a change that cmd calls
		whiteout_marks "$dir" opaque | (cd "$dir" && xargs -0 -r setfattr -h -n trusted.overlay.opaque -v y --) || return 1
	fi
	whiteout_mtree "$dir" "$below" "$marks" | {
		# the list is complete before its files go
		list=$(cat)
		# door: a step of a change that cmd calls
		[ ! "$marks" ] || find "$dir" -xdev -name '.wh.*' -prune -exec rm -rf --one-file-system -- {} + || exit 1
		[ "$list" ] || exit 0
		printf '#mtree\n%s\n' "$list" | unpack "$dir"
	}
}

# whiteout_marks DIR opaque|gone - print directories that are opaque, or what is gone of the layers below (`w:`
# before it) and whose directory was changed by a mark (`t:`)
whiteout_marks() {
	# shellcheck disable=SC2016 # a script for the shell that gets the paths
	find "$1" -xdev -name '.wh.*' -printf '%P\0' -prune | (
		cd "$1" && xargs -0 -r sh -c '
			wanted=$1
			shift
			for path; do
				name=${path##*/}
				parent=${path%"$name"}
				case $name in
				.wh..wh..opq) opaque=./$parent gone="" ;;
				# notes of aufs to itself
				.wh..wh.*) opaque="" gone="" ;;
				*)
					gone=$parent${name#.wh.} opaque=""
					if [ -d "$gone" ] && [ ! -L "$gone" ]; then
						opaque=./$gone gone=""
					elif [ -e "$gone" ] || [ -L "$gone" ]; then
						gone=""
					fi
					;;
				esac
				case $wanted in
				opaque) [ ! "$opaque" ] || printf "%s\0" "$opaque" ;;
				gone)
					[ ! "$gone" ] || printf "w:%s\0" "$gone"
					printf "t:%s\0" "${parent%/}"
					;;
				esac
			done' sh "$2"
	)
}

# whiteout_below DIR BELOW - print what the directories are like, below, that the archive does not describe
whiteout_below() {
	# where links of an image lead is in the box
	# shellcheck disable=SC2016 # a script for the shell in there
	find "$1" -xdev -type d -perm -0021 ! -perm /5756 -printf '%P\0' |
		xargs -0 -r chroot "$1.box" env -i LC_ALL=C PATH=/usr/bin:/bin sh -c '
			cd /below || exit 1
			layers=$1
			shift
			# paths leave at the front, what they are in a layer comes to the end
			for path; do
				shift
				for layer in $layers; do
					tree=$layer/$path
					if [ -d "$tree" ] && [ ! -L "$tree" ]; then
						set -- "$@" "$tree"
						break
					elif [ -e "$tree" ] || [ -L "$tree" ]; then
						break
					fi
				done
			done
			[ $# -eq 0 ] || find "$@" -maxdepth 0 -printf "b:%m:%U:%G:%T@:%p\0"' sh "$2"
}

# whiteout_mtree DIR BELOW MARKS - print, as mtree, the whiteouts and the directories that must be set right
whiteout_mtree() {
	{
		[ ! "$2" ] || whiteout_below "$1" "$(printf %s "$2" | tr : ' ')"
		[ ! "$3" ] || whiteout_marks "$1" gone
		# last: by then it is known which of them matter
		find "$1" -xdev -type d -printf 'd:%m:%U:%G:%T@:%P\0'
	} | od -An -v -to1 | awk '
		# described(PATH, MODE:UID:GID:TIME) - the line of a directory
		function described(path, text,    fact, time) {
			split(text, fact, ":")
			# nanoseconds; a time before 1970 has no place in the format
			time = match(fact[4], /^[0-9]+\.[0-9]+$/) ? " time=" substr(fact[4], 1, index(fact[4], ".") + 9) : ""
			return (path == "" ? "." : "./" path) " type=dir mode=" fact[1] " uid=" fact[2] " gid=" fact[3] time
		}
		# record(TEXT) - a line of the list, whose name may have colons too
		function record(text,    kind, rest, i, facts) {
			kind = substr(text, 1, 1)
			rest = substr(text, 3)
			if (kind == "w") { print "./" rest " type=char device=native,0,0 mode=0 uid=0 gid=0"; return }
			if (kind == "t") { changed[rest]; return }
			for (i = 1; i <= 4; i++) {
				facts = facts substr(rest, 1, index(rest, ":"))
				rest = substr(rest, index(rest, ":") + 1)
			}
			if (kind == "b") below[substr(rest, 66)] = facts
			else if (facts ~ /^2?21:/) print described(rest, rest in below ? below[rest] : "755:0:0:")
			else if (rest in changed) print described(rest, facts)
		}
		BEGIN {
			for (i = 33; i < 127; i++)
				if (i != 92) plain[sprintf("%03o", i)] = sprintf("%c", i)
		}
		{
			for (i = 1; i <= NF; i++) {
				if ($i == "000") { record(text); text = "" }
				else text = text ($i in plain ? plain[$i] : "\\" $i)
			}
		}'
}
