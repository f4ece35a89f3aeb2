/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole launcher, from fork to exec aside, on a kernel that the fuzzer plays. Of an input, two bytes say how many bytes the
 * node sends; those follow; the rest decides what each system call answers. Besides what the sanitizers see, it holds the
 * launcher to
 *
 *   - answers to the node that are whole lines of a known kind, of bounded length;
 *   - no descriptor closed twice, used when closed, or left open when no sandbox is known;
 *   - no signal to a process that is not its child, and none to a group or to all;
 *   - no other size for a file system that is not in memory, and no limits for a process that is not its child;
 *   - nothing removed but directories of its own control groups, and an end when its input is at its end.
 *
 * It is one file with the launcher, so that it can put the launcher's state back between two inputs.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int played_poll(struct pollfd *fds, nfds_t count, int millis);
static ssize_t played_read(int fd, void *to, size_t most);
static ssize_t played_write(int fd, const void *from, size_t most);
static int played_close(int fd);
static int played_open(void);
static int played_pipe(int pair[2]);
static pid_t played_fork(void);
static pid_t played_waitpid(int *status);
static int played_waitid(pid_t pid);
static int played_kill(pid_t pid, int number);
static int played_rmdir(const char *path);
static int played_on(int fd);
static int played_prlimit(pid_t pid);
struct statfs;
static int played_fstatfs(int fd, struct statfs *to);
static long played_syscall(long number, long first);
static int played_fails(void);
static _Noreturn void played_exit(void);

#define poll(fds, count, millis) played_poll(fds, count, millis)
#define read(fd, to, most) played_read(fd, to, most)
#define write(fd, from, most) played_write(fd, from, most)
#define close(fd) played_close(fd)
#define open(...) played_open()
#define pipe2(pair, flags) played_pipe(pair)
#define fork() played_fork()
#define waitpid(pid, status, flags) played_waitpid(status)
#define waitid(type, pid, news, flags) played_waitid((pid_t)(pid))
#define kill(pid, number) played_kill(pid, number)
#define rmdir(path) played_rmdir(path)
#define syscall(number, first, ...) played_syscall(number, (long)(first))
#define clock_gettime(clock, to) played_clock(to)
#define fcntl(...) played_fails()
#define signalfd(...) played_open()
#define setsid() 0
#define sigprocmask(...) 0
#define prctl(...) 0
#define unshare(...) 0
#define mount(...) 0
#define umount2(...) played_fails()
#define getrlimit(...) -1
#define _exit(code) played_exit()
#define signal(number, handler) SIG_DFL
#define fstatfs(fd, to) played_fstatfs(fd, to)
#define futimens(fd, times) played_on(fd)
#define prlimit(pid, ...) played_prlimit(pid)
#define setpriority(which, pid, nice) played_prlimit((pid_t)(pid))
static int played_clock(struct timespec *now);
#define main launcher_main
#include "../../main/launch/vivarium-launch.c"
#undef main

#define FDS 256
#define CHILDREN 64

static const uint8_t *sent, *sent_end, *choices, *choices_end;
static bool open_fds[FDS];
static struct { pid_t pid; bool dead; } children[CHILDREN];
static size_t children_count;
static pid_t next_pid;
static uint64_t millis_now;
static unsigned int polls;
static jmp_buf end_of_launcher;
static char line[LINE_MAX_BYTES + 2];
static size_t line_length;
static long last_was_ours; /* the kind of the file system that was looked at last */

static uint8_t choose(void)
{
	return choices < choices_end ? *choices++ : 0;
}

static int played_fails(void)
{
	if (choose() % 16 != 15)
		return 0;
	errno = EIO;
	return -1;
}

static int played_clock(struct timespec *now)
{
	*now = (struct timespec){(time_t)(millis_now / 1000), (long)(millis_now % 1000) * 1000000};
	return 0;
}

static int played_open(void)
{
	if (played_fails() < 0)
		return -1;
	for (int fd = 3; fd < FDS; fd++) {
		if (!open_fds[fd]) {
			open_fds[fd] = true;
			return fd;
		}
	}
	errno = EMFILE;
	return -1;
}

static int played_close(int fd)
{
	assert(fd > 2 && fd < FDS && open_fds[fd]);
	open_fds[fd] = false;
	return 0;
}

static int played_pipe(int pair[2])
{
	pair[0] = played_open();
	if (pair[0] < 0)
		return -1;
	pair[1] = played_open();
	if (pair[1] < 0) {
		open_fds[pair[0]] = false;
		return -1;
	}
	return 0;
}

static ssize_t played_read(int fd, void *to, size_t most)
{
	size_t count = 0;
	uint8_t choice = choose();

	assert(fd == 0 || (fd > 2 && fd < FDS && open_fds[fd]));
	if (choice % 16 == 15) {
		errno = choice & 16 ? EINTR : EAGAIN;
		return -1;
	}
	if (fd == 0) {
		count = (size_t)(sent_end - sent) < most ? (size_t)(sent_end - sent) : most;
		if (count > choice && choice > 0)
			count = choice;
		memcpy(to, sent, count);
		sent += count;
		return (ssize_t)count;
	}
	/* A number of a process, a path of a group, or whatever the input has. */
	if (choice % 4 == 1)
		count = (size_t)snprintf(to, most, "%d\n", children_count ? (int)children[choose() % children_count].pid : 7);
	else if (choice % 4 == 2)
		while (count < most && choices < choices_end && count < choice)
			((uint8_t *)to)[count++] = choose();
	return (ssize_t)(count < most ? count : most);
}

static void check_line(void)
{
	static const char *const kinds[] = {"ready", "broken ", "made ", "failed ", "ended ", "said ", "removed ", "kept ",
					    "resized ", "unfit ", "shown ", "hidden ",
					    "refused"};
	bool known = false;

	line[line_length] = 0;
	for (size_t each = 0; each < sizeof(kinds) / sizeof(kinds[0]); each++)
		known |= strncmp(line, kinds[each], strlen(kinds[each])) == 0;
	assert(known);
	for (size_t at = 0; at < line_length; at++)
		assert(line[at] >= ' ' && line[at] <= '~');
	line_length = 0;
}

static ssize_t played_write(int fd, const void *from, size_t most)
{
	const char *text = from;
	uint8_t choice = choose();

	assert(fd == 1 && most > 0);
	if (choice % 32 == 31) {
		errno = choice & 32 ? EINTR : EPIPE;
		return -1;
	}
	if (choice % 8 == 7)
		most = 1;
	for (size_t at = 0; at < most; at++) {
		if (text[at] == '\n') {
			check_line();
		} else {
			assert(line_length < LINE_MAX_BYTES);
			line[line_length++] = text[at];
		}
	}
	return (ssize_t)most;
}

static pid_t played_fork(void)
{
	if (played_fails() < 0 || children_count == CHILDREN)
		return -1;
	children[children_count].dead = false;
	children[children_count].pid = next_pid++;
	return children[children_count++].pid;
}

static pid_t played_waitpid(int *status)
{
	uint8_t choice = choose();

	if (children_count == 0 || choice % 4 == 0)
		return 0;
	size_t which = choose() % children_count;
	pid_t pid = children[which].pid;

	/* What ends well may leave its own child, which becomes ours. */
	if (choice % 4 == 1) {
		children[which].pid = next_pid++;
		*status = 0;
		return pid;
	}
	children[which] = children[--children_count];
	*status = choice % 4 == 2 ? choose() << 8 : SIGKILL;
	return pid;
}

static bool is_ours(pid_t pid)
{
	for (size_t each = 0; each < children_count; each++) {
		if (children[each].pid == pid)
			return true;
	}
	return false;
}

static int played_waitid(pid_t pid)
{
	if (is_ours(pid))
		return 0;
	errno = ECHILD;
	return -1;
}

static int played_kill(pid_t pid, int number)
{
	assert(pid > 1);
	if (number == 0)
		return is_ours(pid) ? 0 : played_fails();
	assert(number == SIGKILL && is_ours(pid));
	return 0;
}

static int played_rmdir(const char *path)
{
	assert(strstr(path, "/groups/") && !strstr(path, ".."));
	if (choose() % 4 == 3) {
		errno = EBUSY;
		return -1;
	}
	errno = ENOENT;
	return choose() % 2 ? 0 : -1;
}

static int played_on(int fd)
{
	assert(fd > 2 && fd < FDS && open_fds[fd]);
	return played_fails();
}

static int played_fstatfs(int fd, struct statfs *to)
{
	memset(to, 0, sizeof(*to));
	to->f_type = last_was_ours = choose() % 4 ? TMPFS_MAGIC : 0xef53;
	return played_on(fd);
}

static int played_prlimit(pid_t pid)
{
	assert(pid > 1 && is_ours(pid));
	return played_fails();
}

static long played_syscall(long number, long first)
{
	/* Only a file system in memory is given a size. */
	if (number == SYS_fspick) {
		assert(last_was_ours == TMPFS_MAGIC);
		return played_on((int)first) < 0 ? -1 : played_open();
	}
	if (number == SYS_fsconfig)
		return played_on((int)first);
	if (number == SYS_pidfd_open) {
		assert(first > 0);
		return played_open();
	}
	assert(number == SYS_pidfd_send_signal && first > 2 && first < FDS && open_fds[first]);
	return played_fails();
}

static int played_poll(struct pollfd *fds, nfds_t count, int millis)
{
	if (++polls > 4096)
		longjmp(end_of_launcher, 1); /* an input can keep processes alive for ever */
	millis_now += millis >= 0 ? (uint64_t)millis : 1;
	for (nfds_t each = 0; each < count; each++) {
		assert(fds[each].fd < FDS && (fds[each].fd <= 0 || open_fds[fds[each].fd]));
		fds[each].revents = fds[each].fd >= 0 && (each == 0 || choose() % 2) ? POLLIN : 0;
	}
	return 1;
}

static _Noreturn void played_exit(void)
{
	longjmp(end_of_launcher, 1);
}

/* With all sandboxes gone, only the one that tells of children is open. */
static void check_descriptors(void)
{
	size_t open_count = 0;

	for (size_t each = 0; each < SANDBOXES_MAX; each++) {
		if (sandboxes[each].name[0])
			return;
	}
	for (int fd = 0; fd < FDS; fd++)
		open_count += open_fds[fd];
	assert(open_count <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	char *argv[] = {"vivarium-launch", "/state", "/groups", "--runtime", "/crun", "--runtime-with-kernel", "/runsc", NULL};
	size_t length;

	if (size < 2)
		return 0;
	length = (size_t)(input[0] << 8 | input[1]);
	if (length > size - 2)
		length = size - 2;
	sent = input + 2;
	sent_end = choices = sent + length;
	choices_end = input + size;
	memset(sandboxes, 0, sizeof(sandboxes));
	memset(runtimes, 0, sizeof(runtimes));
	memset(open_fds, 0, sizeof(open_fds));
	runtimes_count = hierarchies_count = 0;
	farewell = false;
	children_count = line_length = polls = 0;
	next_pid = 100;
	millis_now = 1;
	strcpy(hierarchies[hierarchies_count++], "/cgroup");
	if (setjmp(end_of_launcher) == 0) {
		launcher_main(7, argv);
		check_descriptors();
	}
	return 0;
}
