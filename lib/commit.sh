# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/find.sh, lib/json.sh, lib/image.sh
# lib/commit.sh - what an image made of a container has from the container and from its image

# commit_layers - sets $below to the digests of the layers of $record, topmost first, with colons between, and $diff_ids
# to the same as a config has them: a JSON array from the bottom up. Its fstab is the truth, its image may be another by now.
commit_layers() {
	local options='' rest layer
	{ read -r _ _ _ options _ <"$record/fstab"; } 2>/dev/null || die "cannot read the layers of '$name' in $record/fstab"
	rest=${options#lowerdir=}
	rest=${rest%%,*}:
	below='' diff_ids=''
	while [ "$rest" ]; do
		layer=${rest%%:*} rest=${rest#*:}
		layer=${layer#"$SC_ROOT/layers/"}
		case $layer in '' | *[!0-9a-f]*) die "$record/fstab is damaged: '$layer' is not the digest of a layer" ;; esac
		below=$below${below:+:}$layer
		diff_ids="\"sha256:$layer\"${diff_ids:+,$diff_ids}"
	done
	diff_ids="[$diff_ids]"
}

# commit_base - sets $image_base to a config with the layers of $record: what its image says, and over that what the container
# was made with. A variable that run sets by itself is none of the image's.
commit_base() {
	local image='' file="'/'"
	image=$(sqlite3 -init /dev/null :memory: "SELECT json_extract(readfile('$record/config.json'), '\$.Image');" 2>/dev/null) ||
		die "cannot read $record/config.json: the record of '$name' is damaged"
	if image_stored "$image"; then
		sql_string "$image_file"
		file=$sql
	fi
	image_base=$(
		sqlite3 -init /dev/null :memory: <<-END
			CREATE TABLE image AS SELECT j FROM (SELECT CAST(readfile($file) AS TEXT) AS j)
				WHERE json_valid(j) AND json_extract(j, '\$.rootfs.diff_ids') = '$diff_ids';
			INSERT INTO image SELECT '{}' WHERE NOT EXISTS (SELECT 1 FROM image);
			CREATE TABLE config AS SELECT json_extract(readfile('$record/config.json'), '\$.Config') AS c;
			CREATE TABLE env AS SELECT key AS place, value, substr(value, 1, instr(value || '=', '=') - 1) AS name
				FROM config, json_each(c, '\$.Env')
				WHERE NOT (key < 4 AND value IN ('HOSTNAME=' || json_extract(c, '\$.Hostname'), 'container=scadm', 'TERM=xterm'));
			SELECT json_object('architecture', json_extract(j, '\$.architecture'), 'os', json_extract(j, '\$.os'),
				'variant', json_extract(j, '\$.variant'),
				'config', json(json_patch(coalesce(json_extract(j, '\$.config'), '{}'), json_object(
					'User', nullif(json_extract(c, '\$.User'), ''),
					'Env', (SELECT json(nullif(json_group_array(value), '[]')) FROM (SELECT value FROM env WHERE place IN
						(SELECT max(place) FROM env GROUP BY name) ORDER BY place)),
					'Cmd', json(nullif(json_extract(c, '\$.Cmd'), '[]')),
					'Entrypoint', json(nullif(json_extract(c, '\$.Entrypoint'), '[]')),
					'WorkingDir', CASE WHEN json_extract(j, '\$.config.WorkingDir') <> '' THEN json_extract(c, '\$.WorkingDir')
						ELSE nullif(json_extract(c, '\$.WorkingDir'), '/') END,
					'Labels', json(nullif(json_extract(c, '\$.Labels'), '{}')),
					'ExposedPorts', json(nullif(json_extract(c, '\$.ExposedPorts'), '{}')),
					'StopSignal', CASE WHEN json_extract(j, '\$.config.StopSignal') <> '' THEN json_extract(c, '\$.StopSignal')
						ELSE nullif(nullif(json_extract(c, '\$.StopSignal'), ''), 'TERM') END,
					'Healthcheck', json(json_extract(c, '\$.Healthcheck'))))),
				'rootfs', json_object('diff_ids', json('$diff_ids')),
				'history', json(coalesce(nullif(json_extract(j, '\$.history'), '[]'),
					(SELECT json_group_array(json_object('created_by', 'unknown')) FROM json_each('$diff_ids')))))
				FROM image, config;
		END
	) || die "sqlite3 could not make a config of $record/config.json"
	[ "$image_base" ] || die "cannot read $record/config.json: the record of '$name' is damaged"
}

# commit_frozen CGROUP - whether its processes are stopped already: then they stay so
commit_frozen() {
	local state
	state=$(sc-cg get "$1" freezer.state) || die "cannot ask whether '$name' is paused"
	case $state in *FROZEN | *freeze=1) return 0 ;; esac
	return 1
}

# commit_whole - whether the container, which ran, was there until all was read. Only one that does not run is removed, and
# whoever does that holds the lock.
commit_whole() {
	local dir="$SC_ROOT/containers/$name" now=''
	is_running "$dir" || flock -w 20 "$dir/." true 2>/dev/null || return 1
	{ read -r now <"$dir/id"; } 2>/dev/null || return 1
	[ "$now" = "$short" ]
}
