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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define TICK_MILLIS 100	      /* between two looks at the disk */
#define SWEEP_MILLIS 10	      /* between two SIGKILLs to everything */
#define STUCK_PIPE_MILLIS 200 /* for output that has no credit when all processes are gone */
/* poll's own clock stands still while the machine sleeps; the deadline's does not. */
#define LONGEST_SLEEP_MILLIS 5000
#define FIRST_FREE_FD 3
#define LAST_FREE_FD 65535

enum ending { NOT_ENDING, KILLING, DRAINING };

static uint64_t deadline = NEVER;
static enum ending ending;
static uint64_t sweep_at;   /* KILLING: when SIGKILL is due */
static uint64_t give_up_at; /* DRAINING: when stuck pipes are closed */
static uint64_t look_at;    /* when the next look at the disk is due */
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
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t from_now(uint64_t millis)
{
	uint64_t now = now_millis();

	return millis < NEVER - now ? now + millis : NEVER;
}

static void on_arm(struct reader *frame)
{
	uint64_t millis = take_u64(frame);

	take_end(frame);
	deadline = from_now(millis);
}

static void on_write_file(struct reader *frame)
{
	uint32_t request = take_u32(frame), mode = take_u32(frame), uid = take_u32(frame), gid = take_u32(frame);
	uint64_t offset = take_u64(frame);
	char *path = take_string(frame);
	int error = write_file(mode, uid, gid, offset, path, frame->at, (size_t)(frame->end - frame->at));

	begin(DONE);
	put_u32(request);
	put_u32((uint32_t)error);
	end();
}

/* An argument vector in place: pointers to the strings in the frame, with a NULL behind them. */
static char **take_strings(struct reader *frame, char ***words)
{
	uint32_t count = take_u32(frame);
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
	order.id = take_u32(frame);
	order.uid = take_u32(frame);
	order.gid = take_u32(frame);
	order.window = take_u32(frame);
	order.terminal = take_choice(frame, 2);
	order.rows = take_u16(frame);
	order.columns = take_u16(frame);
	order.workdir = take_string(frame);
	order.argv = take_strings(frame, &next);
	order.env = take_strings(frame, &next);
	for (uint32_t count = take_u32(frame); count > 0; count--) {
		uint8_t resource = take_choice(frame, RESOURCES);

		order.limited[resource] = true;
		order.limits[resource] = take_u64(frame);
	}
	take_end(frame);
	spawn(&order, ending != NOT_ENDING);
}

static void on_signal(struct reader *frame)
{
	uint32_t id = take_u32(frame);
	int number = take_choice(frame, LAST_SIGNAL + 1);

	take_end(frame);
	if (number == 0)
		die(EXIT_PROTOCOL);
	signal_process(id, number);
}

static void on_resize(struct reader *frame)
{
	uint32_t id = take_u32(frame);
	uint16_t rows = take_u16(frame), columns = take_u16(frame);

	take_end(frame);
	resize_terminal(id, rows, columns);
}

static void on_credit(struct reader *frame)
{
	uint32_t id = take_u32(frame);
	uint8_t stream = take_choice(frame, 2);
	uint32_t bytes = take_u32(frame);

	take_end(frame);
	add_credit(id, stream, bytes);
}

static void on_kill_all(struct reader *frame)
{
	uint64_t kill_at = from_now(take_u32(frame));

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

static void on_ping(struct reader *frame)
{
	uint32_t request = take_u32(frame);

	take_end(frame);
	begin(PONG);
	put_u32(request);
	end();
}

void handle_frame(struct reader *frame)
{
	uint32_t id;

	switch (take_u8(frame)) {
	case ARM:
		return on_arm(frame);
	case WRITE_FILE:
		return on_write_file(frame);
	case SPAWN:
		return on_spawn(frame);
	case STDIN:
		id = take_u32(frame);
		return feed_stdin(id, frame->at, (size_t)(frame->end - frame->at));
	case CLOSE_STDIN:
		id = take_u32(frame);
		take_end(frame);
		return close_stdin(id);
	case SIGNAL:
		return on_signal(frame);
	case RESIZE:
		return on_resize(frame);
	case CREDIT:
		return on_credit(frame);
	case KILL_ALL:
		return on_kill_all(frame);
	case PING:
		return on_ping(frame);
	default:
		die(EXIT_PROTOCOL);
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
	processes_close_stdins();
	processes_find_ends();
	if (now >= give_up_at) {
		processes_close_stuck();
		give_up_at = now + SWEEP_MILLIS; /* what has credit may still lose it */
	}
	processes_tell();
	if (!processes_known() && channel_takes_reply()) {
		ending = NOT_ENDING;
		begin(ALL_GONE);
		end();
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
		processes_find_ends();
	}
	if (processes_live() && now >= look_at) {
		look_at = now + TICK_MILLIS;
		look_due = true;
		processes_find_ends();
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
	if (processes_live() && look_at < until)
		until = look_at;
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
	struct rlimit files;
	rlim_t end = LAST_FREE_FD;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, FIRST_FREE_FD, ~0U, 0) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < end)
		end = files.rlim_cur;
	for (int fd = FIRST_FREE_FD; fd < (int)end; fd++)
		close(fd);
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_child};
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
	/* SIGCHLD is taken only inside of ppoll, so that none is missed between a look and a sleep. */
	if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0 || sigaction(SIGCHLD, &action, NULL) < 0)
		refuse("vivarium-init cannot wait for processes here.\n");
	action.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &action, NULL) < 0)
		refuse("vivarium-init cannot ignore SIGPIPE here.\n");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		refuse("vivarium-init cannot hide from debuggers here.\n");
	/* An engine may have added groups, and files are made with ours. EPERM: then there is nothing to drop with. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		refuse("vivarium-init cannot drop its groups here.\n");
	if (chdir("/") < 0)
		refuse("vivarium-init cannot enter its root.\n");
	channel_open();
	run(&while_polling);
}
