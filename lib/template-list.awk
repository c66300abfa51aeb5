# lib/template-list.awk - the rows of a list in the shape of a template; lib/template.sh says what a list is

# row_field(NAME) - a field of this row, or of the head
function row_field(name,    i, text, names) {
	if (!(name in number)) {
		for (i = 1; i <= fields; i++) names = names " " field_name[i]
		complain("there is no field '" name "' here; the fields are" names)
	}
	i = number[name]
	if (heading) return "s" title[i]
	if (checking) return is_json[i] ? "?" : "s"
	text = $i
	if (!is_json[i]) return "s" (index(text, "\\") ? decoded(text) : text)
	text = json_read(text)
	return text == "" ? "z" : text
}

# row_json() - this row as a JSON object
function row_json(    i, text) {
	text = ""
	for (i = 1; i <= fields; i++)
		if (!is_hidden[i]) text = text (text == "" ? "" : ",") quoted(field_name[i]) ":" (is_json[i] ? json_write(row_field(field_name[i])) : quoted(substr(row_field(field_name[i]), 2)))
	return "{" text "}"
}

# filled() - the template with this row
function filled() {
	variables = 0
	root = "r"
	json_forget()
	return template_run(1, parts, "r")
}

# add(TEXT) - keep lines of a table
function add(text,    line, lines, column, i, k) {
	lines = split(text, line, "\n")
	for (i = 1; i <= lines; i++) {
		columns[++rows] = split(line[i], column, "\t")
		for (k = 1; k <= columns[rows]; k++) {
			cell[rows, k] = column[k]
			if (widest[k] < characters(column[k])) widest[k] = characters(column[k])
		}
	}
}

BEGIN {
	FS = "\t"
	checking = ENVIRON["template_checking"] + 0
	is_table = ENVIRON["template_table"]
	careful = lenient = 1
	template_functions()
	template_read(ENVIRON["template"], 1)
}
NR == 1 {
	fields = NF
	for (i = 1; i <= NF; i++) {
		title[i] = substr($i, index($i, "=") + 1)
		flags = field_name[i] = substr($i, 1, index($i, "=") - 1)
		sub(/:.*/, "", field_name[i])
		is_json[i] = flags ~ /:json/
		is_hidden[i] = flags ~ /:hidden/
		number[field_name[i]] = i
		# Actor.ID: then there is no Actor.Nobody
		if (k = index(field_name[i], ".")) has_parts[substr(field_name[i], 1, k - 1)] = 1
	}
	if (checking) {
		filled()
		exit
	}
	if (is_table) {
		heading = 1
		add(filled())
		heading = 0
	}
	next
}
is_table { add(filled()); next }
{ print filled() }
END {
	if (failed) exit
	for (i = 1; i <= rows; i++) {
		line = ""
		for (k = 1; k < columns[i]; k++)
			line = line cell[i, k] blanks(widest[k] + 3 - characters(cell[i, k]))
		line = line cell[i, k]
		sub(/ +$/, "", line)
		print line
	}
}
