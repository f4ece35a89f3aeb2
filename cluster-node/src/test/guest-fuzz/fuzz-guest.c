/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole guest, child.c aside, on a kernel that the fuzzer plays. Of an input, two bytes say how many bytes the node
 * sends; those follow; the rest decides what each system call answers. Besides what the sanitizers see, it holds the
 * guest to
 *
 *   - frames to the node that are well formed, whatever comes;
 *   - no descriptor closed twice, used when closed, or left open when no process is known;
 *   - root's identity restored before it waits, and no signal but to its own processes or to all;
 *   - an end by one of its own exit codes, and soon when its input is at its end.
 *
 * It is one file with the guest, so that it can put the guest's state back between two inputs.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int played_poll(struct pollfd *fds, nfds_t count, int millis);
static ssize_t played_read(int fd, void *to, size_t most);
static ssize_t played_write(int fd, const void *from, size_t most);
static int played_close(int fd);
static int played_open_fd(void);
static int played_pipe(int pair[2]);
static pid_t played_fork(void);
static pid_t played_wait(int *status);
static int played_kill(pid_t pid, int number);
static int played_identity(uid_t id);
static int played_stat(struct stat *file);
static int played_statfs(struct statfs *place);
static int played_fcntl(int fd, int command);
static int played_result(int fd);
static int fail_with(int error);
static ssize_t played_pwrite(int fd, size_t count);
static ssize_t played_pread(int fd, void *to, size_t most);
static ssize_t played_entries(int fd, char *to, size_t size);
static int played_clock(struct timespec *now);
static _Noreturn void played_exit(int code);

#define poll(fds, count, millis) played_poll(fds, count, millis)
#define read(fd, to, most) played_read(fd, to, most)
#define write(fd, from, most) played_write(fd, from, most)
#define close(fd) played_close(fd)
#define open(...) played_open_fd()
#define openat(parent, ...) (played_result(parent) < 0 && errno == EBADF ? -1 : played_open_fd())
#define posix_openpt(flags) played_open_fd()
#define unlockpt(fd) played_result(fd)
#define ptsname_r(fd, name, size) (snprintf(name, size, "/dev/pts/0"), played_result(fd) < 0 ? errno : 0)
#define mkdirat(parent, name, mode) played_result(parent)
#define symlinkat(target, parent, name) played_result(parent)
#define linkat(from, old, to, name, flags) (played_result(from) < 0 ? -1 : played_result(to))
#define unlinkat(parent, name, flags) played_result(parent)
#define pipe2(pair, flags) played_pipe(pair)
#define fork() played_fork()
#define waitpid(pid, status, flags) played_wait(status)
#define kill(pid, number) played_kill(pid, number)
#define raise(number) 0
#define seteuid(id) played_identity(id)
#define setegid(id) 0
#define prctl(...) 0
#define stat(path, file) played_stat(file)
#define fstat(fd, file) played_stat(file)
#define statfs(path, place) played_statfs(place)
#define fstatfs(fd, place) played_statfs(place)
#define ftruncate(fd, size) played_result(fd)
#define fchmod(fd, mode) played_result(fd)
#define pwrite(fd, from, count, offset) played_pwrite(fd, count)
#define pread(fd, to, most, offset) played_pread(fd, to, most)
#define lseek(fd, offset, whence) played_result(fd)
#define syscall(number, fd, to, size) ((number) == SYS_getdents64 ? played_entries(fd, (char *)(uintptr_t)(to), size) : fail_with(ENOSYS))
#define fstatat(folder, name, file, flags) (played_result(folder) < 0 ? -1 : played_stat(file))
#define ioctl(fd, ...) played_result(fd)
#define fcntl(fd, command, ...) played_fcntl(fd, command)
#define clock_gettime(clock, now) played_clock(now)
#define _exit(code) played_exit(code)
#define main guest_main

#include "../../main/guest/channel.c"
#include "../../main/guest/files.c"
#include "../../main/guest/processes.c"
#include "../../main/guest/vivarium-init.c"

#undef poll
#undef main

#define FDS_END 400
#define CHILDREN_END 80
#define POLLS_MAX 100000 /* far beyond what an input of the usual size keeps the guest busy for */
#define EXITED_STATUS(code) ((code) << 8)

static const uint8_t *sent, *sent_end; /* what the node has yet to send */
static const uint8_t *decisions, *decisions_end;
static bool fd_open[FDS_END];
static pid_t children[CHILDREN_END], last_pid;
static int children_count, polls;
static uid_t effective;
static uint64_t clock_millis;
static jmp_buf end_of_run;

static uint8_t told_bytes[4 + 65600]; /* the frame that the guest is telling */
static size_t told_count;

#define hold(condition) ((condition) ? (void)0 : broken(#condition))

static _Noreturn void broken(const char *what)
{
	fprintf(stderr, "not held: %s\n", what);
	abort();
}

/* A number below the end. Without decisions it is 0, and each caller gives that the meaning that goes on. */
static unsigned decide(unsigned end)
{
	return decisions < decisions_end ? *decisions++ % end : 0;
}

static int fail_with(int error)
{
	errno = error;
	return -1;
}

static void check_told_frame(void)
{
	/* HELLO to PONG; Output, Use and the answers with a folder's or a file's content differ */
	static const uint8_t lengths[] = {5, 9, 10, 0, 6, 6, 6, 9, 9, 1, 0, 5};
	uint8_t type = told_bytes[4];
	size_t length = told_count - 4;

	hold(type >= HELLO && type <= FILE_READ);
	if (type == OUTPUT)
		hold(length >= 7 && length <= 6 + OUTPUT_MAX && told_bytes[9] < 2);
	else if (type == USE)
		hold(length > 14 && told_bytes[8] <= LIMIT_NAME_MAX && length == 14U + told_bytes[8]);
	else if (type == FOLDER_LISTED)
		hold(length >= 1 + LISTED_FIELDS && length <= 1 + LISTED_FIELDS + ENTRIES_BYTES);
	else if (type == FILE_READ)
		hold(length >= 1 + READ_FIELDS && length <= 1 + READ_FIELDS + OUTPUT_MAX);
	else
		hold(length == lengths[type - HELLO]);
}

static void take_told(const uint8_t *from, size_t count)
{
	while (count-- > 0) {
		told_bytes[told_count++] = *from++;
		if (told_count < 4)
			continue;
		size_t length = (size_t)told_bytes[0] << 24 | (size_t)told_bytes[1] << 16 | (size_t)told_bytes[2] << 8 |
				told_bytes[3];
		hold(length >= 1 && length <= 65600);
		if (told_count == 4 + length) {
			check_told_frame();
			told_count = 0;
		}
	}
}

static int played_open_fd(void)
{
	static const int refusals[] = {EMFILE, ENOENT, EACCES, ELOOP, EROFS};

	if (decide(8) == 7)
		return fail_with(refusals[decide(5)]);
	/* The lowest free number, as the kernel gives it: so a use of a closed one hits another file. */
	for (int fd = 3; fd < FDS_END; fd++)
		if (!fd_open[fd]) {
			fd_open[fd] = true;
			return fd;
		}
	broken("fewer descriptors than the kernel has");
}

static int played_close(int fd)
{
	hold(fd >= 3 && fd_open[fd]);
	fd_open[fd] = false;
	return decide(16) == 15 ? fail_with(EIO) : 0;
}

/* A failure leaves the pair as it was. */
static int played_pipe(int pair[2])
{
	int read_end = played_open_fd(), write_end, error;

	if (read_end < 0)
		return -1;
	write_end = played_open_fd();
	error = errno;
	if (write_end < 0) {
		fd_open[read_end] = false;
		return fail_with(error);
	}
	pair[0] = read_end;
	pair[1] = write_end;
	return 0;
}

static int played_result(int fd)
{
	if (fd < 0)
		return fail_with(EBADF);
	hold(fd < 3 || fd_open[fd]);
	return decide(16) == 15 ? fail_with(ENOSPC) : 0;
}

static int played_fcntl(int fd, int command)
{
	hold(fd >= 0 && (fd < 3 || fd_open[fd]));
	return command == F_DUPFD_CLOEXEC ? played_open_fd() : 0;
}

static pid_t played_fork(void)
{
	if (children_count == CHILDREN_END || decide(8) == 7)
		return fail_with(EAGAIN);
	return children[children_count++] = ++last_pid;
}

static pid_t played_wait(int *status)
{
	if (children_count == 0)
		return fail_with(ECHILD);
	switch (decide(4)) {
	case 0: {
		int which = (int)decide((unsigned)children_count);
		pid_t pid = children[which];

		children[which] = children[--children_count];
		*status = decide(2) ? (int)decide(64) + 1 : EXITED_STATUS((int)decide(256));
		return pid;
	}
	case 1:
		*status = EXITED_STATUS(0);
		return ++last_pid; /* an orphan */
	default:
		return 0;
	}
}

static int played_kill(pid_t pid, int number)
{
	hold(number >= 1 && number <= LAST_SIGNAL);
	hold(pid == -1 || pid > 1 || pid < -1);
	return decide(4) == 3 ? fail_with(ESRCH) : 0;
}

static int played_identity(uid_t id)
{
	hold(id != NO_ID);
	/* Going back always works; it is what the guest keeps its saved identity for. */
	if (id != 0 && decide(16) == 15)
		return fail_with(EPERM);
	effective = id;
	return 0;
}

static int played_stat(struct stat *file)
{
	memset(file, 0, sizeof(*file));
	file->st_mode = decide(4) == 3 ? S_IFIFO : S_IFREG;
	file->st_dev = decide(4);
	return decide(16) == 15 ? fail_with(EIO) : 0;
}

static int played_statfs(struct statfs *place)
{
	memset(place, 0, sizeof(*place));
	place->f_type = decide(8) == 7 ? PROC_SUPER_MAGIC : 0;
	place->f_bsize = place->f_frsize = 4096;
	place->f_blocks = decide(256);
	place->f_bfree = place->f_bavail = decide(256);
	place->f_files = decide(4);
	place->f_ffree = decide(4);
	return decide(16) == 15 ? fail_with(EIO) : 0;
}

static ssize_t played_pwrite(int fd, size_t count)
{
	if (played_result(fd) < 0)
		return -1;
	switch (decide(8)) {
	case 7:
		return fail_with(EINTR);
	case 6:
		return 0;
	case 5:
		return (ssize_t)(count + 1) / 2;
	default:
		return (ssize_t)count;
	}
}

static ssize_t played_pread(int fd, void *to, size_t most)
{
	size_t count;

	if (played_result(fd) < 0)
		return -1;
	count = decide(4) == 3 ? most : decide((unsigned)(most < 256 ? most : 256) + 1);
	memset(to, 'x', count);
	return (ssize_t)count;
}

/* Entries of any kind and length, as many as fit at most; none at the folder's end. */
static ssize_t played_entries(int fd, char *to, size_t size)
{
	static const uint8_t types[] = {DT_REG, DT_DIR, DT_LNK, DT_SOCK, DT_UNKNOWN};
	size_t used = 0, length = decide(255) + 1;
	unsigned left = decide(4) == 3 ? 100000 : decide(8);

	if (played_result(fd) < 0)
		return -1;
	for (; left > 0; left--, length = decide(255) + 1) {
		size_t whole = (offsetof(struct entry, name) + length + 8) & ~(size_t)7;
		struct entry *entry = (struct entry *)(to + used);

		if (whole > size - used)
			break;
		entry->offset = decide(2) ? UINT64_MAX : used;
		entry->size = (uint16_t)whole;
		entry->type = types[decide(sizeof(types))];
		memset(entry->name, decide(8) == 7 ? '.' : 0xff, length);
		entry->name[length] = 0;
		used += whole;
	}
	return (ssize_t)used;
}

static int played_clock(struct timespec *now)
{
	clock_millis += decide(64);
	*now = (struct timespec){(time_t)(clock_millis / 1000), (long)(clock_millis % 1000) * 1000000};
	return 0;
}

/* What has not been read yet is not to be looked at: it is poisoned. */
static ssize_t read_channel(uint8_t *to, size_t most)
{
	bool fails = decide(16) == 15, interrupted = decide(2), in_pieces = decide(4) == 3;
	size_t count = decide(64) + 1, left = (size_t)(sent_end - sent);

	if (fails)
		return fail_with(interrupted ? EINTR : EAGAIN);
	count = in_pieces && count < left ? count : left;
	count = count < most ? count : most;
	ASAN_UNPOISON_MEMORY_REGION(to, count);
	memcpy(to, sent, count);
	sent += count;
	ASAN_POISON_MEMORY_REGION(to + count, most - count);
	return (ssize_t)count;
}

static ssize_t played_read(int fd, void *to, size_t most)
{
	if (fd == STDIN_FILENO)
		return read_channel(to, most);
	hold(fd_open[fd]);
	if (fd == children_fd)
		return decide(4) == 3 ? fail_with(EAGAIN) : (ssize_t)most;
	hold(most > 0);
	switch (decide(8)) {
	case 7:
		return fail_with(decide(2) ? EAGAIN : EIO);
	case 6:
		return 0;
	case 5:
		memset(to, 'x', most);
		return (ssize_t)most;
	default:
		most = decide((unsigned)(most < 256 ? most : 256)) + 1;
		memset(to, 'x', most);
		return (ssize_t)most;
	}
}

static ssize_t played_write(int fd, const void *from, size_t most)
{
	size_t count = decide(4) == 3 ? most / 2 : most;

	hold(fd < 3 || fd_open[fd]);
	if (decide(8) == 7)
		return fail_with(decide(8) == 7 ? EPIPE : EAGAIN);
	if (fd == STDOUT_FILENO)
		take_told(from, count);
	return (ssize_t)count;
}

static void hold_what_must_be_at_rest(void)
{
	int open_count = 0;

	hold(effective == 0);
	for (int fd = 3; fd < FDS_END; fd++)
		open_count += fd_open[fd];
	for EACH_PROCESS (p)
		if (p->phase != FREE)
			return;
	hold(open_count == 1);
}

/* The node's end comes after its last byte, when there is nothing left to decide at the latest. */
static short stdin_events(short wanted)
{
	if (decide(4) == 3)
		return 0;
	if (sent < sent_end)
		return wanted;
	return decisions < decisions_end && decide(16) > 0 ? 0 : wanted | POLLHUP;
}

static int played_poll(struct pollfd *fds, nfds_t count, int millis)
{
	if (count > 1)
		hold_what_must_be_at_rest();
	hold(++polls < POLLS_MAX);
	hold(count == 1 ? millis == 0 : millis >= 0);
	if (decide(32) == 31)
		return fail_with(EINTR);
	for (nfds_t i = 0; i < count; i++) {
		static const short happened[] = {0, POLLIN | POLLOUT, POLLIN | POLLOUT, POLLIN | POLLHUP, POLLHUP, POLLERR};

		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		hold(fds[i].fd < 3 || fd_open[fds[i].fd]);
		if (fds[i].fd == STDOUT_FILENO)
			fds[i].revents = decide(64) == 63 ? POLLERR : fds[i].events;
		else if (fds[i].fd == STDIN_FILENO)
			fds[i].revents = stdin_events(fds[i].events);
		else
			fds[i].revents = happened[decide(6)] & (fds[i].events | POLLHUP | POLLERR);
	}
	clock_millis += millis > 0 ? decide((unsigned)millis + 1) : 0;
	return 1;
}

static _Noreturn void played_exit(int code)
{
	hold(code == EXIT_DEADLINE || code == EXIT_CHANNEL || code == EXIT_PROTOCOL);
	longjmp(end_of_run, 1);
}

_Noreturn void become(const struct order *order, const int stdio[3], int failures)
{
	(void)order, (void)stdio, (void)failures;
	broken("no child runs here");
}

static void reset(const uint8_t *data, size_t size)
{
	size_t node_bytes = (size_t)data[0] << 8 | data[1];

	sent = data + 2;
	sent_end = decisions = sent + (node_bytes < size - 2 ? node_bytes : size - 2);
	decisions_end = data + size;
	memset(fd_open, 0, sizeof(fd_open));
	children_count = polls = 0;
	last_pid = 1;
	effective = 0;
	told_count = 0;
	clock_millis = 1000;
	ASAN_UNPOISON_MEMORY_REGION(in, sizeof(in));
	in_length = out_length = 0;
	for EACH_PROCESS (p)
		memset(p, 0, offsetof(struct process, stdin_bytes));
	children_live = look_due = false;
	deadline = NEVER;
	ending = NOT_ENDING;
	ending_at = tick_at = 0;
	disk = (struct use){.limit = "disk", .amount = NEVER};
	files = (struct use){.limit = "files", .amount = NEVER};
	shared_memory = (struct use){.limit = "sharedMemory"};
	pids = (struct use){.limit = "pids"};
	children_fd = 3;
	fd_open[children_fd] = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return -1;
	reset(data, size);
	if (setjmp(end_of_run) == 0) {
		channel_open();
		run();
	}
	return 0;
}
