# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh: nl
# lib/stats.sh - what containers use: samples of counters, and what two of them say
# Sources: proc_uptime(5), the kernel's admin-guide/cgroup-v2.rst and accounting/psi.rst, sc-cg(8) stat.

stats_fields='Container=CONTAINER	ID=CONTAINER ID	Name=NAME	CPUPerc=CPU %	MemUsage=MEM USAGE / LIMIT'
stats_fields="$stats_fields	MemPerc=MEM %	NetIO=NET I/O	BlockIO=BLOCK I/O	PIDs=PIDS	Swap=SWAP"
stats_fields="$stats_fields	Pressure=PRESSURE CPU / MEM / IO	PressureCPU=CPU PRESSURE	PressureMemory=MEM PRESSURE	PressureIO=IO PRESSURE"
stats_table='table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}'
stats_table="$stats_table"'\t{{.Swap}}\t{{.Pressure}}'

# stats_add RECORD WORD - add a container, which the user calls WORD, to the sample that is being taken: $containers
# $cgroups; one that does not run is left out unless $all
stats_add() {
	local short in='-' out='-' runs=''
	# without an id it is being made, or damaged
	{ read -r short <"$1/id"; } 2>/dev/null || return 0
	case $short in '' | *[!0-9a-f]*) return 0 ;; esac
	if is_running "$1"; then
		runs=1 cgroups="$cgroups $SC_CGROUP/$short"
		# the host's end of the cable: what it sends is what the container receives
		{
			read -r in <"/sys/class/net/v-$short/statistics/tx_bytes" && read -r out <"/sys/class/net/v-$short/statistics/rx_bytes"
		} 2>/dev/null || in='-' out='-'
	fi
	[ ! "$runs$all" ] || containers="${containers}container $short ${1##*/} ${2:-$short} ${runs:-0} $in $out$nl"
}

# stats_sample [RECORD WORD]... - sets $sample to the counters of these containers, or of all, and the time
# One process whatever their number. Linux takes 2 MB of words, so these are enough for 30000 containers.
stats_sample() {
	local uptime record used='' status=0
	containers='' cgroups=''
	if [ $# -eq 0 ]; then
		set +f
		for record in "$SC_ROOT"/containers/*; do
			set -f
			stats_add "$record" ''
		done
		set -f
	fi
	while [ $# -gt 1 ]; do
		stats_add "$1" "$2"
		shift 2
	done
	read -r uptime _ </proc/uptime
	if [ "$cgroups" ]; then
		# one that ends here is no longer in the sample, and what sc-cg says of it is no news
		# shellcheck disable=SC2086 # split on purpose: settings checks SC_CGROUP for blanks and globs
		used=$(sc-cg stat $cgroups 2>/dev/null) || status=$?
		[ "$status" -le 125 ] || die "cannot run sc-cg, which counts ($status); are the helpers built? 'make'"
	fi
	sample="time $uptime$nl$containers$used"
}

# stats_ids - add the whole ids of the containers to $sample, in one process
stats_ids() {
	local name ids values='' _
	while read -r _ _ name _; do
		[ ! "$name" ] || values="$values${values:+,}('$name')"
	done <<-END
		$containers
	END
	[ "$values" ] || return 0
	ids=$(
		sqlite3 -init /dev/null :memory: <<-END
			WITH listed(name) AS (VALUES $values), record AS
				(SELECT name, CAST(readfile('$SC_ROOT/containers/' || name || '/config.json') AS TEXT) AS j FROM listed)
			SELECT 'id ' || name || ' ' || json_extract(j, '\$.Id') FROM record WHERE json_valid(j);
		END
	) || die "cannot read the records in $SC_ROOT/containers"
	sample=$sample$nl$ids
}

# stats_rows MEMORY - print the list, fields and rows, of two samples on stdin; MEMORY is what the machine has, in kB
stats_rows() {
	printf '%s\n' "$stats_fields"
	awk -v memory="$1" '
		# scaled(NUMBER, BASE, DIGITS, UNITS) - a number of bytes for people
		function scaled(number, base, digits, units,    unit, count, i, text) {
			count = split(units, unit, " ")
			text = sprintf("%." digits "g", number)
			# rounded up to the base it is one of the next unit
			for (i = 1; i < count && base <= text + 0; i++) {
				number /= base
				text = sprintf("%." digits "g", number)
			}
			return text unit[i]
		}
		# binary(NUMBER), decimal(NUMBER) - as docker writes memory, and what was transferred
		function binary(number) { return scaled(number, 1024, 4, "B KiB MiB GiB TiB PiB EiB") }
		function decimal(number) { return scaled(number, 1000, 3, "B kB MB GB TB PB EB") }
		# known(KEY) - does the second sample have it for this container?
		function known(key) { return (2, id, key) in value }
		# percent(KEY) - a value that the kernel already gives in percent
		function percent(key) { return known(key) ? value[2, id, key] "%" : "--" }
		# row() - print the container with this $id
		function row(    cpu, memory_used, memory_share, usage, limit, some_cpu, some_memory, some_io) {
			cpu = memory_share = "--"
			memory_used = "-- / --"
			if (known("cpu.usage_usec") && (1, id, "cpu.usage_usec") in value && time[1] < time[2]) {
				usage = value[2, id, "cpu.usage_usec"] - value[1, id, "cpu.usage_usec"]
				cpu = sprintf("%.2f%%", (usage < 0 ? 0 : usage) / (time[2] - time[1]) / 10000)
			}
			if (known("memory.current")) {
				usage = value[2, id, "memory.current"]
				# what the kernel can drop at once is not counted, as docker does
				if (known("memory.inactive_file") && value[2, id, "memory.inactive_file"] < usage)
					usage -= value[2, id, "memory.inactive_file"]
				limit = memory * 1024
				if (known("memory.max") && value[2, id, "memory.max"] != "max" && value[2, id, "memory.max"] < limit)
					limit = value[2, id, "memory.max"]
				memory_used = binary(usage) " / " binary(limit)
				memory_share = sprintf("%.2f%%", usage / limit * 100)
			}
			printf "%s\t%s\t%s\t%s\t", word[id], (name[id] in whole ? whole[name[id]] : id), name[id], cpu
			printf "%s\t%s\t", memory_used, memory_share
			printf "%s\t", runs[id] && received[id] != "-" ? decimal(received[id]) " / " decimal(sent[id]) : "--"
			printf "%s\t", known("io.rbytes") ? decimal(value[2, id, "io.rbytes"]) " / " decimal(value[2, id, "io.wbytes"]) : "--"
			printf "%s\t", known("pids.current") ? value[2, id, "pids.current"] : "--"
			printf "%s\t", known("memory.swap.current") ? binary(value[2, id, "memory.swap.current"]) : "--"
			some_cpu = percent("cpu.pressure.some.avg10")
			some_memory = percent("memory.pressure.some.avg10")
			some_io = percent("io.pressure.some.avg10")
			print some_cpu " / " some_memory " / " some_io "\t" some_cpu "\t" some_memory "\t" some_io
		}
		$1 == "time" { time[++samples] = $2; next }
		$1 == "id" { if ($3 ~ /^[0-9a-f]+$/) whole[$2] = $3; next }
		$1 == "container" {
			# of one control group sc-cg does not say the name
			if ($5) id = $2
			if (samples == 2) order[++rows] = $2
			name[$2] = $3; word[$2] = $4; runs[$2] = $5; received[$2] = $6; sent[$2] = $7
			next
		}
		$1 == "cgroup" { id = $2; sub(/.*\//, "", id); next }
		{ value[samples, id, $1] = $2; seen[samples, id] = 1 }
		END {
			for (i = 1; i <= rows; i++) {
				id = order[i]
				if (!runs[id] || (2, id) in seen) row()
			}
		}'
}
