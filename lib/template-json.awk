# lib/template-json.awk - the JSON on stdin, an object or an array of them, in the shape of a template

# row_field(NAME), row_json() - here are no rows
function row_field(name) {
	return "z"
}
function row_json() {
	return "null"
}

BEGIN {
	checking = ENVIRON["template_checking"] + 0
	careful = ENVIRON["template_careful"] + 0
	template_functions()
	template_read(ENVIRON["template"], 0)
	if (checking) {
		root = "?"
		template_run(1, parts, "?")
		exit
	}
}
{ text = text $0 "\n" }
END {
	if (failed || checking) exit
	all = json_read(text)
	if (all !~ /^[oa]/) complain("this is no JSON")
	count = all ~ /^a/ ? size[substr(all, 2)] : 1
	for (i = 1; i <= count; i++) {
		variables = 0
		root = all ~ /^a/ ? value_at[substr(all, 2), i] : all
		print template_run(1, parts, root)
	}
}
