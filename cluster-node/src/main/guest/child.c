/* SPDX-License-Identifier: Apache-2.0 */
/* From fork to exec: a child sheds everything that makes it the guest, and becomes what the node ordered. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The kernel's headers are not part of musl. What is passed in these layouts is all zero, so sizes will do. */
#define CAPABILITY_VERSION_3 0x20080522
#define CAPABILITIES_END 64
#define CAPABILITY_SETS 6	/* effective, permitted, inheritable, in two words each */
#define SIGACTION_WORDS 8	/* no less than any architecture's */
#define SIGNAL_MASK_BYTES 8

static int failures_fd;

static _Noreturn void fail(enum stage stage)
{
	struct failure failure = {stage, errno};

	/* Smaller than PIPE_BUF: it arrives whole or, when the guest is gone, nobody misses it. */
	while (write(failures_fd, &failure, sizeof(failure)) < 0 && errno == EINTR)
		;
	_exit(127);
}

static void require(bool succeeded)
{
	if (!succeeded)
		fail(STAGE_PREPARE);
}

/* Past libc, which keeps two signals to itself: whatever the engine ignores, the agent does not inherit. */
static void reset_signals(void)
{
	static const unsigned long by_default[SIGACTION_WORDS];
	sigset_t none;

	/* Fails for SIGKILL and SIGSTOP, which are always at their default. */
	for (int number = 1; number <= LAST_SIGNAL; number++)
		syscall(SYS_rt_sigaction, number, &by_default, NULL, SIGNAL_MASK_BYTES);
	sigemptyset(&none);
	require(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

/* The kernel is to pick the agent first when memory ends. A sandbox without /proc goes without. */
static void volunteer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) < 0)
		errno = 0; /* locked-down engines may refuse; nothing depends on it */
}

static void set_limits(const struct order *order)
{
	static const int resources[RESOURCES] = {
		RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NPROC,
	};

	for (int i = 0; i < RESOURCES; i++) {
		struct rlimit now, wanted = {order->limits[i], order->limits[i]};

		if (!order->limited[i] || setrlimit(resources[i], &wanted) == 0)
			continue;
		/*
		 * What the sandbox was given bounds what it may give: the stricter of the two limits holds. Where even
		 * that is refused there is no such limit, as gVisor has none on processes.
		 */
		require(errno == EPERM && getrlimit(resources[i], &now) == 0);
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
		require(setrlimit(resources[i], &wanted) == 0 || errno == EPERM);
	}
}

static void drop_privileges(const struct order *order)
{
	uint32_t header[2] = {CAPABILITY_VERSION_3, 0}, none[CAPABILITY_SETS] = {0};

	/* Without CAP_SETPCAP the bounding set stays, and no_new_privs keeps exec from drawing on it. */
	for (int capability = 0; capability < CAPABILITIES_END; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			break;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* not on old kernels, which have no ambient set */
	require(setgroups(0, NULL) == 0);
	require(setresgid(order->gid, order->gid, order->gid) == 0);
	require(setresuid(order->uid, order->uid, order->uid) == 0);
	require(syscall(SYS_capset, header, none) == 0);
	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static const char *search_path(char **env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return DEFAULT_PATH;
}

/* execvpe(3) looks into the caller's PATH and not into the new one, and runs /bin/sh on what is no program. */
static void exec_by_path(const char *name, char **argv, char **env)
{
	static char file[PATH_MAX];
	const char *end, *from = search_path(env);
	int error = ENOENT;

	do {
		end = from + strcspn(from, ":");
		errno = ENOENT;
		if (snprintf(file, sizeof(file), "%.*s%s%s", (int)(end - from), from, end > from ? "/" : "", name) <
		    (int)sizeof(file))
			execve(file, argv, env);
		if (errno == EACCES)
			error = EACCES; /* told unless a later place has one that runs */
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
		from = end + 1;
	} while (*end);
	errno = error;
}

_Noreturn void become(const struct order *order, const int stdio[3], int failures)
{
	failures_fd = failures;
	reset_signals();
	require(setsid() >= 0);
	if (order->terminal)
		require(ioctl(stdio[0], TIOCSCTTY, 0) == 0);
	for (int fd = 0; fd < 3; fd++)
		require(dup2(stdio[fd], fd) == fd);
	volunteer_for_oom();
	set_limits(order);
	drop_privileges(order);
	if (chdir(order->workdir) < 0)
		fail(STAGE_WORKDIR);
	if (order->argv[0][0] == 0)
		errno = ENOENT;
	else if (strchr(order->argv[0], '/'))
		execve(order->argv[0], order->argv, order->env);
	else
		exec_by_path(order->argv[0], order->argv, order->env);
	fail(STAGE_EXEC);
}
