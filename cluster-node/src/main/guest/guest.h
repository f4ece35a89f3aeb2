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
#define LAST_SIGNAL 64
#define NO_ID UINT32_MAX /* setresuid(2) and its kin take it for "leave it": never an identity */
#define NEVER UINT64_MAX

/* The poll set: the channel's two ends, then a place for each end that each process may have. */
enum { CHANNEL_ENDS = 2, PROCESS_ENDS = 4, POLLED = CHANNEL_ENDS + PROCESSES_MAX * PROCESS_ENDS };

/* How the guest ends: not in a place where it can work; the second clock; the dead-man's switch; a broken protocol. */
enum { EXIT_UNFIT = 83, EXIT_DEADLINE, EXIT_CHANNEL, EXIT_PROTOCOL };

enum { ARM = 0x01, WRITE_FILE, SPAWN, STDIN, CLOSE_STDIN, SIGNAL, RESIZE, CREDIT, KILL_ALL, PING };
enum { HELLO = 0x81, SPAWNED, SPAWN_FAILED, OUTPUT, OUTPUT_CLOSED, EXITED, SIGNALED, STDIN_CREDIT, DONE, ALL_GONE,
       DISK, PONG, PIDS };

enum stage { STAGE_PREPARE, STAGE_WORKDIR, STAGE_EXEC };
enum resource { NOFILE, CORE, FSIZE, STACK, MEMLOCK, MSGQUEUE, NPROC, RESOURCES };

/* The unread rest of a frame. */
struct reader {
	uint8_t *at, *end;
};

/* A number of so many bytes in a frame. */
struct field {
	uint8_t bytes;
	uint64_t value;
};

/* What a Spawn asks for. The strings lie in the frame. */
struct order {
	uint32_t id, uid, gid, window;
	bool terminal;
	uint16_t rows, columns;
	char *workdir, **argv, **env;
	uint64_t limits[RESOURCES]; /* NEVER: as the guest has it */
};

/* What a child tells through its close-on-exec pipe when it does not reach exec. */
struct failure {
	int32_t stage, error;
};

/* vivarium-init.c */
_Noreturn void die(int code);
void handle_frame(struct reader *frame);

/* channel.c: a frame that ends before its fields do is a broken protocol, so the readers do not return then. */
uint64_t take(struct reader *frame, size_t bytes);
uint32_t take_number(struct reader *frame); /* four bytes */
uint8_t take_between(struct reader *frame, uint8_t least, uint8_t most);
char *take_string(struct reader *frame);    /* NUL-terminated, in place */
void take_end(const struct reader *frame);

bool channel_takes_reply(void); /* to be true before each tell() */
#define tell(type, ...) tell_fields(type, (const struct field[]){__VA_ARGS__, {0, 0}})
void tell_fields(uint8_t type, const struct field *fields);
bool channel_takes_output(void); /* to be true before each tell_output() */
/* Tells up to so many bytes that it reads; returns as read(2) does. */
ssize_t tell_output(uint32_t process, uint8_t stream, int fd, uint64_t most);

void channel_open(void);
void channel_watch(struct pollfd *fds);
void channel_serve(const struct pollfd *fds);
void channel_flush(void);

/* processes.c */
void spawn(const struct order *order, bool refused);
void handle_process_frame(uint8_t type, struct reader *frame);
bool processes_live(void);  /* any child, orphans that became ours too */
bool processes_known(void); /* those, and any that ended and still has something to tell */
void processes_watch(struct pollfd *fds);
void processes_serve(const struct pollfd *fds);
bool processes_reap(void); /* true when one that was spawned has ended */
void processes_tell(void);
void processes_find_ends(uint64_t now, bool stuck);

/* child.c */
_Noreturn void become(const struct order *order, const int stdio[3], int failures);

/* files.c */
void handle_write_file(struct reader *frame);
int act_as(uint32_t uid, uint32_t gid); /* 0, and then until act_as_guest(); or an errno */
void act_as_guest(void);
bool disk_look(void); /* true when there was news */

#endif
