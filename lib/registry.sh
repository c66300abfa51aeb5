# shellcheck shell=sh
# lib/registry.sh - registries: names, and skopeo, which speaks with them
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/image.sh and lib/layout.sh: SC_ROOT, nl, ref, full
#
# skopeo does transport, proxies, certificates and passwords, as /etc/containers and the environment tell it.

# registry_known TEXT - sets $ref to the reference of an image with that full name, as docker shows it; status 1: it is none
registry_known() {
	local name="$1"
	# a tag alone is no name
	case $name in *@* | [!a-z0-9]*) return 1 ;; *[:/]*) ;; *) return 1 ;; esac
	case $name in docker.io/* | index.docker.io/*) name=${name#*docker.io/} name=${name#library/} ;; esac
	image_ref "$name"
}

# registry_full REF - sets $full to the whole name of a reference, with its registry
registry_full() {
	full=$1
	case $1 in
	localhost/* | *.*/* | *:*/*) case ${1%%/*} in localhost | *.* | *:*) return 0 ;; esac ;;
	esac
	case $1 in */*) full=docker.io/$1 ;; *) full=docker.io/library/$1 ;; esac
}

# registry_tls TEXT - note the value of --tls-verify in $tls
registry_tls() {
	case $1 in
	true | false) tls=$1 ;;
	*) bad_usage "--tls-verify is true or false, not '$1'" ;;
	esac
}

# registry_ref TEXT - understand the name of an image in a registry
# sets $ref and $image_file (our name), $registry, $repository (with the registry) and $where (:TAG or @sha256:DIGEST)
registry_ref() {
	local name="$1" digest=''
	case $1 in
	*@*)
		name=${1%%@*} digest=${1#*@}
		layout_digest "$digest" || die "'$1': after the @ stands sha256: and 64 hexadecimal digits"
		case ${name##*/} in *:*) ;; *) name=$name:sha256-$hex ;; esac
		;;
	esac
	case $name in
	*[:/]*) ;;
	*) name=$name:latest ;;
	esac
	registry_known "$name" || die "${ref_error:-"'$1' is no name of an image in a registry"}"
	registry_full "$ref"
	registry=${full%%/*} repository=${full%:*} where=:${full##*:}
	[ ! "$digest" ] || where=@$digest
	registry_insecure
}

# registry_insecure - unless told otherwise, a registry of this very machine need not have a certificate, as for docker
registry_insecure() {
	[ ! "${tls:-}" ] || return 0
	tls=true
	case ${registry%%:*} in
	localhost) tls=false ;;
	127.*) case ${registry%%:*} in *[!0-9.]*) ;; *) tls=false ;; esac ;;
	esac
}

# registry_host TEXT - sets $registry to HOST[:PORT], and $tls
registry_host() {
	registry=$1
	case $1 in
	'' | [!a-zA-Z0-9[]* | *[!a-zA-Z0-9.:[\]_-]*) die "'$1' is no registry: HOST or HOST:PORT" ;;
	esac
	registry_insecure
}

# registry_kept - does `scadm login` keep a password for $registry?
registry_kept() {
	[ -e "$SC_ROOT/auth.json" ] && grep -qF "\"$registry\"" "$SC_ROOT/auth.json"
}

# registry_skopeo HOW WORD... - have HOW run skopeo with the passwords that `scadm login` keeps; it ends when we do
registry_skopeo() {
	local how="$1"
	shift
	# for other registries there are those of the user, where skopeo looks by itself
	! registry_kept || set -- "$@" --authfile="$SC_ROOT/auth.json"
	"$how" setpriv --pdeathsig=KILL skopeo "$@"
}

# registry_ask WORD... - sets $answer to what skopeo inspect --raw says, byte for byte, or leaves with its words
registry_ask() {
	# the 7 is stdout of the substitution; the dot keeps a line break at the end
	answer=$({ registry_skopeo env inspect --raw --tls-verify="$tls" "$@" 2>&1 >&7 7>&- | registry_explain; } 7>&1 && printf .)
	answer=${answer%.}
	[ "$answer" ] || die "$repository$where cannot be fetched"
}

# registry_sum TEXT - sets $sum and $length of it
registry_sum() {
	sum=$(printf '%s' "$1" | sha256sum)
	sum=${sum%% *}
	length=$(printf '%s' "$1" | wc -c)
}

# registry_explain - say what skopeo says on stdin, and what to do
registry_explain() {
	local text
	text=$(sed 's/^time="[^"]*" level=[a-z]* msg="\(.*\)"$/\1/; s/\\"/"/g; s/^Error parsing image name "[^"]*": //')
	[ "$text" ] || return 0
	say "skopeo: $text"
	case $text in
	*unauthorized* | *'authentication required'* | *denied* | *'invalid username/password'*)
		say "  does it exist, and may you? 'scadm login $registry'"
		;;
	*'server gave HTTP response to HTTPS client'*) say "  $registry does not speak TLS: if the way there is safe, --tls-verify=false" ;;
	*x509:* | *certificate*) say '  its certificate is not known here: put that of its authority into /etc/containers/certs.d, or --tls-verify=false' ;;
	*'manifest unknown'* | *'name unknown'* | *'not found'*) say '  check the name and the tag' ;;
	*'no space left'*) say "  the disk is full" ;;
	*'no such host'* | *'connection refused'* | *unreachable* | *timeout* | *'server misbehaving'*) say "  is $registry the right name, and can it be reached from here?" ;;
	esac
}

# registry_copy SIDE SOURCE DESTINATION - have skopeo copy an image from (src) or to (dest) a registry
registry_copy() {
	local side="$1" status=0
	shift
	set -- copy ${quiet:+--quiet} --"$side"-tls-verify="$tls" "$@"
	case $side in
	# what we push is ours
	dest) set -- --insecure-policy "$@" --digestfile="$record/digest" ;;
	# the policy, of signatures, is the user's; without one any image may come, as long as its digests are right
	src) [ -e /etc/containers/policy.json ] || [ -e "${HOME:-/root}/.config/containers/policy.json" ] || set -- --insecure-policy "$@" ;;
	esac
	set -- --tmpdir="$record" "$@"
	if [ "$door" = run ]; then
		# what a registry says is not for the terminal as it is
		# door: in our record
		registry_skopeo try "$@" 2>"$record/stderr" || status=$?
		registry_explain <"$record/stderr"
		[ "$status" -eq 0 ] || failed "$status" skopeo "$@"
	else
		registry_skopeo cmd "$@"
	fi
}

# registry_need - skopeo is here
registry_need() {
	command -v skopeo >/dev/null || die 'skopeo is needed: apt-get install skopeo, dnf install skopeo, apk add skopeo'
}
