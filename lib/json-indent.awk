# lib/json-indent.awk - the JSON on stdin with one member on a line, as docker prints it

# indented(VALUE, BLANKS) - a value as JSON in lines that begin with so many blanks
function indented(value, blanks,    kind, node, i, text) {
	kind = substr(value, 1, 1)
	node = substr(value, 2)
	if ((kind != "o" && kind != "a") || !size[node]) return json_write(value)
	text = ""
	for (i = 1; i <= size[node]; i++)
		text = text (i == 1 ? "" : ",") "\n" blanks "    " (kind == "o" ? quoted(name_at[node, i]) ": " : "") indented(value_at[node, i], blanks "    ")
	return (kind == "o" ? "{" : "[") text "\n" blanks (kind == "o" ? "}" : "]")
}

{ text = text $0 "\n" }
END {
	value = json_read(text)
	if (value == "") exit 1
	# an array may be long: each of its values goes out by itself
	if (value !~ /^a/ || !size[substr(value, 2)]) print indented(value, "")
	else {
		node = substr(value, 2)
		for (i = 1; i <= size[node]; i++) print (i == 1 ? "[\n    " : "    ") indented(value_at[node, i], "    ") (i < size[node] ? "," : "")
		print "]"
	}
}
