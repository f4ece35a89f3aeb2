/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vivarium-launch: runs OCI runtimes for one node, which talks to it over standard input and output. PROTOCOL.md says
 * how. It makes no container itself: it does what a JVM cannot (a socket as another program's standard input and
 * output, being the parent of what a runtime leaves behind, mounts of its own), and it kills all that it made when its
 * standard input ends, which is when its node ends.
 *
 * One thread, static memory only, and one poll in which it waits. It trusts its node, but checks each line: names and
 * paths become parts of paths and of mount options.
 */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define SANDBOXES_MAX 4096
#define RUNTIMES_MAX 4
#define ARGUMENTS_MAX 16   /* of a runtime, its path included */
#define HIERARCHIES_MAX 32 /* of control groups: one in version 2, one for each controller in version 1 */
#define LINE_MAX_BYTES 1024
#define PATH_MAX_BYTES 512
#define SAID_MAX 768       /* kept of what a runtime or a guest says on its standard error */
#define TEXT_MAX 65536     /* of a file of /proc */
#define AHEAD_NICE 10
#define WORDS_MAX 6        /* of a request */
#define SIZES 4            /* of a resize */
#define SIZE_BOUND (UINT64_C(1) << 58)
#ifndef FSPICK_CLOEXEC /* musl has no names for these of the kernel's */
#define FSPICK_CLOEXEC 1U
#define FSPICK_EMPTY_PATH 8U
#define FSCONFIG_SET_STRING 1U
#define FSCONFIG_CMD_RECONFIGURE 7U
#endif
#define TMPFS_MAGIC 0x01021994
#define NODE_LENGTH 16
#define ID_LENGTH 26
#define NAME_LENGTH (NODE_LENGTH + 1 + ID_LENGTH)
#define KILL_ROUNDS 10     /* what forks meanwhile is found in the next round */
#define AGAIN_MILLIS 10    /* between two tries to remove a control group whose processes are still ending */
#define LANDING_MILLIS 2000
#define REMOVAL_MILLIS 5000
#define DELETE_MILLIS 10000
#define FAREWELL_MILLIS 15000
#define EXIT_NOT_RUN 127

/* LANDING: the runtime has ended well, and what it started is not yet ours to wait for. */
enum work { IDLE, MAKING, LANDING, DELETING };

struct sandbox {
	char name[NAME_LENGTH + 1]; /* NODE/ID; empty when this place is free */
	unsigned int class;
	enum work work;
	pid_t runtime;      /* what works, or 0 */
	pid_t init;         /* the first process of the sandbox, or 0. It is ours to wait for, so its number stays its own */
	int stderr_fd;      /* of the runtime, then of the guest; or -1 */
	bool ahead;         /* nobody waits for it, so making it gives way to others */
	bool leaving;       /* to be removed */
	bool deleted;       /* by the runtime, as far as it could or had to */
	uint64_t give_up_at;
	size_t said_length;
	char said[SAID_MAX];
};

struct runtime {
	/* It makes no network itself, so it is started in one; and it has processes beside the sandbox's, which it ends. */
	bool own_kernel;
	size_t words;
	char *argv[ARGUMENTS_MAX];
};

static struct sandbox sandboxes[SANDBOXES_MAX];
static struct runtime runtimes[RUNTIMES_MAX];
static size_t runtimes_count;
static char hierarchies[HIERARCHIES_MAX][PATH_MAX_BYTES]; /* where they are mounted */
static size_t hierarchies_count;
static const char *state;  /* the folder of the installation's state: STATE/NODE/ID of each sandbox */
static const char *groups; /* the path of the installation's control groups in each hierarchy */
static bool farewell;      /* standard input has ended */
static bool strays_due;    /* a runtime has failed, and may have left something behind that is not gone yet */

static uint64_t now_millis(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- what is told to the node */

/* One line, written whole. Its failure means that the node is gone, which standard input tells, too. */
__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	size_t length, written = 0;
	int printed;

	va_start(arguments, format);
	printed = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (printed < 0)
		return;
	length = (size_t)printed < sizeof(line) - 1 ? (size_t)printed : sizeof(line) - 2;
	line[length++] = '\n';
	while (!farewell && written < length) {
		ssize_t count = write(STDOUT_FILENO, line + written, length - written);

		if (count < 0 && errno != EINTR)
			farewell = true;
		else if (count > 0)
			written += (size_t)count;
	}
}

static _Noreturn void refuse(const char *what)
{
	tell("broken %s: %s", what, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* ---- paths and files */

/* Returns whether the path was short enough. */
__attribute__((format(printf, 2, 3))) static bool path_of(char *path, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(path, PATH_MAX_BYTES, format, arguments);
	va_end(arguments);
	return length > 0 && length < PATH_MAX_BYTES;
}

/* The beginning of a file as a string; empty when it cannot be read. The next call overwrites it. */
static const char *text_of(const char *path)
{
	static char text[TEXT_MAX];
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	while (fd >= 0 && length < sizeof(text) - 1) {
		ssize_t count = read(fd, text + length, sizeof(text) - 1 - length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		length += (size_t)count;
	}
	if (fd >= 0)
		close(fd);
	text[length] = 0;
	return text;
}

/* A process number in decimal at the start of the text, or 0; *after is behind it and the blanks that follow. */
static pid_t pid_at(const char *text, const char **after)
{
	int64_t number = 0;

	while (*text >= '0' && *text <= '9' && number <= INT32_MAX)
		number = number * 10 + (*text++ - '0');
	while (*text == ' ' || *text == '\n')
		text++;
	if (after)
		*after = text;
	return number > 0 && number <= INT32_MAX ? (pid_t)number : 0;
}

/* ---- control groups */

/* Whether a process is in the group, or in one below it. */
static bool is_in_group(pid_t pid, const char *group)
{
	char path[PATH_MAX_BYTES];
	const char *found;

	if (!path_of(path, "/proc/%d/cgroup", (int)pid))
		return false;
	found = strstr(text_of(path), group);
	return found && (found[strlen(group)] == '\n' || found[strlen(group)] == '/');
}

/* The look after the descriptor is had makes sure that it is of a process in the group, and not of another's heir. */
static bool kill_if_in_group(pid_t pid, const char *group)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool killed = false;

	if (fd < 0)
		return false;
	if (is_in_group(pid, group))
		killed = syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	close(fd);
	return killed;
}

/* Kills what is in a sandbox's group, the first process among it. */
static void kill_group(const struct sandbox *sandbox)
{
	static char listed[TEXT_MAX];
	char group[PATH_MAX_BYTES], path[PATH_MAX_BYTES];

	if (!path_of(group, "%s/%s", groups, sandbox->name))
		return;
	for (size_t each = 0; each < hierarchies_count; each++) {
		if (!path_of(path, "%s%s/cgroup.procs", hierarchies[each], group))
			continue;
		for (int round = 0; round < KILL_ROUNDS; round++) {
			bool killed = false;
			const char *next = listed;

			strcpy(listed, text_of(path)); /* of the same size */
			while (*next) {
				pid_t pid = pid_at(next, &next);

				if (pid == 0)
					break;
				killed |= kill_if_in_group(pid, group);
			}
			if (!killed)
				break;
		}
	}
}

/* Returns 0 when none is left, or an errno. */
static int remove_groups(const struct sandbox *sandbox)
{
	char path[PATH_MAX_BYTES];
	int left = 0;

	for (size_t each = 0; each < hierarchies_count; each++) {
		if (path_of(path, "%s%s/%s", hierarchies[each], groups, sandbox->name) && rmdir(path) < 0 &&
		    errno != ENOENT)
			left = errno;
	}
	return left;
}

/* Removes a sandbox's claim, unless another sandbox has it by now. */
static void remove_claim(const struct sandbox *sandbox)
{
	char claim[LINE_MAX_BYTES], target[LINE_MAX_BYTES], path[PATH_MAX_BYTES];
	ssize_t length;
	int file;

	if (!path_of(path, "%s/%s/claim", state, sandbox->name))
		return;
	file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0)
		return;
	length = read(file, claim, sizeof(claim) - 1);
	close(file);
	if (length <= 0)
		return;
	claim[length] = 0;
	if (strchr(claim, '/') || !path_of(path, "%s/claims/%s", state, claim))
		return;
	length = readlink(path, target, sizeof(target) - 1);
	if (length <= (ssize_t)strlen("../"))
		return;
	target[length] = 0;
	if (strcmp(target + strlen("../"), sandbox->name) == 0)
		unlink(path);
}

/* Removes a folder in which all is flat but for empty folders. */
static void remove_folder(const char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(path);

	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] != '.' && unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	closedir(folder);
	rmdir(path);
}

/*
 * Removes a sandbox's files, which the node does while it lives: its claim, what the runtime knows of it, and its folder, in
 * which the mount point of the root is empty.
 */
static void remove_files(const struct sandbox *sandbox)
{
	char path[PATH_MAX_BYTES];

	remove_claim(sandbox);
	if (path_of(path, "%s/%.*s/runtime-%u/%s", state, NODE_LENGTH, sandbox->name, sandbox->class,
		    sandbox->name + NODE_LENGTH + 1))
		remove_folder(path);
	if (path_of(path, "%s/%s", state, sandbox->name))
		remove_folder(path);
}

/* ---- files of a sandbox's own */

/*
 * What a sandbox has for itself is bound from a file system in memory that is mounted for the launcher and its children alone.
 * A sandbox's mount table has the paths, the file systems and their options of everything that is mounted in it, and statfs
 * says how full each is: so none of them is the machine's. The folder of a sandbox there, STATE/NODE/own/ID, has copies of the
 * node's files, and names for the folders that its root is made of.
 */
#define OWN_OPTIONS "mode=700,size=1g,nr_inodes=262144"
#define OWN_PREFIX "own-"
#define EMPTY_LAYER "empty" /* above the layer, since statfs of an overlay is that of its uppermost folder */

/* Mounts it, once. Returns whether it is there. */
static bool open_own(const char *name)
{
	static bool is_open;
	char path[PATH_MAX_BYTES];

	if (is_open)
		return true;
	if (!path_of(path, "%s/%.*s/own", state, NODE_LENGTH, name) || (mkdir(path, 0700) < 0 && errno != EEXIST))
		return false;
	is_open = mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, OWN_OPTIONS) == 0;
	return is_open;
}

static bool own_folder(char *path, const char *name)
{
	return path_of(path, "%s/%.*s/own/%s", state, NODE_LENGTH, name, name + NODE_LENGTH + 1);
}

/* Copies a file over one that may be there, and be open elsewhere. */
static bool copy_file(int from, int to, const char *file)
{
	char bytes[16384];
	ssize_t count = -1;
	int in = openat(from, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = openat(to, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0444);

	while (in >= 0 && out >= 0 && (count = read(in, bytes, sizeof(bytes))) > 0) {
		if (write(out, bytes, (size_t)count) != count) {
			count = -1;
			break;
		}
	}
	if (out >= 0 && fchmod(out, 0444) < 0)
		count = -1;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return count == 0;
}

/* Copies the files that the node has written for a sandbox, for the first time or again. */
static bool copy_own(const char *name)
{
	char from[PATH_MAX_BYTES], to[PATH_MAX_BYTES];
	struct dirent *entry;
	DIR *folder;
	int copies;
	bool copied = true;

	if (!open_own(name) || !path_of(from, "%s/%s", state, name) || !own_folder(to, name) ||
	    (mkdir(to, 0700) < 0 && errno != EEXIST))
		return false;
	folder = opendir(from);
	copies = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	while (folder && copies >= 0 && copied && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
			copied = copy_file(dirfd(folder), copies, entry->d_name);
	}
	copied &= folder && copies >= 0;
	if (folder)
		closedir(folder);
	if (copies >= 0)
		close(copies);
	return copied;
}

/* Names the folders of a sandbox's root by words, which is what its mount table then shows of them. */
static bool name_folders(const char *name, const char *layer, const char *image)
{
	char folder[PATH_MAX_BYTES], disk[PATH_MAX_BYTES];
	int own = -1;
	bool named;

	if (own_folder(folder, name) && path_of(disk, "%s/%s/disk", state, name))
		own = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	named = own >= 0 && mkdirat(own, EMPTY_LAYER, 0755) == 0 && fchmodat(own, EMPTY_LAYER, 0755, 0) == 0 &&
		symlinkat(layer, own, "layer") == 0 && symlinkat(image, own, "image") == 0 && symlinkat(disk, own, "disk") == 0;
	if (own >= 0)
		close(own);
	return named;
}

static void remove_own(const char *name)
{
	char path[PATH_MAX_BYTES];

	if (own_folder(path, name))
		remove_folder(path);
}

/* ---- the table */

static struct sandbox *find(const char *name)
{
	for (size_t each = 0; each < SANDBOXES_MAX; each++) {
		if (strcmp(sandboxes[each].name, name) == 0)
			return &sandboxes[each];
	}
	return NULL;
}

static struct sandbox *take_place(const char *name, unsigned int class)
{
	struct sandbox *place = find("");

	if (place) {
		memset(place, 0, sizeof(*place));
		strcpy(place->name, name); /* checked by its reader */
		place->class = class;
		place->stderr_fd = -1;
	}
	return place;
}

static void close_stderr(struct sandbox *sandbox)
{
	if (sandbox->stderr_fd >= 0)
		close(sandbox->stderr_fd);
	sandbox->stderr_fd = -1;
}

static void leave_place(struct sandbox *sandbox)
{
	close_stderr(sandbox);
	sandbox->name[0] = 0;
}

/* Reads what is there of its standard error, and keeps the beginning of it as one line. */
static void hear(struct sandbox *sandbox)
{
	char bytes[4096];
	ssize_t count;

	while (sandbox->stderr_fd >= 0 && (count = read(sandbox->stderr_fd, bytes, sizeof(bytes))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return; /* no more for now */
		for (ssize_t at = 0; at < count && sandbox->said_length < SAID_MAX - 1; at++) {
			bool plain = bytes[at] >= ' ' && bytes[at] <= '~';

			sandbox->said[sandbox->said_length++] = plain ? bytes[at] : ' ';
		}
	}
	close_stderr(sandbox);
}

/* What was heard since this was called last. */
static const char *said(struct sandbox *sandbox)
{
	hear(sandbox);
	sandbox->said[sandbox->said_length] = 0;
	sandbox->said_length = 0;
	return sandbox->said;
}

/* ---- from fork to a runtime's exec */

static _Noreturn void give_up(const char *doing)
{
	dprintf(STDERR_FILENO, "vivarium-launch: %s: %s\n", doing, strerror(errno));
	_exit(EXIT_NOT_RUN);
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return; /* a kernel without it */
	if (fd < 0 || write(fd, value, strlen(value)) < 0 || close(fd) < 0)
		give_up(path);
}

/*
 * A network of its own with nothing but its loopback, and without IPv6 on the links that may follow. Programs other than root
 * may use low ports and send echo requests there, which runtimes that are configured with it apply, and gVisor does not.
 */
static void enter_network(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		give_up("making a network");
	set("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	set("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	set("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) < 0)
		give_up("starting the loopback");
	close(fd);
}

/* What the image has in a writable place is not shown, as if a file system were mounted there. */
static void hide_images(const char *disk, const char *place)
{
	char path[PATH_MAX_BYTES];

	if (!path_of(path, "%s/upper/%s", disk, place) || setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0)
		give_up("hiding files of the image");
}

/* Mounts the sandbox's disk, if it has one: a link in its folder names the file. Returns whether it has. */
static bool mount_disk_of(const char *name)
{
	char link[PATH_MAX_BYTES], file[PATH_MAX_BYTES], folder[PATH_MAX_BYTES];
	const char *failed;
	ssize_t length;

	if (!path_of(link, "%s/%s/disk-file", state, name) || !path_of(folder, "%s/%s/disk", state, name))
		give_up("naming its disk");
	length = readlink(link, file, sizeof(file) - 1);
	if (length < 0 && errno == ENOENT)
		return false;
	if (length <= 0)
		give_up("naming its disk");
	file[length] = 0;
	failed = mount_disk(file, folder);
	if (failed)
		give_up(failed);
	hide_images(folder, "workspace");
	hide_images(folder, "tmp");
	return true;
}

/*
 * The runtime hides files by binding the null device over them. One of the sandbox's own, since a lock or a watch of a device is
 * one of its inode: with the machine's, sandboxes could tell each other something. It lies in the sandbox's own folder, so the mount
 * table has nothing of the machine's /dev either.
 */
static void mount_null(void)
{
	if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0 || chmod("null", 0666) < 0 ||
	    mount("null", "/dev/null", NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, "/dev/null", NULL, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NOEXEC, NULL) < 0)
		give_up("having a null device of its own");
}

/*
 * The root of the sandbox: what is in the layer, over the image. An overlay gives each sandbox inodes of its own, so that
 * no lock and no watch of a file reaches from one into another. What a sandbox with a disk writes is on that; nothing of it
 * need outlive the sandbox, so it is never flushed. All is mounted for the runtime alone, so that it goes with the sandbox,
 * however that ends.
 */
static void mount_root(const char *name)
{
	char root[PATH_MAX_BYTES], own[PATH_MAX_BYTES];
	bool has_disk;

	if (unshare(CLONE_NEWNS) < 0)
		give_up("having mounts of its own");
	has_disk = mount_disk_of(name);
	if (!path_of(root, "%s/%s/root", state, name) || !own_folder(own, name) || chdir(own) < 0)
		give_up("naming the root");
	mount_null();
	if (mount("overlay", root, "overlay", (has_disk ? 0 : MS_RDONLY) | MS_NOSUID | MS_NODEV,
		  has_disk ? "lowerdir=" EMPTY_LAYER ":layer:image,upperdir=disk/upper,workdir=disk/work,volatile"
			   : "lowerdir=" EMPTY_LAYER ":layer:image") < 0)
		give_up("mounting the image");
	if (chdir("/") < 0)
		give_up("leaving its folder");
}

/* The channel: the node knows by the first line whose it is. */
static int connect_channel(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char line[NAME_LENGTH + 2];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%.*s/channels", state, NODE_LENGTH, name);

	if (length < 0 || length >= (int)sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		give_up("connecting the channel");
	}
	length = snprintf(line, sizeof(line), "%s\n", name + NODE_LENGTH + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write(fd, line, (size_t)length) != length)
		give_up("connecting the channel");
	return fd;
}

/*
 * A JVM has its children ignore two signals of its threads' library, and agents would inherit that. The C library keeps these
 * two to itself, so the kernel is asked.
 */
static void forget_signals(void)
{
	static const unsigned long by_default[4]; /* the kernel's struct sigaction: handler, flags, restorer, mask */

	for (int number = 1; number <= SIGRTMAX; number++)
		syscall(SYS_rt_sigaction, number, by_default, NULL, sizeof(by_default[0])); /* but for two, which stay so */
}

static _Noreturn void become_runtime(struct sandbox *sandbox, int input, int output, char *const *more)
{
	static char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	char *argv[2 * ARGUMENTS_MAX], root[PATH_MAX_BYTES];
	const struct runtime *runtime = &runtimes[sandbox->class];
	size_t count = 0;
	sigset_t none;

	if (!path_of(root, "%s/%.*s/runtime-%u", state, NODE_LENGTH, sandbox->name, sandbox->class))
		give_up("naming the runtime's folder");
	while (count < runtime->words) {
		argv[count] = runtime->argv[count];
		count++;
	}
	argv[count++] = "--root";
	argv[count++] = root;
	while (*more)
		argv[count++] = *more++;
	argv[count] = NULL;
	sigemptyset(&none);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		give_up("handing over the channel");
	forget_signals();
	execve(argv[0], argv, environment);
	give_up(argv[0]);
}

static _Noreturn void become_maker(struct sandbox *sandbox)
{
	char bundle[PATH_MAX_BYTES], pid_file[PATH_MAX_BYTES];
	char *more[] = {"run", "--detach", "--bundle", bundle, "--pid-file", pid_file,
			sandbox->name + NODE_LENGTH + 1, NULL};
	int channel;

	if (!path_of(bundle, "%s/%s", state, sandbox->name) || !path_of(pid_file, "%s/pid", bundle))
		give_up("naming the bundle");
	if (sandbox->ahead && setpriority(PRIO_PROCESS, 0, AHEAD_NICE) < 0)
		give_up("giving way to others");
	channel = connect_channel(sandbox->name);
	mount_root(sandbox->name);
	if (runtimes[sandbox->class].own_kernel)
		enter_network();
	become_runtime(sandbox, channel, channel, more);
}

static _Noreturn void become_deleter(struct sandbox *sandbox)
{
	char *more[] = {"delete", "--force", sandbox->name + NODE_LENGTH + 1, NULL};
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nothing < 0)
		give_up("/dev/null");
	become_runtime(sandbox, nothing, nothing, more);
}

/* Starts the runtime; returns whether it could. Its standard error is heard, so that failures become sentences. */
static bool run(struct sandbox *sandbox, enum work work)
{
	pid_t self = getpid();
	int ends[2];
	pid_t child;

	close_stderr(sandbox);
	sandbox->said_length = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	child = fork();
	if (child == 0) {
		/* A runtime ends with the launcher, and what it has begun with the runtime. */
		if (dup2(ends[1], STDERR_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self)
			_exit(EXIT_NOT_RUN);
		if (work == MAKING)
			become_maker(sandbox);
		become_deleter(sandbox);
	}
	close(ends[1]);
	if (child < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		close(ends[0]);
		if (child > 0)
			kill(child, SIGKILL);
		return false;
	}
	sandbox->stderr_fd = ends[0];
	sandbox->runtime = child;
	sandbox->work = work;
	return true;
}

/* ---- sizes of a waiting sandbox */

static bool set_number(int fd, const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, key, text, 0) == 0;
}

/*
 * Gives a file system in memory of the sandbox another size, and its root the time of now. The path leads through the
 * sandbox's own mounts, which only the node and the runtime have made so far; what it leads to is looked at all the same,
 * by the descriptor that is used, since the machine's file systems must not be meant.
 */
static bool resize(pid_t init, const char *place, uint64_t bytes, uint64_t inodes)
{
	char path[PATH_MAX_BYTES];
	struct statfs kind;
	bool resized = false;
	int root, fd = -1;

	if (!path_of(path, "/proc/%d/root%s", (int)init, place))
		return false;
	root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return false;
	if (fstatfs(root, &kind) == 0 && kind.f_type == TMPFS_MAGIC)
		fd = (int)syscall(SYS_fspick, root, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (fd >= 0) {
		resized = set_number(fd, "size", bytes) && (inodes == 0 || set_number(fd, "nr_inodes", inodes)) &&
			  syscall(SYS_fsconfig, fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0 &&
			  futimens(root, NULL) == 0;
		close(fd);
	}
	close(root);
	return resized;
}

static void on_resize(const char *name, const uint64_t *sizes)
{
	const struct sandbox *sandbox = find(name);
	struct rlimit files = {.rlim_cur = sizes[0], .rlim_max = sizes[0]};
	pid_t init = sandbox ? sandbox->init : 0;

	errno = ESRCH;
	if (init > 0 && resize(init, "/workspace", sizes[1], sizes[2]) && resize(init, "/tmp", sizes[1], sizes[2]) &&
	    resize(init, "/dev/shm", sizes[3], 0) && prlimit(init, RLIMIT_NOFILE, &files, NULL) == 0 &&
	    setpriority(PRIO_PROCESS, (id_t)init, 0) == 0)
		tell("resized %s", name);
	else
		tell("unfit %s %s", name, strerror(errno));
}

/* The node has written the files of a sandbox again. */
static void on_files(const char *name)
{
	if (find(name) && copy_own(name))
		tell("shown %s", name);
	else
		tell("hidden %s %s", name, strerror(errno));
}

/* ---- requests */

static void kill_sandbox(const struct sandbox *sandbox)
{
	if (sandbox->runtime > 0 && sandbox->work == MAKING)
		kill(sandbox->runtime, SIGKILL);
	if (sandbox->init > 0)
		kill(sandbox->init, SIGKILL);
	kill_group(sandbox);
}

/* The next step of a removal; called when it was asked for, and whenever a process of the sandbox has ended. */
static void go_on_leaving(struct sandbox *sandbox)
{
	uint64_t now = now_millis();
	int left;

	if (sandbox->runtime > 0) {
		if (sandbox->work == DELETING && now >= sandbox->give_up_at)
			kill(sandbox->runtime, SIGKILL);
		return;
	}
	if (sandbox->init > 0 || sandbox->work == LANDING || (strays_due && now < sandbox->give_up_at))
		return;
	if (!sandbox->deleted) {
		sandbox->deleted = true;
		sandbox->give_up_at = now + DELETE_MILLIS;
		/* Of other runtimes nothing is left but files, which the node removes, and the control groups. */
		if (runtimes[sandbox->class].own_kernel && run(sandbox, DELETING))
			return;
		sandbox->give_up_at = now + REMOVAL_MILLIS;
	}
	left = remove_groups(sandbox);
	if (left != 0 && now < sandbox->give_up_at) {
		kill_group(sandbox);
		return; /* tried again */
	}
	remove_own(sandbox->name);
	if (left == 0 && farewell)
		remove_files(sandbox);
	if (left == 0)
		tell("removed %s", sandbox->name);
	else
		tell("kept %s its control group cannot be removed (%s). %s", sandbox->name, strerror(left), said(sandbox));
	leave_place(sandbox);
}

static void on_make(const char *name, unsigned int class, const char *layer, const char *image, bool ahead)
{
	struct sandbox *sandbox;

	if (find(name)) {
		tell("failed %s there is a sandbox of this name already", name);
		return;
	}
	sandbox = take_place(name, class);
	if (!sandbox) {
		tell("failed %s there are %d sandboxes already, which is the most", name, SANDBOXES_MAX);
		return;
	}
	sandbox->ahead = ahead;
	if (!copy_own(name) || !name_folders(name, layer, image)) {
		tell("failed %s its files cannot be had in memory: %s", name, strerror(errno));
		remove_own(name);
		leave_place(sandbox);
		return;
	}
	if (!run(sandbox, MAKING)) {
		remove_own(name);
		tell("failed %s no program can be started: %s", name, strerror(errno));
		leave_place(sandbox);
	}
}

static void on_kill(const char *name)
{
	const struct sandbox *sandbox = find(name);

	if (sandbox)
		kill_sandbox(sandbox);
}

/* One that is not known was made by an earlier launcher: its processes are no children, so its group is all there is. */
static void on_remove(const char *name, unsigned int class)
{
	struct sandbox *sandbox = find(name);

	if (!sandbox)
		sandbox = take_place(name, class);
	if (!sandbox) {
		tell("kept %s too much is being removed", name);
		return;
	}
	if (sandbox->leaving)
		return;
	sandbox->leaving = true;
	sandbox->give_up_at = now_millis() + REMOVAL_MILLIS;
	kill_sandbox(sandbox);
	go_on_leaving(sandbox);
}

static bool is_name(const char *text)
{
	if (strlen(text) != NAME_LENGTH || text[NODE_LENGTH] != '/')
		return false;
	for (size_t at = 0; at < NAME_LENGTH; at++) {
		bool plain = (text[at] >= '0' && text[at] <= '9') || (text[at] >= 'a' && text[at] <= 'z');

		if (!plain && at != NODE_LENGTH)
			return false;
	}
	return true;
}

/* No byte that separates or ends anything in mount options, and no way up. */
static bool is_path(const char *text)
{
	if (text[0] != '/' || strlen(text) >= PATH_MAX_BYTES || strstr(text, ".."))
		return false;
	for (; *text; text++) {
		bool plain = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
			     (*text >= 'A' && *text <= 'Z') || strchr("/._-", *text);

		if (!plain)
			return false;
	}
	return true;
}

static bool take_class(const char *text, unsigned int *class)
{
	*class = (unsigned int)(text[0] - '0');
	return text[0] >= '0' && text[1] == 0 && *class < runtimes_count;
}

/* Decimal numbers below a bound that no size comes near; returns whether all are. */
static bool take_sizes(char *const *words, uint64_t *sizes)
{
	for (size_t each = 0; each < SIZES; each++) {
		sizes[each] = 0;
		for (const char *digit = words[each]; *digit; digit++) {
			if (*digit < '0' || *digit > '9' || sizes[each] >= SIZE_BOUND)
				return false;
			sizes[each] = sizes[each] * 10 + (uint64_t)(*digit - '0');
		}
		if (sizes[each] == 0)
			return false;
	}
	return true;
}

static void on_line(char *line)
{
	char *words[WORDS_MAX + 1] = {"", "", "", "", "", "", ""};
	size_t count = 0;
	unsigned int class = 0;
	uint64_t sizes[SIZES];

	for (char *word = strtok(line, " "); word && count <= WORDS_MAX; word = strtok(NULL, " "))
		words[count++] = word;
	if (count == 5 && (strcmp(words[0], "make") == 0 || strcmp(words[0], "make-ahead") == 0) && is_name(words[1]) &&
	    take_class(words[2], &class) && is_path(words[3]) && is_path(words[4]))
		on_make(words[1], class, words[3], words[4], words[0][sizeof("make") - 1] != 0);
	else if (count == 2 && strcmp(words[0], "kill") == 0 && is_name(words[1]))
		on_kill(words[1]);
	else if (count == 2 && strcmp(words[0], "files") == 0 && is_name(words[1]))
		on_files(words[1]);
	else if (count == 6 && strcmp(words[0], "resize") == 0 && is_name(words[1]) && take_sizes(words + 2, sizes))
		on_resize(words[1], sizes);
	else if (count == 3 && strcmp(words[0], "remove") == 0 && is_name(words[1]) && take_class(words[2], &class))
		on_remove(words[1], class);
	else
		tell("refused");
}

/* Reads what the node has sent. A line that is too long is none of the node's. */
static void serve_node(void)
{
	static char input[LINE_MAX_BYTES];
	static size_t length;
	ssize_t count = read(STDIN_FILENO, input + length, sizeof(input) - length);
	char *begin = input, *end;

	if (count < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (count <= 0) {
		farewell = true;
		return;
	}
	length += (size_t)count;
	while ((end = memchr(begin, '\n', length - (size_t)(begin - input)))) {
		*end = 0;
		on_line(begin);
		begin = end + 1;
	}
	length -= (size_t)(begin - input);
	if (length == sizeof(input))
		farewell = true;
	memmove(input, begin, length);
}

/* ---- the ends of processes */

static bool is_known(pid_t pid)
{
	for (size_t each = 0; each < SANDBOXES_MAX; each++) {
		if (sandboxes[each].name[0] && (sandboxes[each].runtime == pid || sandboxes[each].init == pid))
			return true;
	}
	return false;
}

static bool is_child(pid_t pid)
{
	siginfo_t news = {0};

	return waitid(P_PID, (id_t)pid, &news, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void on_failed(struct sandbox *sandbox, const char *how, int number)
{
	sandbox->work = IDLE;
	strays_due = true;
	kill_group(sandbox);
	tell("failed %s %s %d. %s", sandbox->name, how, number, said(sandbox));
}

/*
 * The first process becomes a child of ours when its parents have ended: crun works in a child of its own, which may end
 * after it.
 */
static void land(struct sandbox *sandbox)
{
	char path[PATH_MAX_BYTES];
	pid_t init = 0;

	if (path_of(path, "%s/%s/pid", state, sandbox->name))
		init = pid_at(text_of(path), NULL);
	if (init > 0 && is_child(init)) {
		sandbox->work = IDLE;
		sandbox->init = init;
		tell("made %s %d", sandbox->name, (int)init);
	} else if (init <= 0 || kill(init, 0) < 0 || now_millis() >= sandbox->give_up_at) {
		on_failed(sandbox, "what the runtime started has ended already, process", (int)init);
	}
}

static void on_made(struct sandbox *sandbox, int status)
{
	if (WIFSIGNALED(status)) {
		on_failed(sandbox, "the runtime was killed by signal", WTERMSIG(status));
	} else if (WEXITSTATUS(status) != 0) {
		on_failed(sandbox, "the runtime ended with code", WEXITSTATUS(status));
	} else {
		sandbox->work = LANDING;
		sandbox->give_up_at = now_millis() + LANDING_MILLIS;
		land(sandbox);
	}
}

static void on_end(pid_t pid, int status)
{
	for (size_t each = 0; each < SANDBOXES_MAX; each++) {
		struct sandbox *sandbox = &sandboxes[each];
		enum work was = sandbox->work;

		if (!sandbox->name[0])
			continue;
		if (sandbox->runtime == pid) {
			sandbox->runtime = 0;
			sandbox->work = IDLE;
			if (was == MAKING) {
				on_made(sandbox, status);
			} else {
				strays_due |= WIFSIGNALED(status);
				sandbox->give_up_at = now_millis() + REMOVAL_MILLIS;
			}
		} else if (sandbox->init == pid) {
			sandbox->init = 0;
			tell("ended %s %d", sandbox->name, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		} else {
			continue;
		}
		if (sandbox->leaving)
			go_on_leaving(sandbox);
		return;
	}
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		on_end(pid, status);
}

/*
 * Kills what a runtime left behind when it died in the middle of its work: children of ours that are in no sandbox's
 * group and are no sandbox's first process. A runtime that ended normally in the meantime leaves a child, too; the second
 * check, after all ends are known, distinguishes them. Returns whether there were any, which take a moment to end.
 */
static bool kill_strays(void)
{
	pid_t strays[64];
	size_t count = 0;
	bool any = false;
	const char *next = text_of("/proc/thread-self/children");

	while (*next && count < sizeof(strays) / sizeof(strays[0])) {
		pid_t pid = pid_at(next, &next);

		if (pid == 0)
			break;
		if (!is_known(pid))
			strays[count++] = pid;
	}
	if (count > 0)
		reap();
	while (count-- > 0) {
		if (is_child(strays[count]) && !is_known(strays[count]) && !is_in_group(strays[count], groups)) {
			kill(strays[count], SIGKILL);
			any = true;
		}
	}
	return any;
}

/* ---- the loop */

static bool any_left(void)
{
	bool left = false;

	for (size_t each = 0; each < SANDBOXES_MAX; each++) {
		struct sandbox *sandbox = &sandboxes[each];

		if (!sandbox->name[0])
			continue;
		if (!sandbox->leaving)
			on_remove(sandbox->name, sandbox->class);
		left |= sandbox->name[0] != 0;
	}
	return left;
}

static void serve(int children_fd)
{
	static struct pollfd fds[SANDBOXES_MAX + 2];
	static struct sandbox *heard[SANDBOXES_MAX + 2];
	struct signalfd_siginfo news;
	nfds_t count = 2;
	int millis = strays_due ? AGAIN_MILLIS : -1;

	fds[0] = (struct pollfd){.fd = farewell ? -1 : STDIN_FILENO, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = children_fd, .events = POLLIN};
	for (size_t each = 0; each < SANDBOXES_MAX; each++) {
		struct sandbox *sandbox = &sandboxes[each];

		if (!sandbox->name[0])
			continue;
		if (sandbox->leaving || sandbox->work == LANDING)
			millis = AGAIN_MILLIS;
		if (sandbox->stderr_fd >= 0) {
			heard[count] = sandbox;
			fds[count++] = (struct pollfd){.fd = sandbox->stderr_fd, .events = POLLIN};
		}
	}
	if (poll(fds, count, millis) < 0) {
		if (errno != EINTR)
			refuse("waiting");
		return;
	}
	for (nfds_t each = 2; each < count; each++) {
		if (!fds[each].revents)
			continue;
		hear(heard[each]);
		if (heard[each]->init > 0 && heard[each]->said_length > 0)
			tell("said %s %s", heard[each]->name, said(heard[each]));
	}
	if (fds[1].revents) {
		while (read(children_fd, &news, sizeof(news)) > 0)
			;
		reap();
	}
	if (strays_due)
		strays_due = kill_strays();
	if (fds[0].revents)
		serve_node();
	for (size_t each = 0; millis >= 0 && each < SANDBOXES_MAX; each++) {
		if (sandboxes[each].name[0] && sandboxes[each].work == LANDING)
			land(&sandboxes[each]);
		if (sandboxes[each].name[0] && sandboxes[each].leaving)
			go_on_leaving(&sandboxes[each]);
	}
}

/* ---- the start */

/* Roots of containers are deeper: what is laid over a folder of the root, as over /usr, belongs to the system. */
static bool is_root_of_container(const char *point, const char *type)
{
	return strcmp(type, "overlay") == 0 && strchr(point + 1, '/');
}

static bool is_mount_to_leave(const char *point, const char *type, bool hybrid)
{
	return is_root_of_container(point, type) || strcmp(type, "nsfs") == 0 ||
	       (hybrid && strcmp(type, "cgroup2") == 0);
}

/*
 * Mounts of its own: crun refuses a machine with both versions of control groups, and what others mount and unmount must
 * not be kept by copies here.
 */
static void settle_mounts(void)
{
	static char all[TEXT_MAX];
	bool hybrid;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		refuse("having mounts of its own (is the node root?)");
	strcpy(all, text_of("/proc/self/mounts"));
	hybrid = strstr(all, " cgroup rw") || strstr(all, " cgroup ro");
	for (char *line = all, *next; line && *line; line = next) {
		char *point, *type;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (!strtok(line, " ") || !(point = strtok(NULL, " ")) || !(type = strtok(NULL, " ")))
			continue;
		if (is_mount_to_leave(point, type, hybrid))
			umount2(point, MNT_DETACH); /* what stays is only in the way */
		else if (strncmp(type, "cgroup", strlen("cgroup")) == 0 && hierarchies_count < HIERARCHIES_MAX &&
			 path_of(hierarchies[hierarchies_count], "%s", point))
			hierarchies_count++;
	}
}

static void take_arguments(int argc, char **argv)
{
	struct runtime *runtime = NULL;

	if (argc < 5 || !is_path(argv[1]) || !is_path(argv[2])) {
		errno = EINVAL;
		refuse("usage: vivarium-launch STATE GROUPS (--runtime|--runtime-with-kernel) PATH [ARGUMENT...] ...");
	}
	state = argv[1];
	groups = argv[2];
	for (int at = 3; at < argc; at++) {
		bool own_kernel = strcmp(argv[at], "--runtime-with-kernel") == 0;

		if (own_kernel || strcmp(argv[at], "--runtime") == 0) {
			if (runtimes_count == RUNTIMES_MAX)
				break;
			runtime = &runtimes[runtimes_count++];
			runtime->own_kernel = own_kernel;
		} else if (runtime && runtime->words < ARGUMENTS_MAX) {
			runtime->argv[runtime->words++] = argv[at];
		}
	}
	for (size_t each = 0; each < runtimes_count; each++) {
		if (runtimes[each].words == 0) {
			errno = EINVAL;
			refuse("a runtime has no path");
		}
	}
}

static int settle(void)
{
	struct rlimit files;
	sigset_t children;
	int children_fd;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	children_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	/* Not of the terminal's group, whose signals are for the node: it says what they mean for sandboxes. */
	if (setsid() < 0 && errno != EPERM)
		refuse("leaving the terminal");
	if (children_fd < 0 || sigprocmask(SIG_SETMASK, &children, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		refuse("becoming the parent of sandboxes");
	umask(077);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	settle_mounts();
	return children_fd;
}

int main(int argc, char **argv)
{
	uint64_t until;
	int children_fd;

	take_arguments(argc, argv);
	children_fd = settle();
	tell("ready");
	while (!farewell)
		serve(children_fd);
	until = now_millis() + FAREWELL_MILLIS;
	while (any_left() && now_millis() < until)
		serve(children_fd);
	return 0;
}
