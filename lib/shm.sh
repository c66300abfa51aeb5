# shellcheck shell=sh
# lib/shm.sh - /dev/shm of a container

# shm_read PID - sets $shm to the bytes /dev/shm of the process may hold; status 1: there is no such limit to be read
# Its mount says it, and no path of the container has to be followed.
shm_read() {
	local line size=''
	shm=''
	{
		while IFS= read -r line; do
			case $line in *' /dev/shm '*) ;; *) continue ;; esac
			# shellcheck disable=SC2086 # split on purpose: the fifth field is the mount point
			set -- $line
			[ "$5" = /dev/shm ] || continue
			# the container may have mounted more there: the last one is what it sees
			size=${line##* - }
			case $size in
			'tmpfs '*[,' ']size=*) size=${size##*[, ]size=} size=${size%%,*} ;;
			*) size='' ;;
			esac
		done <"/proc/$1/mountinfo"
	} 2>/dev/null || return 1
	case $size in
	'' | *[!0-9k]* | k* | *k?*) return 1 ;;
	*k) shm=$((${size%k} * 1024)) ;;
	*) shm=$size ;;
	esac
}
