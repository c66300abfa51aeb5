# lib/map-dot.awk - boxes and lines of map-graph.awk in the language of graphviz
# Source: https://graphviz.org/doc/info/lang.html, and escString and HTML entities in its page of attribute types.

# quoted(LABEL) - a string in quotes: \ and & would begin something
function quoted(label,    i, char, out) {
	for (i = 1; i <= length(label); i++) {
		char = substr(label, i, 1)
		if (char == "\n") char = "\\n"
		else if (char == "\\") char = "\\\\"
		else if (char == "\"") char = "\\\""
		else if (char == "&") char = "&amp;"
		out = out char
	}
	return "\"" out "\""
}

function graph_begin() {
	print "digraph scadm {"
	print "  graph [rankdir=LR fontname=\"sans-serif\"]"
	print "  node [shape=box fontname=\"sans-serif\" fontsize=11]"
	print "  edge [fontname=\"sans-serif\" fontsize=10]"
}

function graph_end() {
	print "}"
}

function cluster_begin(id, title) {
	print "  subgraph cluster_" id " {"
	print "    label=" quoted(title)
}

function cluster_end() {
	print "  }"
}

function box(id, label) {
	print "    " id " [label=" quoted(label) "]"
}

function cloud(id, label) {
	print "  " id " [shape=ellipse style=dashed label=" quoted(label) "]"
}

function line(from, to, type, label,    look) {
	look = "dir=none"
	if (type == "arrow") look = "label=" quoted(label)
	if (type == "cable") look = look " style=bold"
	if (type == "parent") look = look " style=dashed"
	print "  " from " -> " to " [" look "]"
}
