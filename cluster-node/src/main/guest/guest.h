/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of vivarium-init share. PROTOCOL.md is the specification.
 *
 *   vivarium-init.c  the loop, the clocks, the frames from the node, the end of all processes
 *   channel.c        the byte channel to the node: bytes to fields and back
 *   processes.c      the table of processes, their pipes and the flow control
 *   child.c          from fork to exec
 *   files.c          file requests and the watch over the disk
 *
 * One thread, static memory only, and one poll in which it ever blocks.
 */
#ifndef VIVARIUM_GUEST_H
#define VIVARIUM_GUEST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROTOCOL_VERSION 1
#define NODE_FRAME_MAX 1048576 /* bytes of type and payload */
#define OUTPUT_MAX 65536       /* bytes of data in one Output */
#define STDIN_WINDOW 65536     /* initial credit for a process's stdin */
#define PROCESSES_MAX 64
#define POLLED_MAX (4 * PROCESSES_MAX)
#define NO_ID UINT32_MAX /* setresuid(2) and its kin take it for "leave it": never an identity */
#define LAST_SIGNAL 64
#define NEVER UINT64_MAX

/* How the guest ends; the node reads the reason from its exit code. */
enum {
	EXIT_UNFIT = 83,    /* not in a place where a guest can work */
	EXIT_DEADLINE = 84, /* the second clock */
	EXIT_CHANNEL = 85,  /* the dead-man's switch */
	EXIT_PROTOCOL = 86, /* the node sent what no node sends */
};

enum node_frame {
	ARM = 0x01,
	WRITE_FILE,
	SPAWN,
	STDIN,
	CLOSE_STDIN,
	SIGNAL,
	RESIZE,
	CREDIT,
	KILL_ALL,
	PING,
};

enum guest_frame {
	HELLO = 0x81,
	SPAWNED,
	SPAWN_FAILED,
	OUTPUT,
	OUTPUT_CLOSED,
	EXITED,
	SIGNALED,
	STDIN_CREDIT,
	DONE,
	ALL_GONE,
	DISK,
	PONG,
};

enum stage { STAGE_PREPARE, STAGE_WORKDIR, STAGE_EXEC };

enum { RESOURCES = 7 };

/* What a Spawn asks for. The strings lie in the frame. */
struct order {
	uint32_t id, uid, gid, window;
	bool terminal;
	uint16_t rows, columns;
	char *workdir;
	char **argv, **env;
	bool limited[RESOURCES];
	uint64_t limits[RESOURCES];
};

/* What a child tells through its close-on-exec pipe when it does not reach exec. */
struct failure {
	int32_t stage;
	int32_t error;
};

/* The unread rest of a frame. */
struct reader {
	uint8_t *at, *end;
};

/* vivarium-init.c */
_Noreturn void die(int code);
void handle_frame(struct reader *frame);

/* channel.c: a frame that ends before its fields do is a broken protocol, so the readers do not return then. */
uint8_t take_u8(struct reader *frame);
uint16_t take_u16(struct reader *frame);
uint32_t take_u32(struct reader *frame);
uint64_t take_u64(struct reader *frame);
uint8_t take_choice(struct reader *frame, uint8_t choices); /* less than choices */
char *take_string(struct reader *frame);                    /* NUL-terminated, in place */
void take_end(const struct reader *frame);

bool channel_takes_reply(void); /* to be true before each begin() */
void begin(uint8_t type);
void put_u8(uint8_t value);
void put_u32(uint32_t value);
void put_u64(uint64_t value);
void end(void);

bool channel_takes_output(void); /* to be true before each output_space() */
uint8_t *output_space(void);     /* OUTPUT_MAX bytes, to be filled in place */
void send_output(uint32_t process, uint8_t stream, size_t length);

void channel_open(void);
void channel_watch(struct pollfd fds[2]);
void channel_serve(const struct pollfd fds[2]);
void channel_flush(void);

/* processes.c */
void spawn(const struct order *order, bool refused);
void feed_stdin(uint32_t id, const uint8_t *data, size_t length);
void close_stdin(uint32_t id);
void signal_process(uint32_t id, int number);
void resize_terminal(uint32_t id, uint16_t rows, uint16_t columns);
void add_credit(uint32_t id, uint8_t stream, uint32_t bytes);

bool processes_live(void);  /* any child, orphans that became ours too */
bool processes_known(void); /* any entry in the table that still has something to tell */
nfds_t processes_watch(struct pollfd *fds);
void processes_serve(const struct pollfd *fds, nfds_t count);
bool processes_reap(void); /* true when one that was spawned has ended */
void processes_tell(void);
void processes_find_ends(void);
void processes_close_stdins(void);
void processes_close_stuck(void);

/* child.c */
_Noreturn void become(const struct order *order, const int stdio[3], int error_fd);

/* files.c */
int write_file(uint32_t mode, uint32_t uid, uint32_t gid, uint64_t offset, char *path, const uint8_t *data,
	       size_t length);
bool act_as(uint32_t uid, uint32_t gid);
void act_as_guest(void);
void disk_look(void);

#endif
