/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of vivarium-link on a kernel that the fuzzer plays. Of an input, two bytes say how many bytes the node sends;
 * those follow; the rest decides what each system call answers. Besides what the sanitizers see, it holds the program to
 *
 *   - one answer for each line of the node, whole, of a known kind and of bounded length;
 *   - no descriptor closed twice, used when closed, or left open when a request is done;
 *   - settings written to files of links only, and the way back to the node's own network after each sandbox's.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static ssize_t played_read(int fd, void *to, size_t most);
static ssize_t played_write(int fd, const void *from, size_t most);
static int played_close(int fd);
static int played_open(const char *path, int flags);
static int played_socket(void);
static int played_fails(void);
static int played_setns(int fd);
static ssize_t played_sendto(int fd, const void *from, size_t length);
static ssize_t played_recvmsg(int fd, struct msghdr *message);
static _Noreturn void played_exit(void);

#define read(fd, to, most) played_read(fd, to, most)
#define write(fd, from, most) played_write(fd, from, most)
#define close(fd) played_close(fd)
#define open(path, flags) played_open(path, flags)
#define socket(family, kind, protocol) played_socket()
#define setsockopt(...) played_fails()
#define setns(fd, kind) played_setns(fd)
#define sendto(fd, from, length, ...) played_sendto(fd, from, length)
#define recvmsg(fd, message, flags) played_recvmsg(fd, message)
#define _exit(code) played_exit()

#define FUZZING
#include "../../main/link/vivarium-link.c"

#undef read
#undef write
#undef close
#undef open
#undef socket
#undef setsockopt
#undef setns
#undef sendto
#undef recvmsg
#undef _exit

#define FDS 64
#define FIRST_FD 10

static const uint8_t *lines_in, *choices;
static size_t lines_left, choices_left;
static bool is_open[FDS], is_setting[FDS];
static size_t asked_lines, answers_given;
static bool away; /* in a sandbox's network */
static uint32_t last_asked;
static jmp_buf out;

static uint8_t choice(void)
{
	if (choices_left == 0)
		return 0;
	choices_left--;
	return *choices++;
}

static int played_fails(void)
{
	if (choice() % 8 != 7)
		return 0;
	errno = EPERM;
	return -1;
}

static int new_fd(void)
{
	if (played_fails())
		return -1;
	for (int fd = FIRST_FD; fd < FDS; fd++) {
		if (!is_open[fd]) {
			is_open[fd] = true;
			is_setting[fd] = false;
			return fd;
		}
	}
	abort();
}

static int played_socket(void)
{
	return new_fd();
}

static int played_open(const char *path, int flags)
{
	int fd = new_fd();

	assert(strncmp(path, "/proc/", 6) == 0 && !strstr(path, ".."));
	if ((flags & O_ACCMODE) != O_RDONLY)
		assert(strncmp(path, "/proc/sys/net/ipv", 17) == 0 && strstr(path, "/conf/") && !away);
	if (fd >= 0)
		is_setting[fd] = (flags & O_ACCMODE) != O_RDONLY;
	return fd;
}

static int played_close(int fd)
{
	assert(fd >= FIRST_FD && fd < FDS && is_open[fd]);
	is_open[fd] = false;
	return 0;
}

static int played_setns(int fd)
{
	assert(is_open[fd]);
	if (fd != own_network) {
		if (played_fails())
			return -1;
		away = true;
	} else {
		if (choice() == 255) {
			errno = EPERM;
			return -1;
		}
		away = false;
	}
	return 0;
}

static ssize_t played_read(int fd, void *to, size_t most)
{
	size_t count = choice() % 97 + 1;

	if (fd != STDIN_FILENO) {
		assert(is_open[fd] && most == 1);
		if (choice() % 8 == 7)
			return 0;
		*(char *)to = choice() % 2 ? '1' : '0';
		return 1;
	}
	assert(asked_lines == answers_given && !away && most > 0);
	if (count > most)
		count = most;
	if (count > lines_left)
		count = lines_left;
	memcpy(to, lines_in, count);
	for (size_t each = 0; each < count; each++)
		asked_lines += lines_in[each] == '\n';
	lines_in += count;
	lines_left -= count;
	return (ssize_t)count;
}

static ssize_t played_write(int fd, const void *from, size_t most)
{
	const char *text = from;

	if (fd != STDOUT_FILENO) {
		assert(is_open[fd] && is_setting[fd] && most == 1 && *text == '1');
		return played_fails() ? -1 : 1;
	}
	assert(most >= 2 && most <= LINE_MAX_BYTES && text[most - 1] == '\n' && !memchr(text, '\n', most - 1));
	assert((most == 5 && memcmp(text, "done", 4) == 0) || memcmp(text, "failed ", 7) == 0 ||
	       (most == 8 && memcmp(text, "refused", 7) == 0) || memcmp(text, "broken ", 7) == 0);
	answers_given++;
	return (ssize_t)most;
}

static ssize_t played_sendto(int fd, const void *from, size_t length)
{
	const struct nlmsghdr *header = from;

	assert(is_open[fd] && length >= sizeof(*header) && header->nlmsg_len == length && !away);
	last_asked = header->nlmsg_seq;
	if (played_fails())
		return -1;
	return (ssize_t)length;
}

/* The kernel's answers: bytes of the input, more often than not with a header that fits. */
static ssize_t played_recvmsg(int fd, struct msghdr *message)
{
	char *to = message->msg_iov->iov_base;
	struct nlmsghdr header;
	size_t count = (size_t)choice() * 2, form = choice();

	assert(is_open[fd] && message->msg_iov->iov_len == ANSWERS_MAX);
	if (choices_left == 0) {
		errno = EAGAIN;
		return -1;
	}
	message->msg_flags = form == 255 ? MSG_TRUNC : 0;
	((struct sockaddr_nl *)message->msg_name)->nl_pid = form == 254;
	if (form % 4 == 0) { /* carried out */
		struct nlmsgerr verdict = {.error = form & 64 ? -ENODEV : 0};

		header = (struct nlmsghdr){.nlmsg_len = NLMSG_LENGTH(sizeof(verdict)), .nlmsg_type = NLMSG_ERROR,
					   .nlmsg_seq = last_asked};
		memcpy(to, &header, sizeof(header));
		memcpy(to + NLMSG_HDRLEN, &verdict, sizeof(verdict));
		return NLMSG_LENGTH(sizeof(verdict));
	}
	if (count > choices_left)
		count = choices_left;
	memcpy(to, choices, count);
	choices += count;
	choices_left -= count;
	if (form % 4 != 3 && count >= sizeof(header)) {
		header = (struct nlmsghdr){.nlmsg_len = (uint32_t)count, .nlmsg_seq = last_asked,
					   .nlmsg_type = form & 8 ? NLMSG_DONE : RTM_NEWLINK};
		memcpy(to, &header, sizeof(header));
	}
	return (ssize_t)count;
}

static _Noreturn void played_exit(void)
{
	longjmp(out, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t lines;

	if (size < 2)
		return 0;
	lines = (size_t)data[0] << 8 | data[1];
	data += 2;
	size -= 2;
	if (lines > size)
		lines = size;
	lines_in = data;
	lines_left = lines;
	choices = data + lines;
	choices_left = size - lines;
	asked_lines = answers_given = 0;
	memset(is_open, 0, sizeof(is_open));
	away = false;
	sequence = 0;
	own_network = FIRST_FD;
	routes = FIRST_FD + 1;
	table = FIRST_FD + 2;
	deletions = FIRST_FD + 3;
	for (int fd = FIRST_FD; fd < FIRST_FD + 4; fd++)
		is_open[fd] = true;
	if (setjmp(out) == 0) {
		serve();
		assert(asked_lines == answers_given && !away);
		for (int fd = FIRST_FD + 4; fd < FDS; fd++)
			assert(!is_open[fd]);
	}
	return 0;
}
