/* SPDX-License-Identifier: Apache-2.0 */
/* From fork to exec: a child drops all of the guest's privileges and resources, and becomes the requested process. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

/* The kernel's headers are not part of musl. The values passed in these layouts are all zero, so sizes are enough. */
#define CAPABILITY_VERSION_3 0x20080522
#define CAPABILITIES_END 64
#define CAPABILITY_SETS 6 /* effective, permitted, inheritable; two words each */
#define SIGACTION_WORDS 8 /* at least any architecture's */
#define SIGNAL_MASK_BYTES 8

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE /* unknown: architectures are not compared */
#endif
#define HEAD_BYTES 256 /* of a program: as much as the kernel reads */

static int failures_fd;

static _Noreturn void fail(enum stage stage)
{
	struct failure failure = {(int32_t)stage, errno};

	/*
	 * The pipe is empty and this is smaller than PIPE_BUF, so it is written whole; if it fails, the guest is gone.
	 */
	write(failures_fd, &failure, sizeof(failure));
	_exit(127);
}

static void require(bool succeeded)
{
	if (!succeeded)
		fail(STAGE_PREPARE);
}

/* Direct system calls, since libc reserves two signals: the agent must inherit none that the engine ignores. */
static void reset_signals(void)
{
	static const unsigned long by_default[SIGACTION_WORDS];
	sigset_t none;

	/* Fails for SIGKILL and SIGSTOP, which always have their default. */
	for (int number = 1; number <= LAST_SIGNAL; number++)
		syscall(SYS_rt_sigaction, number, &by_default, NULL, SIGNAL_MASK_BYTES);
	sigemptyset(&none);
	require(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

/* Makes the kernel kill the agent first when out of memory. Both fail where /proc is missing or locked down. */
static void volunteer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	write(fd, "1000", 4);
}

/* The sandbox's own limits are the maximum: the stricter of the two applies. */
static void set_limits(const struct order *order)
{
	static const int resources[RESOURCES] = {
		[NOFILE] = RLIMIT_NOFILE,   [CORE] = RLIMIT_CORE,	  [FSIZE] = RLIMIT_FSIZE, [STACK] = RLIMIT_STACK,
		[MEMLOCK] = RLIMIT_MEMLOCK, [MSGQUEUE] = RLIMIT_MSGQUEUE, [NPROC] = RLIMIT_NPROC,
	};

	for (int i = 0; i < RESOURCES; i++) {
		struct rlimit limit;

		if (order->limits[i] == NEVER)
			continue;
		require(getrlimit(resources[i], &limit) == 0);
		if (order->limits[i] < limit.rlim_max)
			limit.rlim_max = order->limits[i];
		limit.rlim_cur = limit.rlim_max;
		/* Fails only where the kernel has no such limit. */
		require(setrlimit(resources[i], &limit) == 0 || errno == EPERM);
	}
}

static void drop_privileges(const struct order *order)
{
	uint32_t header[2] = {CAPABILITY_VERSION_3, 0}, none[CAPABILITY_SETS] = {0};

	/* Without CAP_SETPCAP the bounding set stays; no_new_privs keeps exec from gaining anything from it. */
	for (int capability = 0; capability < CAPABILITIES_END; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			break;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* fails on old kernels without an ambient set */
	require(setgroups(0, NULL) == 0);
	require(setresgid(order->gid, order->gid, order->gid) == 0);
	require(setresuid(order->uid, order->uid, order->uid) == 0);
	require(syscall(SYS_capset, header, none) == 0);
	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	/* Until exec this is the guest's memory under the agent's uid; a change of uid may have made it dumpable. */
	require(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

/* The program that execvp would execute; NULL if there is none. */
static const char *found(const char *name)
{
	static char path[PATH_MAX];
	const char *folders = getenv("PATH"), *end;

	if (strchr(name, '/'))
		return access(name, F_OK) == 0 ? name : NULL;
	for (const char *at = folders ? folders : "/usr/local/bin:/bin:/usr/bin"; at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, ':');
		int length = snprintf(path, sizeof(path), "%.*s/%s", (int)(end - at), at, name);

		if (length > 0 && (size_t)length < sizeof(path) && access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}

static uint16_t machine(const unsigned char *head)
{
	const unsigned char *at = head + offsetof(Elf32_Ehdr, e_machine); /* as in Elf64_Ehdr */

	return head[EI_DATA] == ELFDATA2MSB ? (uint16_t)(at[0] << 8 | at[1]) : (uint16_t)(at[1] << 8 | at[0]);
}

static ssize_t read_head(const char *path, unsigned char head[HEAD_BYTES])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -1 : read(fd, head, HEAD_BYTES);
}

/*
 * Why the kernel did not execute an existing program, since errno does not distinguish the program from its
 * interpreter. Reads the agent's file with the agent's permissions; the result is shown to its owner only.
 */
static enum stage failed_stage(const char *name, int error, uint16_t own_machine)
{
	unsigned char head[HEAD_BYTES] = {0};
	const char *path = found(name);
	ssize_t size = path ? read_head(path, head) : -1;

	if (size >= (ssize_t)sizeof(Elf32_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) {
		if (own_machine && machine(head) != own_machine)
			return STAGE_ARCHITECTURE;
		return error == ENOENT ? STAGE_INTERPRETER : STAGE_EXEC;
	}
	if (size > 2 && head[0] == '#' && head[1] == '!' && error == ENOENT) {
		const unsigned char *line_end = memchr(head, '\n', (size_t)size);

		return line_end && line_end[-1] == '\r' ? STAGE_CARRIAGE_RETURN : STAGE_INTERPRETER;
	}
	return STAGE_EXEC;
}

_Noreturn void become(const struct order *order, const int stdio[3], int failures)
{
	failures_fd = failures;
	reset_signals();
	require(setsid() >= 0);
	if (order->terminal)
		require(ioctl(stdio[0], TIOCSCTTY, 0) == 0);
	for (int fd = 0; fd < 3; fd++)
		require(dup2(stdio[order->terminal ? 0 : fd], fd) == fd);
	volunteer_for_oom();
	set_limits(order);
	drop_privileges(order);
	if (chdir(order->workdir) < 0)
		fail(STAGE_WORKDIR);
	environ = order->env; /* for execvp's PATH; musl's never falls back to a shell */
	execvp(order->argv[0], order->argv);
	int error = errno;
	enum stage stage = failed_stage(order->argv[0], error, OWN_MACHINE);

	errno = error;
	fail(stage);
}
