# lib/map-graph.awk - the list of lib/map.sh as boxes and lines; map-dot.awk and map-mermaid.awk say how they are written:
#	graph_begin() graph_end()        the frame of it all
#	cluster_begin(ID, TITLE) cluster_end()  a namespace, around its boxes
#	box(ID, LABEL)                   LABEL has line ends between its lines
#	cloud(ID, LABEL)                 what is not on this host
#	line(FROM, TO, KIND, LABEL)      KIND cable, port, parent; or arrow, for what has a direction

# box_label(ID) - what stands in the box of a link
function box_label(id,    text, i, n, list) {
	text = name[id] "\n" link_detail(id)
	for (i = 1; i <= addresses[id]; i++) text = text "\n" address[id, i]
	n = split(routes_of[id], list, " ")
	for (i = 1; i <= n; i++) if (leads[list[i]] == "inside") text = text "\n" route_text(list[i])
	return text aside("\nother end: ", far[id] == "-" ? "-" : far_text(id))
}

# remote_box(WHERE) - the box of another host, drawn once; its id
function remote_box(where) {
	if (!(where in remote_id)) {
		remote_id[where] = "p" (++remote_ids)
		cloud(remote_id[where], where)
	}
	return remote_id[where]
}

# outside_box() - the same for all that is outside
function outside_box() {
	if (!has_outside++) cloud("outside", "outside")
	return "outside"
}

END {
	graph_begin()
	for (s = 1; s <= spaces; s++) {
		cluster_begin("s" space[s], space_title(space[s]))
		n = split(members[space[s]], list, " ")
		for (i = 1; i <= n; i++) box("l" list[i], box_label(list[i]))
		# an empty one would not be drawn
		if (!n) box("e" space[s], space_kind[space[s]] == "stale" ? "stale" : "no links but lo")
		cluster_end()
	}
	for (i = 1; i <= links; i++) {
		id = link[i]
		if (bridge[id] != "-") line("l" bridge[id], "l" id, "port", "")
		if (parent[id] != "-") line("l" parent[id], "l" id, "parent", "")
		if (cable[id] != "-" && !(cable[id] in cabled)) line("l" id, "l" cable[id], "cable", "")
		cabled[id]
	}
	for (i = 1; i <= routes; i++) {
		if (leads[i] == "outside") line("l" route_link[i], outside_box(), "arrow", route_text(i))
		if (leads[i] == "peer") line("l" route_link[i], remote_box(gateway[i]), "arrow", destination[i])
	}
	for (i = 1; i <= peers; i++)
		line("l" peer_link[i], remote_box(remote[i]), "arrow", (block[i] == "-" ? "" : block[i]) aside(block[i] == "-" ? "" : "\n", peer_note[i]))
	for (i = 1; i <= ports; i++) line(outside_box(), "l" port_link[i], "arrow", port[i])
	for (i = 1; i <= strays; i++) cloud("stale" i, "stale: " stray[i])
	graph_end()
}
