-- lib/map-list.sql - the neutral list that lib/map.sh describes, of the links and cables of lib/map-pairs.sql

-- the namespaces of containers that have no name can be told by the two indexes, if only one pair fits
CREATE TABLE candidate AS SELECT one.id AS a, other.id AS b
FROM link AS one JOIN link AS other ON one.number = other.far AND one.far = other.number AND one.space <> other.space AND one.kind = other.kind
WHERE one.kind IN ('veth', 'netkit') AND one.nsid IS NOT NULL AND other.nsid IS NOT NULL
	AND one.id NOT IN (SELECT a FROM cable) AND other.id NOT IN (SELECT a FROM cable)
	AND one.space NOT IN (SELECT space FROM alias) AND other.space NOT IN (SELECT space FROM alias);
INSERT INTO cable SELECT a, b FROM candidate AS c
WHERE (SELECT count(*) FROM candidate WHERE a = c.a) = 1 AND (SELECT count(*) FROM candidate WHERE b = c.b) = 1;
-- where a cable of the same number leads, other links lead too
INSERT INTO neighbour SELECT DISTINCT one.space, one.nsid, other.space
FROM cable JOIN link AS one ON one.id = a JOIN link AS other ON other.id = b
WHERE one.nsid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM neighbour AS n WHERE n.space = one.space AND n.nsid = one.nsid);

-- upon which link one is made (vlan, macvlan, vxlan); the host has no name, so a number without one is taken for the host
CREATE TABLE parent AS SELECT one.id AS id, other.id AS parent
FROM link AS one JOIN link AS other ON other.number = one.far AND other.space =
	coalesce((SELECT neighbour.far FROM neighbour WHERE neighbour.space = one.space AND neighbour.nsid IS one.nsid), 0)
WHERE one.kind NOT IN ('veth', 'netkit') AND one.id <> other.id;

CREATE TABLE address AS SELECT link.id AS link, json_extract(value, '$.local') AS address, json_extract(value, '$.prefixlen') AS length
FROM link, json_each(link.j, '$.addr_info')
WHERE json_extract(value, '$.scope') NOT IN ('host', 'link') AND json_type(value, '$.local') = 'text';

CREATE TABLE route AS SELECT link.id AS link, coalesce(json_extract(r, '$.dst'), '?') AS destination,
	coalesce(json_extract(hop, '$.gateway'), json_extract(hop, '$.via.host')) AS gateway, 'inside' AS leads
FROM (SELECT space, j AS r, value AS hop
	FROM (SELECT space, j, coalesce(json_extract(j, '$.nexthops'), json_array(json(j))) AS hops FROM element
		WHERE json_type(j, '$.protocol') = 'text' AND json_extract(j, '$.table') = 'main'), json_each(hops)) AS one
	JOIN link ON link.space = one.space AND link.name = json_extract(hop, '$.dev')
WHERE gateway IS NOT NULL OR json_extract(r, '$.dst') = 'default' OR json_extract(r, '$.protocol') <> 'kernel';
UPDATE route SET leads = CASE destination WHEN 'default' THEN 'outside' ELSE 'peer' END
WHERE gateway IS NULL AND destination = 'default' OR gateway IS NOT NULL AND gateway NOT IN (SELECT address FROM address);

-- a vxlan: fdb (device, MAC, remote), neighbour (device, MAC, address), route (device, address, block)
CREATE TABLE entry AS SELECT link.id AS link, json_extract(element.j, '$.mac') AS mac, json_extract(element.j, '$.dst') AS remote
FROM element JOIN link ON link.space = element.space AND link.name = json_extract(element.j, '$.ifname') AND link.kind = 'vxlan'
WHERE json_type(element.j, '$.mac') = 'text' AND json_type(element.j, '$.dst') = 'text';
CREATE TABLE resolved AS SELECT link.id AS link, json_extract(element.j, '$.lladdr') AS mac, json_extract(element.j, '$.dst') AS address
FROM element JOIN link ON link.space = element.space AND link.name = json_extract(element.j, '$.dev') AND link.kind = 'vxlan'
WHERE json_type(element.j, '$.lladdr') = 'text';
CREATE TABLE peer AS SELECT entry.link, remote, destination AS block, route.gateway,
	CASE WHEN mac = '00:00:00:00:00:00' THEN 'all that is not known' WHEN address IS NULL THEN 'no neighbour has its address ' || mac
		WHEN destination IS NULL THEN 'no route goes to ' || address END AS note
FROM entry LEFT JOIN resolved USING(link, mac) LEFT JOIN route ON route.link = entry.link AND route.gateway = resolved.address;
DELETE FROM route WHERE EXISTS (SELECT 1 FROM peer WHERE peer.link = route.link AND peer.gateway = route.gateway);

CREATE TABLE port AS SELECT DISTINCT (SELECT min(link) FROM address WHERE address.address = target) AS link,
	CASE WHEN host LIKE '%:%' THEN '[' || host || ']:' WHEN host <> '' THEN host || ':' ELSE '' END || port || '/' || protocol AS published, target, number
FROM rule;

UPDATE link SET note = ltrim(
	CASE WHEN json_extract(j, '$.flags') LIKE '%"UP"%' THEN CASE WHEN json_extract(j, '$.flags') LIKE '%"NO-CARRIER"%' THEN ', no carrier' ELSE '' END ELSE ', down' END
	|| CASE kind WHEN 'vxlan' THEN ifnull(', id ' || json_extract(j, '$.linkinfo.info_data.id'), '')
			|| ifnull(', from ' || json_extract(j, '$.linkinfo.info_data.local'), '') || ifnull(', UDP port ' || json_extract(j, '$.linkinfo.info_data.port'), '')
		WHEN 'vlan' THEN ifnull(', id ' || json_extract(j, '$.linkinfo.info_data.id'), '')
		WHEN 'macvlan' THEN ifnull(', ' || json_extract(j, '$.linkinfo.info_data.mode'), '') ELSE '' END
	|| CASE WHEN json_extract(j, '$.mtu') NOT IN (1500, 65536) THEN ', MTU ' || json_extract(j, '$.mtu') ELSE '' END
	|| CASE WHEN space = 0 AND name IN (SELECT link FROM masquerade) THEN ', masquerades' ELSE '' END
	|| CASE WHEN space = 0 AND name IN (SELECT link FROM closed) THEN ', no way out' ELSE '' END, ', ');

-- links of networks: bridges, the vxlan beside one, and on a parent of one network only, its macvlans
CREATE TABLE serves AS SELECT link.id AS link, network.name AS name FROM network JOIN link ON link.space = 0
	AND (link.name = network.link AND driver <> 'macvlan' OR link.kind = 'vxlan' AND replace(link.name, '-vx', '-br') = network.link)
UNION SELECT parent.id, network.name FROM network JOIN link AS other ON other.space = 0 AND other.name = network.link JOIN parent ON parent.parent = other.id
	JOIN link ON link.id = parent.id AND link.kind = 'macvlan'
WHERE driver = 'macvlan' AND (SELECT count(*) FROM network AS n WHERE n.link = network.link AND n.driver = 'macvlan') = 1 ORDER BY 1, 2;

-- what is drawn: all, or what was asked for with what it hangs on, and the ways from the host to others
CREATE TABLE shown(id INTEGER PRIMARY KEY);
INSERT INTO shown SELECT id FROM link WHERE NOT EXISTS (SELECT 1 FROM wanted) OR space = 0 AND id IN (SELECT link FROM route WHERE leads <> 'inside')
	OR space = 0 AND name IN (SELECT value FROM wanted WHERE what = 'link') OR space IN (SELECT value + 0 FROM wanted WHERE what = 'space');
CREATE TABLE network_link AS SELECT id, name FROM link WHERE space = 0 AND name IN (SELECT value FROM wanted WHERE what = 'link');
INSERT OR IGNORE INTO shown SELECT link.id FROM link WHERE space = 0
	AND (bridge IN (SELECT name FROM network_link) OR kind = 'vxlan' AND replace(name, '-vx', '-br') IN (SELECT name FROM network_link));
INSERT OR IGNORE INTO shown SELECT id FROM parent WHERE parent IN (SELECT id FROM network_link);
INSERT OR IGNORE INTO shown SELECT b FROM cable WHERE a IN (SELECT id FROM shown);
INSERT OR IGNORE INTO shown SELECT parent FROM parent WHERE id IN (SELECT id FROM shown);
INSERT OR IGNORE INTO shown SELECT other.id FROM link JOIN shown USING(id) JOIN link AS other ON other.space = link.space AND other.name = link.bridge;
-- loopback says nothing, unless it has an address of its own
DELETE FROM shown WHERE id IN (SELECT id FROM link WHERE kind = 'loopback' AND id NOT IN (SELECT link FROM address));

SELECT 'space', id, CASE WHEN id NOT IN (SELECT space FROM link) THEN 'stale' WHEN kind <> 'host' AND name IN (SELECT container FROM inhabitant WHERE space = id) THEN 'container' ELSE kind END,
	name, CASE WHEN id NOT IN (SELECT space FROM link) THEN 'it cannot be read, or ended just now'
	ELSE ifnull((SELECT group_concat(container, ', ') FROM (SELECT container FROM inhabitant WHERE space = id AND (container <> name OR kind = 'host') ORDER BY 1)), '-') END
FROM space WHERE NOT EXISTS (SELECT 1 FROM wanted) OR id = 0 OR id IN (SELECT space FROM link JOIN shown USING(id))
	OR id IN (SELECT value + 0 FROM wanted WHERE what = 'space') ORDER BY id;
SELECT 'link', link.id, link.space, link.name, link.kind, CASE note WHEN '' THEN '-' ELSE note END,
	ifnull((SELECT other.id FROM link AS other JOIN shown USING(id) WHERE other.space = link.space AND other.name = link.bridge), '-'),
	ifnull(cable.b, '-'), ifnull((SELECT parent FROM parent JOIN shown ON shown.id = parent WHERE parent.id = link.id), '-'),
	ifnull((SELECT group_concat(name, ', ') FROM serves WHERE serves.link = link.id), '-'),
	CASE WHEN link.kind NOT IN ('veth', 'netkit') OR cable.b IS NOT NULL THEN '-'
		WHEN link.nsid IS NULL THEN 'nowhere'
		ELSE 'a namespace without a name' || CASE WHEN link.space = 0 AND record.name IS NOT NULL THEN ' (of container ' || record.name || '?)' ELSE '' END END
FROM link JOIN shown USING(id) LEFT JOIN cable ON cable.a = link.id
	LEFT JOIN record ON link.name GLOB 'v*-*' AND short = substr(link.name, -12) ORDER BY link.space, link.number;
SELECT 'address', link, address || '/' || length FROM address JOIN shown ON shown.id = link ORDER BY address.rowid;
SELECT 'route', link, destination, ifnull(gateway, '-'), leads FROM route JOIN shown ON shown.id = link ORDER BY destination <> 'default', route.rowid;
SELECT 'port', link, published || CASE WHEN number = '' THEN '' ELSE ' -> ' || number END FROM port JOIN shown ON shown.id = link ORDER BY port.rowid;
SELECT 'peer', link, remote, ifnull(block, '-'), ifnull(note, '-') FROM peer JOIN shown ON shown.id = link ORDER BY link, remote, block;
SELECT 'stray', published || ' is published for ' || target || ', and nobody here has that address' FROM port WHERE link IS NULL AND NOT EXISTS (SELECT 1 FROM wanted);
SELECT 'stray', file || ' is no network namespace; what it was for is gone' FROM stale WHERE NOT EXISTS (SELECT 1 FROM wanted);
