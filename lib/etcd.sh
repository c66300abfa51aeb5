# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and lib/json.sh
# lib/etcd.sh - etcd v3 through etcdctl(1): its options, its record file, its answers, its transactions
#
# The record of a network across hosts has them in the file `etcd`, which root alone may read: lines NAME VALUE. etcdctl
# gets all of them in its environment: a password in its arguments would be seen in `ps`.

etcd_valued=' --etcd --etcd-cacert --etcd-cert --etcd-key --etcd-user --etcd-prefix '

# etcd_clear - no options yet
etcd_clear() {
	etcd_endpoints='' etcd_cacert='' etcd_cert='' etcd_key='' etcd_user='' etcd_prefix=''
}

# etcd_option - take $option with its $value, one of $etcd_valued; status 1: it is none of them
etcd_option() {
	# a word on each line of a file
	case $value in *[!\ -~]*) die "$option: control characters, or such beyond ASCII, are not for etcd's options" ;; esac
	case $option in
	--etcd) etcd_endpoints=$value ;;
	--etcd-cacert) etcd_cacert=$value ;;
	--etcd-cert) etcd_cert=$value ;;
	--etcd-key) etcd_key=$value ;;
	--etcd-user) etcd_user=$value ;;
	--etcd-prefix) etcd_prefix=$value ;;
	*) return 1 ;;
	esac
}

# etcd_ask - refuse options that cannot work, make the paths whole, and let etcdctl have them
etcd_ask() {
	local rest endpoint
	command -v etcdctl >/dev/null || die "etcdctl is needed for networks across hosts: install etcd-client (Fedora, Alpine, Arch: etcd)"
	[ "$etcd_endpoints" ] || die "a network across hosts needs --etcd=ENDPOINTS, such as --etcd=192.0.2.1:2379"
	rest=$etcd_endpoints,
	while [ "$rest" ]; do
		endpoint=${rest%%,*} rest=${rest#*,}
		case $endpoint in http://*) endpoint=${endpoint#http://} ;; https://*) endpoint=${endpoint#https://} ;; esac
		case $endpoint in
		\[*[!0-9a-fA-F:.]*\]:* | *[!a-zA-Z0-9_.:\[\]-]* | :* | *:) die "--etcd '$etcd_endpoints': write [http[s]://]HOST:PORT, several with commas between" ;;
		esac
		etcd_is_port "${endpoint##*:}" && [ "$endpoint" != "${endpoint##*:}" ] ||
			die "--etcd '$etcd_endpoints': '$endpoint' has no port from 1 to 65535; etcd's is 2379"
	done
	for endpoint in cacert cert key; do
		case $endpoint in
		cacert) rest=$etcd_cacert ;;
		cert) rest=$etcd_cert ;;
		*) rest=$etcd_key ;;
		esac
		[ "$rest" ] || continue
		[ -r "$rest" ] && [ -f "$rest" ] || die "--etcd-$endpoint '$rest': there is no such file"
		absolute "$rest"
		case $endpoint in
		cacert) etcd_cacert=$path ;;
		cert) etcd_cert=$path ;;
		*) etcd_key=$path ;;
		esac
	done
	case ${etcd_cert:+c}${etcd_key:+k} in '' | ck) ;; *) die '--etcd-cert and --etcd-key go together' ;; esac
	case $etcd_user in '' | ?*:*) ;; *) die "--etcd-user: write NAME:PASSWORD; ETCDCTL_USER in the environment does the same unseen by others" ;; esac
	[ "$etcd_user" ] || etcd_user=${ETCDCTL_USER-}
	etcd_prefix=${etcd_prefix:-/scadm}
	case $etcd_prefix in
	/*[!a-zA-Z0-9_./-]* | [!/]* | */ | *//*) die "--etcd-prefix '$etcd_prefix': a key such as /scadm, of letters, digits and '_./-'" ;;
	esac
	etcd_use
}

# etcd_is_port TEXT - whether it is a port number
etcd_is_port() {
	case $1 in '' | *[!0-9]* | 0* | ??????*) return 1 ;; esac
	[ "$1" -le 65535 ]
}

# etcd_use - let etcdctl have the options, and nothing that the caller's environment says
etcd_use() {
	unset ETCDCTL_ENDPOINTS ETCDCTL_CACERT ETCDCTL_CERT ETCDCTL_KEY ETCDCTL_USER ETCDCTL_PASSWORD ETCDCTL_DISCOVERY_SRV \
		ETCDCTL_DISCOVERY_SRV_NAME ETCDCTL_INSECURE_TRANSPORT ETCDCTL_INSECURE_SKIP_TLS_VERIFY ETCDCTL_INSECURE_DISCOVERY \
		ETCDCTL_DIAL_TIMEOUT ETCDCTL_COMMAND_TIMEOUT ETCDCTL_KEEPALIVE_TIME ETCDCTL_KEEPALIVE_TIMEOUT ETCDCTL_WRITE_OUT \
		ETCDCTL_HEX ETCDCTL_DEBUG ETCDCTL_WATCH_KEY ETCDCTL_WATCH_RANGE_END
	export ETCDCTL_API=3 "ETCDCTL_ENDPOINTS=$etcd_endpoints"
	[ ! "$etcd_cacert" ] || export "ETCDCTL_CACERT=$etcd_cacert"
	[ ! "$etcd_cert" ] || export "ETCDCTL_CERT=$etcd_cert" "ETCDCTL_KEY=$etcd_key"
	[ ! "$etcd_user" ] || export "ETCDCTL_USER=$etcd_user"
}

# etcd_write FILE - keep the options in FILE, which nobody else may read even for a moment
etcd_write() {
	cmd install -m 0600 /dev/null "$1"
	put "$1" "endpoints $etcd_endpoints" "prefix $etcd_prefix" ${etcd_cacert:+"cacert $etcd_cacert"} \
		${etcd_cert:+"cert $etcd_cert" "key $etcd_key"} ${etcd_user:+"user $etcd_user"}
}

# etcd_read FILE - the options again, for etcdctl; status 1: there is no such file
etcd_read() {
	local key text
	etcd_clear
	[ -e "$1" ] || return 1
	while IFS=' ' read -r key text; do
		case $key in
		endpoints) etcd_endpoints=$text ;;
		prefix) etcd_prefix=$text ;;
		cacert) etcd_cacert=$text ;;
		cert) etcd_cert=$text ;;
		key) etcd_key=$text ;;
		user) etcd_user=$text ;;
		esac
	done <"$1"
	etcd_use
}

# etcd_call WORD... - sets $etcd_answer to all that etcdctl prints; its status
etcd_call() {
	etcd_answer=$(etcdctl --dial-timeout=2s --command-timeout="${etcd_timeout:-3s}" "$@" 2>&1)
}

# etcd_transaction LINE... - the lines of `etcdctl txn`, an empty one between its three parts: status 0 done, 75 a
# comparison did not hold (somebody was faster), else etcd's own
etcd_transaction() {
	local status=0
	etcd_answer=$(printf '%s\n' "$@" '' | etcdctl --dial-timeout=2s --command-timeout=3s txn 2>&1) || status=$?
	[ "$status" -eq 0 ] || return "$status"
	# warnings may stand before it
	case $nl$etcd_answer$nl in
	*"${nl}SUCCESS$nl"*) ;;
	*"${nl}FAILURE$nl"*) return 75 ;;
	*) return 1 ;;
	esac
}

# etcd_why - sets $why to what $etcd_answer says went wrong, for people
etcd_why() {
	# what kept it from an answer in time etcdctl tells only a debugger; to nobody else, as it prints all its options then.
	# It fails once more, and what it says is all that is wanted
	case $etcd_answer in
	*'deadline exceeded'*) etcd_answer=$(etcdctl --debug --dial-timeout=1s --command-timeout=1s get "$etcd_prefix" 2>&1) || : ;;
	esac
	why=$etcd_answer
	case $why in
	*'authentication handshake failed: '*) why="TLS: ${why##*authentication handshake failed: }" ;;
	*'dial tcp '*) why=${why##*dial tcp } ;;
	*'Error: '*) why=${why##*Error: } ;;
	*) why='no answer' ;;
	esac
	why=${why%%[\"\\]*}
	why=${why%%"$nl"*}
}

# etcd_refuse - leave because etcd said no, or nothing
etcd_refuse() {
	etcd_why
	die "etcd at $etcd_endpoints: $why: does it run and listen there ('etcdctl --endpoints=$etcd_endpoints endpoint health')? TLS wants https:// and --etcd-cacert, users --etcd-user"
}

# etcd_get PREFIX - sets $revision, that of etcd, and $pairs, what is below PREFIX: lines KEY MODIFIED LEASE VALUE
# KEY is without PREFIX, MODIFIED a revision, LEASE a decimal number (0: none), VALUE one line, `?` for one that cannot be
# ours; a key that cannot be ours is left out
etcd_get() {
	local line key='' value modified=0
	pairs='' revision=0
	etcd_call get --prefix "$1" -w fields || return 1
	while IFS= read -r line; do
		case $line in
		'"Revision" : '*) revision=${line##* } ;;
		'"Key" : "'*)
			key=${line#*'" : "'}
			key=${key%\"}
			;;
		'"ModRevision" : '*) modified=${line##* } ;;
		'"Value" : '*) value=${line#*' : '} ;;
		'"Lease" : '*)
			# a string of Go with nothing to escape but quotes; no line end and no control character is in it then
			case $key in *[!\ -~]* | *\\*) continue ;; esac
			case $value in
			*[!\ -~]* | *\\[!\"]*) text='?' ;;
			*) json_text "$value" ;;
			esac
			case $key in "$1"*) ;; *) continue ;; esac
			case $key in *\ *) ;; *) pairs="$pairs${key#"$1"} $modified ${line##* } $text$nl" ;; esac
			;;
		esac
	done <<-END
		$etcd_answer
	END
	case $revision in '' | *[!0-9]*) return 1 ;; esac
}
