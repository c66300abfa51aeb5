# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and lib/journal.sh: record
# lib/undo-later.sh - what a container that runs is given besides ends with it: its own journal says so
# A part of lib/rate.sh and lib/attach-change.sh, which read it in.

# undo_later TEXT WORD... - state an undo in the journal of the container, unless TEXT stands there: what it undoes may come and go
# In a shell of its own: ours has another journal, and if we fail that one is unwound, never the container's.
undo_later() {
	(
		journal=$record/undo text=$1
		shift
		[ -s "$journal" ] && grep -qF -- "$text" "$journal" || "$@"
	) || exit
}
