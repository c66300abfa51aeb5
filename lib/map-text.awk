# lib/map-text.awk - the list of lib/map.sh as trees for a terminal, one for each namespace; a cable is drawn where it
# is first met, with the namespace at its other end

# joined(ID) - the addresses of a link, one after the other
function joined(id,    i, text) {
	for (i = 1; i <= addresses[id]; i++) text = text " " address[id, i]
	return text
}

# title(ID) - the line of a link, and of the other end of its cable
function title(id,    text, other) {
	other = cable[id]
	if (other == "-") return name[id] " (" link_detail(id) ")" joined(id) aside(" == ", far[id] == "-" ? "-" : far_text(id))
	text = name[id] aside(" (", note[id], ")") joined(id) " == " name[other]
	text = text (home[other] == home[id] ? "" : " of " space_title(home[other])) aside(" (", note[other], ")")
	if (bridge[other] != "-") text = text ", a port of " name[bridge[other]]
	return text joined(other) (other in drawn ? " (see above)" : "")
}

# hang(DEPTH, TEXT, ID) - a line below the one that is drawn now: text, or a link
function hang(depth, text, id) {
	hanging[depth, ++count[depth]] = text
	hanging_link[depth, count[depth]] = id
}

# hang_facts(DEPTH, ID) - what is known of a link: routes, ports, peers, and the links that hang on it
function hang_facts(depth, id,    i, n, list) {
	n = split(ports_of[id], list, " ")
	for (i = 1; i <= n; i++) hang(depth, "published " port[list[i]])
	n = split(routes_of[id], list, " ")
	for (i = 1; i <= n; i++) hang(depth, route_text(list[i]) (leads[list[i]] == "outside" ? ": outside" : ""))
	n = split(peers_of[id], list, " ")
	for (i = 1; i <= n; i++) hang(depth, "peer " remote[list[i]] aside(": ", block[list[i]]) aside(" (", peer_note[list[i]], ")"))
	n = split(hangs_on[id], list, " ")
	for (i = 1; i <= n; i++) if (!(list[i] in drawn)) hang(depth, "", list[i])
}

# draw(ID, DEPTH, LEFT, LAST, FROM) - a link with all that hangs on it; FROM is the namespace its tree is of
function draw(id, depth, left, last, from,    i, other, line) {
	line = title(id)
	if (home[id] != from) line = space_title(home[id]) ": " line
	print left (last ? "`-- " : "|-- ") line
	other = cable[id]
	if (other != "-" && other in drawn) other = "-"
	drawn[id]
	if (other != "-") drawn[other]
	left = left (last ? "    " : "|   ")
	depth++
	count[depth] = 0
	hang_facts(depth, id)
	if (other != "-") hang_facts(depth, other)
	for (i = 1; i <= count[depth]; i++) {
		line = hanging[depth, i]
		# with a cable in a ring the other end may have been drawn just now
		if (hanging_link[depth, i] in drawn) line = name[hanging_link[depth, i]] " (see above)"
		if (line != "") print left (i == count[depth] ? "`-- " : "|-- ") line
		else draw(hanging_link[depth, i], depth, left, i == count[depth], home[id])
	}
}

# draw_space(ID) - a namespace, if there is anything to be drawn of it
function draw_space(id,    i, n, all, list, other, top, first) {
	all = split(members[id], list, " ")
	for (i = 1; i <= all; i++) {
		other = cable[list[i]]
		# what hangs on another link is drawn there
		if (list[i] in drawn || bridge[list[i]] != "-" || parent[list[i]] != "-") continue
		# and of a cable within the namespace the port of a bridge is first, or the end that was made first
		if (other != "-" && home[other] == id && (bridge[other] != "-" || other in first)) continue
		top[++n] = list[i]
		first[list[i]]
	}
	if (!n && all) return
	print space_title(id) (n || space_kind[id] == "stale" ? "" : ": no links but lo")
	for (i = 1; i <= n; i++) draw(top[i], 0, "", i == n, id)
}

END {
	for (s = 1; s <= spaces; s++) draw_space(space[s])
	for (s = 1; s <= strays; s++) print "stale: " stray[s]
}
