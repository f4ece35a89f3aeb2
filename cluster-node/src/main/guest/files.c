/* SPDX-License-Identifier: Apache-2.0 */
/* File requests, carried out with the agent's permissions, and the measurement of stored files. */
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
	/* On some hosts a change of uid makes a process dumpable; this one never is. */
	if (seteuid(0) < 0 || setegid(0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die(EXIT_UNFIT);
}

/* Drops root's permissions temporarily. The saved uid stays, so that the agent cannot signal the guest meanwhile. */
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

/* Enters a directory, creating it if missing. Closes the parent; returns -1 with errno on failure. */
static int enter(int parent, const char *name, bool makes)
{
	int child = openat(parent, name, STEP);

	if (child < 0 && errno == ENOENT && makes && (mkdirat(parent, name, 0755) == 0 || errno == EEXIST))
		child = openat(parent, name, STEP);
	close(parent);
	return child;
}

/*
 * Opens the directory of a path's last name, and points name at that. Each step starts from the last directory and
 * follows no link, so that moving directories meanwhile, or replacing them by links, does not redirect it.
 */
static int open_parent(char **name, bool makes)
{
	int parent = open("/", STEP);
	char *slash;

	while (parent >= 0 && (slash = strchr(*name, '/'))) {
		*slash = 0;
		parent = enter(parent, *name, makes);
		*name = slash + 1;
	}
	return parent;
}

/* Requires an absolute path without ".."; moves it to its first name. */
static bool is_walkable(char **path)
{
	size_t length = strlen(*path);

	if ((*path)[0] != '/' || strstr(*path, "/../") || (length >= 3 && !strcmp(*path + length - 3, "/..")))
		return false;
	(*path)++;
	return true;
}

static int open_part(char *name, bool creates)
{
	const int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int parent = open_parent(&name, creates), fd;

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
	/* A pipe or a device could block, and the guest's own files in /proc are not for the agent to write. */
	if (!S_ISREG(file.st_mode) || place.f_type == PROC_SUPER_MAGIC)
		return EACCES;
	if ((offset == 0 && ftruncate(fd, 0) < 0) || fchmod(fd, mode & 07777) < 0)
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

	if (is_walkable(&path) && !(error = act_as(uid, gid))) {
		fd = open_part(path, offset == 0);
		error = fd < 0 ? errno : write_part(fd, mode, offset, frame);
		/* Some file systems report a lack of space only now. */
		if (fd >= 0 && close(fd) < 0 && error == 0)
			error = errno;
		act_as_guest();
	}
	tell(DONE, {4, request}, {4, (uint64_t)error});
}

/* An existing one keeps its content. */
static int make_folder(char *path, uint32_t mode)
{
	int parent = open_parent(&path, true), fd = -1, error;

	if (parent < 0)
		return errno;
	if (mkdirat(parent, path, 0700) == 0 || errno == EEXIST)
		fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	error = fd < 0 || fchmod(fd, mode & 07777) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	close(parent);
	return error;
}

void handle_make_folder(struct reader *frame)
{
	uint32_t request = take_number(frame), mode = take_number(frame);
	uint32_t uid = take_number(frame), gid = take_number(frame);
	char *path = take_string(frame);
	int error = EINVAL;

	take_end(frame);
	if (is_walkable(&path) && !(error = act_as(uid, gid))) {
		error = make_folder(path, mode);
		act_as_guest();
	}
	tell(DONE, {4, request}, {4, (uint64_t)error});
}

static int link_into(int parent, const char *name, bool hard, char *target)
{
	int folder, result, error;

	if (!hard)
		return symlinkat(target, parent, name) < 0 ? errno : 0;
	folder = open_parent(&target, false);
	if (folder < 0)
		return errno;
	result = linkat(folder, target, parent, name, 0); /* of a symbolic link, the link itself */
	error = result < 0 ? errno : 0;
	close(folder);
	return error;
}

/* Replaces what has that name, unless it is a directory. */
static int make_link(char *path, bool hard, char *target)
{
	int parent = open_parent(&path, true), error;

	if (parent < 0)
		return errno;
	if (unlinkat(parent, path, 0) < 0 && errno != ENOENT)
		error = errno;
	else
		error = link_into(parent, path, hard, target);
	close(parent);
	return error;
}

void handle_make_link(struct reader *frame)
{
	uint32_t request = take_number(frame), uid = take_number(frame), gid = take_number(frame);
	bool hard = take_between(frame, 0, 1);
	char *path = take_string(frame), *target = take_string(frame);
	int error = EINVAL;

	take_end(frame);
	if (is_walkable(&path) && (!hard || is_walkable(&target)) && !(error = act_as(uid, gid))) {
		error = make_link(path, hard, target);
		act_as_guest();
	}
	tell(DONE, {4, request}, {4, (uint64_t)error});
}

/* The layout of getdents64(2), which libc does not declare. */
struct entry {
	uint64_t inode, offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

enum kind { KIND_FILE, KIND_FOLDER, KIND_LINK, KIND_OTHER };
enum { ENTRIES_BYTES = 32768, LISTED_FIELDS = 17, READ_FIELDS = 20 };

static enum kind kind_of(int folder, const struct entry *entry)
{
	struct stat file;

	if (entry->type != DT_UNKNOWN)
		return entry->type == DT_REG ? KIND_FILE : entry->type == DT_DIR ? KIND_FOLDER :
		       entry->type == DT_LNK ? KIND_LINK : KIND_OTHER;
	if (fstatat(folder, entry->name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return KIND_OTHER;
	return S_ISREG(file.st_mode) ? KIND_FILE : S_ISDIR(file.st_mode) ? KIND_FOLDER :
	       S_ISLNK(file.st_mode) ? KIND_LINK : KIND_OTHER;
}

/* What a frame says of an entry is shorter than what the kernel does, so that one read's entries fit into one frame. */
static uint8_t *put_entry(uint8_t *at, int folder, const struct entry *entry)
{
	size_t length = strlen(entry->name);

	if (length > 255)
		return at; /* on no file system that a node mounts */
	*at++ = (uint8_t)kind_of(folder, entry);
	*at++ = (uint8_t)length;
	memcpy(at, entry->name, length);
	return at + length;
}

/* Reads on from the place that the last answer named. Gives the bytes of the answer, 0 at the folder's end, or -1. */
static ssize_t list_entries(char *path, uint64_t *place, uint8_t *to)
{
	static _Alignas(8) char entries[ENTRIES_BYTES];
	int parent = open_parent(&path, false), folder;
	uint8_t *at = to;
	ssize_t count;

	if (parent < 0)
		return -1;
	folder = openat(parent, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(parent);
	if (folder < 0)
		return -1;
	count = lseek(folder, (off_t)*place, SEEK_SET) < 0 ? -1 :
		syscall(SYS_getdents64, folder, entries, sizeof(entries));
	for (ssize_t from = 0; from < count;) {
		const struct entry *entry = (const struct entry *)(entries + from);

		if (strcmp(entry->name, ".") && strcmp(entry->name, ".."))
			at = put_entry(at, folder, entry);
		*place = entry->offset;
		from += entry->size;
	}
	close(folder); /* errno is the one before when this works, and when it does not there is no descriptor to lose */
	if (count == 0)
		*place = NEVER;
	return count < 0 ? -1 : at - to;
}

void handle_list_folder(struct reader *frame)
{
	uint32_t request = take_number(frame), uid = take_number(frame), gid = take_number(frame);
	uint64_t place = take(frame, 8);
	char *path = take_string(frame);
	bool more = false;
	ssize_t count = 0;
	int error = EINVAL;

	take_end(frame);
	if (is_walkable(&path) && place <= INT64_MAX && !(error = act_as(uid, gid))) {
		count = list_entries(path, &place, room_behind(LISTED_FIELDS));
		error = count < 0 ? errno : 0;
		more = place != NEVER && error == 0;
		act_as_guest();
	}
	tell(FOLDER_LISTED, {4, request}, {4, (uint64_t)error}, {1, more}, {8, more ? place & INT64_MAX : 0});
	tell_behind(count > 0 ? (size_t)count : 0);
}

static ssize_t read_part(char *path, uint64_t offset, uint32_t most, struct stat *file, uint8_t *to)
{
	int parent = open_parent(&path, false), fd, error;
	struct statfs place;
	ssize_t count = -1;

	if (parent < 0)
		return -1;
	fd = openat(parent, *path ? path : ".", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(parent);
	if (fd < 0)
		return -1;
	if (fstat(fd, file) == 0 && fstatfs(fd, &place) == 0) {
		errno = S_ISDIR(file->st_mode) ? EISDIR : ENXIO;
		if (S_ISREG(file->st_mode) && place.f_type != PROC_SUPER_MAGIC)
			count = pread(fd, to, most, (off_t)offset);
	}
	error = errno;
	close(fd);
	errno = error;
	return count;
}

void handle_read_file(struct reader *frame)
{
	uint32_t request = take_number(frame), uid = take_number(frame), gid = take_number(frame);
	uint64_t offset = take(frame, 8);
	uint32_t most = take_number(frame);
	char *path = take_string(frame);
	struct stat file = {0};
	ssize_t count = 0;
	int error = EINVAL;

	take_end(frame);
	if (most > OUTPUT_MAX)
		die(EXIT_PROTOCOL);
	if (is_walkable(&path) && offset <= INT64_MAX && !(error = act_as(uid, gid))) {
		count = read_part(path, offset, most, &file, room_behind(READ_FIELDS));
		error = count < 0 ? errno : 0;
		act_as_guest();
	}
	tell(FILE_READ, {4, request}, {4, (uint64_t)error}, {4, error ? 0 : file.st_mode & 07777},
	     {8, error ? 0 : (uint64_t)file.st_size});
	tell_behind(count > 0 ? (size_t)count : 0);
}

/* No measurement is that large, so the first one counts as news. */
static struct use disk = {.limit = "disk", .amount = NEVER}, files = {.limit = "files", .amount = NEVER};

/* /dev/shm, whose files count as memory rather than as disk. */
static struct use shared_memory = {.limit = "sharedMemory"};

/* The sum over both places, the size of the larger one, and whether one of them has no room for a byte or a file. */
struct usage {
	uint64_t used, size, files;
	bool full, files_full;
};

/*
 * Where a file system does not count files (gVisor's tmpfs), directories are walked as their owner, a few per look. A
 * directory's size tells its number of entries, and its link count whether it has subdirectories, so only those with
 * subdirectories are read. Nothing below WALK_DEPTH is counted; there the memory limit applies.
 */
enum { WALK_DEPTH = 16, WALK_FOLDERS = 256, WALK_FOLDERS_LAST = 16384, ENTRY_SIZE = 20 };

static struct walk {
	struct level {
		int fd;
		ssize_t at, end;
		char entries[1024];
	} levels[WALK_DEPTH];
	int depth;	    /* 0: no walk in progress */
	uint64_t found;	    /* by the walk in progress */
	uint64_t last;	    /* by the last complete one */
} walks[2];

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
		return; /* unreadable for its owner: its entries are counted, but not theirs */
	level->at = level->end = 0;
	walk->depth++;
}

/* Continues the walk for this number of directories. */
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

/* What was there before any file came: of a file system on a disk, its own folders and the places. */
static struct usage own;

static void add_place(const char *path, dev_t except[2], struct usage *sum, struct walk *walk)
{
	struct stat place;
	static uid_t owner;
	static gid_t group;
	struct statfs space;
	uint64_t block, size;

	/* Not a separate file system, or counted already. */
	if (stat(path, &place) < 0 || place.st_dev == except[0] || place.st_dev == except[1])
		return;
	except[1] = place.st_dev;
	/* A file system that reports no size cannot be full. */
	if (statfs(path, &space) < 0 || space.f_blocks == 0)
		return;
	block = (uint64_t)(space.f_frsize > 0 ? space.f_frsize : space.f_bsize);
	size = space.f_blocks * block;
	sum->used += (space.f_blocks - space.f_bfree) * block;
	sum->size = size > sum->size ? size : sum->size;
	sum->full |= space.f_bavail == 0;
	if (space.f_files > 0) {
		sum->files_full |= space.f_ffree == 0;
		sum->files += space.f_files - space.f_ffree;
	} else if (space.f_type == TMPFS_MAGIC) {
		if (place.st_uid != 0) { /* of /workspace, which comes first; files in /tmp have the same owner */
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

/* Without a size, or on another place's file system, there is no separate shared memory. */
static bool shared_memory_look(const dev_t except[2])
{
	struct stat place;
	struct statfs space;
	uint64_t block;

	if (stat("/dev/shm", &place) < 0 || place.st_dev == except[0] || place.st_dev == except[1] ||
	    statfs("/dev/shm", &space) < 0 || space.f_blocks == 0)
		return false;
	block = (uint64_t)(space.f_frsize > 0 ? space.f_frsize : space.f_bsize);
	return report_use(&shared_memory, (space.f_blocks - space.f_bfree) * block, space.f_bavail == 0);
}

/* Where the disk of a sandbox is its root, the places are parts of it. Otherwise nobody can write to the root. */
static bool is_root_writable(void)
{
	struct statfs root;

	return statfs("/", &root) == 0 && !(root.f_flags & ST_RDONLY) && root.f_files > 0;
}

static struct usage in_both_places(dev_t root)
{
	struct usage now = {0};
	dev_t except[2] = {root, root};

	add_place("/workspace", except, &now, &walks[0]);
	add_place("/tmp", except, &now, &walks[1]);
	if (now.size == 0 && is_root_writable()) {
		except[0] = except[1] = 0; /* no file system has this number */
		add_place("/", except, &now, &walks[0]);
	}
	return now;
}

static uint64_t beyond(uint64_t amount, uint64_t before)
{
	return amount > before ? amount - before : 0;
}

void disk_begin(void)
{
	struct stat root;

	unlink("/tmp/.vivarium"); /* was there so that gVisor takes /tmp as it is */
	if (stat("/", &root) == 0)
		own = in_both_places(root.st_dev);
}

bool disk_look(bool tell_again)
{
	struct stat root;
	struct usage now;
	bool news;

	if (stat("/", &root) < 0)
		return false;
	news = shared_memory_look((dev_t[]){root.st_dev, root.st_dev});
	now = in_both_places(root.st_dev);
	if (now.size == 0)
		return news;
	if (report_use(&disk, beyond(now.used, own.used), now.full || now.used >= now.size))
		news = true;
	else if (tell_again)
		tell_use(&disk);
	return report_use(&files, beyond(now.files, own.files), now.files_full) || news;
}
