# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for ps; the words of lib.sh, of ps, and of the modules that it reads in
# lib/list-containers.sh - the containers as rows, for ps: however many there are, each tool is started once

list_fields='ID=ID	Names=NAME	Image=IMAGE	Command=COMMAND	CreatedAt=CREATED AT	RunningFor=CREATED	Status=STATUS	State=STATE'
list_fields="$list_fields	Ports=PORTS	Size=SIZE	Labels=LABELS	Label:json:hidden=	Mounts=MOUNTS	Networks=NETWORKS"
list_fields="$list_fields	LocalVolumes=LOCAL VOLUMES	PID=PID	IP=IP"
list_table='table {{.ID}}\t{{.Names}}\t{{or .PID "-"}}\t{{.Status}}\t{{.Command}}\t{{.RunningFor}}\t{{.Image}}\t{{.IP}}\t{{.Ports}}'
list_found='' list_layers=''
# the SQL that sums up the layers of the image of a record j
list_below="coalesce((SELECT sum(CASE WHEN json_valid(facts) THEN json_extract(facts, '\$.size') END) FROM
	(SELECT CAST(readfile('$SC_ROOT/layers/' || substr(value, 8) || '.json') AS TEXT) AS facts FROM json_each(
	(SELECT CASE WHEN json_valid(config) THEN config ELSE '{}' END FROM (SELECT CAST(readfile('$SC_ROOT/images/' ||
	replace(json_extract(j, '\$.Image'), '/', '%') || '.json') AS TEXT) AS config)), '\$.rootfs.diff_ids'))), 0)"

# list_filters - refuse what no container can be; sets $where
list_filters() {
	local rest value chosen
	for chosen in status health exited; do
		filter_values "$chosen" || continue
		rest=$values
		while [ "$rest" ]; do
			value=${rest%%"$nl"*} rest=${rest#*"$nl"}
			case $chosen,$value in
			status,created | status,running | status,paused | status,restarting | status,removing | status,exited | status,dead) ;;
			health,starting | health,healthy | health,unhealthy | health,none) ;;
			exited,*[!0-9]* | exited,????*) die "--filter exited=$value: an exit status is a number up to 255" ;;
			exited,?*) ;;
			status,*) die "--filter status=$value: created, running, paused, restarting, exited or dead" ;;
			*) die "--filter health=$value: starting, healthy, unhealthy or none" ;;
			esac
		done
	done
	! filter_values status || all=1
	filter_where id=begin:whole name=part:name label=label:label status=is:state exited=is:ended \
		ancestor=any:images volume=any:places network=any:networks_all health=is:health_is
	list_order before '<'
	list_order since '>'
}

# list_order KEY SIGN - add to $where: made before, or after, the container that the user names
list_order() {
	filter_values "$1" || return 0
	find_container "${values%"$nl"}"
	where="$where AND created <> '' AND created $2 (SELECT created FROM fact WHERE name = '$name')"
}

# list_find - sets $list_found to the rows of all records: NAME STATE PID ID CODE SINCE HEALTH RESTARTS FINISHED
list_find() {
	local record short ids=''
	set +f
	for record in "$SC_ROOT"/containers/*; do
		set -f
		is_running "$record" || continue
		{ read -r short <"$record/id"; } 2>/dev/null || continue
		case $short in '' | *[!0-9a-f]*) ;; *) ids="$ids $short" ;; esac
	done
	set -f
	# shellcheck disable=SC2086 # split on purpose: digits
	find_frozen $ids
	set +f
	for record in "$SC_ROOT"/containers/*; do
		set -f
		[ -e "$record/config.json" ] || continue
		case ${record##*/} in *[!a-zA-Z0-9_.-]*) continue ;; esac
		find_state "$record"
		{ read -r short <"$record/id"; } 2>/dev/null || short=''
		case $short in *[!0-9a-f]*) short='' ;; esac
		list_found="$list_found${list_found:+,}('${record##*/}','$state',$pid,'$short',$code,$since,'$health',$restarts,'$finished')"
		[ ! "$size" ] || list_layers="$list_layers $record/upper $record/disk/upper"
	done
	set -f
}

# list_sizes - print rows of SQL: what is in the files that each container has written, in bytes
list_sizes() {
	# a record that has only one of the two directories, or was removed this moment, is no mistake
	# shellcheck disable=SC2086 # split on purpose: SC_ROOT and names have no blanks
	{ find $list_layers -xdev -printf '%y %H %s\n' 2>/dev/null || :; } | awk -v top="$SC_ROOT/containers/" '
		{
			name = substr($2, length(top) + 1)
			sub(/\/.*/, "", name)
			bytes[name] += $1 == "f" ? $3 : 0
		}
		END { for (name in bytes) printf "INSERT INTO written VALUES (\047%s\047, %.0f);\n", name, bytes[name] }'
}

# list_rows - print the rows; one process for all containers. A record that is no JSON still has its row
list_rows() {
	local age up finished_ago written image_size field fields='' states=1
	[ "$all" ] || states="state IN ('running', 'paused', 'restarting')"
	sql_age age
	age=$sql
	sql_age since
	up=$sql
	sql_age finished_age
	finished_ago="coalesce(' ' || $sql || ' ago', '')"
	sql_size bytes
	written=$sql
	sql_size '(bytes + below)'
	image_size=$sql
	for field in id name image "CASE WHEN length(command) <= $command_length THEN command ELSE substr(command, 1, $command_length - 3) || '...' END" \
		created_at running_for status state ports size labels; do
		sql_field "$field"
		fields="$fields$sql || char(9) || "
	done
	fields="${fields}label || char(9) || "
	for field in mounts networks; do
		sql_field "$field"
		fields="$fields$sql || char(9) || "
	done
	sqlite3 -init /dev/null :memory: 2>/dev/null <<-END
		CREATE TEMP TABLE listed(name, state, pid, short, code, since, health, restarts, finished);
		${list_found:+INSERT INTO listed VALUES $list_found;}
		CREATE TEMP TABLE written(name, bytes);
		$([ ! "$list_layers" ] || list_sizes)
		CREATE TEMP TABLE record AS
			SELECT *, CASE WHEN CASE WHEN json_valid(text) THEN json_type(text) = 'object' END THEN text ELSE '{"Image":"(damaged record)"}' END AS j
			FROM (SELECT *, CAST(readfile('$SC_ROOT/containers/' || name || '/config.json') AS TEXT) AS text FROM listed);
		CREATE TEMP TABLE fact AS SELECT name, state, pid, code, since, health, j, CASE WHEN json_extract(j, '\$.Id') NOT GLOB '*[^0-9a-f]*' THEN json_extract(j, '\$.Id') ELSE short END AS whole,
			coalesce(nullif(health, ''), 'none') AS health_is, CASE state WHEN 'exited' THEN CAST(code AS TEXT) END AS ended,
			coalesce((SELECT group_concat(value, ' ') FROM (SELECT json_extract(j, '\$.Path') AS value WHERE value <> '' UNION ALL
				SELECT value FROM json_each(j, '\$.Args'))), '') AS command,
			coalesce(CAST(json_extract(j, '\$.Created') AS TEXT), '') AS created, coalesce(CAST(json_extract(j, '\$.Image') AS TEXT), '') AS image,
			CASE WHEN state IN ('running', 'paused') THEN json_extract(j, '\$.NetworkSettings.IPAddress') END AS ip,
			CASE json_type(j, '\$.Config.Labels') WHEN 'object' THEN json_extract(j, '\$.Config.Labels') ELSE '{}' END AS label,
			CASE json_type(j, '\$.NetworkSettings.Networks') WHEN 'object' THEN (SELECT json_group_array(key) FROM json_each(j, '\$.NetworkSettings.Networks'))
				ELSE json_array(coalesce(json_extract(j, '\$.HostConfig.NetworkMode'), '')) END AS networks_all,
			CASE json_type(j, '\$.Mounts') WHEN 'array' THEN json_extract(j, '\$.Mounts') ELSE '[]' END AS mount,
			CASE WHEN state IN ('running', 'paused') AND json_type(j, '\$.NetworkSettings.Ports') = 'object'
				THEN json_extract(j, '\$.NetworkSettings.Ports') ELSE '{}' END AS port,
			CAST(strftime('%s', 'now') - strftime('%s', json_extract(j, '\$.Created')) AS INTEGER) AS age,
			CAST(strftime('%s', 'now') - strftime('%s', nullif(finished, '')) AS INTEGER) AS finished_age,
			(SELECT sum(bytes) FROM written AS w WHERE w.name = record.name) AS bytes
			FROM record;
		CREATE TEMP TABLE chosen AS SELECT *, json_array(image, CASE WHEN image LIKE '%:latest' THEN substr(image, 1, length(image) - 7) END) AS images,
			(SELECT json_group_array(place) FROM (SELECT json_extract(value, '\$.Name') AS place FROM json_each(mount) WHERE type = 'object'
				UNION ALL SELECT json_extract(value, '\$.Destination') FROM json_each(mount) WHERE type = 'object'
				UNION ALL SELECT json_extract(value, '\$.Source') FROM json_each(mount) WHERE type = 'object')) AS places
			FROM fact;
		CREATE TEMP TABLE shown AS SELECT name, state, command, image, label, created, coalesce(ip, '') AS ip, CASE pid WHEN 0 THEN '' ELSE pid END AS pid,
			substr(whole, 1, $id_length) AS id, coalesce(strftime('%Y-%m-%d %H:%M:%S +0000 UTC', created), '') AS created_at,
			coalesce($age || ' ago', '') AS running_for,
			CASE state WHEN 'running' THEN 'Up ' || $up || CASE health WHEN 'starting' THEN ' (health: starting)' WHEN '' THEN '' ELSE ' (' || health || ')' END
				WHEN 'paused' THEN 'Up ' || $up || ' (Paused)' WHEN 'exited' THEN 'Exited (' || code || ')' || $finished_ago
				WHEN 'restarting' THEN 'Restarting (' || code || ')' || $finished_ago ELSE 'Created' END AS status,
			coalesce((SELECT group_concat(coalesce((SELECT group_concat(CASE coalesce(json_extract(b.value, '\$.HostIp'), '') WHEN '' THEN '0.0.0.0'
				ELSE json_extract(b.value, '\$.HostIp') END || ':' || json_extract(b.value, '\$.HostPort') || '->' || p.key, ', ')
				FROM json_each(CASE p.type WHEN 'array' THEN p.value ELSE '[]' END) AS b WHERE b.type = 'object'), p.key), ', ') FROM json_each(port) AS p), '') AS ports,
			CASE WHEN bytes IS NULL THEN '' ELSE $written || ' (virtual ' || $image_size || ')' END AS size,
			coalesce((SELECT group_concat(key || '=' || value) FROM json_each(label)), '') AS labels,
			coalesce((SELECT group_concat(coalesce(json_extract(value, '\$.Name'), json_extract(value, '\$.Source'))) FROM json_each(mount) WHERE type = 'object'), '') AS mounts,
			coalesce((SELECT group_concat(value) FROM json_each(networks_all)), '') AS networks,
			(SELECT count(*) FROM json_each(mount) WHERE type = 'object' AND json_extract(value, '\$.Type') = 'volume') AS volumes
			FROM (SELECT *, CASE WHEN bytes IS NULL THEN 0 ELSE $list_below END AS below FROM chosen)
			WHERE $where AND $states;
		SELECT $fields volumes || char(9) || pid || char(9) || ip FROM shown ORDER BY created DESC, name${last:+ LIMIT $last};
	END
}
