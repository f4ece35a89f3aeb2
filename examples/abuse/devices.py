"""Opens devices of the machine, makes nodes for them, and looks through /dev for any that is more than harmless.

Tries: to read memory and disks past the kernel.
Must: be refused each time, and find only the devices that every container has.

expect: SUCCEEDED
"""

import errno
import os
import stat

from lib.attempt import OWN_KERNEL, attempt, check, finish

NONE = (errno.ENOENT, errno.ENXIO, errno.ENODEV)
for name in ("mem", "kmem", "port", "kmsg", "kvm", "vda", "sda", "nvme0n1", "loop-control", "loop0", "fuse", "net/tun", "vhost-net",
             "vsock", "btrfs-control", "mapper/control", "input/event0", "dri/card0", "userfaultfd", "uinput", "rtc0", "hpet", "cpu/0/msr"):
    if not (OWN_KERNEL and name == "fuse"):  # gVisor's own, which without mounts does nothing
        attempt(f"/dev/{name}", lambda: os.open(f"/dev/{name}", os.O_RDWR), *NONE)
for name, kind, number in (("memory", stat.S_IFCHR, (1, 1)), ("kmsg", stat.S_IFCHR, (1, 11)), ("disk", stat.S_IFBLK, (8, 0)),
                           ("vda", stat.S_IFBLK, (254, 0)), ("tun", stat.S_IFCHR, (10, 200)), ("null", stat.S_IFCHR, (1, 3))):
    for place in ("/workspace", "/tmp", "/dev/shm"):
        path = f"{place}/{name}"
        if not OWN_KERNEL:
            attempt(f"a node for {name} in {place}", lambda: os.mknod(path, kind | 0o666, os.makedev(*number)))
        elif name != "null":  # a node is but a name there, of devices that the kernel has itself
            attempt(f"making and opening a node for {name} in {place}",
                    lambda: (os.mknod(path, kind | 0o666, os.makedev(*number)), os.open(path, os.O_RDWR)))
HARMLESS = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"} | ({"fuse"} if OWN_KERNEL else set())
there = set()
for folder, folders, files in os.walk("/dev"):
    if OWN_KERNEL and "shm" in folders:
        folders.remove("shm")  # where the nodes are that this program has made
    for name in files:
        mode = os.lstat(os.path.join(folder, name)).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            there.add(name)
check(f"there are no devices but harmless ones: {sorted(there - HARMLESS)}", there <= HARMLESS)
finish()
