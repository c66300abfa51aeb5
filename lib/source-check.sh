# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/attach.sh; the words of lib.sh and lib/address.sh
# lib/source-check.sh - what comes out of a container has the container's own addresses as its source, or is dropped
#
# It is looked at where it arrives, at the host's end of the cable, where the container's root cannot reach it, by a
# filter that is a program, see tc-bpf(8): in the classic language of packet filters, which `tcpdump -d` prints too.
# There is one register, A. `ld`, `ldh` and `ldb` load 4, 2 or 1 bytes of the frame into it, `len` the length of the
# frame. The first 14 bytes are the Ethernet header; behind them is the packet, whose header has 20 bytes with IPv4
# (or more) and 40 with IPv6. `jeq`, `jge`, `jgt` compare A with a number and name the place to go on at when it is so, and
# when it is not; `next` is the next line. All jumps lead forward: such a program always ends.
#
# A container that forwards what others sent, or that shares an address with a second one, needs a network without this
# (-o source-check=off). Who has NET_ADMIN with --userns=host is root of the host's network, and takes the filter away.

# source_check LINK MAC ADDRESS|- ADDRESS6|- - sets $source_filter, for sc-filter: LINK takes in what is from these and no more
# What passes goes on to the filters that come after it, such as those of lib/rate.sh.
source_check() {
	local mac_high mac_low link2 link3 ipv4=drop arp=drop ipv6=drop number digits word0='' word1='' word2='' word3=''
	local places=' ' placed='' instructions='' at=0
	source_mac "$2" || die "BUG: the source check of $1: '$2' is no MAC address"
	if [ "$3" != - ]; then
		address_number "$3" || die "BUG: the source check of $1: '$3' is no IPv4 address"
		ipv4=ipv4 arp=arp
	fi
	if [ "$4" != - ]; then
		address6_digits "$4" || die "BUG: the source check of $1: '$4' is no IPv6 address"
		ipv6=ipv6 word0=0x${digits%????????????????????????} digits=${digits#????????}
		word1=0x${digits%????????????????} digits=${digits#????????}
		word2=0x${digits%????????} word3=0x${digits#????????}
	fi
	# the first time says where each place is, the second time the jumps there are known
	source_program
	placed=1 at=0
	source_program
	source_filter=$at$instructions
}

# source_program - the program itself, from the numbers that source_check has set
source_program() {
	bpf ldb 0xfffff030           # not of the frame: whether it has a VLAN tag, which the kernel has put aside
	bpf jeq 0 next drop          # it would be taken for another network's
	bpf len                      # a load from beyond the end would end the program, and let the frame pass
	bpf jge 34 next drop         # so these are there: Ethernet and the IPv4 header
	bpf ld 8                     # the source of the frame: its last 4 bytes
	bpf jeq "$mac_low" next drop # are those of MAC
	bpf ldh 6                    # its first 2
	bpf jeq "$mac_high" next drop
	bpf ldh 12                  # what it carries
	bpf jeq 0x0800 "$ipv4" next # IPv4
	bpf jeq 0x0806 "$arp" next  # ARP
	bpf jeq 0x86dd "$ipv6" drop # IPv6; not spanning tree, nor another VLAN tag, nor all the rest
	[ "$ipv4" = drop ] || source_program_ipv4
	[ "$ipv6" = drop ] || source_program_ipv6
	bpf at pass
	bpf ret 0xffffffff # TC_ACT_UNSPEC: the next filter decides, and without one it passes
	bpf at drop
	bpf ret 2 # TC_ACT_SHOT
}

# source_program_ipv4 - the parts for IPv4 and for ARP, which says who has which IPv4 address
source_program_ipv4() {
	bpf at ipv4
	bpf ld 26                   # the source
	bpf jeq "$number" next drop # is ADDRESS
	bpf ldb 30                  # the destination: 127.0.0.0/8 is what the host
	bpf jeq 127 drop pass       # keeps to itself

	bpf at arp
	bpf len                       # a whole one
	bpf jge 42 next drop          # has 28 bytes
	bpf ld 14                     # it is about Ethernet
	bpf jeq 0x00010800 next drop  # and IPv4
	bpf ldh 18                    # with addresses
	bpf jeq 0x0604 next drop      # of 6 and of 4 bytes
	bpf ld 24                     # the sender's MAC address
	bpf jeq "$mac_low" next drop  # is MAC
	bpf ldh 22                    # as above
	bpf jeq "$mac_high" next drop # in two parts
	bpf ld 28                     # the sender's IPv4 address
	bpf jeq "$number" pass next   # is ADDRESS
	bpf jeq 0 pass drop           # or 0.0.0.0: it asks whether an address is free (RFC 5227)
}

# source_program_ipv6 - the part for IPv6, where neighbour discovery (RFC 4861) says who has which address
source_program_ipv6() {
	bpf at ipv6
	bpf len                           # its header
	bpf jge 54 next drop              # has 40 bytes
	source_program_is 22 payload link # the source is ADDRESS6
	bpf at link
	source_program_link 22 payload nobody # or the link-local address

	bpf at nobody           # or :: - the sender is only about to have an address
	bpf ld 22               # bytes 0 to 3
	bpf jeq 0 next drop     # are 0
	bpf ld 26               # 4 to 7
	bpf jeq 0 next drop     # as well
	bpf ld 30               # 8 to 11
	bpf jeq 0 next drop     # as well
	bpf ld 34               # 12 to 15
	bpf jeq 0 next drop     # as well
	bpf ldb 20              # what follows the header:
	bpf jeq 0 groups next   # options for every hop
	bpf jeq 58 next drop    # or ICMPv6, and nothing else
	bpf len                 # as far as the address
	bpf jge 78 next drop    # that it is about
	bpf ldb 54              # a neighbour solicitation:
	bpf jeq 135 target drop # has somebody my address?

	bpf at payload
	bpf ldb 20               # what follows the header:
	bpf jeq 58 icmp next     # ICMPv6
	bpf jeq 0 groups next    # options for every hop
	bpf jeq 44 fragment next # a piece of something
	bpf jeq 43 drop next     # a routing header, or
	bpf jeq 60 drop pass     # options for the destination: what stands behind them would be out of our sight

	bpf at icmp
	bpf len               # with a head
	bpf jge 58 next drop  # of 4 bytes
	bpf ldb 54            # its kind:
	bpf jeq 134 drop next # a router advertisement, but no container is a router
	bpf jeq 137 drop next # a redirect, which is a router's as well
	bpf jeq 136 next pass # a neighbour advertisement: who has it
	bpf len               # says so itself
	bpf jge 78 target drop

	bpf at target # the address that the neighbour message is about is ADDRESS6 or the link-local one
	source_program_is 62 pass target_link
	bpf at target_link
	source_program_link 62 pass drop

	bpf at groups         # which multicast groups it listens to, and nothing else, comes with options for every hop
	bpf len               # 8 bytes of options
	bpf jge 66 next drop  # and 4 of ICMPv6
	bpf ldb 54            # what follows the options:
	bpf jeq 58 next drop  # ICMPv6
	bpf ldb 55            # how long they are:
	bpf jeq 0 next drop   # 8 bytes
	bpf ldb 62            # its kind:
	bpf jeq 131 pass next # a report of version 1
	bpf jeq 132 pass next # it listens no more
	bpf jeq 143 pass drop # a report of version 2

	bpf at fragment
	bpf len               # 8 bytes of its own
	bpf jge 63 next drop  # and the first of what it carries
	bpf ldb 54            # what the whole packet has:
	bpf jeq 0 drop next   # options for every hop
	bpf jeq 43 drop next  # a routing header
	bpf jeq 44 drop next  # pieces of pieces
	bpf jeq 60 drop next  # options for the destination
	bpf jeq 58 next pass  # ICMPv6
	bpf ldh 56            # where this piece belongs; the lowest 3 bits are flags
	bpf jge 8 pass next   # not at its beginning
	bpf ldb 62            # its kind: neighbour discovery,
	bpf jge 133 next pass # from 133
	bpf jgt 137 pass drop # to 137, is never in pieces (RFC 6980)
}

# source_program_is OFFSET TRUE FALSE - whether ADDRESS6 is there
source_program_is() {
	bpf ld "$1"
	bpf jeq "$word0" next "$3"
	bpf ld $(($1 + 4))
	bpf jeq "$word1" next "$3"
	bpf ld $(($1 + 8))
	bpf jeq "$word2" next "$3"
	bpf ld $(($1 + 12))
	bpf jeq "$word3" "$2" "$3"
}

# source_program_link OFFSET TRUE FALSE - whether the link-local address is there: fe80:: and MAC as an EUI-64 (RFC 4291)
source_program_link() {
	bpf ld "$1"
	bpf jeq 0xfe800000 next "$3"
	bpf ld $(($1 + 4))
	bpf jeq 0 next "$3"
	bpf ld $(($1 + 8))
	bpf jeq "$link2" next "$3"
	bpf ld $(($1 + 12))
	bpf jeq "$link3" "$2" "$3"
}

# bpf OPERATION [NUMBER [TRUE FALSE]] - an instruction for $instructions; `bpf at PLACE` names where the next one stands
bpf() {
	case $1,$placed in
	at,) places=" $2=$at$places" ;; # `drop`, where most jumps lead, comes to stand where it is found first
	at,*) ;;
	*,) at=$((at + 1)) ;;
	*) bpf_instruction "$@" ;;
	esac
}

# bpf_instruction OPERATION [NUMBER [TRUE FALSE]] - the instruction, now that the places are known
bpf_instruction() {
	local code true=0 false=0
	at=$((at + 1))
	case $1 in
	ld) code=32 ;;
	ldh) code=40 ;;
	ldb) code=48 ;;
	len) code=128 ;;
	jeq) code=21 ;;
	jgt) code=37 ;;
	jge) code=53 ;;
	ret) code=6 ;;
	esac
	# a jump is the number of instructions that are left out
	case ${3-next} in next) ;; *) true=${places#* "$3"=} true=$((${true%% *} - at)) ;; esac
	case ${4-next} in next) ;; *) false=${places#* "$4"=} false=$((${false%% *} - at)) ;; esac
	instructions="$instructions,$code $true $false $((${2-0}))"
}

# source_mac MAC - sets $mac_high (2 bytes), $mac_low (4), and $link2 $link3, what follows fe80:: in its link-local address
source_mac() {
	local IFS=: part
	# shellcheck disable=SC2086 # split at the colons
	set -- $1
	[ $# -eq 6 ] || return 1
	for part; do
		case $part in [0-9a-fA-F][0-9a-fA-F]) ;; *) return 1 ;; esac
	done
	mac_high=$((0x$1$2)) mac_low=$((0x$3$4$5$6))
	link2=$(((0x$1 ^ 2) << 24 | 0x$2${3}ff)) link3=$((0xfe$4$5$6))
}
