# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/json.sh and lib/image.sh: SC_ROOT, sql
# lib/image-list.sh - the images as a table in SQL, for the verbs that list them and those that tidy up
#
# An image that was committed or loaded without a name has the reference sha256:HEX, which is its id; it is dangling.
# So is one that is no longer what its file name says.

# image_table - sets $image_table to SQL that makes the table
#	image(id, ref, file, name, tag, dangling, created, labels, size, containers, j)
# id is 64 digits; size the sum of the tar archives of its layers; containers how many were made of it; j the config, or
# {} if it is damaged, when created is `damaged`. However many images there are, it takes one sha256sum and one sqlite3.
image_table() {
	local all hex ref path rows='' record records=''
	all=$(image_ids)
	while read -r hex ref; do
		[ "$hex" ] || continue
		path=$ref
		while :; do
			case $path in
			*/*) path=${path%%/*}%${path#*/} ;;
			*) break ;;
			esac
		done
		sql_string "$ref"
		rows="$rows${rows:+,}('$hex',$sql"
		sql_string "$SC_ROOT/images/$path.json"
		rows="$rows,$sql)"
	done <<-END
		$all
	END
	set +f
	for record in "$SC_ROOT"/containers/*; do
		[ ! -e "$record/config.json" ] || records="$records${records:+,}('${record##*/}')"
	done
	set -f
	# the quotes are those of SQL
	# shellcheck disable=SC2016
	image_table="
CREATE TABLE listed (hex, ref, file);
${rows:+INSERT INTO listed VALUES $rows;}
CREATE TABLE parsed AS SELECT *, CASE WHEN json_valid(text) THEN text ELSE '{\"created\":\"damaged\"}' END AS j
	FROM (SELECT *, CAST(readfile(file) AS TEXT) AS text FROM listed);
CREATE TABLE used (ref);
${records:+INSERT INTO used SELECT CASE WHEN json_valid(j) THEN json_extract(j, '\$.Image') END
	FROM (SELECT CAST(readfile('$SC_ROOT/containers/' || column1 || '/config.json') AS TEXT) AS j FROM (VALUES $records));}
CREATE TABLE layer AS SELECT DISTINCT value AS diff_id FROM parsed, json_each(j, '\$.rootfs.diff_ids');
CREATE TABLE layer_size AS SELECT diff_id, CASE WHEN json_valid(facts) THEN json_extract(facts, '\$.size') END AS size
	FROM (SELECT diff_id, CAST(readfile('$SC_ROOT/layers/' || substr(diff_id, 8) || '.json') AS TEXT) AS facts FROM layer);
CREATE TABLE image AS SELECT hex AS id, ref, file, j,
	ref GLOB 'sha256:*' AS dangling,
	CASE WHEN ref GLOB 'sha256:*' THEN '<none>' ELSE rtrim(rtrim(ref, replace(ref, ':', '')), ':') END AS name,
	CASE WHEN ref GLOB 'sha256:*' THEN '<none>' ELSE replace(ref, rtrim(ref, replace(ref, ':', '')), '') END AS tag,
	CASE json_type(j, '\$.created') WHEN 'text' THEN json_extract(j, '\$.created') END AS created,
	CASE json_type(j, '\$.config.Labels') WHEN 'object' THEN json_extract(j, '\$.config.Labels') ELSE '{}' END AS labels,
	(SELECT sum(size) FROM json_each(j, '\$.rootfs.diff_ids') JOIN layer_size ON diff_id = value) AS size,
	(SELECT count(*) FROM used WHERE used.ref = parsed.ref) AS containers
	FROM parsed;"
}

# image_since CREATED - sets $sql to the SQL that words how long ago a time was, as docker does; `?` for what is no time
image_since() {
	sql_age age
	sql="(SELECT CASE WHEN age IS NULL THEN CASE $1 WHEN 'damaged' THEN 'damaged' ELSE '?' END ELSE $sql || ' ago' END
	FROM (SELECT CAST(strftime('%s', 'now') - strftime('%s', $1) AS INTEGER) AS age))"
}

# image_size SIZE - sets $sql to the SQL that words a number of bytes, as docker does
image_size() {
	sql="CASE WHEN $1 IS NULL THEN '?'
	WHEN $1 < 1000 THEN $1 || 'B'
	WHEN $1 < 999500 THEN printf('%.3gkB', $1 / 1e3)
	WHEN $1 < 999500000 THEN printf('%.3gMB', $1 / 1e6)
	ELSE printf('%.2fGB', $1 / 1e9) END"
}
