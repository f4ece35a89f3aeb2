/* SPDX-License-Identifier: Apache-2.0 */
/* File requests, made with the rights of the agent, and the watch over what the sandbox stores. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "guest.h"

#define PROC_SUPER_MAGIC 0x9fa0

/* Drops the rights of root for a while. The saved uid stays, so that the agent may not signal the guest meanwhile. */
bool act_as(uint32_t uid, uint32_t gid)
{
	if (uid == NO_ID || gid == NO_ID) {
		errno = EINVAL;
		return false;
	}
	if (setegid(gid) == 0 && seteuid(uid) == 0)
		return true;

	int error = errno;

	act_as_guest();
	errno = error;
	return false;
}

void act_as_guest(void)
{
	if (seteuid(0) < 0 || setegid(0) < 0)
		die(EXIT_UNFIT);
}

static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		struct stat there;
		int error;

		*slash = 0;
		error = mkdir(path, 0755) < 0 ? errno : 0;
		/* It may have been there; read-only places say first that they are read-only. */
		if (error && stat(path, &there) == 0)
			error = 0;
		*slash = '/';
		if (error)
			return error;
	}
	return 0;
}

static int open_part(char *path, uint64_t offset)
{
	int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (offset == 0 ? O_CREAT : 0);
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == ENOENT && offset == 0) {
		errno = make_parents(path);
		if (errno == 0)
			fd = open(path, flags, 0600);
	}
	return fd;
}

static int write_part(int fd, uint32_t mode, uint64_t offset, struct reader data)
{
	struct stat file;
	struct statfs place;

	if (fstat(fd, &file) < 0 || fstatfs(fd, &place) < 0)
		return errno;
	/* A pipe or a device could block; what lies in /proc under the guest's own name is not the agent's to write. */
	if (!S_ISREG(file.st_mode) || place.f_type == PROC_SUPER_MAGIC)
		return EACCES;
	if (offset > INT64_MAX - NODE_FRAME_MAX)
		return EFBIG;
	if (offset == 0 && (ftruncate(fd, 0) < 0 || fchmod(fd, mode & 07777) < 0))
		return errno;
	while (data.at < data.end) {
		ssize_t count = pwrite(fd, data.at, data.end - data.at, offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? errno : EIO;
		data.at += count;
		offset += count;
	}
	return 0;
}

int write_file(uint32_t mode, uint32_t uid, uint32_t gid, uint64_t offset, char *path, struct reader data)
{
	int error, fd;

	if (path[0] != '/')
		return EINVAL;
	if (!act_as(uid, gid))
		return errno;
	fd = open_part(path, offset);
	error = fd < 0 ? errno : write_part(fd, mode, offset, data);
	/* Some file systems tell only now that the bytes have no place. */
	if (fd >= 0 && close(fd) < 0 && error == 0)
		error = errno;
	act_as_guest();
	return error;
}

/* What was last told; no sandbox has this limit, so that the first look always differs. */
static struct usage {
	uint64_t used, limit;
	bool full;
} told = {.limit = NEVER};

static void add_place(const char *path, dev_t except[2], struct usage *sum)
{
	struct stat place;
	struct statfs space;
	uint64_t block, limit;

	/* What lies on the root, or was counted already, is no place of its own. */
	if (stat(path, &place) < 0 || place.st_dev == except[0] || place.st_dev == except[1])
		return;
	except[1] = place.st_dev;
	/* A file system that does not know its size has no limit to tell. */
	if (statfs(path, &space) < 0 || space.f_blocks == 0)
		return;
	block = space.f_frsize > 0 ? space.f_frsize : space.f_bsize;
	limit = space.f_blocks * block;
	sum->used += (space.f_blocks - space.f_bfree) * block;
	sum->limit = limit > sum->limit ? limit : sum->limit;
	/* Some file systems make inodes as they go and count none. */
	sum->full |= space.f_bavail == 0 || (space.f_files > 0 && space.f_ffree == 0);
}

void disk_look(void)
{
	struct stat root;
	struct usage now = {0};
	dev_t except[2];

	if (stat("/", &root) < 0)
		return;
	except[0] = except[1] = root.st_dev;
	add_place("/workspace", except, &now);
	add_place("/tmp", except, &now);
	if (now.limit == 0)
		return;
	now.full |= now.used >= now.limit;
	if (now.used == told.used && now.limit == told.limit && now.full == told.full)
		return;
	told = now;
	tell(DISK, {8, now.used}, {8, now.limit}, {1, now.full});
}
