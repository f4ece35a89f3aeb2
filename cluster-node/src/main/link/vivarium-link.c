/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vivarium-link: makes and removes the links between a node and its sandboxes by netlink, and deletes what a sandbox leaves
 * in the kernel's table of connections. Its node talks to it over standard input and output; PROTOCOL.md says how. It keeps
 * nothing, and ends with its standard input: links end with their sandboxes.
 *
 * One thread, static memory only, one request at a time. It trusts its node, but checks each line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define LINE_MAX_BYTES 256
#define WORDS_MAX 10
#define NAME_MAX_BYTES 15    /* of an interface, as the kernel has it */
#define PATH_MAX_BYTES 128
#define TEXT_MAX 192
#define REQUEST_MAX 1024     /* bytes of attributes of a request to the kernel */
#define ANSWERS_MAX 65536    /* bytes of answers taken from the kernel at once */
#define ANSWER_SECONDS 5     /* the kernel answers at once, but may wait for its own locks */
#define INSIDE "eth0"        /* the name in every sandbox, whatever it is outside */
#define EXIT_BROKEN 1
#define HEADER sizeof(struct nlattr)
#define UP_AND_DEAF (0x1U | 0x80U) /* IFF_UP and IFF_NOARP; their header and linux/rtnetlink.h exclude each other */

/*
 * The address of both ends of every link. ARP is off, so no addresses are asked for or remembered; the kernel writes its own
 * address on frames, which is also the other end's.
 */
static const uint8_t MAC[6] = {0xee, 0xee, 0xee, 0xee, 0xee, 0xee};

struct request {
	struct nlmsghdr header;
	char data[REQUEST_MAX];
};

/* The token bucket at each end of a link. */
struct rate {
	uint64_t bytes_per_second;
	uint32_t burst; /* bytes */
	uint32_t limit; /* bytes that wait or pass */
};

static char failure[TEXT_MAX]; /* what went wrong with a request, as the node is told */
static uint32_t sequence;
static int own_network;        /* a descriptor of the name space that the node is in */
static int routes;             /* a socket of it for links, addresses and routes */
static int table;              /* one that lists tracked connections */
static int deletions;          /* one that deletes them, meanwhile */

/* ---- what is told to the node */

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	size_t length, written = 0;
	int printed;

	va_start(arguments, format);
	printed = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (printed < 0)
		return;
	length = (size_t)printed < sizeof(line) - 1 ? (size_t)printed : sizeof(line) - 2;
	line[length++] = '\n';
	while (written < length) {
		ssize_t count = write(STDOUT_FILENO, line + written, length - written);

		if (count > 0)
			written += (size_t)count;
		else if (count == 0 || errno != EINTR)
			_exit(EXIT_SUCCESS); /* the node is gone */
	}
}

/* Notes what failed, and returns false. */
static bool failed(const char *what, int error)
{
	snprintf(failure, sizeof(failure), "%s: %s", what, strerror(error));
	return false;
}

/* ---- requests to the kernel */

/* The length up to where the kernel looks for what follows. */
static size_t padded(size_t length)
{
	return (length + NLA_ALIGNTO - 1) & ~(size_t)(NLA_ALIGNTO - 1);
}

static void *body_of(struct request *request, uint16_t type, uint16_t flags, size_t size)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	request->header.nlmsg_seq = ++sequence;
	return NLMSG_DATA(&request->header);
}

/* Every request made here is far smaller than its buffer. */
static struct nlattr *add(struct request *request, uint16_t type, const void *value, size_t length)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
	struct nlattr *attribute = (struct nlattr *)(void *)((char *)request + at);

	if (at + HEADER + padded(length) > sizeof(*request))
		abort();
	attribute->nla_type = type;
	attribute->nla_len = (uint16_t)(HEADER + length);
	if (length > 0)
		memcpy((char *)attribute + HEADER, value, length);
	request->header.nlmsg_len = (uint32_t)(at + HEADER + padded(length));
	return attribute;
}

static void add_u32(struct request *request, uint16_t type, uint32_t value)
{
	add(request, type, &value, sizeof(value));
}

static void add_text(struct request *request, uint16_t type, const char *text)
{
	add(request, type, text, strlen(text) + 1);
}

/* What is added until close_nest is inside. */
static struct nlattr *open_nest(struct request *request, uint16_t type)
{
	return add(request, type, NULL, 0);
}

static void close_nest(struct request *request, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)request + request->header.nlmsg_len - (char *)nest);
}

static bool send_to(int socket, const struct request *request)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t count;

	do {
		count = sendto(socket, request, request->header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	} while (count < 0 && errno == EINTR);
	return count == (ssize_t)request->header.nlmsg_len;
}

/* Takes answers from the kernel, from nobody else; returns their bytes, or -1 with errno. */
static ssize_t receive(int socket, char *answers)
{
	for (;;) {
		struct sockaddr_nl sender = {0};
		struct iovec buffer = {.iov_base = answers, .iov_len = ANSWERS_MAX};
		struct msghdr message = {
			.msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &buffer, .msg_iovlen = 1};
		ssize_t count = recvmsg(socket, &message, 0);

		if (count < 0 && errno == EINTR)
			continue;
		if (count >= 0 && sender.nl_pid != 0)
			continue;
		if (count >= 0 && (message.msg_flags & MSG_TRUNC)) {
			errno = EMSGSIZE;
			return -1;
		}
		return count;
	}
}

/* The next of the messages that were taken together, or NULL. */
static const struct nlmsghdr *next_of(const char **at, size_t *left)
{
	const struct nlmsghdr *message = (const void *)*at;
	size_t step;

	if (*left < sizeof(*message) || message->nlmsg_len < sizeof(*message) || message->nlmsg_len > *left)
		return NULL;
	step = padded(message->nlmsg_len);
	if (step > *left)
		step = *left;
	*at += step;
	*left -= step;
	return message;
}

/* What the kernel made of a request: 0 or an errno; EBADMSG when the message does not say. */
static int verdict_of(const struct nlmsghdr *message)
{
	const struct nlmsgerr *verdict = (const void *)((const char *)message + NLMSG_HDRLEN);

	return message->nlmsg_len >= NLMSG_LENGTH(sizeof(*verdict)) ? -verdict->error : EBADMSG;
}

/* Sends a request and waits until the kernel has carried it out; returns 0 or an errno. */
static int ask(int socket, struct request *request)
{
	static _Alignas(struct nlmsghdr) char answers[ANSWERS_MAX];

	request->header.nlmsg_flags |= NLM_F_ACK;
	if (!send_to(socket, request))
		return errno;
	for (;;) {
		ssize_t count = receive(socket, answers);
		size_t left = count < 0 ? 0 : (size_t)count;
		const char *at = answers;
		const struct nlmsghdr *each;

		if (count < 0)
			return errno;
		while ((each = next_of(&at, &left))) {
			if (each->nlmsg_seq == request->header.nlmsg_seq && each->nlmsg_type == NLMSG_ERROR)
				return verdict_of(each);
		}
	}
}

static int socket_of(int family)
{
	int made = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
	struct timeval patience = {.tv_sec = ANSWER_SECONDS};

	/* A late answer to a request that was given up is told by its number. */
	if (made >= 0 && setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
		close(made);
		return -1;
	}
	return made;
}

/* ---- the parts of a link */

static bool make_pair(const char *link, int sandbox, uint32_t mtu)
{
	struct request request;
	struct nlattr *info, *data, *peer;
	int error;

	body_of(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	add_text(&request, IFLA_IFNAME, link);
	add(&request, IFLA_ADDRESS, MAC, sizeof(MAC));
	add_u32(&request, IFLA_MTU, mtu);
	info = open_nest(&request, IFLA_LINKINFO);
	add_text(&request, IFLA_INFO_KIND, "veth");
	data = open_nest(&request, IFLA_INFO_DATA);
	peer = open_nest(&request, VETH_INFO_PEER);
	request.header.nlmsg_len += (uint32_t)NLMSG_ALIGN(sizeof(struct ifinfomsg)); /* zero */
	add_text(&request, IFLA_IFNAME, INSIDE);
	add(&request, IFLA_ADDRESS, MAC, sizeof(MAC));
	add_u32(&request, IFLA_MTU, mtu);
	add_u32(&request, IFLA_NET_NS_FD, (uint32_t)sandbox);
	close_nest(&request, peer);
	close_nest(&request, data);
	close_nest(&request, info);
	error = ask(routes, &request);
	return error == 0 || failed("link", error);
}

/* The number of an interface in a socket's name space; 0 when there is none. */
static uint32_t number_of(int socket, const char *interface)
{
	static _Alignas(struct nlmsghdr) char answers[ANSWERS_MAX];
	struct request request;

	body_of(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	add_text(&request, IFLA_IFNAME, interface);
	if (!send_to(socket, &request))
		return 0;
	for (;;) {
		ssize_t count = receive(socket, answers);
		const struct nlmsghdr *answer = (const void *)answers;

		if (count < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			return 0;
		if (answer->nlmsg_seq != request.header.nlmsg_seq)
			continue;
		return answer->nlmsg_type == RTM_NEWLINK && answer->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg))
			       ? (uint32_t)((const struct ifinfomsg *)NLMSG_DATA(answer))->ifi_index
			       : 0;
	}
}

static bool limit_rate(int socket, uint32_t interface, const struct rate *rate)
{
	struct request request;
	struct tc_tbf_qopt options = {.limit = rate->limit};
	struct tcmsg *body = body_of(&request, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, sizeof(*body));
	struct nlattr *nest;
	int error;

	body->tcm_ifindex = (int)interface;
	body->tcm_parent = TC_H_ROOT;
	add_text(&request, TCA_KIND, "tbf");
	nest = open_nest(&request, TCA_OPTIONS);
	options.rate.linklayer = TC_LINKLAYER_ETHERNET;
	options.rate.rate = rate->bytes_per_second > UINT32_MAX ? UINT32_MAX : (uint32_t)rate->bytes_per_second;
	add(&request, TCA_TBF_PARMS, &options, sizeof(options));
	add_u32(&request, TCA_TBF_BURST, rate->burst);
	if (rate->bytes_per_second > UINT32_MAX)
		add(&request, TCA_TBF_RATE64, &rate->bytes_per_second, sizeof(rate->bytes_per_second));
	close_nest(&request, nest);
	error = ask(socket, &request);
	return error == 0 || failed("rate limit", error);
}

static bool switch_on(int socket, uint32_t interface)
{
	struct request request;
	struct ifinfomsg *body = body_of(&request, RTM_NEWLINK, 0, sizeof(*body));
	int error;

	body->ifi_index = (int)interface;
	body->ifi_flags = UP_AND_DEAF;
	body->ifi_change = UP_AND_DEAF;
	error = ask(socket, &request);
	return error == 0 || failed("interface up", error);
}

static bool give_address(int socket, uint32_t interface, struct in_addr address)
{
	struct request request;
	struct ifaddrmsg *body = body_of(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*body));
	int error;

	body->ifa_family = AF_INET;
	body->ifa_prefixlen = 32;
	body->ifa_index = interface;
	add(&request, IFA_LOCAL, &address, sizeof(address));
	add(&request, IFA_ADDRESS, &address, sizeof(address));
	error = ask(socket, &request);
	return error == 0 || failed("address", error);
}

/* A route to one address behind the interface; or, with a gateway, to all. */
static bool add_route(int socket, uint32_t interface, struct in_addr address, bool to_all)
{
	struct request request;
	struct rtmsg *body = body_of(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*body));
	int error;

	body->rtm_family = AF_INET;
	body->rtm_dst_len = to_all ? 0 : 32;
	body->rtm_table = RT_TABLE_MAIN;
	body->rtm_protocol = RTPROT_BOOT;
	body->rtm_scope = to_all ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	body->rtm_type = RTN_UNICAST;
	add(&request, to_all ? RTA_GATEWAY : RTA_DST, &address, sizeof(address));
	add_u32(&request, RTA_OIF, interface);
	error = ask(socket, &request);
	return error == 0 || failed("route", error);
}

/*
 * Switches a setting of the link on, which the kernel may not have. Only if it is off: where the node may not write settings,
 * they may be as needed from outside.
 */
static bool set(const char *family, const char *link, const char *setting)
{
	char path[PATH_MAX_BYTES], now = 0;
	int file, error = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, link, setting);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT || failed(setting, errno);
	if (read(file, &now, 1) != 1)
		error = EIO;
	close(file);
	if (now == '1')
		return true;
	if (error == 0) {
		file = open(path, O_WRONLY | O_CLOEXEC);
		if (file < 0)
			return failed(setting, errno);
		if (write(file, "1", 1) != 1)
			error = errno;
		close(file);
	}
	return error == 0 || failed(setting, error);
}

/* A socket for routes in another name space; -1 with errno. */
static int socket_in(int network)
{
	int made, error;

	if (setns(network, CLONE_NEWNET) < 0)
		return -1;
	made = socket_of(NETLINK_ROUTE);
	error = errno;
	if (setns(own_network, CLONE_NEWNET) < 0) {
		tell("broken the way back from a sandbox's network: %s", strerror(errno));
		_exit(EXIT_BROKEN);
	}
	errno = error;
	return made;
}

/* ---- requests of the node */

struct connection {
	const char *link;
	int32_t pid; /* of a process in the sandbox */
	struct in_addr address;
	struct in_addr own; /* the node's, as sandboxes see it */
	uint32_t mtu;
	struct rate rate;
	bool everywhere; /* with a default route */
};

static bool connect_inside(const struct connection *asked, int socket)
{
	uint32_t interface = number_of(socket, INSIDE);

	return (interface != 0 || failed("interface in the sandbox", ENODEV)) &&
	       limit_rate(socket, interface, &asked->rate) && give_address(socket, interface, asked->address) &&
	       switch_on(socket, interface) && add_route(socket, interface, asked->own, false) &&
	       (!asked->everywhere || add_route(socket, interface, asked->own, true));
}

/* Nothing passes until the end in the sandbox is switched on, which is last. */
static bool connect_outside(const struct connection *asked, int sandbox)
{
	uint32_t interface;

	if (!make_pair(asked->link, sandbox, asked->mtu))
		return false;
	interface = number_of(routes, asked->link);
	return (interface != 0 || failed("link", ENODEV)) && set("ipv4", asked->link, "rp_filter") &&
	       set("ipv4", asked->link, "src_valid_mark") && set("ipv6", asked->link, "disable_ipv6") &&
	       limit_rate(routes, interface, &asked->rate) && switch_on(routes, interface) &&
	       add_route(routes, interface, asked->address, false);
}

static bool connect_sandbox(const struct connection *asked)
{
	char path[PATH_MAX_BYTES];
	int sandbox, socket;
	bool connected;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)asked->pid);
	sandbox = open(path, O_RDONLY | O_CLOEXEC);
	if (sandbox < 0)
		return failed("network of the sandbox", errno);
	socket = socket_in(sandbox);
	if (socket < 0)
		failed("network of the sandbox", errno);
	connected = socket >= 0 && connect_outside(asked, sandbox) && connect_inside(asked, socket);
	if (socket >= 0)
		close(socket);
	close(sandbox);
	return connected;
}

/* Removes a link; that there is none is no failure. */
static bool remove_link(const char *link)
{
	struct request request;
	int error;

	body_of(&request, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	add_text(&request, IFLA_IFNAME, link);
	error = ask(routes, &request);
	return error == 0 || error == ENODEV || failed("link", error);
}

/* The attribute of this type in a list of them, or NULL. */
static const struct nlattr *find(const void *list, size_t length, uint16_t type)
{
	const char *at = list;

	while (length >= HEADER) {
		const struct nlattr *attribute = (const void *)at;
		size_t step = padded(attribute->nla_len);

		if (attribute->nla_len < HEADER || attribute->nla_len > length)
			return NULL;
		if ((attribute->nla_type & NLA_TYPE_MASK) == type)
			return attribute;
		if (step >= length)
			return NULL;
		at += step;
		length -= step;
	}
	return NULL;
}

static const void *value_of(const struct nlattr *attribute)
{
	return (const char *)attribute + HEADER;
}

static size_t length_of(const struct nlattr *attribute)
{
	return (size_t)attribute->nla_len - HEADER;
}

/* Deletes the tracked connection that the kernel lists here if the address has opened it; returns 0 or an errno. */
static int forget_if_of(struct in_addr address, const struct nlmsghdr *listed)
{
	const char *list = (const char *)NLMSG_DATA(listed) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	size_t header = NLMSG_LENGTH(sizeof(struct nfgenmsg)), length;
	const struct nlattr *tuple, *ip, *source, *more;
	static const uint16_t kept[] = {CTA_ZONE, CTA_ID};
	struct request request;
	struct nfgenmsg *body;
	int error;

	if (listed->nlmsg_len <= header)
		return 0;
	length = listed->nlmsg_len - header;
	tuple = find(list, length, CTA_TUPLE_ORIG);
	ip = tuple ? find(value_of(tuple), length_of(tuple), CTA_TUPLE_IP) : NULL;
	source = ip ? find(value_of(ip), length_of(ip), CTA_IP_V4_SRC) : NULL;
	if (!source || length_of(source) != sizeof(address) || memcmp(value_of(source), &address, sizeof(address)) != 0)
		return 0;
	body = body_of(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, sizeof(*body));
	body->nfgen_family = AF_INET;
	body->version = NFNETLINK_V0;
	if (length_of(tuple) > REQUEST_MAX / 2)
		return EMSGSIZE;
	add(&request, tuple->nla_type, value_of(tuple), length_of(tuple));
	for (size_t each = 0; each < sizeof(kept) / sizeof(kept[0]); each++) {
		more = find(list, length, kept[each]);
		if (more && length_of(more) <= sizeof(uint32_t))
			add(&request, more->nla_type, value_of(more), length_of(more));
	}
	error = ask(deletions, &request);
	return error == ENOENT ? 0 : error; /* it has just expired */
}

/* Deletes all tracked connections that an address has opened. */
static bool forget(struct in_addr address)
{
	static _Alignas(struct nlmsghdr) char answers[ANSWERS_MAX];
	struct request request;
	struct nfgenmsg *body =
		body_of(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, sizeof(*body));
	uint32_t asked = request.header.nlmsg_seq;
	int error = 0;

	body->nfgen_family = AF_INET;
	body->version = NFNETLINK_V0;
	if (!send_to(table, &request))
		return failed("table of connections", errno);
	for (;;) {
		ssize_t count = receive(table, answers);
		size_t left = count < 0 ? 0 : (size_t)count;
		const char *at = answers;
		const struct nlmsghdr *each;

		if (count < 0)
			return failed("table of connections", errno);
		while ((each = next_of(&at, &left))) {
			if (each->nlmsg_seq != asked)
				continue;
			if (each->nlmsg_type == NLMSG_ERROR)
				return failed("table of connections", verdict_of(each));
			if (each->nlmsg_type == NLMSG_DONE)
				return error == 0 || failed("connection", error);
			if (error == 0)
				error = forget_if_of(address, each);
		}
	}
}

/* ---- lines */

/* A decimal number between 1 and the bound; 0 when the word is none. */
static uint64_t number_in(const char *word, uint64_t bound)
{
	uint64_t number = 0;

	if (!*word)
		return 0;
	for (; *word; word++) {
		if (*word < '0' || *word > '9')
			return 0;
		number = number * 10 + (uint64_t)(*word - '0');
		if (number > bound)
			return 0;
	}
	return number;
}

static bool is_name(const char *word)
{
	size_t length = strlen(word);

	return length > 0 && length <= NAME_MAX_BYTES &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789") == length;
}

static bool read_connection(char *const *words, struct connection *asked)
{
	asked->link = words[1];
	asked->pid = (int32_t)number_in(words[2], INT32_MAX);
	asked->mtu = (uint32_t)number_in(words[5], UINT16_MAX);
	asked->rate.bytes_per_second = number_in(words[6], INT64_MAX);
	asked->rate.burst = (uint32_t)number_in(words[7], UINT32_MAX);
	asked->rate.limit = (uint32_t)number_in(words[8], UINT32_MAX);
	asked->everywhere = strcmp(words[9], "everywhere") == 0;
	return is_name(asked->link) && asked->pid > 0 && inet_pton(AF_INET, words[3], &asked->address) == 1 &&
	       inet_pton(AF_INET, words[4], &asked->own) == 1 && asked->mtu > 0 && asked->rate.bytes_per_second > 0 &&
	       asked->rate.burst > 0 && asked->rate.limit > 0 && (asked->everywhere || strcmp(words[9], "node") == 0);
}

static void answer(bool done)
{
	if (done)
		tell("done");
	else
		tell("failed %s", failure);
}

static void carry_out(char *line)
{
	char *words[WORDS_MAX + 1], *rest = line, *word;
	size_t count = 0;
	struct connection asked = {0};
	struct in_addr address;

	while (count <= WORDS_MAX && (word = strsep(&rest, " ")))
		words[count++] = word;
	if (count == 10 && strcmp(words[0], "connect") == 0 && read_connection(words, &asked))
		answer(connect_sandbox(&asked));
	else if (count == 2 && strcmp(words[0], "remove") == 0 && is_name(words[1]))
		answer(remove_link(words[1]));
	else if (count == 2 && strcmp(words[0], "forget") == 0 && inet_pton(AF_INET, words[1], &address) == 1)
		answer(forget(address));
	else
		tell("refused");
}

/* Takes the lines that have arrived whole; a line that is too long is refused once. */
static void serve(void)
{
	static char lines[LINE_MAX_BYTES];
	size_t length = 0;
	bool skipping = false;

	for (;;) {
		ssize_t count = read(STDIN_FILENO, lines + length, sizeof(lines) - length);
		char *end;

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return;
		length += (size_t)count;
		while ((end = memchr(lines, '\n', length))) {
			size_t taken = (size_t)(end - lines) + 1;

			*end = 0;
			if (skipping)
				tell("refused");
			else if (memchr(lines, 0, taken - 1))
				tell("refused");
			else
				carry_out(lines);
			skipping = false;
			length -= taken;
			memmove(lines, end + 1, length);
		}
		if (length == sizeof(lines)) {
			skipping = true;
			length = 0;
		}
	}
}

#ifndef FUZZING
int main(void)
{
	own_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	routes = own_network < 0 ? -1 : socket_of(NETLINK_ROUTE);
	table = routes < 0 ? -1 : socket_of(NETLINK_NETFILTER);
	deletions = table < 0 ? -1 : socket_of(NETLINK_NETFILTER);
	if (deletions < 0) {
		tell("broken netlink: %s", strerror(errno));
		return EXIT_BROKEN;
	}
	tell("ready");
	serve();
	return EXIT_SUCCESS;
}
#endif
