# lib/map-mermaid.awk - boxes and lines of map-graph.awk as a flowchart of Mermaid
# Source: https://mermaid.js.org/syntax/flowchart.html, "Entity codes to escape characters"

BEGIN {
	plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:/,=()-"
	for (i = 32; i < 127; i++) code[sprintf("%c", i)] = i
}

# quoted(LABEL) - a string in quotes; what could be more than text (quotes, tags, entities, Markdown, links) is a number
function quoted(label,    i, char, out) {
	for (i = 1; i <= length(label); i++) {
		char = substr(label, i, 1)
		if (char == "\n") char = "<br/>"
		else if (char in code && !index(plain, char)) char = "#" code[char] ";"
		out = out char
	}
	return "\"" out "\""
}

function graph_begin() {
	print "flowchart LR"
}

function graph_end() {
}

function cluster_begin(id, title) {
	print "  subgraph " id "[" quoted(title) "]"
}

function cluster_end() {
	print "  end"
}

function box(id, label) {
	print "    " id "[" quoted(label) "]"
}

function cloud(id, label) {
	print "  " id "([" quoted(label) "])"
}

function line(from, to, type, label) {
	if (type == "cable") print "  " from " === " to
	else if (type == "port") print "  " from " --- " to
	else if (type == "parent") print "  " from " -.- " to
	else print "  " from " -->" (label == "" ? "" : "|" quoted(label) "|") " " to
}
