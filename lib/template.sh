# shellcheck shell=sh
# lib/template.sh - a list in the shape that the user asks for: --format table, json, or a template of fields
#
# A list is lines of fields between tabs. Its first line, the fields, says what each is called in a template and
# at the head of a table: NAME=HEADING. Within a field, control characters and backslashes stand as in a
# JSON string (\n \t \u001b \\) and quotes as they are: a row is one line whatever is in it.
# NAME:json=HEADING is a field of JSON (an object, a list, a number). NAME:hidden= is left out by {{json .}}; so is
# NAME:json:hidden=, whose entries {{.NAME "key"}} prints, as docker's .Label does. NAME may be two words: Actor.ID.
# A template is the language of Go's text/template, as docker has it (lib/template.awk), with \t and \n; after `table `
# it has a head, and its tabs part columns.
#
# A verb calls template_parse before it does anything, then pipes fields and rows into template_print:
#	fields='ID=ID	Names=NAME	Labels=LABELS	Label:json:hidden='
#	template_parse "$format" 'table {{.ID}}\t{{.Names}}' "$fields"
#	{ printf '%s\n' "$fields"; sqlite3 … json_quote …; } | template_print
# In sqlite3 a field that is text is substr(json_quote(x), 2, length(json_quote(x)) - 2) with \" made " again.

# template_awk FILE - run the language with lib/FILE.awk; reads $template $template_table $template_checking
template_awk() {
	template="$template" template_table="$template_table" template_checking="${2-}" template_careful="${template_careful-}" \
		awk -f "$SC_LIB/lib/json.awk" -f "$SC_LIB/lib/template.awk" -f "$SC_LIB/lib/template-run.awk" \
		-f "$SC_LIB/lib/template-call.awk" -f "$SC_LIB/lib/$1.awk"
}

# template_parse FORMAT TABLE FIELDS - sets $template for template_print; refuses what FIELDS does not have
# TABLE is what the word table alone means
template_parse() {
	local complaint
	template=$1 template_table=''
	case $1 in
	'') die "--format '': write table, json or a template such as '{{.ID}}'" ;;
	table) template=$2 ;;
	json) template='{{json .}}' ;;
	esac
	case $template in
	table*) template=${template#table} template_table=1 ;;
	esac
	[ ! "$template_table" ] || template=${template# }
	case $1 in table | json) return 0 ;; esac
	complaint=$(printf '%s\n' "$3" | template_awk template-list 1) || die "${complaint:-cannot run awk, which reads the template}"
}

# template_print - print the list on stdin, fields and rows, as $template says; one process
template_print() {
	template_awk template-list
}

# sql_field EXPRESSION - sets $sql to the SQL that makes a field of a list from this text
sql_field() {
	sql="replace(substr(json_quote($1), 2, length(json_quote($1)) - 2), '\\\"', '\"')"
}

# sql_age EXPRESSION - sets $sql to the SQL that says so many seconds in the words of docker
sql_age() {
	sql="CASE WHEN $1 < 1 THEN 'Less than a second' WHEN $1 < 2 THEN '1 second' WHEN $1 < 60 THEN $1 || ' seconds'
		WHEN $1 < 120 THEN 'About a minute' WHEN $1 < 3600 THEN ($1 / 60) || ' minutes' WHEN $1 < 5400 THEN 'About an hour'
		WHEN $1 < 172800 THEN (($1 + 1800) / 3600) || ' hours' WHEN $1 < 1209600 THEN ($1 / 86400) || ' days'
		WHEN $1 < 5184000 THEN ($1 / 604800) || ' weeks' WHEN $1 < 63072000 THEN ($1 / 2592000) || ' months'
		ELSE ($1 / 31536000) || ' years' END"
}

# sql_size EXPRESSION - sets $sql to the SQL that says so many bytes as docker does
sql_size() {
	sql="CASE WHEN $1 < 1000 THEN $1 || 'B' WHEN $1 < 999500 THEN printf('%.3gkB', $1 / 1e3)
		WHEN $1 < 999500000 THEN printf('%.3gMB', $1 / 1e6) WHEN $1 < 999500000000 THEN printf('%.3gGB', $1 / 1e9) ELSE printf('%.3gTB', $1 / 1e12) END"
}
