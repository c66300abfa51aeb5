-- lib/map-pairs.sql - the links of all namespaces, and which two are the ends of one cable
-- ip-link(8) gives for the other end its index, and the number (nsid) that the namespace of this end has for that of
-- the other one. `ip netns list-id` knows numbers by name, if the namespace has one.
CREATE TABLE element AS SELECT space, value AS j FROM fact, json_each(CASE WHEN json_valid(fact.j) THEN fact.j ELSE '[]' END);

CREATE TABLE link(id INTEGER PRIMARY KEY, space INTEGER, number INTEGER, name TEXT, kind TEXT, nsid INTEGER, far INTEGER,
	bridge TEXT, note TEXT, j TEXT);
INSERT INTO link(space, number, name, kind, nsid, far, bridge, j)
SELECT space, json_extract(j, '$.ifindex'), json_extract(j, '$.ifname'),
	coalesce(json_extract(j, '$.linkinfo.info_kind'), CASE json_extract(j, '$.link_type') WHEN 'loopback' THEN 'loopback' ELSE 'device' END),
	json_extract(j, '$.link_netnsid'), json_extract(j, '$.link_index'), json_extract(j, '$.master'), j
FROM element WHERE json_type(j, '$.ifindex') = 'integer' AND json_type(j, '$.ifname') = 'text' ORDER BY 1, 2;
-- within one namespace it is the name that ip gives
UPDATE link SET far = (SELECT other.number FROM link AS other WHERE other.space = link.space AND other.name = json_extract(link.j, '$.link'))
WHERE nsid IS NULL AND far IS NULL AND json_type(j, '$.link') = 'text';
CREATE INDEX by_number ON link(space, number);

CREATE TABLE neighbour AS SELECT element.space, json_extract(j, '$.nsid') AS nsid, alias.space AS far
FROM element JOIN alias ON alias.name = json_extract(j, '$.name') WHERE json_type(j, '$.nsid') = 'integer';
INSERT INTO neighbour SELECT DISTINCT space, NULL, space FROM link;

CREATE TABLE cable(a INTEGER PRIMARY KEY, b INTEGER);
INSERT OR IGNORE INTO cable SELECT one.id, other.id
FROM link AS one JOIN neighbour ON neighbour.space = one.space AND neighbour.nsid IS one.nsid
	JOIN link AS other ON other.space = neighbour.far AND other.number = one.far
WHERE one.kind IN ('veth', 'netkit') AND other.kind = one.kind AND other.far = one.number;
INSERT OR IGNORE INTO cable SELECT b, a FROM cable;
