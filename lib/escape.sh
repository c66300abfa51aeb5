# shellcheck shell=sh
# lib/escape.sh - names and words that others have chosen, on their way to a terminal

# escapes - print commands of sed that turn the control characters of a line, all but tab and line break, into \ooo
# Those of the second kind, \200 to \237, are also the rest of characters in UTF-8: alone, in what is no UTF-8, or behind \302
# a terminal obeys them. With sed -z they are for records.
escapes() {
	local number=1 last='[\o200-\o277]'
	while [ "$number" -le 31 ]; do
		case $number in 9 | 10) ;; *) printf 's/\\o%03o/\\\\%03o/g\n' "$number" "$number" ;; esac
		number=$((number + 1))
	done
	printf '%s\n' 's/\o177/\\177/g' '/[\o200-\o377]/!b'
	number=128
	while [ "$number" -le 159 ]; do
		printf 's/\\o302\\o%03o/\\\\302\\\\%03o/g\n' "$number" "$number"
		number=$((number + 1))
	done
	printf '/^\\([\\o001-\\o177]\\|[\\o302-\\o337]%s' "$last"
	printf '\\|%s' "\\o340[\\o240-\\o277]$last" "[\\o341-\\o354\\o356\\o357]$last$last" "\\o355[\\o200-\\o237]$last" \
		"\\o360[\\o220-\\o277]$last$last" "[\\o361-\\o363]$last$last$last" "\\o364[\\o200-\\o217]$last$last"
	printf '\\)*$/b\n'
	number=128
	while [ "$number" -le 159 ]; do
		printf 's/\\o%03o/\\\\%03o/g\n' "$number" "$number"
		number=$((number + 1))
	done
}
