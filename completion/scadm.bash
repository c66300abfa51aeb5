# shellcheck shell=bash
# completion/scadm.bash - what bash offers after `scadm` and a tab; source it, or let bash-completion find it
#
# There is no list in here to keep in step: verbs are files, the options of a verb and what their values are
# stand in the `#:` lines of its file, and names are those of files in the state directory.

# _scadm_usage VERB - print the usage lines of a verb
_scadm_usage() {
	local file="$bin/scadm-$1"
	[[ -r $file ]] || file=$(command -v "scadm-$1") || return 0
	sed -n 's/^#: \{0,1\}//p' "$file" 2>/dev/null
}

# _scadm_names PATTERN [SUFFIX] - print the last part of the paths that match, without SUFFIX
_scadm_names() {
	local path
	for path in $1; do
		[[ ! -e $path ]] || basename -- "$path" "${2-}"
	done
}

# _scadm_setting NAME DEFAULT - print a setting: environment over /etc/scadm.conf over default
_scadm_setting() {
	local line=${!1-}
	[[ $line ]] || line=$(sed -n "s/^$1=//p" "${SC_CONF:-/etc/scadm.conf}" 2>/dev/null | tail -n 1)
	printf '%s\n' "${line:-$2}"
}

# _scadm_values VERB META - print what may stand where the usage text says META
_scadm_values() {
	local root
	root=$(_scadm_setting SC_ROOT /var/lib/scadm)
	case $2 in
	NETNS | A) _scadm_names '/run/netns/*' ;;
	NET)
		printf '%s\n' bridge none host
		_scadm_names "$root/networks/* /run/netns/*"
		;;
	IMAGE | *'[:TAG]'*)
		# a colon would be a word of its own for bash, so the tag that is the default is left away
		_scadm_names "$root/images/*.json" .json | tr % / | sed 's/:latest$//'
		;;
	RECIPE) _scadm_names "$bin/../images/*.sh" .sh ;;
	'NETWORK|CONTAINER|NAMESPACE') _scadm_names "$root/networks/* $root/containers/* /run/netns/*" | sort -u ;;
	'NAME|ID' | 'NAME|ID:'*) _scadm_names "$root/containers/*" ;;
	NAME)
		# the last word of the verb is the kind of thing that is named; what create- names is not there yet
		case $1 in
		create-*) ;;
		set-cgroup) _scadm_names "$root/cgroups/* $root/containers/*" ;;
		*-netns) _scadm_names "$root/netns/*" ;;
		volume-*) _scadm_names "$root/volumes/*" ;;
		*-*) _scadm_names "$root/${1##*-}s/*" ;;
		esac
		;;
	JOURNAL) compgen -G "$root/*/*/undo" ;;
	BRIDGE | NETWORK) _scadm_names "$root/networks/*" ;;
	'NETWORK|ID')
		# the three that are always there can be looked at, and not removed
		[[ $1 == network-rm ]] || printf '%s\n' bridge host none
		_scadm_names "$root/networks/*"
		;;
	PEER) _scadm_names "$root/containers/*" ;;
	*)
		# auto|host: the values themselves
		[[ $2 =~ ^[a-z-]+(\|[a-z-]+)+$ ]] || return 1
		tr '|' '\n' <<<"$2"
		;;
	esac
}

# _scadm - fill COMPREPLY
_scadm() {
	local IFS=$' \t\n' bin cur prev verb='' index=1 usage meta word words=''
	bin=$(readlink -f "$(command -v "${COMP_WORDS[0]}")") && bin=${bin%/*} || return 0
	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	# bash takes --name=x apart at the equals sign
	if [[ $cur == '=' ]]; then
		cur=''
	elif [[ $prev == '=' ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	while ((index < COMP_CWORD)); do
		case ${COMP_WORDS[index]} in
		# the word behind these is no verb, and bash has a colon in it as a word of its own
		-H | --host | -c | --context)
			while ((index < COMP_CWORD)) && [[ ${COMP_WORDS[index + 2]-} == : ]]; do ((index += 2)); done
			((index += 1))
			;;
		-*) ;;
		*)
			verb=${COMP_WORDS[index]} word=${COMP_WORDS[index + 1]-}
			# scadm volume create: two words, one verb
			if ((index + 1 < COMP_CWORD)) && [[ $word && -e $bin/scadm-$verb-$word ]]; then
				verb=$verb-$word
			fi
			break
			;;
		esac
		((index += 1))
	done
	if [[ ! $verb && ($prev == -c || $prev == --context) ]]; then
		mapfile -t COMPREPLY < <(compgen -W "default $(_scadm_names "${XDG_CONFIG_HOME:-$HOME/.config}/scadm/contexts/*")" -- "$cur")
		return 0
	fi
	if [[ ! $verb || $verb == help ]]; then
		# the global options stand in what `scadm help` prints, and so do the verbs
		words=$("$bin/scadm" help 2>/dev/null |
			sed -n 's/^  \(-.\), \(--[a-z-]*\) .*/\1 \2/p; s/^  \(--[a-z-]*\) .*/\1/p; s/^  \([a-z][a-z-]*\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words help" -- "$cur")
		return 0
	fi
	if [[ ! -e $bin/scadm-$verb && $((index + 1)) -eq $COMP_CWORD ]]; then
		words=$(_scadm_names "$bin/scadm-$verb-*")
		mapfile -t COMPREPLY < <(compgen -W "${words//scadm-$verb-/}" -- "$cur")
		return 0
	fi
	usage=$(_scadm_usage "$verb")

	# the value of an option: what the usage text has behind it
	if [[ $prev == -* ]]; then
		meta=$(sed -n -E "s/(^|.*[^a-z-])$prev(, --[a-z-]+)?[ =]([][a-zA-Z|:,.-]+).*/\3/p" <<<"$usage" | head -n 1)
		meta=${meta%%[],.:[]*}
		if words=$(_scadm_values "$verb" "$meta"); then
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
			return 0
		fi
		case $meta in
		'') ;;
		*FILE* | DIR* | SRC*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return 0
			;;
		[A-Z]*) return 0 ;;
		esac
	fi
	if [[ $cur == -* ]]; then
		words=$(grep -oE '(^|[ ,|[])--?[a-z][a-z0-9-]*' <<<"$usage" | grep -oE -- '--?[a-z][a-z0-9-]*' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$cur")
		return 0
	fi

	# an operand: the words in capitals of the first line
	for word in $(head -n 1 <<<"$usage"); do
		word=${word#[}
		[[ $word == [A-Z]* ]] || continue
		[[ $word == *'[:TAG]'* ]] || word=${word%%[].[]*}
		words="$words $(_scadm_values "$verb" "$word")"
	done
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	case $usage in
	*DIR* | *TAR* | *FILE*) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}
complete -o bashdefault -F _scadm scadm
