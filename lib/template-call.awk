# lib/template-call.awk - the functions of a template: those of Go's text/template, and those that docker has besides
# Source: the packages text/template of Go and docker's templates, as their documentation describes them.

# function_add(NAMES, LEAST, MOST) - they take so many values
function function_add(names, fewest, greatest,    name, count, i) {
	count = split(names, name, " ")
	for (i = 1; i <= count; i++) {
		least[name[i]] = fewest
		most[name[i]] = greatest
		functions = functions " " name[i]
	}
}

# template_functions() - which there are
function template_functions() {
	functions = ""
	function_add("json lower upper title len not", 1, 1)
	function_add("and or print println printf eq index", 1, 99)
	function_add("ne lt le gt ge join split truncate", 2, 2)
	function_add("pad", 3, 3)
}

# text_of(NAME, VALUE) - a text; refuse what is none
function text_of(name, value) {
	if (value !~ /^s/) complain(name " takes text, not '" shown(value) "'")
	return substr(value, 2)
}

# number_of(NAME, VALUE) - a number; refuse what is none
function number_of(name, value) {
	if (value !~ /^n/) complain(name " takes a number, not '" shown(value) "'")
	return substr(value, 2) + 0
}

# compared(NAME, A, B) - less than 0, 0 or more than 0; only what is of one kind has an order
function compared(name, a, b,    kind) {
	kind = substr(a, 1, 1)
	if (name ~ /^(eq|ne)$/ && (kind == "z" || b ~ /^z/)) return kind != substr(b, 1, 1)
	if (kind != substr(b, 1, 1) || kind !~ (name ~ /^(eq|ne)$/ ? "[snb]" : "[sn]")) complain(name " cannot compare '" shown(a) "' with '" shown(b) "'")
	a = substr(a, 2)
	b = substr(b, 2)
	if (kind == "n") return a + 0 == b + 0 ? 0 : a + 0 < b + 0 ? -1 : 1
	return a "" == b "" ? 0 : a "" < b "" ? -1 : 1
}

# characters(TEXT) - how many characters of UTF-8 it has
function characters(text) {
	gsub(/[\200-\277]/, "", text)
	return length(text)
}

# blanks(COUNT) - so many; sprintf of mawk, here and below, has room for 8191 characters, and ends the program when there are more
function blanks(count,    text) {
	text = " "
	count = count < 1 ? 0 : int(count)
	if (count > 1000000) complain("so many blanks have no place: " count)
	while (length(text) < count) text = text text
	return substr(text, 1, count)
}

# fitted(TEXT, FLAGS) - as sprintf(FLAGS "s", TEXT), where FLAGS are such as %-20.5; characters count, as in Go
function fitted(text, flags,    most, wide, i) {
	if (match(flags, /\.[0-9]*$/)) {
		most = substr(flags, RSTART + 1) + 0
		flags = substr(flags, 1, RSTART - 1)
		i = 1
		# the bytes that a character goes on with are its own
		while (i <= length(text) && (most > 0 || substr(text, i, 1) ~ /[\200-\277]/)) {
			if (substr(text, i + 1, 1) !~ /[\200-\277]/) most--
			i++
		}
		text = substr(text, 1, i - 1)
	}
	wide = flags
	gsub(/^%[-+ 0]*/, "", wide)
	if (wide == "") return text
	wide = blanks(wide - characters(text))
	return flags ~ /^%[+ 0]*-/ ? text wide : wide text
}

# formatted(ARG, COUNT) - what printf prints
function formatted(arg, count,    format, done, at, verb, flags, value) {
	format = text_of("printf", arg[1])
	done = ""
	at = 1
	while (match(format, /%/)) {
		done = done substr(format, 1, RSTART - 1)
		format = substr(format, RSTART)
		if (!match(format, /^%[-+ 0]*[0-9]?[0-9]?[0-9]?(\.[0-9]?[0-9]?)?[a-zA-Z%]/)) complain("printf: '" format "' cannot be read")
		verb = substr(format, RLENGTH, 1)
		flags = substr(format, 1, RLENGTH - 1)
		format = substr(format, RLENGTH + 1)
		if (verb == "%") {
			done = done "%"
			continue
		}
		if (count <= at) complain("printf: there are fewer values than %")
		value = arg[++at]
		if (verb ~ /^[svq]$/) done = done fitted(verb == "q" ? quoted(shown(value)) : safe(value), flags)
		else if (verb == "t" && value ~ /^b/) done = done fitted(shown(value), flags)
		else if (verb ~ /^[dxXo]$/) done = done sprintf(flags verb, number_of("printf %" verb, value))
		else if (verb ~ /^[feg]$/) done = done sprintf(flags verb, number_of("printf %" verb, value))
		else complain("printf: %" verb " does not print '" shown(value) "'")
	}
	if (at < count) complain("printf: there are more values than %")
	return done format
}

# titled(TEXT) - each word with a capital
function titled(text,    i, done, char, before) {
	done = before = ""
	for (i = 1; i <= length(text); i++) {
		char = substr(text, i, 1)
		done = done (before ~ /[A-Za-z0-9_'\200-\377]/ ? char : toupper(char))
		before = char
	}
	return done
}

# template_call(NAME, ARG, COUNT) - the value of a function
function template_call(name, arg, count,    i, done, node, piece, value) {
	for (i = 1; i <= count; i++)
		if (arg[i] == "?") return "?"
	value = substr(arg[1], 2)
	# at the head of a table a field is its heading, whatever is done with it
	if (heading && name ~ /^(json|lower|upper|title|join|split|truncate|pad)$/) return arg[1]
	if (name == "json") return "s" (arg[1] == "r" ? row_json() : json_write(arg[1]))
	if (name == "lower") return "s" tolower(text_of(name, arg[1]))
	if (name == "upper") return "s" toupper(text_of(name, arg[1]))
	if (name == "title") return "s" titled(text_of(name, arg[1]))
	if (name == "not") return "b" (is_true(arg[1]) ? 0 : 1)
	if (name == "len") {
		if (arg[1] ~ /^s/) return "n" length(value)
		if (arg[1] ~ /^[oa]/) return "n" size[value]
		if (arg[1] == "z") return "n0"
		complain("len takes text, a list or a map, not '" shown(arg[1]) "'")
	}
	if (name == "and" || name == "or") {
		for (i = 1; i < count; i++)
			if (is_true(arg[i]) == (name == "or")) break
		return arg[i]
	}
	if (name == "eq") {
		if (count < 2) complain("eq takes 2 or more values")
		for (i = 2; i <= count; i++)
			if (!compared(name, arg[1], arg[i])) return "b1"
		return "b0"
	}
	if (name == "ne") return "b" (compared(name, arg[1], arg[2]) != 0)
	if (name == "lt") return "b" (compared(name, arg[1], arg[2]) < 0)
	if (name == "le") return "b" (compared(name, arg[1], arg[2]) <= 0)
	if (name == "gt") return "b" (compared(name, arg[1], arg[2]) > 0)
	if (name == "ge") return "b" (compared(name, arg[1], arg[2]) >= 0)
	if (name == "print" || name == "println") {
		done = ""
		# as in Go: print has blanks between values of which neither is text
		for (i = 1; i <= count; i++) done = done (i > 1 && (name == "println" || (arg[i - 1] !~ /^s/ && arg[i] !~ /^s/)) ? " " : "") safe(arg[i])
		return "s" done (name == "println" ? "\n" : "")
	}
	if (name == "printf") return "s" formatted(arg, count)
	if (name == "index") {
		value = arg[1]
		for (i = 2; i <= count; i++) value = entry(value, arg[i])
		return value
	}
	if (name == "truncate") return "s" substr(text_of(name, arg[1]), 1, number_of(name, arg[2]))
	if (name == "pad") return "s" blanks(number_of(name, arg[2])) text_of(name, arg[1]) blanks(number_of(name, arg[3]))
	if (name == "split") {
		value = text_of(name, arg[1])
		done = text_of(name, arg[2])
		node = json_array()
		while (done != "" && (i = index(value, done))) {
			json_add(substr(node, 2), "", "s" substr(value, 1, i - 1))
			value = substr(value, i + length(done))
		}
		json_add(substr(node, 2), "", "s" value)
		return node
	}
	# join
	if (arg[1] !~ /^[az]/) complain("join takes a list, not '" shown(arg[1]) "'")
	done = ""
	for (i = 1; i <= size[value]; i++) done = done (i > 1 ? text_of(name, arg[2]) : "") safe(value_at[value, i])
	return "s" done
}
