/* probe-net.h: how many bits a second pass between two sockets.
 *
 * Sources: udp(7), socket(7), ip(7), poll(2). The end that receives does the counting. Datagrams,
 * because TCP hands over nothing of what follows a lost segment before that has come again, so that
 * a second is too short to count in. */
#ifndef SC_PROBE_NET_H
#define SC_PROBE_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "probe.h"

/* payload and length of a full frame on Ethernet */
#define DATAGRAM 1472U
#define FRAME    1514U
#define RATE_MAX 1000000000000ULL
/* what may wait for us while others have the CPU */
#define RECEIVE_BUFFER 16777216

static struct sockaddr_in address(const char *text, in_port_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, text, &at.sin_addr) != 1)
		die("'%s' is no IPv4 address", text);
	return at;
}

/* false when the time is over */
static bool wait_for(int fd, short events, uint64_t until)
{
	struct pollfd waiting = {.fd = fd, .events = events};

	for (;;) {
		int left = poll_milliseconds(until);
		int n = left > 0 ? poll(&waiting, 1, left) : 0;

		if (n > 0 || left <= 0)
			return n > 0;
		if (n < 0 && errno != EINTR)
			die("poll:");
	}
}

/* a socket with room for what comes while we do not run; without privilege from here on */
static int datagram_socket(const char *device)
{
	int room = RECEIVE_BUFFER,
	    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket:");
	/* root of a user namespace gets what everybody may have */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 && errno != EPERM)
		die("setsockopt SO_RCVBUFFORCE:");
	/* what is sent within the namespace arrives on lo, whatever its source says */
	if (device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		die("bind to device %s:", device);
	drop_privilege();
	return fd;
}

/* The buckets of a shaper are full at the start, so the first part of the time does not count. The
 * socket is connected: nobody but the other end is heard. */
static void receive(int fd, uint64_t length)
{
	char buffer[2048];
	uint64_t start = 0, until = microseconds() + length, from = 0, last = 0, frames = 0;

	while (wait_for(fd, POLLIN, until)) {
		ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			die("receive:");
		if (got != (ssize_t)DATAGRAM)
			continue;
		last = microseconds();
		if (!start) {
			start = last;
			until = start + length;
		} else if (from) {
			frames++;
		} else if (last - start > length / 3) {
			from = last;
		}
	}
	if (!frames || last == from)
		die("too little arrived to count");
	report("bits_per_second", frames * FRAME * 8U * 1000000U / (last - from));
}

/* half more than RATE, so that whatever shapes it always has something to do */
static void transmit(int fd, uint64_t length, uint64_t rate)
{
	static const char buffer[DATAGRAM];
	uint64_t start = microseconds(), until = start + length, now = start, sent = 0;

	for (; now < until; now = microseconds()) {
		uint64_t due = (now - start) * (rate / 1000U) / (FRAME * 8U) * 3U / 2000U + 1;

		while (sent < due) {
			if (send(fd, buffer, sizeof(buffer), 0) < 0) {
				/* the other end has heard enough */
				if (errno == ECONNREFUSED)
					return;
				if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
					die("send:");
				break;
			}
			sent++;
		}
		if (poll(NULL, 0, 1) < 0 && errno != EINTR)
			die("poll:");
	}
}

static void transfer(int fd, const char *direction, uint64_t length, uint64_t rate)
{
	if (strcmp(direction, "receive") == 0)
		receive(fd, length);
	else if (strcmp(direction, "send") == 0)
		transmit(fd, length + 300000U, rate);
	else
		die("'%s' is no direction: send or receive", direction);
	shut(fd);
}

/* a free port of ADDRESS; the first datagram that comes from PEER says which port of it is the
 * other end */
static void serve(const char *device, const char *own, const char *peer, uint64_t length,
		  const char *direction, uint64_t rate)
{
	struct sockaddr_in at = address(own, 0), wanted = address(peer, 0), from = {0};
	socklen_t size = sizeof(at);
	uint64_t until = microseconds() + length;
	int fd = datagram_socket(device);
	char byte;

	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind %s:", own);
	if (getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		die("getsockname:");
	report("port", ntohs(at.sin_port));
	do {
		if (!wait_for(fd, POLLIN, until))
			die("nothing came from %s", peer);
		size = sizeof(from);
		if (recvfrom(fd, &byte, sizeof(byte), 0, (struct sockaddr *)&from, &size) < 0 &&
		    errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			die("receive:");
	} while (from.sin_addr.s_addr != wanted.sin_addr.s_addr);
	if (connect(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		die("connect %s:", peer);
	transfer(fd, direction, length, rate);
}

/* the other end: it speaks first, so that a firewall with connection tracking lets the answers in
 */
static void connect_to(const char *peer, in_port_t port, uint64_t length, const char *direction,
		       uint64_t rate)
{
	struct sockaddr_in at = address(peer, port);
	int fd = datagram_socket(NULL);

	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect %s port %u:", peer, port);
	if (send(fd, "", 1, 0) < 0)
		die("send to %s port %u:", peer, port);
	transfer(fd, direction, length, rate);
}

#endif
