/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#define DEVICE_TRIES_MAX 64 /* another program may take a free device first */
#define DEVICE_NAME_MAX 32
#define BLOCK_BYTES 4096    /* of the file system; with it the kernel reads and writes past the cache of the file beneath */

/* From the kernel's linux/loop.h, which the C library does not have. */
#define LOOP_CONFIGURE 0x4C0A
#define LOOP_CTL_GET_FREE 0x4C82
#define LO_FLAGS_AUTOCLEAR 4
#define LO_FLAGS_DIRECT_IO 16

struct loop_config {
	uint32_t fd;
	uint32_t block_size;
	struct {
		uint64_t device, inode, rdevice, offset, size_limit;
		uint32_t number, encryption_type, encryption_key_size, flags;
		uint8_t file_name[64], encryption_name[64], encryption_key[32];
		uint64_t init[2];
	} info;
	uint64_t reserved[8];
};

_Static_assert(sizeof(struct loop_config) == 304, "as the kernel has it");

/* It goes by itself when nobody has it open or mounted any more. Returns a descriptor, or -1 with errno. */
static int attach(int file, char device[DEVICE_NAME_MAX])
{
	struct loop_config config = {
		.fd = (uint32_t)file,
		.block_size = BLOCK_BYTES,
		.info = {.flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO},
	};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), error;

	if (control < 0)
		return -1;
	errno = EBUSY;
	for (int attempt = 0; attempt < DEVICE_TRIES_MAX; attempt++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE), loop;

		if (number < 0)
			break;
		snprintf(device, DEVICE_NAME_MAX, "/dev/loop%d", number); /* fits any number */
		loop = open(device, O_RDWR | O_CLOEXEC);
		if (loop < 0)
			break;
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
			close(control);
			return loop;
		}
		error = errno;
		close(loop);
		errno = error;
		if (error != EBUSY)
			break;
	}
	error = errno;
	close(control);
	errno = error;
	return -1;
}

/*
 * Nothing in it outlives the sandbox, so no flush need reach the machine's disk, and tables of inodes that were not used
 * need no zeros.
 */
const char *mount_disk(const char *file, const char *folder)
{
	char device[DEVICE_NAME_MAX];
	int image = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW), loop;

	if (image < 0)
		return "opening the file of its disk";
	loop = attach(image, device);
	if (loop < 0)
		return "having a device for its disk";
	if (mount(device, folder, "ext4", MS_NOSUID | MS_NODEV, "nobarrier,noinit_itable,errors=continue") < 0)
		return "mounting its disk";
	if (unlink(file) < 0)
		return "deleting the file of its disk";
	close(loop);
	close(image);
	return NULL;
}
