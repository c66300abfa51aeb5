# lib/template-run.awk - a template filled in; see lib/template.awk
#
# node_part and at are the part and the token that are read now. While `idle` what is read is not looked up: it follows
# an `and` that is false or an `or` that is true. `made` is the function that made the value, by which a `careful` reader,
# a list or a terminal, gets the line breaks that the template has and no control characters from values.

# template_run(FROM, TO, DOT) - the text of these parts, where DOT is what the dot stands for
function template_run(from, to, dot,    i, k, next_part, done, value, kept) {
	done = ""
	for (i = from; i <= to; i++) {
		if (part[i] == "text") done = done words[i]
		else if (part[i] == "print") {
			value = action_value(i, dot)
			if (value != "") done = done (careful && made !~ /^(text|join|print.*)$/ ? escaped(shown(value)) : shown(value))
		} else {
			kept = variables
			if (part[i] == "range") done = done template_range(i, dot)
			else {
				for (k = i; part[k] != "end"; k = next_part) {
					next_part = branch[k]
					if (part[k] == "else") {
						done = done template_run(k + 1, next_part - 1, dot)
						break
					}
					value = action_value(k, dot)
					if (checking) done = done template_run(k + 1, next_part - 1, part[k] == "with" ? value : dot)
					else if (is_true(value)) {
						done = done template_run(k + 1, next_part - 1, part[k] == "with" ? value : dot)
						break
					}
				}
			}
			variables = kept
			i = finish[i]
		}
	}
	return done
}

# template_range(I, DOT) - the text of a range, once for each value
function template_range(i, dot,    value, node, k, done, names, index_name, value_name, kind) {
	done = index_name = value_name = ""
	node_part = i
	at = first[i]
	if (token[i, at] ~ /^\$/) {
		value_name = token[i, at++]
		if (token[i, at] == "p,") {
			index_name = value_name
			value_name = token[i, ++at]
			at++
		}
		if (token[i, at++] != "p:=" || value_name !~ /^\$[A-Za-z0-9_]+$/) complain("write {{range $key, $value := .NAME}}")
	}
	value = pipeline(dot)
	ended()
	kind = substr(value, 1, 1)
	if (kind !~ /^[?oaz]$/ && !heading) complain("range goes over lists and maps, not over '" shown(value) "'")
	names = variables
	node = kind == "?" ? "?" : substr(value, 2)
	for (k = 1; k <= (kind == "?" ? 1 : kind ~ /[oa]/ ? size[node] : 0); k++) {
		variables = names
		if (index_name) set_variable(index_name, kind == "?" ? "?" : kind == "o" ? "s" name_at[node, k] : "n" (k - 1))
		if (value_name) set_variable(value_name, kind == "?" ? "?" : value_at[node, k])
		done = done template_run(i + 1, branch[i] - 1, kind == "?" ? "?" : value_at[node, k])
	}
	variables = names
	if (part[branch[i]] == "else" && (checking || k == 1)) done = done template_run(branch[i] + 1, finish[i] - 1, dot)
	return done
}

# action_value(I, DOT) - the value of the pipeline of part I; "" if it only sets a variable
function action_value(i, dot,    name, value, k) {
	node_part = i
	at = first[i]
	name = token[i, at]
	if (name ~ /^\$[A-Za-z0-9_]+$/ && token[i, at + 1] ~ /^p:?=$/) {
		at += 2
		value = pipeline(dot)
		ended()
		if (token[i, first[i] + 1] == "p:=") set_variable(name, value)
		else {
			k = find_variable(name)
			variable[k] = value
		}
		return part[i] == "print" ? "" : value
	}
	value = pipeline(dot)
	ended()
	return value
}

# ended() - refuse what is left of an action
function ended() {
	if (token[node_part, at] != "") complain("'" substr(token[node_part, at], token[node_part, at] ~ /^[$.]/ ? 1 : 2) "' was not expected there")
}

# set_variable(NAME, VALUE) - a variable more; find_variable(NAME) - which one it is
function set_variable(name, value) {
	variable_name[++variables] = name
	variable[variables] = value
}
function find_variable(name,    k) {
	for (k = variables; k > 0; k--)
		if (variable_name[k] == name) return k
	complain("there is no variable " name)
}

# pipeline(DOT) - the value of what stands from token `at` of part `node_part` on
function pipeline(dot,    value) {
	value = command(dot, "")
	while (token[node_part, at] == "p|") {
		at++
		value = command(dot, value)
	}
	return value
}

# is_operand(TEXT) - can a value begin with this token?
function is_operand(text) {
	return text != "" && text !~ /^p[^(]/
}

# command(DOT, PIPED) - the value of one link of a pipeline: a function with its values, PIPED the last, or a value
function command(dot, piped,    name, value, arg, count, idled) {
	name = token[node_part, at]
	if (name !~ /^w/ || name ~ /^w(true|false|nil)$/) {
		made = name ~ /^"/ ? "text" : ""
		value = operand(dot)
		# a method, such as .Label "x"
		if (name ~ /^[.$]/)
			while (is_operand(token[node_part, at])) value = entry(value, operand(dot))
		if (piped != "") complain("behind | comes a function")
		return value
	}
	name = substr(name, 2)
	if (!((name) in least)) complain("there is no function '" name "'; a field is ." name ", and the functions are" functions)
	at++
	count = idled = 0
	while (is_operand(token[node_part, at])) {
		arg[++count] = operand(dot)
		# what follows does not matter, and may not be there
		if (!checking && !idle && ((name == "and" && !is_true(arg[count])) || (name == "or" && is_true(arg[count])))) idle = idled = 1
		if (idled && !value) value = arg[count]
	}
	if (piped != "") arg[++count] = piped
	if (idled) {
		idle = 0
		return value
	}
	if (count < least[name] || most[name] < count) complain(name " takes " least[name] (most[name] > 9 ? " or more" : most[name] > least[name] ? " to " most[name] : "") " values, not " count)
	if (idle) return "?"
	made = name
	return template_call(name, arg, count)
}

# operand(DOT) - the value at token `at`
function operand(dot,    text, kind, name, value) {
	text = token[node_part, at]
	if (!is_operand(text)) complain("a value is missing: a field is {{.NAME}}")
	kind = substr(text, 1, 1)
	at++
	if (kind == "\"") return "s" substr(text, 2)
	if (kind == "#") return "n" substr(text, 2)
	if (text == "wtrue") return "b1"
	if (text == "wfalse") return "b0"
	if (text == "wnil") return "z"
	if (kind == "w") complain("'" substr(text, 2) "' is a function: put it in brackets; or a field is ." substr(text, 2))
	if (kind == "p") {
		value = pipeline(dot)
		if (token[node_part, at++] != "p)") complain("a ) is missing")
		if (substr(token[node_part, at], 1, 1) == "+") value = path(value, substr(token[node_part, at++], 2))
		return value
	}
	if (kind == "$") {
		name = text
		sub(/\..*/, "", name)
		value = name == "$" ? root : variable[find_variable(name)]
		return path(value, substr(text, length(name) + 1))
	}
	return path(dot, text)
}

# path(VALUE, WORDS) - what a path such as .State.Pid leads to
function path(value, words,    name, row_name) {
	if (words == ".") return value
	while (words != "" && !idle) {
		words = substr(words, 2)
		name = words
		sub(/\..*/, "", name)
		words = substr(words, length(name) + 1)
		if (value == "r") {
			# some rows have names of two words
			if (match(words, /^\.[A-Za-z0-9_]+/) && (name in has_parts)) {
				name = name substr(words, 1, RLENGTH)
				words = substr(words, RLENGTH + 1)
			}
			value = row_field(name)
			if (heading) return value
		} else if (value ~ /^o/ && (substr(value, 2), name) in member) value = member[substr(value, 2), name]
		else if (value ~ /^o/ && lenient) value = "z"
		else if (value != "?") complain("there is no field '" name "' " (value ~ /^o/ ? "there; the fields are" fields_of(substr(value, 2)) : "in '" shown(value) "'"))
	}
	return idle ? "?" : value
}

# fields_of(NODE) - the names in an object, each behind a blank
function fields_of(node,    i, text) {
	text = ""
	for (i = 1; i <= size[node]; i++) text = text " " name_at[node, i]
	return text
}

# entry(VALUE, KEY) - one entry of a map or a list; a map that does not have it says nothing
function entry(value, key,    kind, node) {
	kind = substr(value, 1, 1)
	node = substr(value, 2)
	if (idle || kind == "?" || key == "?") return "?"
	if (heading) return key
	if (kind == "z" && key ~ /^s/) return "s"
	if (kind == "o" && key ~ /^s/) return (node, substr(key, 2)) in member ? member[node, substr(key, 2)] : "s"
	if (kind == "a" && key ~ /^n/) {
		key = substr(key, 2) + 0
		if (key < 0 || size[node] <= key) complain("there is no number " key " in a list of " size[node])
		return value_at[node, key + 1]
	}
	complain("'" shown(value) "' has no entry '" shown(key) "'")
}

# is_true(VALUE) - is it neither empty nor 0 nor false?
function is_true(value,    kind, held) {
	kind = substr(value, 1, 1)
	held = substr(value, 2)
	if (kind == "s") return held != ""
	if (kind == "n") return held + 0 != 0
	if (kind == "b") return held == "1"
	if (kind == "o" || kind == "a") return size[held] > 0
	return kind != "z"
}

# shown(VALUE) - a value as it is printed
function shown(value,    kind, held, i, k, text, sorted, swap) {
	kind = substr(value, 1, 1)
	held = substr(value, 2)
	if (kind == "s" || kind == "n") return held
	if (kind == "b") return held == "1" ? "true" : "false"
	if (kind == "r") complain("{{.}} is all fields at once: write {{json .}} or {{.NAME}}")
	if (kind == "z") return "<no value>"
	if (kind == "?") return ""
	text = ""
	if (kind == "a") {
		for (i = 1; i <= size[held]; i++) text = text (i > 1 ? " " : "") shown(value_at[held, i])
		return "[" text "]"
	}
	for (i = 1; i <= size[held]; i++) {
		sorted[i] = name_at[held, i]
		for (k = i; k > 1 && sorted[k] "" < sorted[k - 1] ""; k--) {
			swap = sorted[k]
			sorted[k] = sorted[k - 1]
			sorted[k - 1] = swap
		}
	}
	for (i = 1; i <= size[held]; i++) text = text (i > 1 ? " " : "") sorted[i] ":" shown(member[held, sorted[i]])
	return "map[" text "]"
}

# safe(VALUE) - the same for a reader who is not to get control characters
function safe(value) {
	return careful ? escaped(shown(value)) : shown(value)
}
