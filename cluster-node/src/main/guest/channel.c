/* SPDX-License-Identifier: Apache-2.0 */
/* The byte channel to the node: standard input and output, non-blocking, in frames. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define LENGTH_BYTES 4
#define OUTPUT_HEADER (LENGTH_BYTES + 1 + 4 + 1) /* length, type, process, stream */
#define REPLY_MAX 32				 /* every guest frame but Output is shorter */

/* A frame that is not complete leaves room for a byte more, so reading can always go on. */
static uint8_t in[LENGTH_BYTES + NODE_FRAME_MAX];
static size_t in_length;

/* One frame of output, and replies beside it. */
static uint8_t out[OUTPUT_HEADER + OUTPUT_MAX + 128 * REPLY_MAX];
static size_t out_from, out_to, frame_start;

static uint8_t *take(struct reader *frame, size_t count)
{
	uint8_t *at = frame->at;

	if ((size_t)(frame->end - at) < count)
		die(EXIT_PROTOCOL);
	frame->at += count;
	return at;
}

static uint64_t take_number(struct reader *frame, size_t bytes)
{
	const uint8_t *at = take(frame, bytes);
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

uint8_t take_u8(struct reader *frame)
{
	return (uint8_t)take_number(frame, 1);
}

uint16_t take_u16(struct reader *frame)
{
	return (uint16_t)take_number(frame, 2);
}

uint32_t take_u32(struct reader *frame)
{
	return (uint32_t)take_number(frame, 4);
}

uint64_t take_u64(struct reader *frame)
{
	return take_number(frame, 8);
}

uint8_t take_choice(struct reader *frame, uint8_t choices)
{
	uint8_t value = take_u8(frame);

	if (value >= choices)
		die(EXIT_PROTOCOL);
	return value;
}

/* Moves the text over the last byte of its length, which is read by then: so its NUL costs the next field nothing. */
char *take_string(struct reader *frame)
{
	uint32_t length = take_u32(frame);
	uint8_t *text = take(frame, length);

	if (memchr(text, 0, length))
		die(EXIT_PROTOCOL);
	memmove(text - 1, text, length);
	text[(size_t)length - 1] = 0;
	return (char *)text - 1;
}

void take_end(const struct reader *frame)
{
	if (frame->at != frame->end)
		die(EXIT_PROTOCOL);
}

bool channel_takes_reply(void)
{
	return sizeof(out) - out_to >= REPLY_MAX;
}

void begin(uint8_t type)
{
	frame_start = out_to;
	out_to += LENGTH_BYTES;
	put_u8(type);
}

static void put_number(uint8_t *at, uint64_t value, size_t bytes)
{
	while (bytes--) {
		at[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

void put_u8(uint8_t value)
{
	out[out_to++] = value;
}

void put_u32(uint32_t value)
{
	put_number(out + out_to, value, 4);
	out_to += 4;
}

void put_u64(uint64_t value)
{
	put_number(out + out_to, value, 8);
	out_to += 8;
}

void end(void)
{
	put_number(out + frame_start, out_to - frame_start - LENGTH_BYTES, LENGTH_BYTES);
}

bool channel_takes_output(void)
{
	return out_to == 0;
}

uint8_t *output_space(void)
{
	return out + OUTPUT_HEADER;
}

void send_output(uint32_t process, uint8_t stream, size_t length)
{
	begin(OUTPUT);
	put_u32(process);
	put_u8(stream);
	out_to += length;
	end();
	channel_flush();
}

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		die(EXIT_CHANNEL);
}

void channel_open(void)
{
	set_nonblocking(STDIN_FILENO);
	set_nonblocking(STDOUT_FILENO);
	begin(HELLO);
	put_u32(PROTOCOL_VERSION);
	end();
	channel_flush();
}

void channel_flush(void)
{
	while (out_from < out_to) {
		ssize_t count = write(STDOUT_FILENO, out + out_from, out_to - out_from);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno != EAGAIN)
			die(EXIT_CHANNEL);
		if (count <= 0)
			break;
		out_from += (size_t)count;
	}
	memmove(out, out + out_from, out_to - out_from);
	out_to -= out_from;
	out_from = 0;
}

/* Frames that are complete are handled as long as their replies have room; the others wait. */
static void handle_frames(void)
{
	size_t from = 0;

	while (in_length - from >= LENGTH_BYTES && channel_takes_reply()) {
		struct reader rest = {in + from, in + in_length};
		uint32_t length = take_u32(&rest);

		/* As soon as it can be seen: what follows may never come. */
		if (length < 1 || length > NODE_FRAME_MAX)
			die(EXIT_PROTOCOL);
		if ((size_t)(rest.end - rest.at) < length)
			break;
		rest.end = rest.at + length;
		handle_frame(&rest);
		from += LENGTH_BYTES + length;
	}
	memmove(in, in + from, in_length - from);
	in_length -= from;
}

void channel_watch(struct pollfd fds[2])
{
	bool reads = channel_takes_reply() && in_length < sizeof(in);

	/* An end or an error is told by poll whether it is asked for or not: the switch also works while writes wait. */
	fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = reads ? POLLIN : 0};
	fds[1] = (struct pollfd){.fd = STDOUT_FILENO, .events = out_to > 0 ? POLLOUT : 0};
}

void channel_serve(const struct pollfd fds[2])
{
	if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		die(EXIT_CHANNEL);
	channel_flush();
	if (!(fds[0].events & POLLIN)) {
		if (fds[0].revents)
			die(EXIT_CHANNEL);
		handle_frames();
		return;
	}
	if (fds[0].revents) {
		ssize_t count = read(STDIN_FILENO, in + in_length, sizeof(in) - in_length);

		if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
			die(EXIT_CHANNEL);
		if (count > 0)
			in_length += (size_t)count;
	}
	handle_frames();
}
