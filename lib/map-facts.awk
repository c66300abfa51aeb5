# lib/map-facts.awk - what ip -j, bridge -j and iptables-save print becomes SQL, for lib/map-pairs.sql
# A line `space ID` says of which namespace the next ones are. A container names links in its namespace as it likes:
# blanks and line ends the kernel refuses, everything else is to be expected.

# quoted(TEXT) - an SQL string
function quoted(text) {
	gsub(/'/, "''", text)
	return "'" text "'"
}

/^space [0-9]+$/ {
	space = $2
	next
}
/^\[/ {
	# ip writes control characters as they are, which is no JSON, or (some) with a backslash; versions differ about '
	gsub(/[\001-\037\177]/, "?")
	gsub(/\\\\/, "\\u005c")
	gsub(/\\[bfnrt]/, "?")
	gsub(/\\'/, "'")
	print "INSERT INTO fact VALUES(" space "," quoted($0) ");"
	next
}
# of the rules in our own chains those that packets can come to:
# -A SC-0123456789ab -d 192.0.2.1/32 -p tcp … --dport 80 … -j DNAT --to-destination 10.99.0.2:80
/^-A .* -j SC-/ {
	for (i = 3; i < NF; i++) if ($i == "-j") reached[$(i + 1)]
}
/^-A SC-/ {
	host = protocol = port = target = link = action = all = sql = ""
	# -A CHAIN -i LINK -m comment --comment "scadm NAME" -j DROP
	if (NF == 11 && $3 == "-i" && $7 == "--comment") all = $4
	for (i = 3; i < NF; i++) {
		if ($i == "-d") host = $(i + 1)
		if ($i == "-p") protocol = $(i + 1)
		if ($i == "--dport") port = $(i + 1)
		if ($i == "--to-destination") target = $(i + 1)
		if ($i == "-o" && $(i - 1) == "!") link = $(i + 1)
		if ($i == "-j") action = $(i + 1)
	}
	sub(/\/(32|128)$/, "", host)
	if (action == "DNAT" && target != "") {
		address = number = target
		sub(/:[0-9-]*$/, "", address)
		sub(/.*:/, "", number)
		if (address == target) number = ""
		gsub(/[][]/, "", address)
		sql = "INSERT INTO rule VALUES(" quoted(host) "," quoted(protocol) "," quoted(port) "," quoted(address) "," quoted(number) ");"
	}
	if (action == "DROP" && all != "") sql = "INSERT INTO closed VALUES(" quoted(all) ");"
	if (action == "MASQUERADE" && link != "") sql = "INSERT INTO masquerade VALUES(" quoted(link) ");"
	if (sql != "") {
		insert[++rules] = sql
		chain[rules] = $2
	}
}
# the end of a table; the next one may have chains of the same names
/^COMMIT$/ {
	for (i = 1; i <= rules; i++) if (chain[i] in reached) print insert[i]
	for (name in reached) delete reached[name]
	rules = 0
}
