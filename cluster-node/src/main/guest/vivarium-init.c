/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vivarium-init, the guest: PID 1 of a sandbox, which does what the node tells it over its standard input and output.
 * PROTOCOL.md says what. It trusts the node and nothing else: what the agent does may at worst end the sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define TICK_MILLIS 100	      /* between two looks at the disk and at what poll does not tell */
#define SWEEP_MILLIS 10	      /* between two SIGKILLs to everything */
#define STUCK_PIPE_MILLIS 200 /* for output that has no credit when all processes are gone */
/* poll's own clock stands still while the machine sleeps; the deadline's does not. */
#define LONGEST_SLEEP_MILLIS 5000
#define FIRST_FREE_FD 3
#define PLAUSIBLE_FDS 4096 /* looked through where the kernel cannot close all of them at once */

enum ending { NOT_ENDING, KILLING, DRAINING };

static uint64_t deadline = NEVER;
static enum ending ending;
static uint64_t sweep_at;   /* KILLING: when SIGKILL is due */
static uint64_t give_up_at; /* DRAINING: when stuck pipes are closed */
static uint64_t tick_at;    /* when the next look around is due */
static bool look_due;

static volatile sig_atomic_t child_changed;

_Noreturn void die(int code)
{
	/* The kernel ends the rest with PID 1; this only makes it sooner. */
	kill(-1, SIGKILL);
	_exit(code);
}

static void on_child(int number)
{
	(void)number;
	child_changed = 1;
}

static uint64_t now_millis(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) < 0 && clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die(EXIT_UNFIT);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t from_now(uint64_t millis)
{
	uint64_t now = now_millis();

	return millis < NEVER - now ? now + millis : NEVER;
}

static void on_write_file(struct reader *frame)
{
	uint32_t request = take(frame, 4), mode = take(frame, 4), uid = take(frame, 4), gid = take(frame, 4);
	uint64_t offset = take(frame, 8);
	char *path = take_string(frame);
	int error = write_file(mode, uid, gid, offset, path, *frame);

	tell(DONE, {4, request}, {4, error});
}

/* An argument vector in place: pointers to the strings in the frame, with a NULL behind them. */
static char **take_strings(struct reader *frame, char ***words)
{
	uint32_t count = take(frame, 4);
	char **first = *words;

	/* Each string has at least its length, so no count that a frame can keep outgrows the table of words. */
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

	memset(&order, 0, sizeof(order));
	order.id = take(frame, 4);
	order.uid = take(frame, 4);
	order.gid = take(frame, 4);
	order.window = take(frame, 4);
	order.terminal = take_choice(frame, 2);
	order.rows = take(frame, 2);
	order.columns = take(frame, 2);
	order.workdir = take_string(frame);
	order.argv = take_strings(frame, &next);
	order.env = take_strings(frame, &next);
	for (uint32_t count = take(frame, 4); count > 0; count--) {
		uint8_t resource = take_choice(frame, RESOURCES);

		order.limited[resource] = true;
		order.limits[resource] = take(frame, 8);
	}
	take_end(frame);
	spawn(&order, ending != NOT_ENDING);
}

static void on_kill_all(struct reader *frame)
{
	uint64_t kill_at = from_now(take(frame, 4));

	take_end(frame);
	if (ending != NOT_ENDING) {
		sweep_at = kill_at < sweep_at ? kill_at : sweep_at;
		return;
	}
	ending = KILLING;
	sweep_at = kill_at;
	/* Both fail only when there is nobody. What is stopped cannot hear of its end before it goes on. */
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
}

void handle_frame(struct reader *frame)
{
	uint8_t type = take(frame, 1);
	uint64_t number;

	switch (type) {
	case ARM:
		number = take(frame, 8);
		take_end(frame);
		deadline = from_now(number);
		return;
	case WRITE_FILE:
		return on_write_file(frame);
	case SPAWN:
		return on_spawn(frame);
	case KILL_ALL:
		return on_kill_all(frame);
	case PING:
		number = take(frame, 4);
		take_end(frame);
		tell(PONG, {4, number});
		return;
	default:
		return handle_process_frame(type, frame);
	}
}

/* One step on the way from KillAll to AllGone. */
static void end_step(uint64_t now)
{
	if (ending == KILLING && processes_live() && now >= sweep_at) {
		kill(-1, SIGKILL);
		sweep_at = now + SWEEP_MILLIS;
	}
	if (ending == KILLING && !processes_live()) {
		kill(-1, SIGKILL); /* those that the engine put in beside us, and that nobody here waits for */
		ending = DRAINING;
		give_up_at = now + STUCK_PIPE_MILLIS;
	}
	if (ending != DRAINING)
		return;
	processes_find_ends(now, now >= give_up_at);
	if (now >= give_up_at)
		give_up_at = now + SWEEP_MILLIS; /* what still has credit may use it up */
	processes_tell();
	if (!processes_known() && channel_takes_reply()) {
		ending = NOT_ENDING;
		tell(ALL_GONE, {0, 0});
	}
}

/* What time and the ends of processes have made due. */
static void step(void)
{
	uint64_t now = now_millis();

	if (now >= deadline)
		die(EXIT_DEADLINE);
	if (child_changed) {
		child_changed = 0;
		look_due |= processes_reap();
		tick_at = now; /* the ends of streams come with those of processes */
	}
	if (now >= tick_at && (processes_live() || processes_known())) {
		tick_at = now + TICK_MILLIS;
		look_due |= processes_live();
		processes_find_ends(now, false);
	}
	/* Before the ends are told: who hears of one knows then how full the disk was. */
	if (look_due && channel_takes_reply()) {
		look_due = false;
		disk_look();
	}
	processes_tell();
	end_step(now);
	channel_flush();
}

static int sleep_millis(void)
{
	uint64_t now = now_millis(), until = deadline;

	if (deadline != NEVER && deadline > now + LONGEST_SLEEP_MILLIS)
		until = now + LONGEST_SLEEP_MILLIS;
	if ((processes_live() || processes_known()) && tick_at < until)
		until = tick_at;
	if (ending == KILLING && sweep_at < until)
		until = sweep_at;
	if (ending == DRAINING && give_up_at < until)
		until = give_up_at;
	if (until == NEVER)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

static _Noreturn void run(const sigset_t *while_polling)
{
	static struct pollfd fds[2 + POLLED_MAX];

	for (;;) {
		int millis = sleep_millis();
		struct timespec timeout = {millis / 1000, millis % 1000 * 1000000L};
		nfds_t count;

		channel_watch(fds);
		count = processes_watch(fds + 2);
		if (ppoll(fds, 2 + count, millis < 0 ? NULL : &timeout, while_polling) < 0) {
			if (errno != EINTR)
				die(EXIT_UNFIT);
			memset(fds, 0, sizeof(fds)); /* nothing is known of them */
		}
		processes_serve(fds + 2, count);
		channel_serve(fds);
		step();
	}
}

static _Noreturn void refuse(const char *why)
{
	/* The one sentence that this program has for people. Nothing can be done when even that cannot be written. */
	if (write(STDERR_FILENO, why, strlen(why)) < 0)
		errno = 0;
	_exit(EXIT_UNFIT);
}

/* Descriptors that an engine forgot to close would leak from here into every process. */
static void close_inherited(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, FIRST_FREE_FD, ~0U, 0) == 0)
		return;
#endif
	for (int fd = FIRST_FREE_FD; fd < PLAUSIBLE_FDS; fd++)
		close(fd);
}

int main(void)
{
	struct sigaction on_change = {.sa_handler = on_child}, ignored = {.sa_handler = SIG_IGN};
	sigset_t blocked, while_polling;

	if (getpid() != 1)
		refuse("vivarium-init is the first process of a sandbox (PID 1) and nothing else.\n");
	for (int fd = 0; fd < FIRST_FREE_FD; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			_exit(EXIT_CHANNEL);
	close_inherited();
	umask(022);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigemptyset(&while_polling);
	/*
	 * SIGCHLD is taken only inside of ppoll, so that none is missed between a look and a sleep. The agent may not
	 * look into the guest. An engine may have added groups, and files are made with ours; without the right to drop
	 * them (EPERM) there is none to use them either.
	 */
	if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0 || sigaction(SIGCHLD, &on_change, NULL) < 0 ||
	    sigaction(SIGPIPE, &ignored, NULL) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || chdir("/") < 0 ||
	    (setgroups(0, NULL) < 0 && errno != EPERM))
		refuse("vivarium-init cannot work here: a system call that it needs is refused.\n");
	channel_open();
	run(&while_polling);
}
