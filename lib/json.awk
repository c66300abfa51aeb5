# lib/json.awk - JSON (RFC 8259) read and written by awk, for lib/template.awk
#
# A value is a letter and what it holds: s TEXT, n NUMBER, b 0 or 1, z (null), o NODE (object), a NODE (array).
# A node has size[NODE] values, value_at[NODE, 1…]; an object has their names, name_at[NODE, 1…], and member[NODE, NAME].

# join(TEXT, FROM, TO) - TEXT with TO in the place of the regular expression FROM; gsub would read TO
function join(text, from, to,    piece, count, i, joined) {
	count = split(text, piece, from)
	joined = piece[1]
	for (i = 2; i <= count; i++)
		joined = joined to piece[i]
	return joined
}

# hexadecimal(DIGITS) - the number that they are
function hexadecimal(digits,    i, number) {
	number = 0
	for (i = 1; i <= length(digits); i++)
		number = number * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
	return number
}

# utf8(CODE) - the character with this number in Unicode; U+FFFD for what text cannot have in it
function utf8(code) {
	if (code < 1 || 1114111 < code || (55296 <= code && code < 57344)) code = 65533
	if (code < 128) return sprintf("%c", code)
	if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
	if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
	return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}

# decoded(TEXT) - what stands between the quotes of a JSON string, as text
function decoded(text,    at, char, code, next_code, done) {
	done = ""
	while ((at = index(text, "\\"))) {
		done = done substr(text, 1, at - 1)
		char = substr(text, at + 1, 1)
		text = substr(text, at + 2)
		if (char == "n") done = done "\n"
		else if (char == "t") done = done "\t"
		else if (char == "r") done = done "\r"
		else if (char == "b") done = done "\b"
		else if (char == "f") done = done "\f"
		else if (char != "u") done = done char
		else {
			code = hexadecimal(substr(text, 1, 4))
			text = substr(text, 5)
			# two that stand for one character beyond the first 65536
			if (55296 <= code && code < 56320 && substr(text, 1, 2) == "\\u") {
				next_code = hexadecimal(substr(text, 3, 4))
				if (56320 <= next_code && next_code < 57344) {
					code = 65536 + (code - 55296) * 1024 + next_code - 56320
					text = substr(text, 7)
				}
			}
			done = done utf8(code)
		}
	}
	return done text
}

# well_formed(TEXT) - text in which bytes that are not UTF-8 became U+FFFD
function well_formed(text,    done) {
	if (text !~ /[\200-\377]/) return text
	done = ""
	while (match(text, /[\200-\377]/)) {
		done = done substr(text, 1, RSTART - 1)
		text = substr(text, RSTART)
		if (!match(text, /^([\302-\337]|\340[\240-\277]|[\341-\354\356\357][\200-\277]|\355[\200-\237]|\360[\220-\277][\200-\277]|[\361-\363][\200-\277][\200-\277]|\364[\200-\217][\200-\277])[\200-\277]/)) {
			done = done "\357\277\275"
			RLENGTH = 1
		} else
			done = done substr(text, 1, RLENGTH)
		text = substr(text, RLENGTH + 1)
	}
	return done text
}

# escaped(TEXT) - text whose control characters stand as in a JSON string: no terminal obeys them
function escaped(text,    done, char, code) {
	if (text !~ /[\001-\037\177]|\302[\200-\237]/) return text
	done = ""
	while (match(text, /[\001-\037\177]|\302[\200-\237]/)) {
		char = substr(text, RSTART + RLENGTH - 1, 1)
		if (!("\001" in code_of))
			for (code = 1; code < 160; code++) code_of[sprintf("%c", code)] = code
		done = done substr(text, 1, RSTART - 1)
		if (char == "\n") done = done "\\n"
		else if (char == "\t") done = done "\\t"
		else if (char == "\r") done = done "\\r"
		else done = done sprintf("\\u%04x", code_of[char])
		text = substr(text, RSTART + RLENGTH)
	}
	return done text
}

# quoted(TEXT) - text as a JSON string
function quoted(text) {
	if (index(text, "\\")) text = join(text, "\\\\", "\\\\")
	if (index(text, "\"")) text = join(text, "\"", "\\\"")
	return "\"" escaped(well_formed(text)) "\""
}

# json_write(VALUE) - a value as JSON
function json_write(value,    kind, node, i, text) {
	kind = substr(value, 1, 1)
	node = substr(value, 2)
	if (kind == "s") return quoted(node)
	if (kind == "n") return node
	if (kind == "b") return node == "1" ? "true" : "false"
	if (kind != "o" && kind != "a") return "null"
	text = ""
	for (i = 1; i <= size[node]; i++)
		text = text (i == 1 ? "" : ",") (kind == "o" ? quoted(name_at[node, i]) ":" : "") json_write(value_at[node, i])
	return kind == "o" ? "{" text "}" : "[" text "]"
}

# json_forget() - no value is needed any longer
function json_forget() {
	nodes = 0
	split("", member)
}

# json_array() - a new array without values
function json_array() {
	size[++nodes] = 0
	return "a" nodes
}

# json_add(NODE, NAME, VALUE) - a value more; of a name that is there twice the last one counts
function json_add(node, name, value,    i) {
	i = ++size[node]
	value_at[node, i] = value
	name_at[node, i] = name
	member[node, name] = value
}

# json_read(TEXT) - the value that the text is, or "" if it is no JSON
# Split at the quotes, every second piece is in a string, unless a backslash stands before the quote.
function json_read(text,    piece, pieces, p, rest, char, string, value, depth, open, kind, name, named, root) {
	pieces = split(text, piece, "\"")
	depth = named = 0
	root = ""
	for (p = 1; p <= pieces; p++) {
		rest = piece[p]
		while (match(rest, /[^ \t\r\n]/)) {
			char = substr(rest, RSTART, 1)
			rest = substr(rest, RSTART + 1)
			if (char == "," || char == ":") continue
			if (char == "}" || char == "]") {
				if (!depth || named || kind[depth] != (char == "}" ? "o" : "a")) return ""
				depth--
				continue
			}
			if (char == "{" || char == "[") {
				size[++nodes] = 0
				value = (char == "{" ? "o" : "a") nodes
			} else {
				match(rest, /^[-+.0-9A-Za-z]*/)
				char = char substr(rest, 1, RLENGTH)
				rest = substr(rest, RLENGTH + 1)
				if (char == "true") value = "b1"
				else if (char == "false") value = "b0"
				else if (char == "null") value = "z"
				else if (char ~ /^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/) value = "n" char
				else return ""
			}
			if (!depth && root != "") return ""
			if (!depth) root = value
			else if (kind[depth] == "o" && !named) return ""
			else json_add(open[depth], name, value)
			named = 0
			if (value ~ /^[oa]/) {
				open[++depth] = substr(value, 2)
				kind[depth] = substr(value, 1, 1)
			}
		}
		if (p == pieces) break
		string = piece[++p]
		while (p < pieces && match(string, /\\+$/) && RLENGTH % 2 == 1)
			string = string "\"" piece[++p]
		if (p == pieces) return ""
		if (index(string, "\\")) string = decoded(string)
		if (depth && kind[depth] == "o" && !named) {
			name = string
			named = 1
			continue
		}
		if (!depth && root != "") return ""
		if (!depth) root = "s" string
		else json_add(open[depth], name, "s" string)
		named = 0
	}
	return depth ? "" : root
}
