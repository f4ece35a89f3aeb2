"""Opens devices of the machine, makes nodes for them, and looks through /dev for any that is more than harmless.

Tries: to read memory and disks past the kernel.
Must: be refused each time, and find only the devices that every container has.

expect: SUCCEEDED
"""

import errno
import os
import stat

from lib.attempt import attempt, check, finish

NONE = (errno.ENOENT, errno.ENXIO, errno.ENODEV)
for name in ("mem", "kmem", "port", "kmsg", "kvm", "vda", "sda", "nvme0n1", "loop-control", "loop0", "fuse", "net/tun", "vhost-net",
             "vsock", "btrfs-control", "mapper/control", "input/event0", "dri/card0", "userfaultfd", "uinput", "rtc0", "hpet", "cpu/0/msr"):
    attempt(f"/dev/{name}", lambda: os.open(f"/dev/{name}", os.O_RDWR), *NONE)
for name, kind, number in (("memory", stat.S_IFCHR, (1, 1)), ("kmsg", stat.S_IFCHR, (1, 11)), ("disk", stat.S_IFBLK, (8, 0)),
                           ("vda", stat.S_IFBLK, (254, 0)), ("tun", stat.S_IFCHR, (10, 200)), ("null", stat.S_IFCHR, (1, 3))):
    for place in ("/workspace", "/tmp", "/dev/shm"):
        attempt(f"a node for {name} in {place}", lambda: os.mknod(f"{place}/{name}", kind | 0o666, os.makedev(*number)))
HARMLESS = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
there = set()
for folder, _, files in os.walk("/dev"):
    for name in files:
        mode = os.lstat(os.path.join(folder, name)).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            there.add(name)
check(f"there are no devices but harmless ones: {sorted(there - HARMLESS)}", there <= HARMLESS)
finish()
