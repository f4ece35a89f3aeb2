/* SPDX-License-Identifier: Apache-2.0 */
/* The table of processes: how they start, what flows in and out of them, and how they end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define REAPED_AT_ONCE 256		     /* then the channel has its turn, whatever a fork bomb does */
#define STDIN_CREDIT_STEP (STDIN_WINDOW / 4) /* smaller credits wait, so that they do not outnumber the data */
#define HANG_UP_MILLIS 300		     /* without output after the end of a terminal's owner */
#define END_OF_TRANSMISSION 4

enum phase { FREE, STARTING, RUNNING };

struct stream {
	int fd; /* -1 once it is closed, and told to be */
	uint64_t credit;
};

struct process {
	enum phase phase;
	uint32_t id;
	pid_t pid;
	bool alive, end_told, terminal, stdin_ends, stdin_mid_line;
	int status;
	int start_fd; /* at its end when exec has happened */
	int stdin_fd;
	uint32_t stdin_owed, stdin_granted;
	struct stream streams[2];
	uint64_t hang_up_at; /* unless something comes */
	uint32_t stdin_count;
	uint8_t stdin_bytes[STDIN_WINDOW]; /* last: it is not cleared, and costs no memory before its use */
};

static struct process table[PROCESSES_MAX];
static bool children_live;

#define EACH_PROCESS(p) (struct process *p = table; p < table + PROCESSES_MAX; p++)

/* Whose ends were given to poll, in the order of the poll set. */
static struct {
	struct process *process;
	enum { START, INPUT, OUTPUT_0, OUTPUT_1 } end;
} polled[POLLED_MAX];

static unsigned int turn;

static void close_fd(int *fd)
{
	int error = errno;

	if (*fd >= 0)
		close(*fd); /* nothing that fails here could be repeated */
	*fd = -1;
	errno = error;
}

static struct process *find_process(uint32_t id)
{
	for EACH_PROCESS (p)
		if (p->phase != FREE && p->id == id)
			return p;
	return NULL;
}

/* The ends that a child gets and those that stay here; false with errno when there are no more of them. */
static bool open_pipes(struct process *p, int child[3])
{
	for (int i = 0; i < 3; i++) {
		int pair[2], *mine = i == 0 ? &p->stdin_fd : &p->streams[i - 1].fd;

		if (pipe2(pair, O_CLOEXEC) < 0)
			return false;
		child[i] = pair[i == 0 ? 0 : 1];
		*mine = pair[i == 0 ? 1 : 0];
		if (!set_nonblocking(*mine))
			return false;
	}
	return true;
}

/* The agent is to own its terminal: so it is opened with the agent's rights. */
static bool open_terminal(struct process *p, const struct order *order, int child[3])
{
	struct winsize size = {.ws_row = order->rows, .ws_col = order->columns};
	int unlocked = 0, number, master;
	char name[32];

	if (!act_as(order->uid, order->gid))
		return false;
	p->streams[0].fd = master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master >= 0 && ioctl(master, TIOCSPTLCK, &unlocked) == 0 && ioctl(master, TIOCGPTN, &number) == 0) {
		snprintf(name, sizeof(name), "/dev/pts/%d", number);
		child[0] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	}

	int error = errno;

	act_as_guest();
	errno = error;
	if (child[0] < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return false;
	/* Two numbers for one terminal: its input may be closed alone. */
	p->stdin_fd = fcntl(master, F_DUPFD_CLOEXEC, 0);
	child[1] = fcntl(child[0], F_DUPFD_CLOEXEC, 0);
	child[2] = fcntl(child[0], F_DUPFD_CLOEXEC, 0);
	return p->stdin_fd >= 0 && child[1] >= 0 && child[2] >= 0;
}

static bool start(struct process *p, const struct order *order, int child[3])
{
	int pair[2];

	if (order->uid == NO_ID || order->gid == NO_ID || !order->argv[0]) {
		errno = EINVAL;
		return false;
	}
	if (!(order->terminal ? open_terminal(p, order, child) : open_pipes(p, child)))
		return false;
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	p->start_fd = pair[0];
	p->pid = fork();
	if (p->pid == 0)
		become(order, child, pair[1]);
	close_fd(&pair[1]);
	return p->pid > 0;
}

static void release(struct process *p)
{
	close_fd(&p->start_fd);
	close_fd(&p->stdin_fd);
	close_fd(&p->streams[0].fd);
	close_fd(&p->streams[1].fd);
	p->phase = FREE;
}

static void tell_spawn_failed(uint32_t id, int stage, int error)
{
	tell(SPAWN_FAILED, {4, id}, {1, stage}, {4, error});
}

void spawn(const struct order *order, bool refused)
{
	struct process *p = table;
	int child[3] = {-1, -1, -1};
	bool started;

	while (p < table + PROCESSES_MAX && p->phase != FREE)
		p++;
	if (refused)
		return tell_spawn_failed(order->id, STAGE_PREPARE, ECANCELED);
	if (find_process(order->id))
		return tell_spawn_failed(order->id, STAGE_PREPARE, EEXIST);
	if (p == table + PROCESSES_MAX)
		return tell_spawn_failed(order->id, STAGE_PREPARE, EAGAIN);
	memset(p, 0, offsetof(struct process, stdin_bytes));
	p->id = order->id;
	p->terminal = order->terminal;
	p->start_fd = p->stdin_fd = -1;
	p->streams[0] = p->streams[1] = (struct stream){-1, order->window};
	p->stdin_granted = STDIN_WINDOW;
	p->hang_up_at = NEVER;
	started = start(p, order, child);
	for (int i = 0; i < 3; i++)
		close_fd(&child[i]);
	if (!started) {
		int error = errno;

		release(p);
		return tell_spawn_failed(order->id, STAGE_PREPARE, error);
	}
	p->phase = STARTING;
	p->alive = children_live = true;
}

static void feed_stdin(struct process *p, const uint8_t *data, size_t length)
{
	if (length > p->stdin_granted)
		die(EXIT_PROTOCOL);
	p->stdin_granted -= length;
	if (p->stdin_fd < 0 || p->stdin_ends) {
		p->stdin_owed += length; /* nobody reads: the bytes are gone, and their writer need not wait */
		return;
	}
	/* What waits and what may come are never more than the window. */
	memcpy(p->stdin_bytes + p->stdin_count, data, length);
	p->stdin_count += length;
}

static void signal_group(struct process *p, int number)
{
	/* No such group: it is gone, or its child has yet to make it, and is still alone. */
	if (kill(-p->pid, number) < 0 && errno == ESRCH && p->phase == STARTING && p->alive)
		kill(p->pid, number);
}

/* A process may have ended while a frame for it was on its way: then the frame is checked as always, and dropped. */
void handle_process_frame(uint8_t type, struct reader *frame)
{
	struct process *p = find_process(take(frame, 4));
	struct winsize size = {0};
	uint32_t choice = 0, credit = 0;

	if (type == SIGNAL) {
		choice = take_choice(frame, LAST_SIGNAL + 1);
	} else if (type == CREDIT) {
		choice = take_choice(frame, 2);
		credit = take(frame, 4);
	} else if (type == RESIZE) {
		size.ws_row = take(frame, 2);
		size.ws_col = take(frame, 2);
	}
	if (type != STDIN)
		take_end(frame);
	if (type == SIGNAL && choice == 0)
		die(EXIT_PROTOCOL);
	if (!p)
		return;
	if (type == STDIN)
		feed_stdin(p, frame->at, frame->end - frame->at);
	else if (type == CLOSE_STDIN)
		p->stdin_ends = true;
	else if (type == SIGNAL)
		signal_group(p, choice);
	else if (type == CREDIT)
		p->streams[choice].credit += credit; /* 64 bits outlast any channel */
	else if (p->terminal && p->streams[0].fd >= 0)
		ioctl(p->streams[0].fd, TIOCSWINSZ, &size); /* fails after a hang-up, when no size is needed */
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
	return false;
}

static void watch(struct pollfd *fds, nfds_t *count, struct process *p, int end, int fd, int events)
{
	fds[*count] = (struct pollfd){.fd = fd, .events = (short)events};
	polled[*count].process = p;
	polled[(*count)++].end = end;
}

/* Output is watched only while there is credit for it and the channel takes it: else its end would wake us for ever. */
nfds_t processes_watch(struct pollfd *fds)
{
	nfds_t count = 0;

	for EACH_PROCESS (p) {
		if (p->phase == STARTING && channel_takes_reply())
			watch(fds, &count, p, START, p->start_fd, POLLIN);
		if (p->phase != RUNNING)
			continue;
		if (p->stdin_fd >= 0)
			watch(fds, &count, p, INPUT, p->stdin_fd, p->stdin_count > 0 ? POLLOUT : 0);
		for (int i = 0; i < 2; i++)
			if (p->streams[i].fd >= 0 && p->streams[i].credit > 0 && channel_takes_output())
				watch(fds, &count, p, OUTPUT_0 + i, p->streams[i].fd, POLLIN);
	}
	return count;
}

static void finish_start(struct process *p)
{
	struct failure failure;
	ssize_t count = read(p->start_fd, &failure, sizeof(failure));

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count == sizeof(failure)) {
		release(p); /* its end will be reaped as that of a stranger */
		return tell_spawn_failed(p->id, failure.stage, failure.error);
	}
	close_fd(&p->start_fd);
	p->phase = RUNNING;
	tell(SPAWNED, {4, p->id}, {4, p->pid});
	tell(STDIN_CREDIT, {4, p->id}, {4, STDIN_WINDOW});
}

static void drop_stdin(struct process *p)
{
	p->stdin_owed += p->stdin_count;
	p->stdin_count = 0;
	close_fd(&p->stdin_fd);
}

static void write_stdin(struct process *p)
{
	ssize_t count = write(p->stdin_fd, p->stdin_bytes, p->stdin_count);

	if (count < 0 && errno != EAGAIN && errno != EINTR)
		drop_stdin(p);
	if (count <= 0)
		return;
	p->stdin_mid_line = p->stdin_bytes[count - 1] != '\n';
	p->stdin_count -= count;
	p->stdin_owed += count;
	memmove(p->stdin_bytes, p->stdin_bytes + count, p->stdin_count);
}

/* A terminal cannot be closed for input alone; there, the end is typed. In the middle of a line it takes two. */
static void end_stdin(struct process *p)
{
	static const uint8_t ends[2] = {END_OF_TRANSMISSION, END_OF_TRANSMISSION};

	/* A terminal whose queue is full has a reader that does not listen; it gets no end either. */
	if (p->terminal && write(p->stdin_fd, ends, p->stdin_mid_line ? 2 : 1) < 0)
		errno = 0;
	close_fd(&p->stdin_fd);
}

static void end_output(struct process *p, int stream)
{
	close_fd(&p->streams[stream].fd);
	tell(OUTPUT_CLOSED, {4, p->id}, {1, stream});
}

static void read_output(struct process *p, int stream)
{
	struct stream *from = &p->streams[stream];
	size_t wanted = from->credit < OUTPUT_MAX ? (size_t)from->credit : OUTPUT_MAX;
	ssize_t count = read(from->fd, output_space(), wanted);

	if (count > 0) {
		from->credit -= count;
		tell_output(p->id, stream, count);
	} else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_output(p, stream); /* a terminal ends with EIO */
	}
}

/* What another event of the same round has closed is at another number by now, or at none. */
static void serve(struct process *p, int end, const struct pollfd *fd)
{
	if (end == START && p->start_fd == fd->fd && channel_takes_reply())
		finish_start(p);
	else if (end == INPUT && p->stdin_fd == fd->fd && fd->revents & (POLLERR | POLLHUP | POLLNVAL))
		drop_stdin(p);
	else if (end == INPUT && p->stdin_fd == fd->fd)
		write_stdin(p);
	else if (end >= OUTPUT_0 && p->streams[end - OUTPUT_0].fd == fd->fd && channel_takes_output())
		read_output(p, end - OUTPUT_0);
}

/* Each round begins with another process, so that one that floods does not starve the others. */
void processes_serve(const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++) {
		nfds_t which = (i + turn) % count;

		if (fds[which].revents)
			serve(polled[which].process, polled[which].end, &fds[which]);
	}
	turn++;
}

bool processes_reap(void)
{
	bool ours = false;

	for (int i = 0; i < REAPED_AT_ONCE; i++) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		children_live = pid >= 0;
		if (pid <= 0)
			return ours;
		for EACH_PROCESS (p) {
			if (p->phase == FREE || !p->alive || p->pid != pid)
				continue;
			p->alive = false;
			p->status = status;
			ours = true;
		}
	}
	raise(SIGCHLD); /* there may be more */
	return ours;
}

static void tell_end(struct process *p)
{
	bool exited = WIFEXITED(p->status);

	tell(exited ? EXITED : SIGNALED, {4, p->id}, {1, exited ? WEXITSTATUS(p->status) : WTERMSIG(p->status)});
	p->end_told = true;
}

static void tell_stdin_credit(struct process *p)
{
	tell(STDIN_CREDIT, {4, p->id}, {4, p->stdin_owed});
	p->stdin_granted += p->stdin_owed;
	p->stdin_owed = 0;
}

/* What has come to an end, and what the node may send, as far as the channel takes it. */
void processes_tell(void)
{
	for EACH_PROCESS (p) {
		if (p->phase != RUNNING)
			continue;
		if (p->stdin_fd >= 0 && p->stdin_ends && p->stdin_count == 0)
			end_stdin(p);
		if (!p->alive && !p->end_told && channel_takes_reply())
			tell_end(p);
		if (p->end_told && p->stdin_fd < 0 && p->streams[0].fd < 0 && p->streams[1].fd < 0)
			release(p);
		else if ((p->stdin_owed >= STDIN_CREDIT_STEP || (p->stdin_owed > 0 && p->stdin_count == 0)) &&
			 channel_takes_reply())
			tell_stdin_credit(p);
	}
}

/*
 * Finds the ends that reading does not: of streams without credit; of terminals whose owner has ended, which Linux
 * hangs up and gVisor does not; and of all that is stuck, when there is nobody left to wait for.
 */
static void find_end(struct process *p, int stream, uint64_t now, bool stuck)
{
	struct pollfd look = {.fd = p->streams[stream].fd, .events = POLLIN};
	bool ended;

	if (look.fd < 0 || !channel_takes_reply() || poll(&look, 1, 0) < 0)
		return;
	if (look.revents & POLLIN) {
		p->hang_up_at = NEVER;
		ended = stuck && p->streams[stream].credit == 0;
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
			drop_stdin(p); /* nobody reads it any more, whether poll says so or not */
	}
}
