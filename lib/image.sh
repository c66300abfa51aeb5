# shellcheck shell=sh
# lib/image.sh - images: references, where they lie, and the OCI config
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and lib/json.sh: SC_ROOT, nl, sql
#
#   $SC_ROOT/images/REF.json   an OCI image config; `/` in REF is written `%`; its sha256 is the image's id
#   $SC_ROOT/layers/HEX/       the tree of the layer with that diff_id; a lower directory of an overlay, never
#                              written again
#   $SC_ROOT/layers/HEX.json   {"size": of its tar archive, "blob": "sha256:...", "blobSize": , "mediaType": }, the
#                              last three only when the archive is kept in $SC_ROOT/blobs/sha256
#   $SC_ROOT/imports/ID/       where an image is being made: rootfs, then image.json; keep names digests too
#
# Who needs a layer says so before he looks for it: an import writes its image.json, a container its fstab,
# then `scadm-layer add` or a look into layers/. `scadm-layer prune` removes what nobody named, under a lock.

# --- references -------------------------------------------------------------------------------------

# image_ref TEXT - check a docker reference; sets $ref (with its tag) and $image_file, or $ref_error and status 1
image_ref() {
	local name="$1" tag=latest rest part path='' number=0
	ref_error="'$1' is no image name: lower case letters, digits, '.', '_', '-' and '/', then perhaps :TAG"
	# it would stand in the place of an image that has this sum
	case $1 in
	sha256 | sha256:*)
		ref_error="'$1' is no image name: sha256: begins the id of an image"
		return 1
		;;
	*@*) ref_error="'$1' is no image name: 'scadm pull' knows digests; 'scadm images' shows the name it gave" ;;
	esac
	case ${1##*/} in *:*) tag=${1##*:} name=${1%:*} ;; esac
	case $tag in '' | [!a-zA-Z0-9_]* | *[!a-zA-Z0-9_.-]*) return 1 ;; esac
	[ ${#tag} -le 128 ] && [ ${#name} -le 120 ] || return 1
	rest=$name/
	while [ "$rest" ]; do
		part=${rest%%/*} rest=${rest#*/} number=$((number + 1))
		# the first of several may be a registry with its port
		case $number:$rest:$part in 1:?*:*?:[0-9]*)
			case ${part#*:} in *[!0-9]*) return 1 ;; esac
			path=$part%
			part=${part%%:*}
			;;
		*) path=$path$part${rest:+%} ;;
		esac
		case $part in
		'' | [!a-z0-9]* | *[!a-z0-9] | *[!a-z0-9._-]*) return 1 ;;
		*.[._-]* | *_[.-]* | *-[._]* | *___*) return 1 ;;
		esac
	done
	# docker's rule: 64 hexadecimal digits are an id
	case $name in *[!0-9a-f]*) ;; *) [ ${#name} -ne 64 ] || return 1 ;; esac
	ref=$name:$tag image_file=$SC_ROOT/images/$path:$tag.json
}

# image_stored REF - sets $ref and $image_file of an image in the store; one without a name is sha256:HEX, and HEX its sum
# status 1: it is not that
image_stored() {
	local sum
	case $1 in
	sha256:*)
		ref=$1 image_file=$SC_ROOT/images/$1.json
		case ${1#sha256:} in *[!0-9a-f]*) return 1 ;; esac
		sum=$(sha256sum 2>/dev/null <"$image_file") && [ "${sum%% *}" = "${1#sha256:}" ]
		;;
	*) image_ref "$1" ;;
	esac
}

# image_ids - every image, one line each: its id, a blank, its reference
image_ids() {
	set +f
	set -- "$SC_ROOT"/images/*.json
	set -f
	[ -e "$1" ] || return 0
	# one that is removed at this moment is none
	sha256sum -- "$@" 2>/dev/null | sed -n 's|^\([0-9a-f]\{64\}\)  .*/\([^/]*\)\.json$|\1 \2|p' | tr % /
}

# image_lookup REF|ID - find an image; sets $ref, $image_file, $image_id and $image_refs (all names of that id)
# status 1: there is none, and $ref_error says so
image_lookup() {
	local wanted="${1#sha256:}" all line found=''
	all=$(image_ids)
	image_id='' image_refs=''
	if image_ref "$1" && [ -e "$image_file" ]; then
		while read -r line found; do
			[ "$found" != "$ref" ] || image_id=$line
		done <<-END
			$all
		END
		image_refs=$ref
		return 0
	fi
	ref_error="there is no image '$1'; see 'scadm images'"
	case $wanted in '' | *[!0-9a-f]*) return 1 ;; esac
	while read -r line found; do
		case $line in "$wanted"*) ;; *) continue ;; esac
		# damaged, or put there by somebody: it is not what its file name says
		case $found in sha256:*) [ "$found" = "sha256:$line" ] || continue ;; esac
		if [ "$image_id" ] && [ "$image_id" != "$line" ]; then
			ref_error="several images have an id that starts with '$1': give more digits"
			return 1
		fi
		image_id=$line image_refs=${image_refs:+$image_refs }$found
	done <<-END
		$all
	END
	[ "$image_id" ] || return 1
	image_stored "${image_refs%% *}"
}

# --- the config -------------------------------------------------------------------------------------

# image_set KIND KEY VALUE - note one fact of the config in $config_sql; the later one of a KIND and KEY wins
image_set() {
	local row
	sql_string "$1"
	row=$sql
	sql_string "$2"
	row="$row,$sql"
	sql_string "$3"
	config_sql="$config_sql${nl}INSERT INTO c VALUES ($row,$sql) ON CONFLICT DO UPDATE SET value = excluded.value;"
}

# image_pair KIND TEXT - note KEY=VALUE, or KEY VALUE; quotes around all of VALUE are taken off
image_pair() {
	local key value
	case ${2%%[ =]*} in '' | *[!a-zA-Z0-9_./-]*) bad_usage "'$2' is not KEY=VALUE" ;; esac
	key=${2%%[ =]*}
	[ "$key" != "$2" ] || bad_usage "'$2' is not KEY=VALUE"
	value=${2#"$key"?}
	case $value in
	\"*\" | \'*\') [ ${#value} -lt 2 ] || value=${value#?} value=${value%?} ;;
	esac
	image_set "$1" "$key" "$value"
}

# image_change LINE - note an instruction of a Dockerfile, as docker import --change takes it
image_change() {
	local word rest="${1#* }"
	# spaces between the two
	rest=${rest#"${rest%%[! ]*}"}
	[ "$rest" ] && [ "$rest" != "$1" ] || bad_usage "the change '$1' says nothing"
	case ${1%% *} in
	CMD | cmd) image_set Cmd '' "$rest" ;;
	ENTRYPOINT | entrypoint) image_set Entrypoint '' "$rest" ;;
	ENV | env) image_pair Env "$rest" ;;
	LABEL | label) image_pair Labels "$rest" ;;
	USER | user) image_set User '' "$rest" ;;
	STOPSIGNAL | stopsignal) image_set StopSignal '' "$rest" ;;
	WORKDIR | workdir)
		case $rest in /*) ;; *) bad_usage "WORKDIR '$rest' is no absolute path" ;; esac
		image_set WorkingDir '' "$rest"
		;;
	VOLUME | volume)
		case $rest in /*) ;; *) bad_usage "VOLUME '$rest' is no absolute path" ;; esac
		image_set Volumes "$rest" ''
		;;
	EXPOSE | expose)
		# split on purpose: several ports; lib.sh has set -f
		# shellcheck disable=SC2086
		for word in $rest; do
			case $word in
			*[!0-9]*/* | */*/* | /*) bad_usage "EXPOSE '$word' is not PORT[/tcp|/udp|/sctp]" ;;
			*/tcp | */udp | */sctp) ;;
			*[!0-9]*) bad_usage "EXPOSE '$word' is not PORT[/tcp|/udp|/sctp]" ;;
			*) word=$word/tcp ;;
			esac
			[ ${#word} -le 10 ] && [ "${word%/*}" -ge 1 ] && [ "${word%/*}" -le 65535 ] ||
				bad_usage "EXPOSE '$word': a port is a number from 1 to 65535"
			image_set ExposedPorts "$word" ''
		done
		;;
	*) bad_usage "unknown change '${1%% *}': one of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR" ;;
	esac
}

# image_json DIGEST CREATED_BY COMMENT [AUTHOR] - sets $image_json to the OCI config of an image whose last layer has
# this digest, with the noted changes; below it are config, layers and history of $image_base, a config as well
image_json() {
	local arch created comment digest by author base
	created=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	arch=$(uname -m)
	case $arch in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; armv7l) arch=arm ;; i?86) arch=386 ;; esac
	sql_string "$arch"
	arch=$sql
	sql_string "$2"
	by=$sql
	sql_string "$3"
	comment="nullif($sql, '')"
	sql_string "${4-}"
	author="nullif($sql, '')"
	sql_string "sha256:$1"
	digest=$sql
	sql_string "${image_base:-"{}"}"
	base=$sql
	image_json=$(
		sqlite3 -init /dev/null :memory: <<-END
			CREATE TABLE c (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key));
			$config_sql
			-- a command that is no JSON array is a line for the shell
			UPDATE c SET value = json_array('/bin/sh', '-c', value) WHERE kind IN ('Cmd', 'Entrypoint') AND value NOT LIKE '[%';
			-- a command belongs to the entrypoint it was written for
			CREATE TABLE base AS SELECT j, CASE WHEN EXISTS (SELECT 1 FROM c WHERE kind = 'Entrypoint')
				THEN json_remove(config, '\$.Cmd') ELSE config END AS config
				FROM (SELECT j, coalesce(json_extract(j, '\$.config'), '{}') AS config FROM (SELECT $base AS j));
			CREATE TABLE env AS SELECT key AS place, substr(value, 1, instr(value || '=', '=') - 1) AS name, value
				FROM base, json_each(config, '\$.Env');
			UPDATE env SET value = name || '=' || (SELECT value FROM c WHERE kind = 'Env' AND key = name)
				WHERE name IN (SELECT key FROM c WHERE kind = 'Env');
			INSERT INTO env SELECT 1000000 + rowid, key, key || '=' || value FROM c WHERE kind = 'Env' AND key NOT IN (SELECT name FROM env);
			SELECT CASE WHEN EXISTS (SELECT 1 FROM c WHERE kind IN ('Cmd', 'Entrypoint') AND (NOT json_valid(c.value)
				OR EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(c.value) THEN c.value ELSE '[]' END) AS word WHERE word.type <> 'text')))
			THEN 'wrong' ELSE json_patch('{}', json_object('created', '$created', 'author', $author,
				'architecture', coalesce(json_extract(j, '\$.architecture'), $arch),
				'variant', json_extract(j, '\$.variant'), 'os', coalesce(json_extract(j, '\$.os'), 'linux'),
				'config', json(json_patch(config, json_patch('{}', json_object(
					'User', (SELECT value FROM c WHERE kind = 'User'),
					'ExposedPorts', (SELECT json(nullif(json_group_object(key, json('{}')), '{}')) FROM c WHERE kind = 'ExposedPorts'),
					'Env', (SELECT json(nullif(json_group_array(value), '[]')) FROM (SELECT value FROM env ORDER BY place)),
					'Entrypoint', (SELECT json(value) FROM c WHERE kind = 'Entrypoint'),
					-- without any command at all the image would start nothing
					'Cmd', coalesce((SELECT json(value) FROM c WHERE kind = 'Cmd'),
						CASE WHEN EXISTS (SELECT 1 FROM c WHERE kind = 'Entrypoint') OR config LIKE '%"Cmd":%' OR config LIKE '%"Entrypoint":%'
						THEN NULL ELSE json('["sh"]') END),
					'Volumes', (SELECT json(nullif(json_group_object(key, json('{}')), '{}')) FROM c WHERE kind = 'Volumes'),
					'WorkingDir', (SELECT value FROM c WHERE kind = 'WorkingDir'),
					'Labels', (SELECT json(nullif(json_group_object(key, value), '{}')) FROM c WHERE kind = 'Labels'),
					'StopSignal', (SELECT value FROM c WHERE kind = 'StopSignal'))))),
				'rootfs', json_object('type', 'layers', 'diff_ids',
					json(json_insert(coalesce(json_extract(j, '\$.rootfs.diff_ids'), '[]'), '\$[#]', $digest))),
				'history', json(json_insert(coalesce(json_extract(j, '\$.history'), '[]'), '\$[#]', json(json_patch('{}', json_object(
					'created', '$created', 'author', $author, 'created_by', $by, 'comment', $comment))))))) END FROM base;
		END
	) || die 'sqlite3 could not make the config of the image'
	[ "$image_json" != wrong ] || bad_usage 'CMD and ENTRYPOINT are either an array of strings, as ["sh", "-c", "true"], or a line for the shell'
}
