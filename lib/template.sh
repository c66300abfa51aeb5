# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh: nl
# lib/template.sh - a list in the shape that the user asks for: --format table, json, or a template of fields
#
# A list is lines of fields between tabs. Its first line, the fields, says what each is called in a template and
# at the head of a table: NAME=HEADING. Within a field, control characters and backslashes stand as in a
# JSON string (\n \t \u001b \\) and quotes as they are: a row is one line whatever is in it.
# A template is text with {{.NAME}}, {{json .NAME}} and {{json .}} in it (the syntax of Go's text/template, as
# docker has it), \t and \n; after `table ` it has a head, and its tabs part columns.

# template_parse FORMAT TABLE FIELDS - sets $template for template_print; refuses what FIELDS does not have
# TABLE is what the word table alone means
template_parse() {
	local rest="$1" fields="	$3" text action
	case $rest in
	'') die "--format '': write table, json or a template such as '{{.Name}}'" ;;
	table) rest=$2 ;;
	json) rest='{{json .}}' ;;
	esac
	template=rows
	case $rest in
	table*) template=table rest=${rest#table} rest=${rest# } ;;
	esac
	while :; do
		text=${rest%%'{{'*}
		rest=${rest#"$text"}
		template_text "$text"
		[ "$rest" ] || break
		case $rest in *'}}'*) ;; *) die "--format '$1': '$rest' has no end, a field is {{.NAME}}" ;; esac
		rest=${rest#'{{'}
		action=${rest%%'}}'*}
		rest=${rest#*'}}'}
		template_action "$action"
	done
}

# template_text TEXT - add text to $template, in one line
template_text() {
	local rest="$1" text=''
	while :; do
		case $rest in
		*"$nl"*) text="$text${rest%%"$nl"*}\\n" rest=${rest#*"$nl"} ;;
		*) break ;;
		esac
	done
	[ ! "$text$rest" ] || template="$template${nl}text $text$rest"
}

# template_action TEXT - add what stood between braces to $template; reads $fields of template_parse
template_action() {
	local action="$1"
	# shellcheck disable=SC2086 # split on purpose
	set -- $action
	case $#,${1-},${2-} in
	1,.?*,) set -- field "${1#.}" ;;
	2,json,.) set -- json . ;;
	2,json,.?*) set -- json "${2#.}" ;;
	*) die "--format '{{$action}}': write {{.NAME}}, {{json .NAME}} or {{json .}}" ;;
	esac
	case $2,$fields in
	.,* | "${2%%[!a-zA-Z0-9]*}",*"	$2="*) template="$template$nl$1 $2" ;;
	*)
		action=''
		while [ "$fields" ]; do
			fields=${fields#?}
			action="$action ${fields%%=*}"
			fields=${fields#"${fields%%	*}"}
		done
		die "--format: there is no field '$2' here; the fields are$action"
		;;
	esac
}

# template_print - print the list on stdin, fields and rows, as $template says; one process
template_print() {
	template="$template" awk -F '\t' '
		# join(TEXT, FROM, TO) - TEXT with TO in the place of the regular expression FROM; gsub would read TO
		function join(text, from, to,    piece, count, i, joined) {
			count = split(text, piece, from)
			joined = piece[1]
			for (i = 2; i <= count; i++)
				joined = joined to piece[i]
			return joined
		}
		# quoted(TEXT) - a field as a JSON string
		function quoted(text) {
			return "\"" join(text, "\"", "\\\"") "\""
		}
		# filled() - the template with the fields of this line, or of the head
		function filled(    i, k, line) {
			line = ""
			for (i = 2; i <= parts; i++) {
				if (kind[i] == "text") line = line word[i]
				else if (NR == 1) line = line heading[number[word[i]]]
				else if (kind[i] == "field") line = line join($number[word[i]], "\\\\\\\\", "\\")
				else if (word[i] != ".") line = line quoted($number[word[i]])
				else
					for (k = 1; k <= fields; k++)
						line = line (k == 1 ? "{" : ",") quoted(name[k]) ":" quoted($k) (k == fields ? "}" : "")
			}
			return line
		}
		# width(TEXT) - how many characters of UTF-8 it has
		function width(text) {
			gsub(/[\200-\277]/, "", text)
			return length(text)
		}
		# add(TEXT) - keep lines of a table
		function add(text,    line, lines, i, k) {
			lines = split(text, line, "\n")
			for (i = 1; i <= lines; i++) {
				columns[++rows] = split(line[i], column, "\t")
				for (k = 1; k <= columns[rows]; k++) {
					cell[rows, k] = column[k]
					if (widest[k] < width(column[k])) widest[k] = width(column[k])
				}
			}
		}
		BEGIN {
			parts = split(ENVIRON["template"], part, "\n")
			for (i = 2; i <= parts; i++) {
				kind[i] = substr(part[i], 1, index(part[i], " ") - 1)
				word[i] = substr(part[i], index(part[i], " ") + 1)
				if (kind[i] == "text") word[i] = join(join(word[i], "\\\\n", "\n"), "\\\\t", "\t")
			}
		}
		NR == 1 {
			for (fields = 1; fields <= NF; fields++) {
				name[fields] = substr($fields, 1, index($fields, "=") - 1)
				heading[fields] = substr($fields, index($fields, "=") + 1)
				number[name[fields]] = fields
			}
			fields = NF
			if (part[1] == "table") add(filled())
			next
		}
		part[1] == "table" { add(filled()); next }
		{ print filled() }
		END {
			for (i = 1; i <= rows; i++) {
				line = ""
				for (k = 1; k < columns[i]; k++)
					line = line cell[i, k] sprintf("%" (widest[k] + 3 - width(cell[i, k])) "s", "")
				line = line cell[i, k]
				sub(/ +$/, "", line)
				print line
			}
		}'
}
