# shellcheck shell=sh
# lib/inspect-format.sh - --format of inspect: JSON in the shape of a template, as `docker inspect -f` has it
#
#	inspect_format_check TEMPLATE              before anything is done: refuses what is no template, status 125
#	… | inspect_format TEMPLATE                JSON on stdin, an object or an array of objects: a line for each
# json alone is all of it in one line. A field that is not there is an error, status 1. Needs lib/template.sh.

# inspect_format_check TEMPLATE - refuse what is no template
inspect_format_check() {
	local complaint
	template=$1 template_table=''
	[ "$1" != json ] || template='{{json .}}'
	complaint=$(template_awk template-json 1 </dev/null) || die "${complaint:-cannot run awk, which reads the template}"
}

# inspect_format TEMPLATE - print the JSON on stdin as the template says; status 1: a field is not there
# A terminal gets no control characters, others get each byte.
inspect_format() {
	local status=0
	template=$1 template_table='' template_careful=''
	[ "$1" != json ] || template='{{json .}}'
	[ ! -t 1 ] || template_careful=1
	template_awk template-json || status=$?
	template_careful=''
	return "$status"
}

# inspect_indent - print the JSON on stdin as docker does, one member on a line
inspect_indent() {
	awk -f "$SC_LIB/lib/json.awk" -f "$SC_LIB/lib/json-indent.awk"
}
