# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and bin/scadm-firewall: door boot_id nl word state
# lib/firewall-tables.sh - which tables of the firewall were there before our first chain: what came with it goes with the last
#
# $state is a file: the boot id, a line `ip|ip6 TABLE` for each table that was there, and our chains that need them.

# saved ip|ip6 - sets $rules to what iptables-save says; nothing on a host without IPv6
saved() {
	rules=''
	[ "$1" = ip ] || [ -e /proc/sys/net/ipv6 ] || return 0
	# what it says on stderr is a warning about tables of the other kind
	rules=$("${1}tables-save" 2>/dev/null) || die "cannot read the rules of the firewall: '${1}tables-save' failed"
}

# tables - print the tables there are: FAMILY TABLE, and `empty` for those without a rule, a chain or a policy of somebody
tables() {
	for family in ip ip6; do
		saved "$family"
		printf '%s\n' "$rules" | awk -v family="$family" '
			/^\*/ { table = substr($0, 2); empty = " empty" }
			/^-/ || (/^:/ && $2 != "ACCEPT") { empty = "" }
			/^COMMIT/ { print family, table empty }'
	done
}

# users - print the chains that need the tables, but for $word
users() {
	local line
	[ ! -e "$state" ] || while read -r line; do
		case $line in SC-*) [ "$line" = "$word" ] || printf '%s\n' "$line" ;; esac
	done <"$state"
}

# base - note the tables there are
base() {
	local boot='' line had=''
	lock
	[ ! -e "$state" ] || read -r boot <"$state" || boot=''
	if [ "$boot" = "$boot_id" ]; then
		while read -r line; do
			case $line in ip*) had=$had$nl$line ;; esac
		done <"$state"
	else
		had=$(tables) || exit
		[ ! "$had" ] || had=$nl$had
		[ ! -e "$state" ] || cmd rm -f "$state"
	fi
	line=$(users)
	put "$state.new" "$boot_id$had" "$word" ${line:+"$line"}
	cmd mv "$state.new" "$state"
}

# base_user - whether the chain is one that needs them
base_user() {
	local line
	[ -e "$state" ] || return 1
	while read -r line; do
		[ "$line" != "$word" ] || return 0
	done <"$state"
	return 1
}

# base_end - the chain needs no tables any longer; those that its first user did not find go with its last
base_end() {
	local line others family table empty text now
	base_user || return 0
	lock
	base_user || return 0
	others=$(users)
	if [ "$others" ]; then
		line=$(sed '/^SC-/d' "$state")
		put "$state.new" "$line" "$others"
		cmd mv "$state.new" "$state"
		return 0
	fi
	for family in ip ip6; do
		# the old kind of tables cannot be taken away
		case $("${family}tables" -V 2>/dev/null) in *nf_tables*) ;; *) continue ;; esac
		text='' now=$(tables) || exit
		while read -r line table empty; do
			[ "$line" = "$family" ] && [ "$empty" ] && ! grep -q "^$family $table\\( empty\\)*$" "$state" || continue
			text="$text${text:+$nl}*$table${nl}COMMIT"
		done <<-END
			$now
		END
		note "Tables that came with our first rule and are empty again: this removes them."
		[ ! "$text" ] || feed "$text" "${family}tables-restore"
	done
	cmd rm -f "$state"
}
