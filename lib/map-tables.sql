-- lib/map-tables.sql - what the shell (the first ones) and lib/map-facts.awk tell of this host
CREATE TABLE space(id INTEGER PRIMARY KEY, kind TEXT, name TEXT); -- network namespaces; 0 is the host's
CREATE TABLE alias(name TEXT PRIMARY KEY, space INTEGER);         -- names in /run/netns
CREATE TABLE inhabitant(space INTEGER, container TEXT);           -- containers that run in it
CREATE TABLE record(short TEXT PRIMARY KEY, name TEXT);           -- containers by the 12 digits in the names of their cables
CREATE TABLE network(name TEXT, driver TEXT, link TEXT);
CREATE TABLE stale(file TEXT);
CREATE TABLE wanted(what TEXT, value TEXT);                       -- what is to be drawn, all if empty
CREATE TABLE fact(space INTEGER, j TEXT);                         -- arrays of JSON, as ip and bridge print them
CREATE TABLE rule(host TEXT, protocol TEXT, port TEXT, target TEXT, number TEXT);
CREATE TABLE masquerade(link TEXT);                               -- what leaves for other links has the host's address
CREATE TABLE closed(link TEXT);                                   -- nothing leaves for other links
