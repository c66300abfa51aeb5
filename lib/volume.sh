# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and lib/journal.sh: SC_ROOT, nl, quoted
# lib/volume.sh - named and anonymous volumes
#
#   $SC_ROOT/volumes/NAME/data         what a container sees (or a link to the directory of the host that the volume stands for)
#   $SC_ROOT/volumes/NAME/volume.json  docker's description of it
#   $SC_ROOT/volumes/.new-ID           one that is being made: it gets its name when it is whole
#
# A container uses a volume when its fstab names it. It writes the fstab before it looks for the volume, and
# `scadm-volume-data drop` looks into the fstabs before it takes one away.

# volume_begin NAME ID CREATED LABELS OPTIONS [DIRECTORY] - begin to make a volume in $made, a place that ID makes its own; LABELS
# and OPTIONS are JSON; with a DIRECTORY of the host it stands for that. volume_end NAME makes it one
volume_begin() {
	made=$SC_ROOT/volumes/.new-$2
	note "A volume is a directory that outlives containers. It gets its name by a rename when it is whole."
	undo rm -rf --one-file-system "$made"
	cmd mkdir -m 0700 "$made"
	if [ "${6-}" ]; then
		cmd ln -s "$6" "$made/data"
	else
		cmd mkdir -m 0755 "$made/data"
	fi
	put "$made/volume.json" "{\"CreatedAt\":\"$3\",\"Driver\":\"local\",\"Labels\":$4,\"Mountpoint\":\"$SC_ROOT/volumes/$1/data\",\"Name\":\"$1\",\"Options\":$5,\"Scope\":\"local\"}"
}

# volume_end NAME - what volume_begin and its caller made becomes the volume
volume_end() {
	# of two who were as fast the second uses what the first made
	try mv -nT "$made" "$SC_ROOT/volumes/$1" || [ -d "$SC_ROOT/volumes/$1" ] || die "cannot make the volume '$1' in $SC_ROOT/volumes"
	cmd rm -rf --one-file-system "$made"
	event volume create "$1" "$1"
	made=''
}

# volume_is_empty DIR - whether there is nothing in it
volume_is_empty() {
	local file
	set +f
	for file in "$1"/* "$1"/.[!.]* "$1"/..?*; do
		set -f
		[ ! -e "$file" ] && [ ! -L "$file" ] || return 1
	done
	set -f
}

# volume_users NAME - sets $volume_users to the names of the containers, running or not, that have it, a blank before each
volume_users() {
	local file files
	set +f
	files=$(grep -lsF -- "$SC_ROOT/volumes/$1/data " /dev/null "$SC_ROOT"/containers/*/fstab) || files=''
	set -f
	volume_users=''
	while IFS= read -r file; do
		file=${file%/fstab}
		[ ! "$file" ] || volume_users="$volume_users ${file##*/}"
	done <<-END
		$files
	END
}

# volume_find NAME - refuse a volume that is not there
volume_find() {
	valid_name volume "$1"
	[ -d "$SC_ROOT/volumes/$1" ] || die "there is no volume '$1'; 'scadm volume ls' lists what there is"
}

# volume_names - print the names of all volumes, one a line
volume_names() {
	local file
	set +f
	for file in "$SC_ROOT"/volumes/*/volume.json; do
		set -f
		file=${file%/volume.json}
		case ${file##*/} in *[!a-zA-Z0-9_.-]*) continue ;; esac
		[ ! -d "$file" ] || printf '%s\n' "${file##*/}"
	done
	set -f
}

# volume_keep RECORD REMOVE - before the record of a container is removed: its anonymous volumes stay, unless REMOVE says
# something or the container was to go by itself when it ends
volume_keep() {
	local line keep='' anonymous=''
	if [ "$2" ]; then
		[ ! -e "$1/keep_volumes" ] || cmd rm -f "$1/keep_volumes"
		return 0
	fi
	while IFS= read -r line; do
		case $line in
		*' scadm-volume-data drop '*) anonymous=1 ;;
		'# keep') keep=1 ;;
		esac
	done <"$1/undo"
	[ "$keep$anonymous" != 11 ] || put "$1/keep_volumes" ''
}

# volume_table - sets $volume_table to the SQL that makes a table of them: volume(name, driver, created, labels, links)
# A description that is damaged is one without labels.
volume_table() {
	local file rows='' used names
	set +f
	names=$(volume_names)
	used=$(grep -hsoE "^$SC_ROOT/volumes/[^/ ]+/data " /dev/null "$SC_ROOT"/containers/*/fstab) || used=''
	set -f
	while IFS= read -r file; do
		[ ! "$file" ] || rows="$rows${rows:+,}('$file',readfile('$SC_ROOT/volumes/$file/volume.json'))"
	done <<-END
		$names
	END
	volume_table="CREATE TEMP TABLE used(name);
CREATE TEMP TABLE file(name, j);${rows:+
INSERT INTO file VALUES $rows;}"
	while IFS= read -r file; do
		file=${file%/data } file=${file##*/}
		[ ! "$file" ] || volume_table="$volume_table
INSERT INTO used VALUES ('$file');"
	done <<-END
		$used
	END
	volume_table="$volume_table
UPDATE file SET j = '{}' WHERE NOT coalesce(json_valid(j), 0);
CREATE TEMP TABLE volume AS SELECT name, coalesce(json_extract(j, '\$.Driver'), 'local') AS driver, coalesce(json_extract(j, '\$.CreatedAt'), '') AS created,
	coalesce(json_extract(j, '\$.Labels'), '{}') AS labels, (SELECT count(*) FROM used WHERE used.name = file.name) AS links FROM file;"
}
