/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIVARIUM_DISK_H
#define VIVARIUM_DISK_H

/*
 * Mounts the file system in a file at a folder, in the mount namespace of this process, and deletes the file: from then
 * on the mount alone keeps it, and it is gone with the last process of that namespace, however that ends. Returns NULL,
 * or what failed, with errno set.
 */
const char *mount_disk(const char *file, const char *folder);

#endif
