/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers two system calls in the kernel's place, with the sandbox's sizes instead of the machine's: sysinfo and
 * sched_getaffinity. Programs size themselves by both, and no file can be bound over a call. A filter on the guest, which
 * every process inherits, makes the kernel ask the guest (seccomp_unotify(2)); the answer comes from the files of the
 * sandbox's own, so it changes with them.
 *
 * A program whose memory the guest may not open (it is not dumpable) gets an error, since the kernel's answer would be
 * the machine's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* The kernel's headers are not part of musl. */
#define FILTER_LOAD_WORD 0x20
#define FILTER_JUMP_IF_EQUAL 0x15
#define FILTER_RETURN 0x06
#define SECCOMP_SET_FILTER 1
#define WITH_LISTENER 8UL
#define WITH_WAIT_FOR_KILL 32UL /* or else a signal of the program's own interrupts the call; Linux 5.19 */
#define ACT_ASK 0x7fc00000
#define ACT_ALLOW 0x7fff0000
#define ASKED_RECEIVE ((int)_IOWR('!', 0, struct asked))
#define ASKED_ANSWER ((int)_IOWR('!', 1, struct answer))
#define ASKED_LIVES ((int)_IOR('!', 2, uint64_t)) /* as all kernels know it; later ones also as _IOW */
#define ANSWER_BY_KERNEL 1U
#define BY_KERNEL (-1)
#if defined(__x86_64__)
#define OWN_CALLS 0xc000003e
#elif defined(__aarch64__)
#define OWN_CALLS 0xc00000b7
#endif

#define ONLINE "/sys/devices/system/cpu/online"
#define MEMORY "/proc/meminfo"
#define MASK_BYTES_MAX 1024 /* 8,192 processors, the most of any kernel */
#define WORD_BITS 64
#define DIGIT_BITS 4
#define SYSINFO_BYTES 112   /* of the kernel's structure; musl's has room behind it */

struct instruction {
	uint16_t code;
	uint8_t if_true, if_false;
	uint32_t value;
};

struct asked {
	uint64_t id;
	uint32_t pid, flags;
	int32_t number;
	uint32_t calls;
	uint64_t instruction, arguments[6];
};

struct answer {
	uint64_t id;
	int64_t value;
	int32_t error;
	uint32_t flags;
};

/* What is written to a program's memory. */
struct words {
	uint8_t bytes[MASK_BYTES_MAX];
	size_t count;
};

static int asked_fd = -1;
static char text[32768]; /* of a file; /proc/PID/status has up to three masks of 8,192 processors and nodes */

static bool read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t count = -1;

	while (fd >= 0 && length < sizeof(text) - 1 &&
	       ((count = read(fd, text + length, sizeof(text) - 1 - length)) > 0 || (count < 0 && errno == EINTR)))
		length += count > 0 ? (size_t)count : 0;
	if (fd >= 0)
		close(fd);
	text[length] = 0;
	return count >= 0 && length > 0;
}

/* What follows a name at the beginning of a line, or NULL. */
static char *text_behind(const char *name)
{
	char *at = strstr(text, name);

	return at && (at == text || at[-1] == '\n') ? at + strlen(name) : NULL;
}

/* "0" or "0-7": one more than the last number; 0 when the file is not there. */
static unsigned long processors(void)
{
	char *last;

	if (!read_text(ONLINE))
		return 0;
	last = strrchr(text, '-');
	return strtoul(last ? last + 1 : text, NULL, 10) + 1;
}

/* Returns 0, an errno, or BY_KERNEL. */
static int tell_sizes(struct words *answer)
{
	struct sysinfo sizes = {.procs = 1, .mem_unit = 1};
	struct timespec now = {0};
	char *total;

	if (!read_text(MEMORY) || !(total = text_behind("MemTotal:")))
		return BY_KERNEL;
	sizes.totalram = strtoul(total, NULL, 10) * 1024;
	sizes.freeram = (total = text_behind("MemFree:")) ? strtoul(total, NULL, 10) * 1024 : 0;
	clock_gettime(CLOCK_BOOTTIME, &now);
	sizes.uptime = (unsigned long)now.tv_sec;
	memcpy(answer->bytes, &sizes, SYSINFO_BYTES);
	answer->count = SYSINFO_BYTES;
	return 0;
}

/* The first of the processors that a thread may run on, as many as the sandbox sees. Checks as the kernel does. */
static int tell_affinity(int thread, uint32_t size, struct words *answer)
{
	unsigned long left = processors();
	size_t digits = 0, bytes, number = 0;
	char path[64], *mask, *end;

	snprintf(path, sizeof(path), "/proc/%d/status", thread);
	if (left == 0)
		return BY_KERNEL;
	if (thread < 0 || !read_text(path))
		return ESRCH;
	if (!(mask = text_behind("Cpus_allowed:\t")) || !(end = strchr(mask, '\n')))
		return BY_KERNEL;
	for (char *at = mask; at < end; at++)
		digits += *at != ',';
	bytes = (digits * DIGIT_BITS + WORD_BITS - 1) / WORD_BITS * (WORD_BITS / 8);
	if (size % (WORD_BITS / 8) != 0 || (uint64_t)size * 8 < digits * DIGIT_BITS)
		return EINVAL;
	if (bytes > MASK_BYTES_MAX)
		return BY_KERNEL;
	memset(answer->bytes, 0, bytes);
	answer->count = bytes;
	while (end-- > mask) { /* the last digit has the first processors */
		unsigned long bits = strtoul((char[]){*end, 0}, NULL, 16);

		if (*end == ',')
			continue;
		for (int bit = 0; bit < DIGIT_BITS; bit++, number++)
			if ((bits >> bit & 1) && left > 0) {
				answer->bytes[number / 8] |= (uint8_t)(1 << number % 8);
				left--;
			}
	}
	return 0;
}

/*
 * Writes to the memory of the thread that waits for an answer, with its own permissions. That it still waits once its memory
 * is open says that the memory is its own. Returns 0 or an errno.
 */
static int write_words(const struct asked *call, uint64_t address, const struct words *answer)
{
	char path[64];
	struct stat owner;
	int fd, error;

	snprintf(path, sizeof(path), "/proc/%u/mem", call->pid);
	if (stat(path, &owner) < 0)
		return errno;
	if (owner.st_uid == 0)
		return EPERM; /* not dumpable */
	if ((error = act_as(owner.st_uid, owner.st_gid)) != 0)
		return error;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	error = errno;
	act_as_guest();
	if (fd < 0)
		return error;
	error = ioctl(asked_fd, ASKED_LIVES, &call->id) < 0 || address > INT64_MAX ||
				pwrite(fd, answer->bytes, answer->count, (off_t)address) != (ssize_t)answer->count
			? EFAULT
			: 0;
	close(fd);
	return error;
}

/* Returns as tell_sizes does. */
static int answer_to(const struct asked *call, struct words *answer)
{
	uint64_t address = call->arguments[0];
	int thread = (int)call->arguments[0], result;

	if (call->number == SYS_sysinfo) {
		result = tell_sizes(answer);
	} else {
		address = call->arguments[2];
		result = tell_affinity(thread ? thread : (int)call->pid, (uint32_t)call->arguments[1], answer);
	}
	return result ? result : write_words(call, address, answer);
}

/* Answers one call. It may be gone at any moment, and all of this fails then. */
void answers_serve(void)
{
	static struct words words;
	struct asked call = {0};
	struct answer answer = {0};
	int result;

	if (ioctl(asked_fd, ASKED_RECEIVE, &call) < 0)
		return;
	result = answer_to(&call, &words);
	answer.id = call.id;
	if (result < 0)
		answer.flags = ANSWER_BY_KERNEL;
	else if (result > 0)
		answer.error = -result;
	else if (call.number == SYS_sched_getaffinity)
		answer.value = (int64_t)words.count;
	if (ioctl(asked_fd, ASKED_ANSWER, &answer) < 0 && result < 0) {
		answer = (struct answer){.id = call.id, .error = -ENOSYS}; /* the kernel does not answer before Linux 5.5 */
		ioctl(asked_fd, ASKED_ANSWER, &answer);
	}
}

/* For poll; negative where the kernel answers. */
int answers_fd(void)
{
	return asked_fd;
}

/* Yama may keep everybody's memory closed, and then the guest has no answer. */
static bool memory_opens(void)
{
	return !read_text("/proc/sys/kernel/yama/ptrace_scope") || text[0] < '2';
}

/*
 * Begins to answer. From here on the guest itself cannot make these calls. Where the kernel has no such filters (Linux 5.5),
 * or the engine's filter has a listener already, the kernel goes on answering.
 */
void answers_begin(void)
{
#ifdef OWN_CALLS
	static struct instruction program[] = {
		{FILTER_LOAD_WORD, 0, 0, 4}, /* the interface of the call; others are refused elsewhere */
		{FILTER_JUMP_IF_EQUAL, 0, 3, OWN_CALLS},
		{FILTER_LOAD_WORD, 0, 0, 0}, /* its number */
		{FILTER_JUMP_IF_EQUAL, 2, 0, SYS_sysinfo},
		{FILTER_JUMP_IF_EQUAL, 1, 0, SYS_sched_getaffinity},
		{FILTER_RETURN, 0, 0, ACT_ALLOW},
		{FILTER_RETURN, 0, 0, ACT_ASK},
	};
	struct {
		unsigned short count;
		struct instruction *first;
	} filter = {sizeof(program) / sizeof(program[0]), program};

	if (!memory_opens() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return;
	asked_fd = (int)syscall(SYS_seccomp, SECCOMP_SET_FILTER, WITH_LISTENER | WITH_WAIT_FOR_KILL, &filter);
	if (asked_fd < 0)
		asked_fd = (int)syscall(SYS_seccomp, SECCOMP_SET_FILTER, WITH_LISTENER, &filter);
#endif
}
