# shellcheck shell=sh
# lib/store.sh - images into the store, and out of it, as OCI image layouts
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/json.sh, lib/image.sh and lib/layout.sh: SC_ROOT, nl, sql, ref, images
#
#   RECORD/archive/         what came: an OCI image layout, or the unpacked archive of `docker save`
#   RECORD/keep             the digests this import counts on, for `scadm-layer prune`
#   RECORD/loaded           a line for each image that is in the store now: its id, a blank, its reference
#   $SC_ROOT/blobs/sha256/  archives of layers as they came; LAYER.json tells which layer has which

# --- into the store -------------------------------------------------------------------------------------

# store_files - what came holds nothing but directories and files, which become ours
store_files() {
	local line odd to
	# A line break in a name makes a line that find did not mean: nothing is written below a link.
	# docker save has links between layers that are the same, podman save from one of its two names to the other
	odd=$(find "$layout" -type l -printf '%P %l\n') || die "cannot read $layout"
	while read -r line; do
		[ "$line" ] || continue
		to=${line#*' ../'}
		odd=${to%/layer.tar}
		odd=${odd%.tar}:${line%%/*}
		case $odd in *[!0-9a-f:]*) odd='' ;; esac
		[ "${#odd}" -eq 129 ] && [ "$line" = "${line%%/*}/layer.tar ../$to" ] && [ -f "$layout/$to" ] &&
			[ ! -L "$layout/$to" ] && [ ! -L "$layout/${to%/layer.tar}" ] && [ ! -L "$layout/${line%%/*}" ] ||
			die "the archive holds the link '${line%% *}': an image is made of directories and files"
		cmd ln -fT "$layout/$to" "$layout/${line%% *}"
	done <<-END
		$odd
	END
	odd=$(find "$layout" ! -type d ! -type f -printf '%P' -quit) || die "cannot read $layout"
	[ ! "$odd" ] || die "the archive holds '$odd': an image is made of directories and files"
	cmd chown -R 0:0 "$layout"
	cmd chmod -R u=rwX,go=rX "$layout"
}

# store_add [MANIFEST] - put the images in $layout into the store, or the one with that manifest: all of them, or none
# what is left when we end is for the owner of the record: see scadm-store
store_add() {
	local kind first path blob type below='' keep='' loaded='' config='' id=''
	store_files
	layout_read "${1-}"
	while read -r kind first path blob type; do
		case $kind in image | layer) keep="$keep$nl$first $blob" ;; esac
	done <<-END
		$images
	END
	note 'No layer that this import counts on is removed by another from here on.'
	# what a pull has in there already is never gone
	put "$record/keep.new" "${keep#"$nl"}"
	cmd mv -T "$record/keep.new" "$record/keep"
	# who is removing layers at this moment has looked before: let him end
	flock "$SC_ROOT/layers" true || die "cannot lock $SC_ROOT/layers"
	cmd mkdir -p "$SC_ROOT/blobs/sha256"
	while read -r kind first path blob type; do
		case $kind in
		image) below='' ;;
		layer)
			[ -d "$SC_ROOT/layers/$first" ] || store_layer "$first" "$path" "$blob" "$type"
			below=$first${below:+:$below}
			;;
		esac
	done <<-END
		$images
	END
	note 'All layers are there; an image is there when its config has its name.'
	while read -r kind first path _; do
		case $kind in
		image) config=$path id=$first ;;
		name)
			# its own id is the name of one without a name: the config has that sum
			case $first in
			"sha256:$id") ref=$first image_file=$SC_ROOT/images/$first.json ;;
			*) image_ref "$first" ;;
			esac
			case $nl$loaded in *"$nl$id $ref$nl"*) continue ;; esac
			loaded="$loaded$id $ref$nl"
			cmd install -m 0644 "$config" "$record/image.json"
			cmd mv -T "$record/image.json" "$image_file"
			;;
		esac
	done <<-END
		$images
	END
	put "$record/loaded" "${loaded%"$nl"}"
}

# store_layer DIFFID FILE BLOB MEDIATYPE - make a layer, above those in $below, of its archive, which is kept
store_layer() {
	local size _ sum
	sum=$(sha256sum <"$2") || die "cannot read $2"
	[ "${sum%% *}" = "$3" ] || die "the layer sha256:$3 is not what its digest says: its sha256 is ${sum%% *}"
	hint 'is the disk full?'
	cmd mkdir -m 0755 "$record/tree"
	cmd scadm-unpack --layer ${below:+--below="$below"} --expect="$1" --report="$record/report" "$2" "$record/tree"
	read -r _ size <"$record/report"
	cmd mv -T "$2" "$SC_ROOT/blobs/sha256/$3"
	cmd scadm-layer add "$record/tree" "$SC_ROOT/layers/$1" "$size" "sha256:$3" "$(stat -c %s "$SC_ROOT/blobs/sha256/$3")" "$4"
	# another was as fast
	[ ! -d "$record/tree" ] || cmd rm -rf "$record/tree"
}

# store_docker - find the images in $layout by the manifest.json of `docker save`, as layout_read does
store_docker() {
	local lines kind path config='' layers=''
	layout_text "$layout/manifest.json" manifest.json
	layout_word "json_extract(i.value, '\$.Config')"
	path=$word
	layout_word l.value
	lines=$(layout_json "file:$layout/manifest.json" "SELECT line FROM (
		SELECT i.key AS image, -1 AS key, 'config ' || $path AS line FROM file, json_each(j) AS i
		UNION ALL SELECT i.key, l.key, 'layer ' || $word FROM file, json_each(j) AS i, json_each(i.value, '\$.Layers') AS l)
		ORDER BY image, key") || die 'manifest.json cannot be read'
	[ "$lines" ] || die 'manifest.json names no image'
	while read -r kind path; do
		case /$path/ in */../* | //* | */-/*) die "manifest.json names the file '$path'" ;; esac
		[ "$kind" = end ] || [ -f "$layout/$path" ] || die "the file $path, which manifest.json names, is missing"
		case $kind in
		layer)
			layers="$layers${layers:+$nl}$layout/$path"
			continue
			;;
		esac
		[ ! "$config" ] || store_docker_image "$config" "$layers"
		config=$path layers=''
	done <<-END
		$lines
		end end
	END
}

# store_docker_image CONFIG LAYERS - add an image of `docker save` to $images
store_docker_image() {
	local name="${1##*/}" sum
	[ "$2" ] || die "manifest.json names no layers for $1"
	layout_text "$layout/$1" "config $1"
	sum=$(sha256sum <"$layout/$1") || die "cannot read $layout/$1"
	# the name of a config is its digest
	[ "${name%.json}" = "${sum%% *}" ] || die "the config $1 is not what its name says: its sha256 is ${sum%% *}"
	layout_image "$layout/$1" - "$2" archive
}

# --- out of the store -----------------------------------------------------------------------------------

# store_layout REF... - fill the directory $layout with an OCI layout of images, which is what `docker save` writes too
# a config stays as it is unless a layer cannot be packed as it was; that is said
store_layout() {
	local index='' manifests='' config size
	cmd mkdir -p "$layout/blobs/sha256"
	for ref; do
		image_lookup "$ref" || die "$ref_error"
		store_config
		store_write manifest "json_object('schemaVersion', 2, 'mediaType', 'application/vnd.oci.image.manifest.v1+json',
			'config', json_object('mediaType', 'application/vnd.oci.image.config.v1+json', 'digest', 'sha256:$config', 'size', $size),
			'layers', json_array($layers))"
		store_blob manifest
		registry_full "$ref"
		index="$index${index:+,}json_object('mediaType', 'application/vnd.oci.image.manifest.v1+json', 'digest', 'sha256:$blob', 'size', $bytes,
			'annotations', json_object('io.containerd.image.name', '$full', 'org.opencontainers.image.ref.name', '$ref'))"
		manifests="$manifests${manifests:+,}json_object('Config', 'blobs/sha256/$config', 'RepoTags', json_array('$ref'), 'Layers', json_array($paths))"
	done
	put "$layout/oci-layout" '{"imageLayoutVersion":"1.0.0"}'
	store_write index.json "json_object('schemaVersion', 2, 'mediaType', 'application/vnd.oci.image.index.v1+json', 'manifests', json_array($index))"
	store_write manifest.json "json_array($manifests)"
}

# store_config - put the layers and the config of the image $image_file into $layout
# sets $config and $size to its digest and length, $layers and $paths to SQL for the manifests
store_config() {
	local position=0 changes=''
	layers='' paths=''
	layout_config "file:$image_file"
	for hex in $diff_ids; do
		store_archive
		layers="$layers${layers:+,}json_object('mediaType', '$type', 'digest', 'sha256:$blob', 'size', $bytes)"
		paths="$paths${paths:+,}'blobs/sha256/$blob'"
		[ "$diff_id" = "$hex" ] || changes="$changes, '\$.rootfs.diff_ids[$position]', 'sha256:$diff_id'"
		position=$((position + 1))
	done
	cmd cp "$image_file" "$layout/config"
	if [ "$changes" ]; then
		say "$ref: not every layer could be packed again as the archive it came from: the id of the image is another one there"
		sql_string "$image_file"
		store_write config "json_set(CAST(readfile($sql) AS TEXT)$changes)"
	fi
	store_blob config
	config=$blob size=$bytes
}

# store_archive - put the archive of the layer $hex into $layout; sets $blob, $bytes and $type, and $diff_id, the sum without compression
store_archive() {
	local facts=''
	diff_id=$hex
	layout_word "json_extract(j, '\$.blob')"
	[ ! -f "$SC_ROOT/layers/$hex.json" ] || facts=$(layout_json "file:$SC_ROOT/layers/$hex.json" "SELECT $word || ' ' || json_extract(j, '\$.mediaType') FROM file") || facts=''
	blob=${facts%% *} type=${facts#* }
	blob=${blob#sha256:}
	if [ "$blob" ] && [ -f "$SC_ROOT/blobs/sha256/$blob" ]; then
		[ -e "$layout/blobs/sha256/$blob" ] || cmd ln "$SC_ROOT/blobs/sha256/$blob" "$layout/blobs/sha256/$blob"
		bytes=$(stat -c %s "$layout/blobs/sha256/$blob")
		return 0
	fi
	[ -d "$SC_ROOT/layers/$hex" ] || die "the layer $hex is missing"
	note 'No archive of this layer was kept: it is packed again.'
	# door: in our record
	sc-archive pack --overlay "$SC_ROOT/layers/$hex" >"$layout/layer" || die "the layer $hex could not be packed: is the disk full?"
	store_blob layer
	type=application/vnd.oci.image.layer.v1.tar diff_id=$blob
}

# store_write FILE SQL - write the JSON that SQL makes to FILE in $layout
store_write() {
	local text
	# sqlite3 does not tell when its output is full
	text=$(printf 'SELECT %s;\n' "$2" | sqlite3 -init /dev/null -batch -bail :memory:) && [ "$text" ] || die "sqlite3 could not make $1"
	# door: in our record
	printf '%s\n' "$text" >"$layout/$1" || die "cannot write $layout/$1: is the disk full?"
}

# store_blob FILE - give FILE in $layout its place by its digest; sets $blob and $bytes
store_blob() {
	blob=$(sha256sum <"$layout/$1") && bytes=$(stat -c %s "$layout/$1") || die "cannot read $layout/$1"
	blob=${blob%% *}
	cmd mv -T "$layout/$1" "$layout/blobs/sha256/$blob"
}
