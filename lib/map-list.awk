# lib/map-list.awk - reads the list that lib/map.sh describes, for map-text.awk and map-graph.awk

# aside(BEFORE, TEXT, AFTER) - TEXT between them, if there is any
function aside(before, text, after) {
	return text == "-" ? "" : before text after
}

# space_title(ID) - what a namespace is called
function space_title(id) {
	if (space_kind[id] == "stale") return "namespace " space_name[id] ": " space_note[id]
	return (space_kind[id] == "host" ? "host" : space_kind[id] " " space_name[id]) aside(" (with ", space_note[id], ")")
}

# link_detail(ID) - what a link is: its kind, its network, what there is to be said of it
function link_detail(id) {
	return kind[id] aside(" of network ", network[id]) aside(", ", note[id])
}

# far_text(ID) - where the other end of a cable is that is not drawn
function far_text(id) {
	return (far[id] == "nowhere" ? "" : "? in ") far[id]
}

# route_text(NUMBER) - a route as ip(8) writes it
function route_text(i) {
	return destination[i] aside(" via ", gateway[i])
}

BEGIN { FS = "\t" }
$1 == "space" {
	space[++spaces] = $2
	space_kind[$2] = $3
	space_name[$2] = $4
	space_note[$2] = $5
}
$1 == "link" {
	link[++links] = $2
	home[$2] = $3
	name[$2] = $4
	kind[$2] = $5
	note[$2] = $6
	bridge[$2] = $7
	cable[$2] = $8
	parent[$2] = $9
	network[$2] = $10
	far[$2] = $11
	# members, and what hangs on a link: numbers with blanks between them
	members[$3] = members[$3] " " $2
	if ($7 != "-") hangs_on[$7] = hangs_on[$7] " " $2
	else if ($9 != "-") hangs_on[$9] = hangs_on[$9] " " $2
}
$1 == "address" { address[$2, ++addresses[$2]] = $3 }
$1 == "route" {
	route_link[++routes] = $2
	destination[routes] = $3
	gateway[routes] = $4
	leads[routes] = $5
	routes_of[$2] = routes_of[$2] " " routes
}
$1 == "port" {
	port_link[++ports] = $2
	port[ports] = $3
	ports_of[$2] = ports_of[$2] " " ports
}
$1 == "peer" {
	peer_link[++peers] = $2
	remote[peers] = $3
	block[peers] = $4
	peer_note[peers] = $5
	peers_of[$2] = peers_of[$2] " " peers
}
$1 == "stray" { stray[++strays] = $2 }
