# lib/template.awk - the template language of Go's text/template, as far as people use it on docker, for awk
#
# template_read takes a template apart into parts, template_run (lib/template-run.awk) fills it in. A part is text, an action to print, or
# if, elseif, else, range, with, end; an action is a row of tokens, whose first character says what they are:
#	. a path from the dot   $ a path from a variable   + a path from what stood in brackets
#	" text   # a number   w a word   p a sign
# Values are those of lib/json.awk. One more is r, the row of a list: its fields come from row_field (lib/template-list.awk).
# While `checking`, before there is anything to print, values that are not known are "?".

# complain(TEXT) - there is something wrong with the template, or it asks for what is not there: say so and end
function complain(text) {
	if (checking) print "--format: " text
	else {
		fflush()
		print "scadm: --format: " escaped(text) | "cat >&2"
		close("cat >&2")
	}
	failed = 1
	exit 1
}

# template_read(TEXT, ESCAPES) - take the template apart; with ESCAPES \t and \n in its text are characters
function template_read(text, escapes,    at, literal, trim, depth, open, kind, i) {
	parts = depth = 0
	while ((at = index(text, "{{"))) {
		literal = substr(text, 1, at - 1)
		text = substr(text, at + 2)
		if (trim) sub(/^[ \t\r\n]+/, "", literal)
		if (text ~ /^-[ \t\r\n]/) {
			sub(/[ \t\r\n]+$/, "", literal)
			text = substr(text, 2)
		}
		template_text(literal, escapes)
		if (match(text, /^[ \t\r\n]*\/\*/)) {
			at = index(text, "*/")
			if (!at) complain("a comment has no end: write {{/* … */}}")
			text = substr(text, at + 2)
			if (!match(text, /^([ \t\r\n]+-)?}}/)) complain("behind a comment stands something else")
			trim = RLENGTH > 2
			text = substr(text, RLENGTH + 1)
			continue
		}
		text = template_tokens(++parts, text)
		trim = text ~ /^-/
		text = substr(text, trim ? 4 : 3)
		kind = token[parts, 1]
		part[parts] = "print"
		if (kind == "") complain("an action is empty: a field is {{.NAME}}")
		if (kind !~ /^w(if|else|end|range|with)$/) continue
		part[parts] = substr(kind, 2)
		first[parts] = 2
		if (kind == "wend" || kind == "welse") {
			if (!depth) complain("{{" substr(kind, 2) "}} without an {{if}}, {{range}} or {{with}}")
			if (kind == "welse" && token[parts, 2] == "wif") {
				part[parts] = "elseif"
				first[parts] = 3
				if (part[open[depth]] !~ /if/) complain("{{else if}} belongs to {{if}}")
			}
			if (part[open[depth]] == "else" && kind == "welse") complain("a second {{else}}")
			branch[open[depth]] = parts
			if (kind == "welse") open[depth] = parts
			else {
				finish[start[depth]] = parts
				depth--
			}
		} else {
			open[++depth] = parts
			start[depth] = parts
		}
	}
	if (trim) sub(/^[ \t\r\n]+/, "", text)
	template_text(text, escapes)
	if (depth) complain("{{" part[start[depth]] "}} has no {{end}}")
}

# template_text(TEXT, ESCAPES) - a part that is text
function template_text(text, escapes) {
	if (escapes && index(text, "\\")) text = join(join(text, "\\\\n", "\n"), "\\\\t", "\t")
	if (text == "") return
	part[++parts] = "text"
	words[parts] = text
}

# template_tokens(I, TEXT) - take the action at the beginning of TEXT apart for part I; what is behind it is the value
function template_tokens(i, text,    count, blank, kind) {
	count = 0
	first[i] = 1
	for (;;) {
		blank = sub(/^[ \t\r\n]+/, "", text)
		if (text ~ /^-?}}/) break
		kind = ""
		if (match(text, /^"([^"\\\n]|\\.)*"/)) {
			token[i, ++count] = "\"" decoded(substr(text, 2, RLENGTH - 2))
			# decoded looks for characters itself
			match(text, /^"([^"\\\n]|\\.)*"/)
		} else if (match(text, /^`[^`]*`/)) token[i, ++count] = "\"" substr(text, 2, RLENGTH - 2)
		else {
			if (match(text, /^-?[0-9]+(\.[0-9]+)?/)) kind = "#"
			else if (match(text, /^\$[A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*/)) kind = ""
			else if (match(text, /^(\.[A-Za-z_][A-Za-z0-9_]*)+/)) kind = token[i, count] == "p)" && !blank ? "+" : ""
			else if (match(text, /^\./)) kind = ""
			else if (match(text, /^[A-Za-z_][A-Za-z0-9_]*/)) kind = "w"
			else if (match(text, /^(:=|[=|(),])/)) kind = "p"
			else if (index(text, "}}")) complain("'{{" substr(text, 1, index(text, "}}") + 1) "' cannot be read")
			else complain("'{{" text "' has no end: a field is {{.NAME}}")
			token[i, ++count] = kind substr(text, 1, RLENGTH)
		}
		text = substr(text, RLENGTH + 1)
	}
	token[i, count + 1] = ""
	return text
}
