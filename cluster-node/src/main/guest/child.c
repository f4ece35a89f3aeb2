/* SPDX-License-Identifier: Apache-2.0 */
/* From fork to exec: a child sheds everything that makes it the guest, and becomes what the node ordered. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

/* The kernel's headers are not part of musl. What is passed in these layouts is all zero, so sizes will do. */
#define CAPABILITY_VERSION_3 0x20080522
#define CAPABILITIES_END 64
#define CAPABILITY_SETS 6 /* effective, permitted, inheritable, in two words each */
#define SIGACTION_WORDS 8 /* no less than any architecture's */
#define SIGNAL_MASK_BYTES 8

static int failures_fd;

static _Noreturn void fail(enum stage stage)
{
	struct failure failure = {(int32_t)stage, errno};

	/* Into an empty pipe, and smaller than PIPE_BUF: it arrives whole or, when the guest is gone, nobody misses it. */
	write(failures_fd, &failure, sizeof(failure));
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

/* The kernel is to pick the agent first when memory ends. Where there is no /proc, or it is locked down, both fail. */
static void volunteer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	write(fd, "1000", 4);
}

/* What the sandbox was given bounds what it may give: the stricter of the two holds. */
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
		/* Refused only where there is no such limit. */
		require(setrlimit(resources[i], &limit) == 0 || errno == EPERM);
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
	/* Until exec this is still the guest's memory under the agent's uid, and a new uid may undo this. */
	require(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
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
	environ = order->env; /* execvp looks into this PATH; musl's runs no shell on what is no program */
	execvp(order->argv[0], order->argv);
	fail(STAGE_EXEC);
}
