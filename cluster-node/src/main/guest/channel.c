/* SPDX-License-Identifier: Apache-2.0 */
/* The byte channel to the node: standard input and output, non-blocking, in frames. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define LENGTH_BYTES 4
#define HEADER_MAX (LENGTH_BYTES + 1 + 24) /* length, type, and the fields of what carries data */
#define USE_MAX (LENGTH_BYTES + 1 + 4 + LIMIT_NAME_MAX + 8 + 1) /* Use; no other guest frame but Output is longer */
#define LOOK_USES 4 /* per look: disk, files, and the highest and current number of processes */
#define REPLY_MAX (LOOK_USES * USE_MAX)

/* An incomplete frame leaves room for at least one more byte, so reading can always continue. */
static uint8_t in[LENGTH_BYTES + NODE_FRAME_MAX];
static size_t in_length;

/* One frame of output, and replies. */
static uint8_t out[HEADER_MAX + OUTPUT_MAX + 128 * REPLY_MAX];
static size_t out_length;

static uint8_t *take_bytes(struct reader *frame, size_t count)
{
	uint8_t *at = frame->at;

	if ((size_t)(frame->end - at) < count)
		die(EXIT_PROTOCOL);
	frame->at += count;
	return at;
}

uint64_t take(struct reader *frame, size_t bytes)
{
	const uint8_t *at = take_bytes(frame, bytes);
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

uint32_t take_number(struct reader *frame)
{
	return (uint32_t)take(frame, 4);
}

uint8_t take_between(struct reader *frame, uint8_t least, uint8_t most)
{
	uint64_t value = take(frame, 1);

	if (value < least || value > most)
		die(EXIT_PROTOCOL);
	return (uint8_t)value;
}

/*
 * Moves the text over the last byte of its length, which has been read: so the NUL does not overwrite the next field.
 */
char *take_string(struct reader *frame)
{
	size_t length = take_number(frame);
	uint8_t *text = take_bytes(frame, length) - 1;

	if (memchr(text + 1, 0, length))
		die(EXIT_PROTOCOL);
	memmove(text, text + 1, length);
	text[length] = 0;
	return (char *)text;
}

void take_end(const struct reader *frame)
{
	if (frame->at != frame->end)
		die(EXIT_PROTOCOL);
}

bool channel_takes_reply(void)
{
	return sizeof(out) - out_length >= REPLY_MAX;
}

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
	return at + bytes;
}

static uint8_t *begin_frame(uint8_t type)
{
	/* Callers have checked for room. Should one not have, the sandbox ends and nothing is overwritten. */
	if (sizeof(out) - out_length < USE_MAX)
		die(EXIT_CHANNEL);
	return put(out + out_length + LENGTH_BYTES, type, 1);
}

static void end_frame(const uint8_t *end)
{
	uint8_t *start = out + out_length;

	put(start, (size_t)(end - start) - LENGTH_BYTES, LENGTH_BYTES);
	out_length = (size_t)(end - out);
}

void tell_fields(uint8_t type, const struct field *fields)
{
	uint8_t *at = begin_frame(type);

	for (; fields->bytes; fields++)
		at = put(at, fields->value, fields->bytes);
	end_frame(at);
}

void tell_use(const struct use *told)
{
	size_t length = strnlen(told->limit, LIMIT_NAME_MAX);
	uint8_t *at = put(begin_frame(USE), length, 4);

	memcpy(at, told->limit, length);
	at = put(at + length, told->amount, 8);
	end_frame(put(at, told->full, 1));
}

bool report_use(struct use *reported, uint64_t amount, bool full)
{
	if (reported->amount == amount && reported->full == full)
		return false;
	reported->amount = amount;
	reported->full = full;
	tell_use(reported);
	return true;
}

bool channel_takes_output(void)
{
	return out_length == 0;
}

uint8_t *room_behind(size_t fields)
{
	return out + LENGTH_BYTES + 1 + fields;
}

void tell_behind(size_t count)
{
	out_length += count;
	put(out, out_length - LENGTH_BYTES, LENGTH_BYTES);
	channel_flush();
}

ssize_t tell_output(uint32_t process, uint8_t stream, int fd, uint64_t most)
{
	ssize_t count = read(fd, room_behind(5), most < OUTPUT_MAX ? (size_t)most : OUTPUT_MAX);

	if (count > 0) {
		tell(OUTPUT, {4, process}, {1, stream});
		tell_behind((size_t)count);
	}
	return count;
}

void channel_open(void)
{
	if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) < 0 || fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK) < 0)
		die(EXIT_CHANNEL);
	tell(HELLO, {4, PROTOCOL_VERSION});
}

void channel_flush(void)
{
	size_t from = 0;

	while (from < out_length) {
		ssize_t count = write(STDOUT_FILENO, out + from, out_length - from);

		if (count < 0 && errno != EAGAIN && errno != EINTR)
			die(EXIT_CHANNEL);
		if (count <= 0)
			break;
		from += (size_t)count;
	}
	out_length -= from;
	memmove(out, out + from, out_length);
}

/* Complete frames are handled while there is room for their replies; others wait. */
static void handle_frames(void)
{
	size_t from = 0;

	while (in_length - from >= LENGTH_BYTES && channel_takes_reply()) {
		struct reader rest = {in + from, in + in_length};
		uint32_t length = take_number(&rest);

		/* Checked as soon as it is known: the rest of the frame may never come. */
		if (length < 1 || length > NODE_FRAME_MAX)
			die(EXIT_PROTOCOL);
		if ((size_t)(rest.end - rest.at) < length)
			break;
		/* Their answers are as long as output. */
		if ((*rest.at == LIST_FOLDER || *rest.at == READ_FILE) && !channel_takes_output())
			break;
		rest.end = rest.at + length;
		handle_frame(&rest);
		from += LENGTH_BYTES + length;
	}
	in_length -= from;
	memmove(in, in + from, in_length);
	explicit_bzero(in + in_length, from); /* may have had secrets; the move has overwritten the rest */
}

void channel_resume(void)
{
	if (in_length > 0)
		handle_frames();
}

void channel_watch(struct pollfd *fds)
{
	bool reads = channel_takes_reply() && in_length < sizeof(in);

	/*
	 * Poll reports hang-ups and errors even if not asked for, so the dead-man's switch works while writes wait,
	 * too.
	 */
	fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = reads ? POLLIN : 0};
	fds[1] = (struct pollfd){.fd = STDOUT_FILENO, .events = out_length > 0 ? POLLOUT : 0};
}

void channel_serve(const struct pollfd *fds)
{
	if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		die(EXIT_CHANNEL);
	channel_flush();
	if (fds[0].revents) {
		ssize_t count = fds[0].events ? read(STDIN_FILENO, in + in_length, sizeof(in) - in_length) : 0;

		if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
			die(EXIT_CHANNEL);
		if (count > 0)
			in_length += (size_t)count;
	}
	handle_frames();
}
