/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vivarium-init, the guest: PID 1 of a sandbox, controlled by the node over standard input and output. PROTOCOL.md is
 * the specification. It trusts only the node: an agent can at worst end its own sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define TICK_MILLIS 100	      /* between looks at the disk and at what poll does not report */
/* gVisor takes a tenth of a millisecond per system call, so ten looks a second cost 3 % of a processor. */
#define SLOWEST_TICK_MILLIS 800
#define SWEEP_MILLIS 10	      /* between SIGKILLs to everything */
#define STUCK_PIPE_MILLIS 200 /* for output that has no credit when all processes are gone */
/* poll's own clock stands still while the machine sleeps; the deadline's does not. */
#define LONGEST_SLEEP_MILLIS 5000
#define PLAUSIBLE_FDS 4096 /* checked one by one where the kernel has no close_range */

enum ending { NOT_ENDING, KILLING, DRAINING };

static uint64_t deadline = NEVER;
static enum ending ending;
static uint64_t ending_at; /* KILLING: when SIGKILL is due; DRAINING: when stuck pipes are closed */
static uint64_t tick_at;   /* when the next look is due */
static uint64_t tick_millis = TICK_MILLIS;
static bool look_due;
static bool kernel_is_own; /* counts the sandbox's processes, where the host's kernel would count the host's */
static struct use pids = {.limit = "pids"};
static uint32_t pids_most; /* of all looks and reaps so far */
static uint32_t pids_most_reported;
static int children_fd; /* readable when a child has ended */

_Noreturn void die(int code)
{
	/* The kernel ends everything with PID 1; this is only sooner. */
	kill(-1, SIGKILL);
	_exit(code);
}

static uint64_t now_millis(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) < 0 && clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die(EXIT_UNFIT);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t from_now(uint64_t millis)
{
	uint64_t now = now_millis();

	return millis < NEVER - now ? now + millis : NEVER;
}

/* An argument vector in place: pointers to the strings in the frame, and a NULL. */
static char **take_strings(struct reader *frame, char ***words)
{
	uint32_t count = take_number(frame);
	char **first = *words;

	/* Each string takes at least its length field, so no frame has more strings than the table has words. */
	if (count > (size_t)(frame->end - frame->at) / sizeof(uint32_t))
		die(EXIT_PROTOCOL);
	while (count--)
		*(*words)++ = take_string(frame);
	*(*words)++ = NULL;
	return first;
}

static void on_spawn(struct reader *frame)
{
	static char *words[NODE_FRAME_MAX / sizeof(uint32_t)];
	static struct order order;
	char **next = words;

	order.id = take_number(frame);
	order.uid = take_number(frame);
	order.gid = take_number(frame);
	order.window = take_number(frame);
	order.terminal = take_between(frame, 0, 1);
	order.rows = (uint16_t)take(frame, 2);
	order.columns = (uint16_t)take(frame, 2);
	order.workdir = take_string(frame);
	order.argv = take_strings(frame, &next);
	order.env = take_strings(frame, &next);
	memset(order.limits, 0xff, sizeof(order.limits)); /* NEVER */
	for (uint32_t count = take_number(frame); count > 0; count--) {
		uint8_t resource = take_between(frame, 0, RESOURCES - 1);

		order.limits[resource] = take(frame, 8);
	}
	take_end(frame);
	spawn(&order, ending != NOT_ENDING);
}

static void on_kill_all(struct reader *frame)
{
	uint64_t kill_at = from_now(take_number(frame));

	take_end(frame);
	if (ending == NOT_ENDING) {
		ending = KILLING;
		ending_at = kill_at;
		/* Both fail only when there is no process. A stopped process cannot handle SIGTERM before SIGCONT. */
		kill(-1, SIGTERM);
		kill(-1, SIGCONT);
	} else if (ending == KILLING && kill_at < ending_at) {
		ending_at = kill_at;
	}
}

void handle_frame(struct reader *frame)
{
	uint8_t type = (uint8_t)take(frame, 1);

	switch (type) {
	case ARM:
		deadline = from_now(take(frame, 8));
		return take_end(frame);
	case WRITE_FILE:
		return handle_write_file(frame);
	case MAKE_FOLDER:
		return handle_make_folder(frame);
	case MAKE_LINK:
		return handle_make_link(frame);
	case LIST_FOLDER:
		return handle_list_folder(frame);
	case READ_FILE:
		return handle_read_file(frame);
	case SPAWN:
		return on_spawn(frame);
	case KILL_ALL:
		return on_kill_all(frame);
	case PING:
		tell(PONG, {4, take_number(frame)});
		return take_end(frame);
	case STDIN ... CREDIT:
		return handle_process_frame(type, frame);
	default:
		die(EXIT_PROTOCOL);
	}
}

/* The kernel's number of processes and threads besides this one. */
static uint32_t count_pids(void)
{
	struct sysinfo all;

	return sysinfo(&all) < 0 || all.procs == 0 ? 0 : all.procs - 1U;
}

static bool tell_pids(uint32_t count)
{
	if (count > pids_most_reported)
		pids_most_reported = count;
	return report_use(&pids, count, false);
}

/*
 * Looks, and reports changes. gVisor counts reaped processes for a moment longer, which must not be the last report
 * when no child is left. The longer nothing changes, the rarer are expensive looks.
 */
static void look(void)
{
	uint32_t count = kernel_is_own && processes_live() ? count_pids() : 0;
	/* gVisor keeps files in memory, so the node waits for two reports of them before it judges a memory sample. */
	bool changed = disk_look(kernel_is_own);

	if (pids_most > pids_most_reported && pids_most > count)
		tell_pids(pids_most);
	changed |= tell_pids(count);
	if (changed)
		tick_millis = TICK_MILLIS;
	else if (kernel_is_own && tick_millis < SLOWEST_TICK_MILLIS)
		tick_millis *= 2;
}

/* Does what the clocks, ended processes and KillAll have made due. */
static void step(uint64_t now)
{
	if (now >= deadline)
		die(EXIT_DEADLINE);
	if (ending == KILLING && (now >= ending_at || !processes_live())) {
		kill(-1, SIGKILL); /* with no child left, for processes that the engine has started in the sandbox */
		ending = processes_live() ? KILLING : DRAINING;
		ending_at = now + (ending == KILLING ? SWEEP_MILLIS : STUCK_PIPE_MILLIS);
	}
	if (now >= tick_at && processes_known()) {
		tick_at = now + tick_millis;
		look_due |= processes_live();
		processes_find_ends(now, false);
	}
	if (ending == DRAINING && now >= ending_at) {
		ending_at = now + SWEEP_MILLIS; /* remaining credit may be used up */
		processes_find_ends(now, true);
	}
	/* Before exits are reported, so that the final disk use is known by then. */
	if (look_due && channel_takes_reply()) {
		look_due = false;
		look();
	}
	processes_tell();
	if (ending == DRAINING && !processes_known() && channel_takes_reply()) {
		ending = NOT_ENDING;
		tell(ALL_GONE, {0, 0});
	}
	channel_flush();
}

static int sleep_millis(uint64_t now)
{
	uint64_t until = now + LONGEST_SLEEP_MILLIS;

	if (deadline < until)
		until = deadline;
	if (processes_known() && tick_at < until)
		until = tick_at;
	if (ending != NOT_ENDING && ending_at < until)
		until = ending_at;
	return until > now ? (int)(until - now) : 0;
}

static void reap(void)
{
	struct signalfd_siginfo news;

	if (read(children_fd, &news, sizeof(news)) < 0 && errno != EAGAIN && errno != EINTR)
		die(EXIT_UNFIT);
	/*
	 * A process that dies after a refused fork may be gone at the next look, so ended ones count until they are
	 * reaped.
	 */
	if (kernel_is_own) {
		uint32_t count = count_pids();

		if (count > pids_most)
			pids_most = count;
	}
	look_due |= processes_reap() || !processes_live(); /* after the last one there is no further look */
	tick_at = 0; /* streams end along with processes */
}

static _Noreturn void run(void)
{
	static struct pollfd fds[POLLED + 2];

	for (;;) {
		uint64_t now = now_millis();

		step(now);
		channel_resume();
		channel_watch(fds);
		processes_watch(fds + CHANNEL_ENDS);
		fds[POLLED] = (struct pollfd){.fd = children_fd, .events = POLLIN};
		fds[POLLED + 1] = (struct pollfd){.fd = answers_fd(), .events = POLLIN};
		if (poll(fds, POLLED + 2, sleep_millis(now)) < 0) {
			if (errno != EINTR)
				die(EXIT_UNFIT);
			continue;
		}
		processes_serve(fds + CHANNEL_ENDS);
		if (fds[POLLED].revents)
			reap();
		if (fds[POLLED + 1].revents & POLLIN)
			answers_serve();
		channel_serve(fds);
	}
}

/* Descriptors that the engine left open would leak into every process. */
static void close_inherited(void)
{
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
		return;
	for (int fd = STDERR_FILENO + 1; fd < PLAUSIBLE_FDS; fd++)
		close(fd);
}

/*
 * SIGCHLD is blocked and read like other input, so that no call is interrupted. The guest is not dumpable, which keeps
 * the agent from inspecting it. Supplementary groups from the engine are dropped; without the right to (EPERM), the
 * guest cannot use them either.
 */
static bool settle(void)
{
	sigset_t children;

	if (fcntl(STDERR_FILENO, F_GETFD) < 0)
		return false; /* or the next opened file would take its place */
	close_inherited();
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	umask(022);
	kernel_is_own = count_pids() == 0;
	children_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	return children_fd >= 0 && sigprocmask(SIG_SETMASK, &children, NULL) == 0 &&
	       signal(SIGPIPE, SIG_IGN) != SIG_ERR && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && chdir("/") == 0 &&
	       (setgroups(0, NULL) == 0 || errno == EPERM);
}

int main(void)
{
	/* The only message of this program for people. If even that cannot be written, there is nothing left to do. */
	static const char refusal[] = "vivarium-init cannot work here: it is not the first process of a sandbox (PID 1),"
				      " has no standard error, or is refused a system call.\n";

	if (getpid() == 1) {
		channel_open();
		if (settle()) {
			disk_begin();
			if (!kernel_is_own)
				answers_begin();
			run();
		}
	}
	write(STDERR_FILENO, refusal, sizeof(refusal) - 1);
	return EXIT_UNFIT;
}
