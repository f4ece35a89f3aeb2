/* SPDX-License-Identifier: Apache-2.0 */
/* The table of processes: starting them, their input and output, and their end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define REAPED_AT_ONCE 256		     /* then the channel's turn, even under a fork bomb */
#define STDIN_CREDIT_STEP (STDIN_WINDOW / 4) /* smaller credits wait, so that they do not outnumber the data */
#define HANG_UP_MILLIS 300		     /* without output after the end of the terminal's process */
#define END_OF_TRANSMISSION 4

enum phase { FREE, STARTING, RUNNING };

/* The guest's ends of a process's pipes. The start pipe is closed by a successful exec. */
enum end { START, INPUT, OUTPUTS };

struct process {
	enum phase phase;
	uint32_t id;
	pid_t pid;
	bool alive, end_reported, terminal, stdin_ends, stdin_mid_line;
	int status;
	int fds[PROCESS_ENDS];	/* -1 once closed */
	uint64_t credit[2];	/* bytes of each stream that may be sent */
	uint64_t hang_up_at;	/* unless there is output before */
	uint32_t stdin_granted; /* bytes that the node may send; plus those buffered and those to grant: the window */
	uint32_t stdin_count;
	uint8_t stdin_bytes[STDIN_WINDOW]; /* last: it is not cleared, and takes no memory until used */
};

static struct process table[PROCESSES_MAX];
static bool children_live;

#define EACH_PROCESS(p) (struct process *p = table; p < table + PROCESSES_MAX; p++)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd); /* a failed close must not be repeated */
	*fd = -1;
}

static struct process *find_process(uint32_t id)
{
	for EACH_PROCESS (p)
		if (p->phase != FREE && p->id == id)
			return p;
	return NULL;
}

static struct process *find_free(void)
{
	for EACH_PROCESS (p)
		if (p->phase == FREE)
			return p;
	return NULL;
}

static void release(struct process *p)
{
	for (int end = 0; end < PROCESS_ENDS; end++)
		close_fd(&p->fds[end]);
	p->phase = FREE;
}

/*
 * The child's ends and the guest's. Returns 0 or an errno, as the other starters do. Opening /dev/stdout and its like
 * opens the pipe's inode, which the kernel allows its owner only, so pipes are created with the agent's permissions.
 * Where /proc/1/fd can be opened (gVisor), the agent finds nothing there but the pipes that it has.
 */
static int open_pipes(struct process *p, const struct order *order, int child[3])
{
	int error = act_as(order->uid, order->gid);

	for (int i = 0; i < 3 && !error; i++) {
		int pair[2], mine = i == 0;

		if (pipe2(pair, O_CLOEXEC) < 0) {
			error = errno;
			break;
		}
		p->fds[INPUT + i] = pair[mine];
		child[i] = pair[!mine];
		if (fcntl(pair[mine], F_SETFL, O_NONBLOCK) < 0)
			error = errno;
	}
	act_as_guest();
	return error;
}

/*
 * The agent must own its terminal, so it is opened with the agent's permissions. One descriptor serves all three
 * streams.
 */
static int open_terminal(struct process *p, const struct order *order, int *child)
{
	struct winsize size = {.ws_row = order->rows, .ws_col = order->columns};
	int error = act_as(order->uid, order->gid), master;
	char name[32];

	if (error)
		return error;
	p->fds[OUTPUTS] = master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master >= 0 && unlockpt(master) == 0 && (errno = ptsname_r(master, name, sizeof(name))) == 0)
		*child = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	error = errno;
	act_as_guest();
	if (*child < 0)
		return error;
	/* Two descriptors for one terminal, since its input may be closed alone. */
	p->fds[INPUT] = fcntl(master, F_DUPFD_CLOEXEC, 0);
	return p->fds[INPUT] < 0 || ioctl(master, TIOCSWINSZ, &size) < 0 ? errno : 0;
}

/*
 * As long as a process has no audit login, the kernel lets it choose one, once: as whose its actions are in the machine's audit
 * log. So processes inherit their agent's. Fails where that is settled already, and where the kernel has none.
 */
static void take_audit_login(uint32_t uid)
{
	static bool taken;
	char text[16];
	int fd;

	if (taken)
		return;
	taken = true;
	fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		write(fd, text, (size_t)snprintf(text, sizeof(text), "%u", uid));
		close(fd);
	}
}

static int start(struct process *p, const struct order *order)
{
	int child[3] = {-1, -1, -1}, failures[2] = {-1, -1}, error;

	memset(p, 0, offsetof(struct process, stdin_bytes));
	memset(p->fds, 0xff, sizeof(p->fds)); /* -1 */
	p->id = order->id;
	p->terminal = order->terminal;
	p->credit[0] = p->credit[1] = order->window;
	p->stdin_granted = STDIN_WINDOW;
	p->hang_up_at = NEVER;
	take_audit_login(order->uid);
	error = order->terminal ? open_terminal(p, order, child) : open_pipes(p, order, child);
	if (!error && (pipe2(failures, O_CLOEXEC | O_NONBLOCK) < 0 || (p->pid = fork()) < 0))
		error = errno;
	if (!error && p->pid == 0)
		become(order, child, failures[1]);
	p->fds[START] = failures[0];
	close_fd(&failures[1]);
	for (int i = 0; i < 3; i++)
		close_fd(&child[i]);
	if (error) {
		release(p);
		return error;
	}
	p->phase = STARTING;
	p->alive = children_live = true;
	return 0;
}

void spawn(const struct order *order, bool refused)
{
	struct process *p = find_free();
	int error;

	if (refused)
		error = ECANCELED;
	else if (find_process(order->id))
		error = EEXIST;
	else if (!p)
		error = EAGAIN;
	else if (order->uid == NO_ID || order->gid == NO_ID || !order->argv[0])
		error = EINVAL;
	else
		error = start(p, order);
	if (error)
		tell(SPAWN_FAILED, {4, order->id}, {1, STAGE_PREPARE}, {4, (uint64_t)error});
}

static void feed_stdin(struct process *p, const uint8_t *data, size_t length)
{
	if (length > p->stdin_granted)
		die(EXIT_PROTOCOL);
	p->stdin_granted -= (uint32_t)length;
	if (p->fds[INPUT] < 0 || p->stdin_ends)
		return; /* no reader: the bytes are dropped, and the writer need not wait */
	/* Buffered and granted bytes together never exceed the window. */
	memcpy(p->stdin_bytes + p->stdin_count, data, length);
	p->stdin_count += (uint32_t)length;
}

/* Its pid is its own until it is reaped, and no longer. */
static void signal_process(struct process *p, int number)
{
	if (p->alive)
		kill(p->pid, number);
}

static void signal_group(struct process *p, int number)
{
	/* No such group: it is gone, or the child, which has yet to create it, is still alone. */
	if (kill(-p->pid, number) < 0 && errno == ESRCH && p->phase == STARTING && p->alive)
		kill(p->pid, number);
}

/* A process may end while a frame for it is on its way; such a frame is checked as always, then dropped. */
void handle_process_frame(uint8_t type, struct reader *frame)
{
	struct process *p = find_process(take_number(frame));
	struct winsize size = {0};
	uint8_t choice = 0, scope = 0;
	uint32_t credit = 0;

	if (type == SIGNAL) {
		choice = take_between(frame, 1, LAST_SIGNAL);
		scope = take_between(frame, 0, 1);
	} else if (type == CREDIT) {
		choice = take_between(frame, 0, 1);
		credit = take_number(frame);
	} else if (type == RESIZE) {
		size.ws_row = (uint16_t)take(frame, 2);
		size.ws_col = (uint16_t)take(frame, 2);
	}
	if (type != STDIN)
		take_end(frame);
	if (!p)
		return;
	if (type == STDIN)
		feed_stdin(p, frame->at, (size_t)(frame->end - frame->at));
	else if (type == CLOSE_STDIN)
		p->stdin_ends = true;
	else if (type == SIGNAL && scope)
		signal_process(p, choice);
	else if (type == SIGNAL)
		signal_group(p, choice);
	else if (type == CREDIT)
		p->credit[choice] += credit; /* 64 bits never overflow in a channel's lifetime */
	else if (p->terminal && p->fds[OUTPUTS] >= 0)
		ioctl(p->fds[OUTPUTS], TIOCSWINSZ, &size); /* fails after a hang-up, when no size is needed */
}

bool processes_live(void)
{
	return children_live;
}

bool processes_known(void)
{
	for EACH_PROCESS (p)
		if (p->phase != FREE)
			return true;
	return children_live;
}

static struct pollfd watched(bool wanted, int fd, short events)
{
	return (struct pollfd){.fd = wanted ? fd : -1, .events = events};
}

/*
 * Output is watched only while it has credit and the channel has room; otherwise its end would wake the loop for ever.
 */
void processes_watch(struct pollfd *fds)
{
	for EACH_PROCESS (p) {
		bool runs = p->phase == RUNNING;

		*fds++ = watched(p->phase == STARTING && channel_takes_reply(), p->fds[START], POLLIN);
		*fds++ = watched(runs, p->fds[INPUT], p->stdin_count > 0 ? POLLOUT : 0);
		for (int i = 0; i < 2; i++)
			*fds++ = watched(runs && p->credit[i] > 0 && channel_takes_output(), p->fds[OUTPUTS + i], POLLIN);
	}
}

static void finish_start(struct process *p)
{
	struct failure failure;
	ssize_t count = read(p->fds[START], &failure, sizeof(failure));

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count == sizeof(failure)) {
		tell(SPAWN_FAILED, {4, p->id}, {1, (uint64_t)failure.stage}, {4, (uint64_t)failure.error});
		return release(p); /* it will be reaped like an orphan */
	}
	close_fd(&p->fds[START]);
	p->phase = RUNNING;
	tell(SPAWNED, {4, p->id}, {4, (uint64_t)p->pid});
	tell(STDIN_CREDIT, {4, p->id}, {4, STDIN_WINDOW});
}

/* This many buffered bytes are written, or lost. They may be secrets, so they are overwritten. */
static void consume_stdin(struct process *p, uint32_t count)
{
	p->stdin_count -= count;
	memmove(p->stdin_bytes, p->stdin_bytes + count, p->stdin_count);
	explicit_bzero(p->stdin_bytes + p->stdin_count, count);
}

static void drop_stdin(struct process *p)
{
	consume_stdin(p, p->stdin_count);
	close_fd(&p->fds[INPUT]);
}

static void write_stdin(struct process *p)
{
	ssize_t count = write(p->fds[INPUT], p->stdin_bytes, p->stdin_count);

	if (count < 0 && errno != EAGAIN && errno != EINTR)
		drop_stdin(p);
	if (count <= 0)
		return;
	p->stdin_mid_line = p->stdin_bytes[count - 1] != '\n';
	consume_stdin(p, (uint32_t)count);
}

/* A terminal cannot be closed for input alone, so the end is typed; in the middle of a line it takes two. */
static void end_stdin(struct process *p)
{
	static const uint8_t ends[2] = {END_OF_TRANSMISSION, END_OF_TRANSMISSION};

	/* A terminal with a full queue has a reader that does not read; it gets no end either. */
	if (p->terminal)
		write(p->fds[INPUT], ends, p->stdin_mid_line ? 2 : 1);
	close_fd(&p->fds[INPUT]);
}

static void end_output(struct process *p, uint8_t stream)
{
	close_fd(&p->fds[OUTPUTS + stream]);
	tell(OUTPUT_CLOSED, {4, p->id}, {1, stream});
}

static void read_output(struct process *p, uint8_t stream)
{
	ssize_t count = tell_output(p->id, stream, p->fds[OUTPUTS + stream], p->credit[stream]);

	if (count > 0)
		p->credit[stream] -= (uint64_t)count;
	else if (count == 0 || (errno != EAGAIN && errno != EINTR))
		end_output(p, stream); /* a terminal ends with EIO */
}

/* Each round starts after the output read last, so that one that floods does not starve others. */
void processes_serve(const struct pollfd *fds)
{
	const size_t ends = PROCESSES_MAX * PROCESS_ENDS;
	static size_t first;

	for (size_t i = 0, which = first; i < ends; i++, which = (which + 1) % ends) {
		struct process *p = &table[which / PROCESS_ENDS];
		size_t end = which % PROCESS_ENDS;

		if (!fds[which].revents)
			continue;
		if (end == START && channel_takes_reply()) {
			finish_start(p);
		} else if (end == INPUT && fds[which].revents & (POLLERR | POLLHUP | POLLNVAL)) {
			drop_stdin(p);
		} else if (end == INPUT) {
			write_stdin(p);
		} else if (end >= OUTPUTS && channel_takes_output()) {
			first = (which + 1) % ends;
			read_output(p, (uint8_t)(end - OUTPUTS));
		}
	}
}

bool processes_reap(void)
{
	bool ours = false;

	for (int i = 0; i < REAPED_AT_ONCE; i++) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

		children_live = pid >= 0;
		if (pid <= 0)
			return ours;
		for EACH_PROCESS (p) {
			if (p->phase != FREE && p->alive && p->pid == pid) {
				p->alive = false;
				p->status = status;
				ours = true;
			}
		}
	}
	raise(SIGCHLD); /* there may be more */
	return ours;
}

static void tell_end(struct process *p)
{
	bool exited = WIFEXITED(p->status);
	int how = exited ? WEXITSTATUS(p->status) : WTERMSIG(p->status);

	tell(exited ? EXITED : SIGNALED, {4, p->id}, {1, (uint64_t)how});
	p->end_reported = true;
}

static void tell_stdin_credit(struct process *p)
{
	uint32_t owed = STDIN_WINDOW - p->stdin_granted - p->stdin_count;

	if (owed < STDIN_CREDIT_STEP && (owed == 0 || p->stdin_count > 0))
		return;
	tell(STDIN_CREDIT, {4, p->id}, {4, owed});
	p->stdin_granted += owed;
}

/* Reports ended streams and processes, and grants input credit, as far as the channel has room. */
void processes_tell(void)
{
	for EACH_PROCESS (p) {
		if (p->phase != RUNNING)
			continue;
		if (p->fds[INPUT] >= 0 && p->stdin_ends && p->stdin_count == 0)
			end_stdin(p);
		if (!p->alive && !p->end_reported && channel_takes_reply())
			tell_end(p);
		if (p->end_reported && p->fds[INPUT] < 0 && p->fds[OUTPUTS] < 0 && p->fds[OUTPUTS + 1] < 0)
			release(p);
		else if (channel_takes_reply())
			tell_stdin_credit(p);
	}
}

/*
 * Finds ends that reading does not: of streams without credit; of terminals whose process has ended, which Linux hangs
 * up and gVisor does not; and of everything that is stuck when no process is left.
 */
static void find_end(struct process *p, uint8_t stream, uint64_t now, bool stuck)
{
	struct pollfd look = {.fd = p->fds[OUTPUTS + stream], .events = POLLIN};
	bool ended;

	if (look.fd < 0 || !channel_takes_reply() || poll(&look, 1, 0) < 0)
		return;
	if (look.revents & POLLIN) {
		p->hang_up_at = NEVER;
		ended = stuck && p->credit[stream] == 0;
	} else {
		if (p->terminal && !p->alive && p->hang_up_at == NEVER)
			p->hang_up_at = now + HANG_UP_MILLIS;
		ended = look.revents || stuck || now >= p->hang_up_at;
	}
	if (ended)
		end_output(p, stream);
}

void processes_find_ends(uint64_t now, bool stuck)
{
	for EACH_PROCESS (p) {
		if (p->phase != RUNNING)
			continue;
		find_end(p, 0, now, stuck);
		find_end(p, 1, now, stuck);
		if (!children_live)
			drop_stdin(p); /* it has no reader any more, whether poll reports it or not */
	}
}
