-- lib/map-ask.sql - the namespaces whose links lead to others than the host; the word nothing, if the host has not even lo
SELECT 'nothing' WHERE NOT EXISTS (SELECT 1 FROM link WHERE space = 0)
UNION SELECT link.space FROM link JOIN alias ON alias.space = link.space
WHERE link.space <> 0 AND nsid IS NOT NULL AND id NOT IN (SELECT a FROM cable);
