# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/options.sh and the modules named below
# lib/run-options.sh - the command line of run and create; each subject has its own options: lib/limits.sh, lib/attach-options.sh,
# lib/publish.sh, lib/resolve.sh, lib/mounts.sh, lib/log.sh, lib/health.sh, lib/restart.sh (NAME_valued, NAME_option)

valued="$limits_valued--name --hostname -e --env --env-file -w --workdir -u --user -l --label "
valued="$valued--userns --entrypoint --cap-add --cap-drop --security-opt --image --stop-signal --stop-timeout --cidfile "
valued="$valued$attach_valued$publish_valued$resolve_valued$mounts_valued$log_valued$health_valued$restart_valued"
interactive='' tty='' detach='' name='' hostname='' workdir='' user='' userns='' entrypoint='' image='' keep='' remove=''
read_only='' privileged='' init='' stop_signal='' stop_timeout='' labels='' id_file='' entrypoint_given=''
caps='' caps_add='' caps_drop='' no_new_privs=1 seccomp=1

# run_options WORD... - read the options into variables; sets $operands, the number of words after them
run_options() {
	while next_option "$valued" "$@"; do
		shift "$used"
		case $option in
		-i | --interactive) interactive=1 ;;
		-t | --tty) tty=1 ;;
		-d | --detach) detach=1 ;;
		--rm) remove=1 ;;
		--keep) keep=1 ;;
		--name) valid_name --name "$value" && name=$value ;;
		--hostname) valid_name --hostname "$value" && hostname=$value ;;
		-e | --env) environment_check "$value" ;;
		--env-file) environment_file_check "$value" ;;
		-w | --workdir)
			case $value in /*) workdir=$value ;; *) die "$option '$value': the path must be absolute" ;; esac
			;;
		-u | --user) user=$value ;;
		-l | --label) run_label "$value" ;;
		--userns)
			case $value in auto | host) userns=$value ;; *) die "--userns is auto or host, not '$value'" ;; esac
			;;
		--entrypoint) entrypoint=$value entrypoint_given=1 ;;
		--init) init=1 ;;
		--stop-signal)
			sc-signal --number "$value" >/dev/null || exit 125
			stop_signal=$value
			;;
		--stop-timeout)
			case $value in '' | *[!0-9]* | ??????*) die "--stop-timeout '$value': a number of seconds" ;; esac
			stop_timeout=$value
			;;
		--cidfile)
			[ ! -e "$value" ] || die "--cidfile '$value' is there already: is that container still needed?"
			absolute "$value"
			id_file=$path
			;;
		--read-only) read_only=1 ;;
		--cap-add)
			case $value in [aA][lL][lL]) caps=all ;; *) caps_add=$caps_add,+$(plain_word "$value") ;; esac
			;;
		--cap-drop)
			case $value in [aA][lL][lL]) caps=default,-all ;; *) caps_drop=$caps_drop,-$(plain_word "$value") ;; esac
			;;
		--privileged) privileged=1 ;;
		--security-opt)
			case $value in
			no-new-privileges | no-new-privileges[=:]true) no_new_privs=1 ;;
			no-new-privileges[=:]false) no_new_privs='' ;;
			seccomp=unconfined) seccomp='' ;;
			*) die "--security-opt '$value' is not known" ;;
			esac
			;;
		--image) image=$value ;;
		*) limits_option || attach_option || publish_option || resolve_option || mounts_option || log_option || health_option || restart_option || bad_usage "unknown option $option" ;;
		esac
	done
	shift "$used"
	operands=$#
	if [ ! "$image" ] && [ $# -gt 0 ]; then
		image=$1
		operands=$((operands - 1))
		[ "$image" ] || die "'' is not the name of an image; is a variable empty?"
	fi
	image=${image:-${SC_IMAGE:-busybox}}
	# docker's rule: ALL comes before single names, whatever their order here
	caps=${caps:-default}$caps_drop$caps_add
}

# run_label TEXT - add NAME=VALUE to $labels, members of a JSON object
run_label() {
	local key="${1%%=*}" text=''
	case $1 in *=*) text=${1#*=} ;; esac
	[ "$key" ] || die "$option '$1': write NAME=VALUE"
	json_string "$key"
	key=$json
	json_string "$text"
	labels=$labels${labels:+,}$key:$json
}

# run_defaults - what follows from the options together: keep, user namespace, privilege, limits
run_defaults() {
	foreground=1
	if [ "$detach" ]; then
		foreground=''
		[ "$remove" ] || keep=1
	fi
	restart_check
	log_ask
	if [ "$privileged" ]; then
		[ "$userns" != auto ] || die '--privileged is root on the host: it goes with --userns=host only'
		userns=host seccomp='' no_new_privs='' caps=all
	fi
	userns=${userns:-auto}
	asked=$limits
	limits_swap_alone
	limits_swap
	case $nl$limits in *"${nl}pids.max="*) ;; *) limits=pids.max=2048${limits:+$nl}$limits ;; esac
	[ "$privileged" ] || limits=devices=default$nl$limits
	limits_split
	# who may change the network of the host may lay itself another cable
	case $userns,$net_rate_in$net_rate_out$net_prio,$caps in
	host,?*,*all* | host,?*,*[+,][nN][eE][tT]_[aA][dD][mM][iI][nN]* | host,?*,*[cC][aA][pP]_[nN][eE][tT]_[aA][dD][mM][iI][nN]*)
		die '--net-rate and --net-prio do not bind a container that is root of the network of the host (--userns=host with NET_ADMIN)'
		;;
	esac
	attach_defaults
	case $net_rate_in$net_rate_out$net_prio,$attachments in
	,*) ;;
	*,) die '--net-rate and --net-prio are for the cable of the container itself: they go with --net=bridge, or a network of one' ;;
	*,*"$nl"*) die '--net-rate and --net-prio are for one cable: they go with one network' ;;
	esac
	[ ! "$init" ] || container_init
}
