# shellcheck shell=sh
# lib/layout.sh - the images in an OCI image layout, or in what `docker save` wrote
# shellcheck disable=SC2034,SC2154 # what is set here for lib/store.sh; the words of lib.sh, lib/json.sh and lib/image.sh: nl, sql, ref
#
# $layout is a directory with nothing in it but directories and files. Nothing there is believed: a file is as
# its digest says before it is read, a word of JSON is one harmless word before the shell sees it.
#
# https://github.com/opencontainers/image-spec: image-layout.md, image-index.md, manifest.md, config.md

# layout_platform OS/ARCH[/VARIANT] - sets $architecture and $variant to what is to be chosen from an index
layout_platform() {
	local machine
	case $1 in
	'')
		machine=$(uname -m)
		case $machine in
		x86_64) set -- linux/amd64 ;;
		aarch64) set -- linux/arm64 ;;
		armv7*) set -- linux/arm/v7 ;;
		armv6*) set -- linux/arm/v6 ;;
		i?86) set -- linux/386 ;;
		*) set -- "linux/$machine" ;;
		esac
		;;
	linux/?*) ;;
	*) bad_usage "--platform is linux/ARCH or linux/ARCH/VARIANT, as linux/arm64, not '$1'" ;;
	esac
	architecture=${1#linux/} variant=''
	case $architecture in */*) variant=${architecture#*/} architecture=${architecture%%/*} ;; esac
	case $architecture:$variant in *[!a-z0-9_:]* | :*) bad_usage "--platform '$1' is not linux/ARCH[/VARIANT]" ;; esac
	case $architecture:$variant in arm64:v8) variant='' ;; esac
}

# layout_json SOURCE SQL - print what SQL selects; `file.j` in it is the JSON of SOURCE, which is file:PATH or text:JSON
# status: could it? The values are hostile: layout_word makes one word of them, or `-`
layout_json() {
	case $1 in
	text:*) sql_string "${1#text:}" ;;
	file:*)
		sql_string "${1#file:}"
		sql="CAST(readfile($sql) AS TEXT)"
		;;
	*) die "BUG: '${1%%:*}' is neither file: nor text:" ;;
	esac
	printf 'WITH file AS (SELECT %s AS j)\n%s;\n' "$sql" "$2" |
		sqlite3 -init /dev/null -batch -bail :memory: 2>/dev/null
}

# layout_word SQL - sets $word to an expression: the value of SQL if it is one harmless word, else `-`
layout_word() {
	word="CASE WHEN typeof($1) = 'text' AND $1 != '' AND $1 NOT GLOB '*[^a-zA-Z0-9._/:@+-]*'
		AND instr($1, char(0)) = 0 THEN $1 ELSE '-' END"
}

# layout_digest TEXT - is it a digest we know? sets $hex
layout_digest() {
	hex=${1#sha256:}
	case $hex in *[!0-9a-f]*) return 1 ;; esac
	[ "$hex" != "$1" ] && [ ${#hex} -eq 64 ]
}

# layout_text FILE WHAT - refuse a file that is too long for JSON, or holds a NUL byte, behind which sqlite3 does not look
layout_text() {
	[ "$(stat -c %s "$1")" -le 4194304 ] || die "the $2 is longer than 4 MiB"
	[ ! "$(tr -dc '\000' <"$1" | tr '\000' 0)" ] || die "the $2 is no JSON: it holds a NUL byte"
}

# layout_verified DIGEST WHAT - sets $file and $hex to the file of a manifest or config, which is as its digest says
layout_verified() {
	local sum
	layout_digest "$1" || die "the $2 has the digest '$1', which is no sha256"
	file=$layout/blobs/sha256/$hex
	[ -f "$file" ] || die "the $2 sha256:$hex is missing"
	layout_text "$file" "$2 sha256:$hex"
	sum=$(sha256sum <"$file") || die "cannot read $file"
	[ "${sum%% *}" = "$hex" ] || die "the $2 sha256:$hex is not what its digest says: its sha256 is ${sum%% *}"
}

# layout_choose SOURCE [list] - print `DIGEST NAME` of the images in an index, for each name the one that fits best
# list: it is one image for many platforms, and only a fitting one will do; otherwise the only one of a name will
layout_choose() {
	local digest name part="CASE WHEN name <> '-' THEN name WHEN os IS NULL THEN key END" lenient='OR number = 1'
	[ ! "${2-}" ] || part=NULL lenient=''
	layout_word "json_extract(value, '\$.digest')"
	digest=$word
	layout_word "coalesce(json_extract(value, '\$.annotations.\"io.containerd.image.name\"'), json_extract(value, '\$.annotations.\"org.opencontainers.image.ref.name\"'))"
	name=$word
	layout_json "$1" ", entry AS (SELECT key, $digest AS digest, $name AS name, json_extract(value, '\$.platform.os') AS os,
			json_extract(value, '\$.platform.architecture') AS architecture,
			coalesce(nullif(json_extract(value, '\$.platform.variant'), 'v8'), '') AS variant
			FROM file, json_each(j, '\$.manifests')),
		ranked AS (SELECT *, $part AS part,
			CASE WHEN os IS NULL THEN 1 WHEN os != 'linux' OR architecture != '$architecture' THEN 9
			WHEN variant = '$variant' THEN 0 WHEN '$variant' = '' OR variant = '' THEN 2 WHEN variant < '$variant' THEN 3 ELSE 9 END AS rank
			FROM entry)
		SELECT digest || ' ' || name FROM (SELECT *, row_number() OVER (PARTITION BY part ORDER BY rank, key) AS place,
			count(*) OVER (PARTITION BY part) AS number FROM ranked)
		WHERE place = 1 AND (rank < 9 $lenient) ORDER BY key"
}

# layout_manifest DIGEST NAME DEPTH - read a manifest, or the fitting one of an index; adds lines to $images
layout_manifest() {
	layout_verified "$1" manifest
	layout_kind "file:$file" "$1"
	if [ "$chosen" ]; then
		[ "$3" -lt 2 ] || die "the index $1 is one in an index in an index"
		layout_manifest "$chosen" "$2" $(($3 + 1))
	else
		layout_verified "$config" config
		layout_image "$file" "$2" "$layers"
	fi
}

# layout_kind SOURCE DIGEST - look into a manifest: sets $chosen to a digest if it is an index,
# else $config to that of the config, and $layers to lines `DIGEST MEDIATYPE SIZE`
layout_kind() {
	chosen='' config='' layers=''
	# a document that is both could be read as one by us and as the other by those who signed it
	case $(layout_json "$1" "SELECT json_type(j, '\$.manifests'), json_type(j, '\$.config'), json_type(j, '\$.layers') FROM file") in
	'array||')
		chosen=$(layout_choose "$1" list) && [ "$chosen" ] ||
			die "the index $2 has no image for linux/$architecture${variant:+/$variant}: choose with --platform"
		chosen=${chosen%% *}
		return 0
		;;
	'|object|array') ;;
	*) die "the manifest $2 is neither that of an image nor an index of such" ;;
	esac
	layers=$(layout_manifest_lines "$1") || die "the manifest $2 cannot be read"
	config=${layers%%"$nl"*}
	case $config in
	*' application/vnd.oci.image.config.v1+json '* | *' application/vnd.docker.container.image.v1+json '*) ;;
	*) die "the manifest $2 is not that of an image: its config is of another type" ;;
	esac
	[ "$layers" != "$config" ] || die "the manifest $2 has no layers"
	layers=${layers#*"$nl"} config=${config%% *}
}

# layout_manifest_lines SOURCE - print `DIGEST MEDIATYPE SIZE` of the config of a manifest, then of each layer
layout_manifest_lines() {
	local digest
	layout_word "json_extract(value, '\$.digest')"
	digest=$word
	layout_word "json_extract(value, '\$.mediaType')"
	layout_json "$1" ", part AS (SELECT -1 AS key, json_extract(j, '\$.config') AS value FROM file
		UNION ALL SELECT key, value FROM (SELECT e.key, e.value FROM file, json_each(j, '\$.layers') AS e))
		SELECT $digest || ' ' || $word || ' ' || coalesce(CAST(json_extract(value, '\$.size') AS INTEGER), 0) FROM part ORDER BY key"
}

# layout_config SOURCE - sets $diff_ids to the digests, without sha256:, that a config says its layers have
# What it says for the containers is for others to read: everything there is of the type it should be.
layout_config() {
	local lines line os wrong
	layout_word "json_extract(j, '\$.os')"
	os=$word
	layout_word value
	lines=$(layout_json "$1" ", known (name, kind) AS (VALUES ('config', 'object'), ('config.ExposedPorts', 'object'), ('config.Labels', 'object'),
			('config.Volumes', 'object'), ('config.Healthcheck', 'object'), ('config.Entrypoint', 'array'), ('config.Cmd', 'array'),
			('config.Env', 'array'), ('config.User', 'text'), ('config.WorkingDir', 'text'), ('config.StopSignal', 'text')),
		wrong AS (SELECT name FROM file, known WHERE coalesce(json_type(j, '\$.' || name), 'null') NOT IN (kind, 'null')
			OR kind = 'array' AND EXISTS (SELECT 1 FROM json_each(j, '\$.' || name) AS word WHERE word.type != 'text'))
		SELECT line FROM (SELECT -2 AS key, coalesce((SELECT name FROM wrong LIMIT 1), '-') AS line FROM file
		UNION ALL SELECT -1, $os FROM file
		UNION ALL SELECT key, $word FROM (SELECT e.key, e.value FROM file, json_each(j, '\$.rootfs.diff_ids') AS e)) ORDER BY key") ||
		die "the config of the image cannot be read"
	wrong=${lines%%"$nl"*} lines=${lines#*"$nl"}
	[ "$wrong" = - ] || die "the config of the image is damaged: $wrong is not of the type that it should be"
	case ${lines%%"$nl"*} in
	linux | -) ;;
	*) die "this image is for the operating system '${lines%%"$nl"*}'" ;;
	esac
	diff_ids=''
	# split on purpose: each is one word; lib.sh has set -f
	# shellcheck disable=SC2086
	set -- $lines
	shift
	[ $# -gt 0 ] || die 'the config of the image names no layers'
	for line; do
		layout_digest "$line" || die "the config of the image names a layer '$line', which is no sha256"
		diff_ids=$diff_ids${diff_ids:+ }$hex
	done
}

# layout_image CONFIG NAME LAYERS [archive] - add an image to $images; LAYERS are lines `sha256:BLOB MEDIATYPE SIZE`, or
# `PATH` in the archive of docker save
layout_image() {
	local config="$1" name="$2" layers="$3" archive="${4-}" diff blob type path id _
	id=$(sha256sum <"$config") || die "cannot read $config"
	id=${id%% *}
	layout_config "file:$config"
	images="$images${nl}image $id $config"
	if [ ! "$wanted" ]; then
		# split on purpose: each is one word
		# shellcheck disable=SC2046
		layout_name "$id" "$name" $(layout_tags "$id")
	elif [ "$alone" ] && [ "$alone" != "$id" ]; then
		die "there are several images: '$wanted' cannot be the name of all"
	else
		alone=$id images="$images${nl}name $wanted"
	fi
	# split on purpose: each is one word
	# shellcheck disable=SC2086
	set -- $diff_ids
	while read -r path type _; do
		[ $# -gt 0 ] || die "the image sha256:$id has more layers than its config names"
		diff=$1
		shift
		if [ ! "$archive" ]; then
			layout_digest "$path" || die "a layer has the digest '$path', which is no sha256"
			blob=$hex path=$layout/blobs/sha256/$hex
		else
			blob=$(sha256sum <"$path") && type=$(od -An -tx1 -N4 "$path") || die "cannot read $path"
			blob=${blob%% *}
			case $type in
			' 1f 8b'*) type=gzip ;;
			' 28 b5 2f fd') type=zstd ;;
			*) type=tar ;;
			esac
		fi
		case $type in
		tar | application/vnd.oci.image.layer.v1.tar | application/vnd.docker.image.rootfs.diff.tar) type=tar ;;
		gzip | application/vnd.oci.image.layer.v1.tar+gzip | application/vnd.docker.image.rootfs.diff.tar.gzip) type=tar+gzip ;;
		zstd | application/vnd.oci.image.layer.v1.tar+zstd | application/vnd.docker.image.rootfs.diff.tar.zstd) type=tar+zstd ;;
		*nondistributable* | *foreign*) die "the layer sha256:$blob is not distributed with the image ($type): scadm does not fetch such" ;;
		*) die "the layer sha256:$blob is of the type $type, which nobody here can read" ;;
		esac
		images="$images${nl}layer $diff $path $blob application/vnd.oci.image.layer.v1.$type"
	done <<-END
		$layers
	END
	[ $# -eq 0 ] || die "the image sha256:$id has fewer layers than its config names"
}

# layout_name ID NAME... - add the names of an image to $images, those that are names
layout_name() {
	local id="$1" name found=''
	shift
	for name; do
		# as save writes one without a name: it is what that says
		case $name in
		"sha256:$id" | "docker.io/library/sha256:$id")
			case $nl$found in *"${nl}name sha256:$id$nl"*) ;; *) found="${found}name sha256:$id$nl" ;; esac
			continue
			;;
		esac
		registry_known "$name" || continue
		case $nl$found in *"${nl}name $ref$nl"*) ;; *) found="${found}name $ref$nl" ;; esac
	done
	[ "$found" ] || die "the image sha256:$id has no name: give it one with --name"
	images=$images$nl${found%"$nl"}
}

# layout_tags ID - print the names that the manifest.json of `docker save` has for an image
layout_tags() {
	[ -f "$layout/manifest.json" ] || return 0
	layout_word tag.value
	layout_json "file:$layout/manifest.json" "SELECT $word FROM file, json_each(j) AS image, json_each(image.value, '\$.RepoTags') AS tag
		WHERE json_extract(image.value, '\$.Config') IN ('$1.json', 'blobs/sha256/$1')"
}

# layout_read [MANIFEST] - find the images in $layout, or the one with that manifest; to be named $wanted if that is set
# sets $images to lines `image ID CONFIG`, each followed by `name REF`... and `layer DIFFID FILE BLOB MEDIATYPE`...
layout_read() {
	local lines digest name
	images='' alone=''
	if [ "${1-}" ]; then
		layout_manifest "$1" - 0
	elif [ -f "$layout/oci-layout" ] && [ -f "$layout/index.json" ]; then
		layout_text "$layout/index.json" index.json
		lines=$(layout_choose "file:$layout/index.json") || die 'index.json cannot be read'
		[ "$lines" ] || die 'index.json names no image'
		while read -r digest name; do
			layout_manifest "$digest" "$name" 0
		done <<-END
			$lines
		END
	elif [ -f "$layout/manifest.json" ]; then
		store_docker
	elif [ -f "$layout/repositories" ]; then
		die 'this is an archive of docker before 1.10, which has no manifest.json: save it with a newer docker'
	else
		die "this is no image: it has neither manifest.json (docker save) nor oci-layout and index.json (OCI); a root tree is for 'scadm import'"
	fi
}
