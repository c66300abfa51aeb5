#!/usr/bin/env bats
# the whole life of one container, as a person would go through it

load helpers
load ready

# says NAME - does the web server inside say what was written?
says() {
	[ "$(scadm exec "$1" wget -qO- http://127.0.0.1/ 3>&-)" = 'made inside' ]
}

@test "story: a service runs, is entered, stopped, started, committed and removed; its image has the data, the base is shared" {
	local id pid address base layers before
	before=$(find /var/lib/scadm/layers -mindepth 1 -maxdepth 1 -type d | wc -l)
	base=$(scadm image-inspect --format '{{index .RootFS.Layers 0}}' busybox)

	sc run -d --name=site busybox sh -c 'mkdir -p /srv; exec httpd -f -h /srv'
	id=$output
	wait_until 20 scadm exec site test -d /srv
	sc exec site sh -c 'echo "made inside" >/srv/index.html'
	wait_until 20 says site
	sc inspect --format '{{.Id}} {{.NetworkSettings.IPAddress}} {{.State.Pid}}' site
	read -r inspected address pid <<<"$output"
	same "$inspected" "$id"

	sc stop -t 1 site
	sc ps -q
	same "$output" ''
	sc start site
	sc inspect --format '{{.Id}} {{.NetworkSettings.IPAddress}} {{.CgroupPath}}' site
	same "$output" "$id $address sc/${id:0:12}"
	unlike "$(scadm inspect --format '{{.State.Pid}}' site)" "$pid"
	wait_until 20 says site

	sc commit -m 'a site' -c 'CMD ["httpd","-f","-h","/srv"]' -c 'EXPOSE 80' site site:1
	sc rm -f site
	sc image-inspect --format '{{json .RootFS.Layers}} {{json .Config.Cmd}}' site:1
	like "$output" "[[]\"$base\",\"sha256:*\"[]] [[]\"httpd\",\"-f\",\"-h\",\"/srv\"[]]"
	sc run -d --name=again site:1
	wait_until 20 says again
	sc rm -f again

	# one directory more, and it holds what was written: the base is there once
	layers=$(find /var/lib/scadm/layers -mindepth 1 -maxdepth 1 -type d | wc -l)
	same "$layers" "$((before + 1))"
	sc history --no-trunc --format '{{.CreatedBy}} {{.Comment}}' site:1
	like "$output" '*scadm commit*a site*'
	sc system df --format '{{.Type}} {{.TotalCount}}'
	like "$output" '*Images 2*'
	[ "$(du -s /var/lib/scadm/layers | cut -f1)" -lt "$(($(du -s "/var/lib/scadm/layers/${base#sha256:}" | cut -f1) + 300))" ]
	sc rmi site:1
	same "$(find /var/lib/scadm/layers -mindepth 1 -maxdepth 1 -type d | wc -l)" "$before"
}
