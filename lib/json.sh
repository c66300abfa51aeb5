# shellcheck shell=sh
# lib/json.sh - JSON (RFC 8259) from words and words from JSON, without a process where nothing needs escaping

# json_string TEXT - sets $json to TEXT as a JSON string; bytes that are not UTF-8 become U+FFFD
json_string() {
	local rest="$1" char
	case $1 in
	*[!\ -~]*) # control characters and everything beyond ASCII: let sqlite3 escape what iconv let through
		if printf '%s' "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1; then
			rest=$1
		else
			rest=$(printf '%s.' "$1" | iconv -c -f UTF-8 -t UTF-8)
			rest=${rest%.}
		fi
		sql_string "$rest"
		json=$(printf 'SELECT json_quote(%s);' "$sql" | sqlite3 -init /dev/null :memory:)
		;;
	*[\"\\]*)
		json=''
		while [ "$rest" ]; do
			char=${rest%"${rest#?}"} rest=${rest#?}
			case $char in
			\" | \\) json="$json\\$char" ;;
			*) json="$json$char" ;;
			esac
		done
		json="\"$json\""
		;;
	*) json="\"$1\"" ;;
	esac
}

# sql_string TEXT - sets $sql to TEXT as an SQL string literal
sql_string() {
	local rest="$1"
	sql=''
	while :; do
		case $rest in
		*\'*) sql="$sql${rest%%\'*}''" rest=${rest#*\'} ;;
		*) break ;;
		esac
	done
	sql="'$sql$rest'"
}

# json_text JSON - sets $text to the characters of a JSON string
json_text() {
	local rest
	text=${1#\"}
	text=${text%\"}
	case $text in *\\*) ;; *) return 0 ;; esac
	rest=$text text=''
	while :; do
		case $rest in
		*\\*) ;;
		*) break ;;
		esac
		text=$text${rest%%\\*} rest=${rest#*\\}
		case $rest in
		n*) text=$text$nl ;;
		t*) text="$text	" ;;
		r*) text=$text$(printf '\r') ;;
		b*) text=$text$(printf '\b') ;;
		f*) text=$text$(printf '\f') ;;
		u00*) # json_quote of sqlite3 writes only control characters so
			rest=${rest#u00}
			text=$text$(printf '%b' "\\0$(printf '%o' "0x${rest%"${rest#??}"}")")
			rest=${rest#?}
			;;
		*) text=$text${rest%"${rest#?}"} ;;
		esac
		rest=${rest#?}
	done
	text=$text$rest
}
