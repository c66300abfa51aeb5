# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and lib/json.sh: nl, sql
# lib/filter.sh - --filter KEY=VALUE of every list: of one key any value will do, of different keys each must hold
#
# A verb gives each value of -f and --filter to filter_add, which refuses unknown keys, and then asks one of
#	filter_where KEY=KIND:COLUMN...     for a list that sqlite3 makes: sets $where, a condition in SQL
#	filter_match KEY KIND WORD...       for a list that the shell makes: status 0 if the object stays
# The kinds: is (the same text), begin (begins with it), part (a regular expression in SQL; in the shell a part, with
# ^ and $ for its ends), glob (a pattern of the shell), any (is, in a JSON array of text), label (KEY or KEY=VALUE in a JSON
# object, of which each must hold, as docker has it).

filters=''

# filter_add KEYS KEY=VALUE - remember what the user asked for; KEYS are those that this list has, between blanks
filter_add() {
	local key="${2%%=*}"
	case $2 in
	?*=*) ;;
	*) die "--filter '$2': write KEY=VALUE; the keys are$1" ;;
	esac
	case $1 in
	*" $key "*) ;;
	*) die "--filter '$2': there is no key '$key' here; the keys are$1" ;;
	esac
	case $2 in *"$nl"*) die "--filter: a value has no line breaks" ;; esac
	filters=$filters$2$nl
}

# filter_values KEY - sets $values to what was asked of the key, a line each; status 1: nothing
filter_values() {
	local rest="$nl$filters" value
	values=''
	while :; do
		case $rest in *"$nl$1="*) ;; *) break ;; esac
		rest=${rest#*"$nl$1="}
		value=${rest%%"$nl"*}
		values=$values$value$nl
		rest=$nl${rest#*"$nl"}
	done
	[ "$values" ]
}

# filter_where KEY=KIND:COLUMN... - sets $where to the condition in SQL, which is 1 where nothing was asked
filter_where() {
	local pair kind column rest value any
	where=1
	for pair; do
		filter_values "${pair%%=*}" || continue
		pair=${pair#*=}
		kind=${pair%%:*} column=${pair#*:} rest=$values any=''
		while [ "$rest" ]; do
			value=${rest%%"$nl"*} rest=${rest#*"$nl"}
			sql_string "$value"
			case $kind in
			is) any="$any OR $column = $sql" ;;
			begin) any="$any OR substr($column, 1, length($sql)) = $sql" ;;
			part) any="$any OR $column REGEXP $sql" ;;
			glob) any="$any OR $column GLOB $sql" ;;
			any) any="$any OR EXISTS (SELECT 1 FROM json_each($column) AS e WHERE e.value = $sql)" ;;
			label)
				case $value in *=*) value="e.key || '=' || e.value" ;; *) value=e.key ;; esac
				where="$where AND EXISTS (SELECT 1 FROM json_each($column) AS e WHERE $value = $sql)"
				;;
			*) die "BUG: '$kind' is no kind of filter" ;;
			esac
		done
		[ ! "$any" ] || where="$where AND (${any# OR })"
	done
}

# filter_match KEY KIND WORD... - whether nothing was asked of the key, or one of the words is it
filter_match() {
	local key="$1" kind="$2" rest value word
	shift 2
	filter_values "$key" || return 0
	rest=$values
	while [ "$rest" ]; do
		value=${rest%%"$nl"*} rest=${rest#*"$nl"}
		for word; do
			# what the user means as a pattern is one
			# shellcheck disable=SC2254
			case $kind in
			is) [ "$word" != "$value" ] || return 0 ;;
			begin) case $word in "$value"*) return 0 ;; esac ;;
			glob) case $word in $value) return 0 ;; esac ;;
			part)
				key=${value#^}
				key=${key%\$}
				case ${value%"${value#?}"},${value#"${value%?}"},$word in
				^,\$,*) [ "$word" != "$key" ] || return 0 ;;
				^,*,*) case $word in "$key"*) return 0 ;; esac ;;
				*,\$,*) case $word in *"$key") return 0 ;; esac ;;
				*) case $word in *"$key"*) return 0 ;; esac ;;
				esac
				;;
			*) die "BUG: '$kind' is no kind of filter for words" ;;
			esac
		done
	done
	return 1
}
