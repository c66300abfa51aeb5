# shellcheck shell=sh
# lib/table.sh - rows for people: columns aligned, for every list that scadm prints

# table - print lines of fields between tabs as columns, three blanks apart
table() {
	awk -F '\t' '
		{
			for (i = 1; i <= NF; i++) {
				cell[NR, i] = $i
				if (width[i] < length($i)) width[i] = length($i)
			}
			fields[NR] = NF
		}
		END {
			for (row = 1; row <= NR; row++) {
				line = ""
				for (i = 1; i <= fields[row]; i++)
					line = line sprintf("%-" (width[i] + 3) "s", cell[row, i])
				sub(/ +$/, "", line)
				print line
			}
		}'
}
