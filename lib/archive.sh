# shellcheck shell=sh
# lib/archive.sh - tar streams: from a directory, a file or stdin, uncompressed, checked and summed up
# shellcheck disable=SC2034 # digest and size are for the verbs

# set by who takes layers of images: an archive may hold nothing, a directory is the upper one of an overlay
archive_layer=''

# archive_stream SOURCE - write the uncompressed tar of a directory, a file or `-` to stdout
# what fails says so on stderr and writes a line to descriptor 8: a pipeline has only one status
archive_stream() {
	if [ -d "$1" ]; then
		# door: a query, it writes to stdout
		sc-archive pack "$([ "$archive_layer" ] && echo --overlay || echo --one-file-system)" "$1" || echo broken >&8
	elif [ "$1" = - ]; then
		archive_plain | archive_tar
	elif [ -t 2 ] && command -v pv >/dev/null; then
		pv -- "$1" | archive_plain | archive_tar
	else
		archive_plain <"$1" | archive_tar
	fi
}

# archive_first N - take the first N bytes off stdin; sets $first to them as \ooo, byte after byte
archive_first() {
	# one byte at a time, to leave the next one in the pipe
	# door: a query, it writes to stdout
	first=$(dd bs=1 count="$1" 2>/dev/null | od -v -An -to1 | tr -d ' \n' | sed 's/.../\\&/g')
}

# archive_plain - uncompress stdin to stdout, by what its first bytes say
archive_plain() {
	local first how=cat status=0
	archive_first 6
	case $first in
	'\037\213'*) how=gzip ;;
	'\102\132\150'*) how=bzip2 ;;
	'\375\067\172\130\132\000') how=xz ;;
	'\050\265\057\375'*) how=zstd ;;
	esac
	command -v "$how" >/dev/null || {
		say "this archive needs $how, which is not installed"
		echo broken >&8
		return 0
	}
	# octal numbers only, to be made bytes again
	# shellcheck disable=SC2059
	{ printf "$first" && cat; } | archive_uncompress "$how" || status=$?
	[ "$status" -eq 0 ] || echo broken >&8
	# ended by SIGPIPE: whoever stopped reading said why
	[ "$status" -eq 0 ] || [ "$status" -gt 128 ] || say "$how could not read the archive to its end"
}

# archive_uncompress PROGRAM - run a decompressor, which reads what nobody checked, without any right
archive_uncompress() {
	[ "$1" != cat ] || exec cat
	exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
		"$1" -dc
}

# archive_tar - let stdin pass if it is a tar archive
archive_tar() {
	local first wrong=''
	archive_first 512
	case $first in
	'') wrong='the archive is empty' ;;
	*[1-7]*)
		# `ustar` at byte 257, four characters each
		[ "$(printf '%s' "$first" | cut -c1029-1048)" = '\165\163\164\141\162' ] ||
			wrong='this is no tar archive, nor one compressed by gzip, bzip2, xz or zstd'
		;;
	*) [ "$archive_layer" ] || wrong='the archive holds nothing' ;;
	esac
	if [ "$wrong" ]; then
		say "$wrong"
		echo broken >&8
	else
		# shellcheck disable=SC2059
		printf "$first"
		cat
	fi
}

# archive_count - read stdin, print its sha256 and its length
archive_count() {
	# door: a query, it writes to a pipe
	{ { tee /dev/fd/3 | sha256sum | cut -c1-64 >&4; } 3>&1 | wc -c; } 4>&1
}

# archive_sum SOURCE - sets $digest and $size of the tar of SOURCE; it is read once, nothing is written
# status 1: it could not be read, which was said
archive_sum() {
	local line
	digest='' size=''
	while read -r line; do
		case $line in
		broken) digest=broken ;;
		????????????????????????????????????????????????????????????????) digest=${digest:-$line} ;;
		*) size=$line ;;
		esac
	done <<-END
		$({ archive_stream "$1" | archive_count; } 8>&1)
	END
	[ "$digest" != broken ]
}
