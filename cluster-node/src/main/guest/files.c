/* SPDX-License-Identifier: Apache-2.0 */
/* File requests, made with the rights of the agent, and the watch over what the sandbox stores. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define TMPFS_MAGIC 0x01021994
#define STEP (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void act_as_guest(void)
{
	/* A change of uid may make a process dumpable, as the host is set up; this one never is. */
	if (seteuid(0) < 0 || setegid(0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die(EXIT_UNFIT);
}

/* Drops the rights of root for a while. The saved uid stays, so that the agent may not signal the guest meanwhile. */
int act_as(uint32_t uid, uint32_t gid)
{
	int error;

	if (uid == NO_ID || gid == NO_ID)
		return EINVAL;
	if (setegid(gid) == 0 && seteuid(uid) == 0)
		return 0;
	error = errno;
	act_as_guest();
	return error;
}

/* Goes on to a directory, or makes it. The parent is closed; -1 with errno when there is no way. */
static int enter(int parent, const char *name, bool makes)
{
	int child = openat(parent, name, STEP);

	if (child < 0 && errno == ENOENT && makes && (mkdirat(parent, name, 0755) == 0 || errno == EEXIST))
		child = openat(parent, name, STEP);
	close(parent);
	return child;
}

/*
 * Each step starts where the last one ended and follows no link: whoever moves directories meanwhile, or puts links in
 * their places, leads nowhere.
 */
static int open_part(char *name, bool creates)
{
	const int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int parent = open("/", STEP), fd;
	char *slash;

	while (parent >= 0 && (slash = strchr(name, '/'))) {
		*slash = 0;
		parent = enter(parent, name, creates);
		name = slash + 1;
	}
	if (parent < 0)
		return -1;
	fd = openat(parent, *name ? name : ".", creates ? flags | O_CREAT : flags, 0600);
	close(parent);
	return fd;
}

static int write_part(int fd, uint32_t mode, uint64_t offset, struct reader *data)
{
	struct stat file;
	struct statfs place;

	if (fstat(fd, &file) < 0 || fstatfs(fd, &place) < 0)
		return errno;
	/* A pipe or a device could block; what lies in /proc under the guest's own name is not the agent's to write. */
	if (!S_ISREG(file.st_mode) || place.f_type == PROC_SUPER_MAGIC)
		return EACCES;
	if (offset == 0 && (ftruncate(fd, 0) < 0 || fchmod(fd, mode & 07777) < 0))
		return errno;
	while (data->at < data->end) {
		ssize_t count = pwrite(fd, data->at, (size_t)(data->end - data->at), (off_t)offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? errno : EIO;
		data->at += count;
		offset += (uint64_t)count;
	}
	return 0;
}

void handle_write_file(struct reader *frame)
{
	uint32_t request = take_number(frame), mode = take_number(frame);
	uint32_t uid = take_number(frame), gid = take_number(frame);
	uint64_t offset = take(frame, 8);
	char *path = take_string(frame);
	int error = EINVAL, fd;

	if (path[0] == '/' && !strstr(path, "/../") && !(error = act_as(uid, gid))) {
		fd = open_part(path + 1, offset == 0);
		error = fd < 0 ? errno : write_part(fd, mode, offset, frame);
		/* Some file systems tell only now that the bytes have no place. */
		if (fd >= 0 && close(fd) < 0 && error == 0)
			error = errno;
		act_as_guest();
	}
	tell(DONE, {4, request}, {4, (uint64_t)error});
}

/* What was last told; no sandbox has this limit, so that the first look always differs. */
static struct usage {
	uint64_t used, limit, files, full;
} told = {.limit = NEVER};

/*
 * Where a file system counts no files (gVisor's tmpfs), folders are walked, as their owner, a few at each look: a folder
 * tells by its size how many entries it has and by its links whether there are folders among them, so that only those with
 * folders are read. Further down than WALK_DEPTH nothing is found; there the sandbox's memory is the limit.
 */
enum { WALK_DEPTH = 16, WALK_FOLDERS = 256, WALK_FOLDERS_LAST = 16384, ENTRY_SIZE = 20 };

static struct walk {
	struct level {
		int fd;
		ssize_t at, end;
		char entries[1024];
	} levels[WALK_DEPTH];
	int depth;	    /* 0: no walk is under way */
	uint64_t found;	    /* by the walk that is under way */
	uint64_t last;	    /* by the last one that came to its end */
} walks[2];

/* What getdents64(2) gives; libc has no name for it. */
struct entry {
	uint64_t inode, offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static void enter_folder(struct walk *walk, int parent, const char *name)
{
	struct stat folder;
	struct level *level = &walk->levels[walk->depth];

	if (fstatat(parent, name, &folder, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(folder.st_mode))
		return;
	if (folder.st_size > 2 * ENTRY_SIZE)
		walk->found += (uint64_t)folder.st_size / ENTRY_SIZE - 2;
	if (folder.st_nlink <= 2 || walk->depth == WALK_DEPTH)
		return;
	level->fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (level->fd < 0)
		return; /* its owner has closed it to itself: its entries are counted, theirs are not */
	level->at = level->end = 0;
	walk->depth++;
}

/* Walks on for so many folders. */
static void count_files(struct walk *walk, const char *path, int folders)
{
	if (walk->depth == 0) {
		walk->found = 0;
		enter_folder(walk, AT_FDCWD, path);
	}
	while (walk->depth > 0 && folders > 0) {
		struct level *level = &walk->levels[walk->depth - 1];
		const struct entry *entry = (const struct entry *)(level->entries + level->at);

		if (level->at >= level->end) {
			folders--;
			level->at = 0;
			level->end = syscall(SYS_getdents64, level->fd, level->entries, sizeof(level->entries));
			if (level->end <= 0) {
				close(level->fd);
				walk->depth--;
			}
			continue;
		}
		level->at += entry->size;
		if (entry->type == DT_DIR && strcmp(entry->name, ".") && strcmp(entry->name, "..")) {
			enter_folder(walk, level->fd, entry->name);
			folders--;
		}
	}
	if (walk->depth == 0)
		walk->last = walk->found;
}

static void add_place(const char *path, dev_t except[2], struct usage *sum, struct walk *walk)
{
	struct stat place;
	static uid_t owner;
	static gid_t group;
	struct statfs space;
	uint64_t block, limit;

	/* What lies on the root, or was counted already, is no place of its own. */
	if (stat(path, &place) < 0 || place.st_dev == except[0] || place.st_dev == except[1])
		return;
	except[1] = place.st_dev;
	/* A file system that does not know its size has no limit to tell. */
	if (statfs(path, &space) < 0 || space.f_blocks == 0)
		return;
	block = (uint64_t)(space.f_frsize > 0 ? space.f_frsize : space.f_bsize);
	limit = space.f_blocks * block;
	sum->used += (space.f_blocks - space.f_bfree) * block;
	sum->limit = limit > sum->limit ? limit : sum->limit;
	sum->full |= space.f_bavail == 0;
	if (space.f_files > 0) {
		sum->full |= space.f_ffree == 0;
		sum->files += space.f_files - space.f_ffree - 1; /* less the place's own folder */
	} else if (space.f_type == TMPFS_MAGIC) {
		if (place.st_uid != 0) { /* /workspace comes first; what is in /tmp is the agent's too */
			owner = place.st_uid;
			group = place.st_gid;
		}
		if (act_as(owner, group) == 0) {
			count_files(walk, path, processes_live() ? WALK_FOLDERS : WALK_FOLDERS_LAST);
			act_as_guest();
		}
		sum->files += walk->found > walk->last ? walk->found : walk->last;
	}
}

bool disk_look(void)
{
	struct stat root;
	struct usage now = {0};
	dev_t except[2];

	if (stat("/", &root) < 0)
		return false;
	except[0] = except[1] = root.st_dev;
	add_place("/workspace", except, &now, &walks[0]);
	add_place("/tmp", except, &now, &walks[1]);
	if (now.limit == 0)
		return false;
	now.full |= now.used >= now.limit;
	if (memcmp(&now, &told, sizeof(now)) == 0)
		return false;
	told = now;
	tell(DISK, {8, now.used}, {8, now.limit}, {8, now.files}, {1, now.full});
	return true;
}
