# lib/event-list.awk - lines of the log of events as the rows of a list, for `scadm events`
# Source: docker's API, /events: the names of the members; lib/event.sh has the lines.

# wanted(KEY, A, B) - whether nothing was asked of the key, or one of its values is A or B
function wanted(key, a, b,    i, asked) {
	asked = 0
	for (i = 1; i <= filters; i++)
		if (filter_key[i] == key) {
			asked = 1
			if (filter_value[i] == a || (b != "" && filter_value[i] == b)) return 1
		}
	return !asked
}

# wanted_container() - whether it is one of the containers that were asked for, by name or the beginning of an id
function wanted_container(    i, asked, length_of) {
	asked = 0
	for (i = 1; i <= filters; i++)
		if (filter_key[i] == "container") {
			asked = 1
			length_of = length(filter_value[i]) < length($4) ? length(filter_value[i]) : length($4)
			if ($2 == "container" && (filter_value[i] == $5 || (length_of > 3 && substr(filter_value[i], 1, length_of) == substr($4, 1, length_of)))) return 1
		}
	return !asked
}

# wanted_labels() - whether each of the attributes is there that were asked for
function wanted_labels(    i) {
	for (i = 1; i <= filters; i++)
		if (filter_key[i] == "label" && !(filter_value[i] in has)) return 0
	return 1
}

# date(SECONDS) - as RFC 3339 has it, in UTC. The days are counted from March 1st of the year 0: a leap day ends a year
function date(seconds,    days, era, day_of_era, year_of_era, day, month, whole) {
	whole = int(seconds)
	days = int(whole / 86400) + 719468
	era = int(days / 146097)
	day_of_era = days - era * 146097
	year_of_era = int((day_of_era - int(day_of_era / 1460) + int(day_of_era / 36524) - int(day_of_era / 146096)) / 365)
	day = day_of_era - (365 * year_of_era + int(year_of_era / 4) - int(year_of_era / 100))
	month = int((5 * day + 2) / 153)
	day = day - int((153 * month + 2) / 5) + 1
	month = month < 10 ? month + 3 : month - 9
	return sprintf("%04d-%02d-%02dT%02d:%02d:%02d.%02d0000000Z", era * 400 + year_of_era + (month <= 2), month, day, int(whole / 3600) % 24, int(whole / 60) % 60, whole % 60, int((seconds - whole) * 100 + 0.001))
}

# attribute(KEY, VALUE) - one more; they are sorted
function attribute(key, value,    k) {
	for (k = ++attributes; k > 1 && attribute_key[k - 1] "" > key ""; k--) {
		attribute_key[k] = attribute_key[k - 1]
		attribute_value[k] = attribute_value[k - 1]
	}
	attribute_key[k] = key
	attribute_value[k] = value
	has[key] = 1
	has[key "=" value] = 1
}

# field(TEXT) - text as a field of a list
function field(text) {
	return index(text, "\\") ? join(escaped(text), "\\\\", "\\\\") : escaped(text)
}

BEGIN {
	FS = "\t"
	# uptime counts hundredths, and cuts off the rest
	latest_boot = ENVIRON["event_now"] - ENVIRON["event_uptime"] + 0.01
	boot = ENVIRON["event_now"] - ENVIRON["event_uptime_after"] - 0.01
	since = ENVIRON["event_since"]
	until = ENVIRON["event_until"]
	filters = split(ENVIRON["event_filters"], filter, "\n") - 1
	for (i = 1; i <= filters; i++) {
		filter_key[i] = substr(filter[i], 1, index(filter[i], "=") - 1)
		filter_value[i] = substr(filter[i], index(filter[i], "=") + 1)
	}
}
# a line that was cut short, by a full disk, is none
NF < 5 || $1 !~ /^[0-9]+\.[0-9]+$/ { next }
{
	at = boot + $1
	if ((since != "" && latest_boot + $1 < since + 0) || (until != "" && until + 0 < at)) next
	attributes = 0
	split("", has)
	for (i = 6; i <= NF; i++)
		if ((k = index($i, "=")) > 1) attribute(substr($i, 1, k - 1), substr($i, k + 1))
	if (!("name" in has) && $5 != $4) attribute("name", $5)
	image = from = ""
	text = json = ""
	for (i = 1; i <= attributes; i++) {
		if (attribute_key[i] == "image") image = from = attribute_value[i]
		text = text (i > 1 ? ", " : "") attribute_key[i] "=" attribute_value[i]
		json = json (i > 1 ? "," : "") quoted(attribute_key[i]) ":" quoted(attribute_value[i])
	}
	sub(/:latest$/, "", image)
	if (!wanted("type", $2) || !wanted("event", $3) || !wanted_container() || !wanted_labels()) next
	if (!wanted("image", $2 == "image" ? $5 : from, image) || !wanted("volume", $2 == "volume" ? $5 : "") || !wanted("network", $2 == "network" ? $5 : "")) next
	seconds = sprintf("%d", at)
	nanoseconds = sprintf("%d%02d0000000", at, int((at - int(at)) * 100 + 0.001))
	line = date(at) " " $2 " " $3 " " $4 (text == "" ? "" : " (" text ")")
	id = field($4)
	printf "%s\t%s\t%s\t%s\t%s\t", field($3), id, field(from), field($2), field($3)
	printf "{\"ID\":%s,\"Attributes\":{%s}}\tlocal\t%s\t%s\t", quoted($4), json, seconds, nanoseconds
	printf "%s\t%s\t%s\tlocal\t%s\t%s\t%s\t{%s}\t%s\n", field($3), id, field(from), seconds, nanoseconds, id, json, field(line)
}
