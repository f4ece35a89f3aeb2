/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of vivarium-init share. PROTOCOL.md is the specification.
 *
 *   vivarium-init.c  the loop, the clocks, the frames from the node, the end of all processes
 *   channel.c        the byte channel to the node: bytes to fields and back
 *   processes.c      the table of processes, their pipes and the flow control
 *   child.c          from fork to exec
 *   files.c          file requests and the watch over the disk
 *   answers.c        answers to system calls that would tell the machine's sizes
 *
 * One thread, static memory only, and a single poll as the only call that blocks.
 */
#ifndef VIVARIUM_GUEST_H
#define VIVARIUM_GUEST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROTOCOL_VERSION 5
#define NODE_FRAME_MAX 1048576 /* bytes of type and payload */
#define OUTPUT_MAX 65536       /* bytes of data in one Output */
#define STDIN_WINDOW 65536     /* initial credit for a process's stdin */
#define PROCESSES_MAX 64
#define LIMIT_NAME_MAX 14      /* bytes of a limit's name in the node's table of limits */
#define LAST_SIGNAL 64
#define NO_ID UINT32_MAX /* means "unchanged" to setresuid(2) and its like: never an identity */
#define NEVER UINT64_MAX

/* The poll set: the channel's two ends, then one entry for each end of each process. */
enum { CHANNEL_ENDS = 2, PROCESS_ENDS = 4, POLLED = CHANNEL_ENDS + PROCESSES_MAX * PROCESS_ENDS };

/* The guest's exit codes: cannot work here; second clock; dead-man's switch; protocol violated. */
enum { EXIT_UNFIT = 83, EXIT_DEADLINE, EXIT_CHANNEL, EXIT_PROTOCOL };

enum { ARM = 0x01, WRITE_FILE, SPAWN, STDIN, CLOSE_STDIN, SIGNAL, RESIZE, CREDIT, KILL_ALL, PING, MAKE_FOLDER,
       MAKE_LINK, LIST_FOLDER, READ_FILE };
enum { HELLO = 0x81, SPAWNED, SPAWN_FAILED, OUTPUT, OUTPUT_CLOSED, EXITED, SIGNALED, STDIN_CREDIT, DONE, ALL_GONE,
       USE, PONG, FOLDER_LISTED, FILE_READ };

enum stage { STAGE_PREPARE, STAGE_WORKDIR, STAGE_EXEC, STAGE_INTERPRETER, STAGE_CARRIAGE_RETURN, STAGE_ARCHITECTURE };
enum resource { NOFILE, CORE, FSIZE, STACK, MEMLOCK, MSGQUEUE, NPROC, RESOURCES };

/* The unread rest of a frame. */
struct reader {
	uint8_t *at, *end;
};

/* A number of this many bytes in a frame. */
struct field {
	uint8_t bytes;
	uint64_t value;
};

/* The use of a limit as last reported, and whether its place was full. */
struct use {
	const char *limit; /* its name in the node's table */
	uint64_t amount;
	bool full;
};

/* The parameters of a Spawn. The strings are in the frame. */
struct order {
	uint32_t id, uid, gid, window;
	bool terminal;
	uint16_t rows, columns;
	char *workdir, **argv, **env;
	uint64_t limits[RESOURCES]; /* NEVER: inherit the guest's */
};

/* What a child reports through its close-on-exec pipe when it fails before exec. */
struct failure {
	int32_t stage, error;
};

/* vivarium-init.c */
_Noreturn void die(int code);
void handle_frame(struct reader *frame);

/* channel.c: a frame that is shorter than its fields violates the protocol, and the readers do not return. */
uint64_t take(struct reader *frame, size_t bytes);
uint32_t take_number(struct reader *frame); /* four bytes */
uint8_t take_between(struct reader *frame, uint8_t least, uint8_t most);
char *take_string(struct reader *frame);    /* NUL-terminated, in place */
void take_end(const struct reader *frame);

bool channel_takes_reply(void); /* must be true before each tell() */
#define tell(type, ...) tell_fields(type, (const struct field[]){__VA_ARGS__, {0, 0}})
void tell_fields(uint8_t type, const struct field *fields);
void tell_use(const struct use *told);
bool report_use(struct use *reported, uint64_t amount, bool full); /* only if it has changed; returns whether it has */
bool channel_takes_output(void); /* must be true before each tell_output() and tell_behind() */
/* Room for up to OUTPUT_MAX bytes behind a frame's fields of this size; and their number, after the fields are sent. */
uint8_t *room_behind(size_t fields);
void tell_behind(size_t count);
/* Reads and sends up to this many bytes; returns as read(2) does. */
ssize_t tell_output(uint32_t process, uint8_t stream, int fd, uint64_t most);

void channel_open(void);
void channel_watch(struct pollfd *fds);
void channel_serve(const struct pollfd *fds);
void channel_flush(void);
void channel_resume(void); /* handles what had to wait for room */

/* processes.c */
void spawn(const struct order *order, bool refused);
void handle_process_frame(uint8_t type, struct reader *frame);
bool processes_live(void);  /* any child, including adopted orphans */
bool processes_known(void); /* those, and ended ones with something left to report */
void processes_watch(struct pollfd *fds);
void processes_serve(const struct pollfd *fds);
bool processes_reap(void); /* true when a spawned process has ended */
void processes_tell(void);
void processes_find_ends(uint64_t now, bool stuck);

/* child.c */
_Noreturn void become(const struct order *order, const int stdio[3], int failures);

/* files.c */
void handle_write_file(struct reader *frame);
void handle_make_folder(struct reader *frame);
void handle_make_link(struct reader *frame);
void handle_list_folder(struct reader *frame);
void handle_read_file(struct reader *frame);
int act_as(uint32_t uid, uint32_t gid); /* returns 0, in force until act_as_guest(), or an errno */
void act_as_guest(void);
void disk_begin(void); /* before any file comes */
bool disk_look(bool tell_again); /* true when something has changed; whether to tell of the disk although it has not */

/* answers.c */
void answers_begin(void);
int answers_fd(void);
void answers_serve(void); /* when that can be read */

#endif
