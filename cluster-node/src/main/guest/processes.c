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

#define REAPED_AT_ONCE 256   /* then the channel has its turn, whatever a fork bomb does */
#define STDIN_CREDIT_STEP (STDIN_WINDOW / 4) /* smaller credits wait, so that they do not outnumber the data */
#define END_OF_TRANSMISSION 4

enum phase { FREE, STARTING, RUNNING };

/* What is for the process to read. It holds no more than the credit that the node was given. */
struct ring {
	uint8_t bytes[STDIN_WINDOW];
	uint32_t from, count;
};

struct stream {
	int fd; /* -1 once it is closed, and told to be */
	uint64_t credit;
};

struct process {
	enum phase phase;
	uint32_t id;
	pid_t pid;
	bool alive, ended_told, terminal;
	int status;
	int start_fd; /* at its end when exec has happened */
	struct stream streams[2];
	int stdin_fd;
	bool stdin_ends, stdin_mid_line;
	uint32_t stdin_owed, stdin_granted;
	struct ring ring;
};

enum polled_end { START, INPUT, OUTPUT_0, OUTPUT_1 };

static struct process table[PROCESSES_MAX];
static bool children_live;

/* Whose ends were given to poll, in the order of the poll set. */
static struct {
	struct process *process;
	enum polled_end end;
} polled[POLLED_MAX];

static unsigned int turn;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd); /* nothing that fails here could be repeated */
	*fd = -1;
}

static struct process *find(uint32_t id)
{
	for (struct process *p = table; p < table + PROCESSES_MAX; p++)
		if (p->phase != FREE && p->id == id)
			return p;
	return NULL;
}

static void tell_spawn_failed(uint32_t id, enum stage stage, int error)
{
	begin(SPAWN_FAILED);
	put_u32(id);
	put_u8((uint8_t)stage);
	put_u32((uint32_t)error);
	end();
}

/* The three ends that a child gets and those that stay here; false with errno when there are no more of them. */
static bool open_pipes(struct process *p, int child[3])
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return false;
	child[0] = pair[0];
	p->stdin_fd = pair[1];
	for (int i = 0; i < 2; i++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return false;
		p->streams[i].fd = pair[0];
		child[1 + i] = pair[1];
	}
	return true;
}

/* The agent is to own its terminal: so it is opened with the agent's rights. */
static int open_terminal_pair(const struct order *order, int *slave)
{
	int unlocked = 0, number, master;
	char name[32];

	*slave = -1;
	if (!act_as(order->uid, order->gid))
		return -1;
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master >= 0 && ioctl(master, TIOCSPTLCK, &unlocked) == 0 && ioctl(master, TIOCGPTN, &number) == 0) {
		snprintf(name, sizeof(name), "/dev/pts/%d", number);
		*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	}
	if (*slave < 0) {
		int error = errno;

		close_fd(&master);
		errno = error;
	}
	act_as_guest();
	return master;
}

static bool open_terminal(struct process *p, const struct order *order, int child[3])
{
	struct winsize size = {.ws_row = order->rows, .ws_col = order->columns};
	int master = open_terminal_pair(order, &child[0]);

	if (master < 0)
		return false;
	p->streams[0].fd = master;
	/* Two numbers for one terminal: its input may be closed alone. */
	p->stdin_fd = fcntl(master, F_DUPFD_CLOEXEC, 0);
	child[1] = fcntl(child[0], F_DUPFD_CLOEXEC, 0);
	child[2] = fcntl(child[0], F_DUPFD_CLOEXEC, 0);
	return p->stdin_fd >= 0 && child[1] >= 0 && child[2] >= 0 && ioctl(master, TIOCSWINSZ, &size) == 0;
}

static bool set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return fd < 0 || (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

static bool start(struct process *p, const struct order *order, int child[3])
{
	int pair[2] = {-1, -1};
	bool started;

	if (!(order->terminal ? open_terminal(p, order, child) : open_pipes(p, child)))
		return false;
	if (!set_nonblocking(p->stdin_fd) || !set_nonblocking(p->streams[0].fd) || !set_nonblocking(p->streams[1].fd))
		return false;
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	p->start_fd = pair[0];
	p->pid = fork();
	if (p->pid == 0)
		become(order, child, pair[1]);
	started = p->pid > 0;

	int error = errno;

	close_fd(&pair[1]);
	errno = error;
	return started;
}

static void release(struct process *p)
{
	close_fd(&p->start_fd);
	close_fd(&p->stdin_fd);
	close_fd(&p->streams[0].fd);
	close_fd(&p->streams[1].fd);
	p->phase = FREE;
}

void spawn(const struct order *order, bool refused)
{
	struct process *p = table;
	int child[3] = {-1, -1, -1}, error = 0;

	if (refused || find(order->id)) {
		tell_spawn_failed(order->id, STAGE_PREPARE, refused ? ECANCELED : EEXIST);
		return;
	}
	while (p < table + PROCESSES_MAX && p->phase != FREE)
		p++;
	if (p == table + PROCESSES_MAX) {
		tell_spawn_failed(order->id, STAGE_PREPARE, EAGAIN);
		return;
	}
	p->id = order->id;
	p->terminal = order->terminal;
	p->alive = true;
	p->ended_told = p->stdin_ends = p->stdin_mid_line = false;
	p->start_fd = p->stdin_fd = -1;
	p->streams[0] = p->streams[1] = (struct stream){-1, order->window};
	p->stdin_granted = STDIN_WINDOW;
	p->stdin_owed = p->ring.from = p->ring.count = 0;
	if (order->uid == NO_ID || order->gid == NO_ID || !order->argv[0])
		error = EINVAL;
	else if (!start(p, order, child))
		error = errno;
	for (int i = 0; i < 3; i++)
		close_fd(&child[i]);
	if (error) {
		release(p);
		tell_spawn_failed(order->id, STAGE_PREPARE, error);
		return;
	}
	p->phase = STARTING;
	children_live = true;
}

void feed_stdin(uint32_t id, const uint8_t *data, size_t length)
{
	struct process *p = find(id);

	if (!p)
		return; /* it ended while the bytes were on their way */
	if (length > p->stdin_granted)
		die(EXIT_PROTOCOL);
	p->stdin_granted -= (uint32_t)length;
	if (p->stdin_fd < 0 || p->stdin_ends) {
		p->stdin_owed += (uint32_t)length; /* nobody reads: the bytes are gone, and their writer need not wait */
		return;
	}
	for (size_t i = 0; i < length; i++)
		p->ring.bytes[(p->ring.from + p->ring.count++) % STDIN_WINDOW] = data[i];
}

void close_stdin(uint32_t id)
{
	struct process *p = find(id);

	if (p)
		p->stdin_ends = true;
}

void signal_process(uint32_t id, int number)
{
	struct process *p = find(id);

	/* A group that is gone, or one that a child has not made yet: then it is still alone. */
	if (p && kill(-p->pid, number) < 0 && errno == ESRCH && p->phase == STARTING && p->alive)
		kill(p->pid, number);
}

void resize_terminal(uint32_t id, uint16_t rows, uint16_t columns)
{
	struct process *p = find(id);
	struct winsize size = {.ws_row = rows, .ws_col = columns};

	/* Fails only for a terminal that has hung up, which needs no size. */
	if (p && p->terminal && p->streams[0].fd >= 0)
		ioctl(p->streams[0].fd, TIOCSWINSZ, &size);
}

void add_credit(uint32_t id, uint8_t stream, uint32_t bytes)
{
	struct process *p = find(id);

	if (p)
		p->streams[stream].credit += bytes; /* 64 bits outlast any channel */
}

bool processes_live(void)
{
	return children_live;
}

bool processes_known(void)
{
	for (struct process *p = table; p < table + PROCESSES_MAX; p++)
		if (p->phase != FREE)
			return true;
	return false;
}

static void watch(struct pollfd *fds, nfds_t *count, struct process *p, enum polled_end end, int fd, short events)
{
	fds[*count] = (struct pollfd){.fd = fd, .events = events};
	polled[*count].process = p;
	polled[*count].end = end;
	++*count;
}

/* Output is watched only while there is credit for it and the channel takes it: else its end would wake us for ever. */
nfds_t processes_watch(struct pollfd *fds)
{
	nfds_t count = 0;

	for (struct process *p = table; p < table + PROCESSES_MAX; p++) {
		if (p->phase == STARTING && channel_takes_reply())
			watch(fds, &count, p, START, p->start_fd, POLLIN);
		if (p->phase != RUNNING)
			continue;
		if (p->stdin_fd >= 0)
			watch(fds, &count, p, INPUT, p->stdin_fd, p->ring.count > 0 ? POLLOUT : 0);
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
		/* Its end will be reaped as that of a stranger. */
		release(p);
		tell_spawn_failed(p->id, failure.stage, failure.error);
		return;
	}
	close_fd(&p->start_fd);
	p->phase = RUNNING;
	begin(SPAWNED);
	put_u32(p->id);
	put_u32((uint32_t)p->pid);
	end();
	begin(STDIN_CREDIT);
	put_u32(p->id);
	put_u32(STDIN_WINDOW);
	end();
}

static void drop_stdin(struct process *p)
{
	p->stdin_owed += p->ring.count;
	p->ring.count = 0;
	close_fd(&p->stdin_fd);
}

static void write_stdin(struct process *p)
{
	while (p->ring.count > 0) {
		uint32_t straight = STDIN_WINDOW - p->ring.from;
		uint32_t length = p->ring.count < straight ? p->ring.count : straight;
		ssize_t count = write(p->stdin_fd, p->ring.bytes + p->ring.from, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno != EAGAIN)
			drop_stdin(p);
		if (count <= 0)
			return;
		p->stdin_mid_line = p->ring.bytes[p->ring.from + (uint32_t)count - 1] != '\n';
		p->ring.from = (p->ring.from + (uint32_t)count) % STDIN_WINDOW;
		p->ring.count -= (uint32_t)count;
		p->stdin_owed += (uint32_t)count;
	}
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

static void end_output(struct process *p, uint8_t stream)
{
	close_fd(&p->streams[stream].fd);
	begin(OUTPUT_CLOSED);
	put_u32(p->id);
	put_u8(stream);
	end();
}

/* Nothing to read, whatever the reason. */
static bool is_dry(int fd, bool *at_end)
{
	struct pollfd now = {.fd = fd, .events = POLLIN};

	if (poll(&now, 1, 0) <= 0)
		now.revents = 0;
	*at_end = now.revents & (POLLHUP | POLLERR | POLLNVAL);
	return !(now.revents & POLLIN);
}

/* A stream without credit is not read; whether it is empty and at its end can still be seen. */
static void find_end(struct process *p, uint8_t stream)
{
	struct stream *from = &p->streams[stream];
	bool at_end;

	if (from->fd >= 0 && from->credit == 0 && channel_takes_reply() && is_dry(from->fd, &at_end) && at_end)
		end_output(p, stream);
}

static void read_output(struct process *p, uint8_t stream)
{
	struct stream *from = &p->streams[stream];
	size_t wanted = from->credit < OUTPUT_MAX ? (size_t)from->credit : OUTPUT_MAX;
	ssize_t count = read(from->fd, output_space(), wanted);

	if (count > 0) {
		from->credit -= (uint64_t)count;
		send_output(p->id, stream, (size_t)count);
		find_end(p, stream);
	} else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_output(p, stream); /* a terminal ends with EIO */
	}
}

static void serve(struct process *p, enum polled_end end, const struct pollfd *fd)
{
	switch (end) {
	case START:
		if (p->phase == STARTING && p->start_fd == fd->fd && channel_takes_reply())
			finish_start(p);
		break;
	case INPUT:
		if (p->stdin_fd != fd->fd)
			break;
		if (fd->revents & (POLLERR | POLLHUP | POLLNVAL))
			drop_stdin(p);
		else
			write_stdin(p);
		break;
	case OUTPUT_0:
	case OUTPUT_1:
		if (p->streams[end - OUTPUT_0].fd == fd->fd && channel_takes_output())
			read_output(p, (uint8_t)(end - OUTPUT_0));
		break;
	}
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
		for (struct process *p = table; p < table + PROCESSES_MAX; p++) {
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

	begin(exited ? EXITED : SIGNALED);
	put_u32(p->id);
	put_u8((uint8_t)(exited ? WEXITSTATUS(p->status) : WTERMSIG(p->status)));
	end();
	p->ended_told = true;
}

static void tell_stdin_credit(struct process *p)
{
	begin(STDIN_CREDIT);
	put_u32(p->id);
	put_u32(p->stdin_owed);
	end();
	p->stdin_granted += p->stdin_owed;
	p->stdin_owed = 0;
}

/* What the processes have to say for themselves, as far as the channel takes it. */
void processes_tell(void)
{
	for (struct process *p = table; p < table + PROCESSES_MAX; p++) {
		if (p->phase != RUNNING)
			continue;
		if (p->stdin_fd >= 0 && p->stdin_ends && p->ring.count == 0)
			end_stdin(p);
		if (!p->alive && !p->ended_told && channel_takes_reply())
			tell_end(p);
		if (!p->alive && p->ended_told && p->stdin_fd < 0 && p->streams[0].fd < 0 && p->streams[1].fd < 0) {
			release(p);
			continue;
		}
		if (p->stdin_owed > 0 && (p->stdin_owed >= STDIN_CREDIT_STEP || p->ring.count == 0) && channel_takes_reply())
			tell_stdin_credit(p);
	}
}

void processes_find_ends(void)
{
	for (struct process *p = table; p < table + PROCESSES_MAX; p++)
		for (uint8_t i = 0; i < 2; i++)
			if (p->phase == RUNNING)
				find_end(p, i);
}

void processes_close_stdins(void)
{
	for (struct process *p = table; p < table + PROCESSES_MAX; p++)
		if (p->phase == RUNNING)
			drop_stdin(p);
}

/* For the time after the last process: nobody will fill or empty these pipes any more. */
void processes_close_stuck(void)
{
	for (struct process *p = table; p < table + PROCESSES_MAX; p++)
		for (uint8_t i = 0; i < 2; i++) {
			struct stream *stream = &p->streams[i];
			bool at_end;

			if (p->phase == RUNNING && stream->fd >= 0 && channel_takes_reply() &&
			    (stream->credit == 0 || (is_dry(stream->fd, &at_end) && !at_end)))
				end_output(p, i);
		}
}
