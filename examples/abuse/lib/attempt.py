"""How payloads make and report attempts.

A payload whose tries must all be refused says so line by line: "held: WHAT (ERRNO)". A try that worked is a line that
begins with ESCAPED; one that failed for another reason than a wall is a line that begins with UNCLEAR, for a call that
was badly formed proves nothing. With either, or without any try at all, finish() exits with 1.
"""

import ctypes
import errno
import os
import platform
import re
import socket
import stat
import struct
import sys
import time

# What a wall answers: no permission (system call filter, capabilities, file modes), a read-only file system, or no such
# call. A payload names what else is a wall where it is one, such as ENOENT for a socket that must not be there.
WALLS = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSYS)

# The version of gVisor's kernel, in every release and on every host. Behind its calls there is nothing of the host,
# and it does not know many of them: there, every failure is a wall. That a try is well formed shows on the host's kernel.
OWN_KERNEL = os.uname().version == "#1 SMP Sun Jan 10 15:06:54 PST 2016"

# The secrets of neighbours, written so that this file itself does not contain the searched text.
CANARY = re.compile(rb"canary" + rb"-[0-9a-f]{32}")

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long

# name: (x86_64, aarch64)
NUMBERS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "sched_setattr": (314, 274),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}

_held, _failed = [], []
_kept = []  # sockets, which would close when they are forgotten


def call(name, *arguments):
    """A system call as the kernel takes it; raises OSError where it fails."""
    number = NUMBERS[name][0 if platform.machine() == "x86_64" else 1]
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    ctypes.set_errno(0)
    result = LIBC.syscall(ctypes.c_long(number), *converted)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def attempt(what, action, *also):
    """Tries something that must be refused, by one of WALLS or of the errnos named."""
    try:
        result = action()
    except OSError as error:
        name = errno.errorcode.get(error.errno, str(error.errno))
        if OWN_KERNEL or error.errno in WALLS + also:
            held(f"{what} ({name})")
        else:
            _failed.append(f"{what} ({name}, which is no wall)")
            print(f"UNCLEAR: {what} failed with {name}, which is no wall", flush=True)
        return
    escaped(what, result)


def look_into_guest(name):
    """Reads the files of PID 1 in /proc. gVisor shows them to every process inside, so there they must be empty."""
    if OWN_KERNEL and name in ("environ", "maps", "auxv"):
        check(f"/proc/1/{name} holds no secret", not CANARY.search(read(f"/proc/1/{name}")))
    else:
        attempt(f"reading /proc/1/{name}", lambda: read(f"/proc/1/{name}"))


def prepare(action, otherwise):
    """What a try needs first; a kernel of its own may not know it."""
    try:
        return action()
    except OSError:
        if not OWN_KERNEL:
            raise
        return otherwise


def fill_queues(open_socket, message, goal):
    """Fills receive queues that are never read: sends messages over fresh sockets, which loop them back or cause answers,
    until the kernel holds this many bytes, 1000 sockets are full, or none can be opened. Returns the bytes held."""
    sockets, queued = [], 0
    while queued < goal and len(sockets) < 1000:
        try:
            one = open_socket()
        except OSError as error:
            print(f"no further socket: {error}", flush=True)
            break
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sockets.append(one)
        bytes_held, before = 0, -1
        while bytes_held > before:
            before = bytes_held
            for _ in range(256):
                try:
                    one.send(message)
                except OSError:
                    break
            bytes_held = memory_of(one)
        queued += bytes_held
    print(f"{queued >> 20} MiB in {len(sockets)} sockets", flush=True)
    _kept.extend(sockets)
    return queued


def hoard_files(folder):
    """Writes small files into a folder forever, and keeps trying when it is full."""
    block, number = bytes(64 * 1024), 0
    while True:
        number += 1
        try:
            with open(f"{folder}/hoard-{number}", "wb") as file:
                file.write(block)
        except OSError:
            time.sleep(0.05)


def memory_of(one):
    """The bytes in a socket's receive queue (SO_MEMINFO); 0 for a kernel of its own, which has no such option."""
    try:
        return struct.unpack("=I", one.getsockopt(socket.SOL_SOCKET, 55, 4))[0]
    except OSError:
        return 0


def held(what):
    """Notes that a wall held."""
    _held.append(what)
    print("held:", what, flush=True)


def escaped(what, result=""):
    """Notes that something worked that must not."""
    _failed.append(what)
    print("ESCAPED:", what, repr(result)[:200], flush=True)


def check(what, holds):
    """Notes whether something that must hold does."""
    held(what) if holds else escaped(what)


def is_hidden(path):
    """Whether the null device, which takes all and gives nothing, lies over a file of the kernel's."""
    try:
        seen = os.stat(path)
    except OSError:
        return False
    return stat.S_ISCHR(seen.st_mode) and seen.st_rdev == os.makedev(1, 3)


def write(path, data):
    """Opens a file that is there for writing and writes to it; the wall may be at either, or in front of the file."""
    if is_hidden(path):
        raise PermissionError(errno.EACCES, "it is hidden")
    with open(path, "wb", buffering=0) as file:
        return file.write(data)


def read(path, count=1 << 16):
    """Reads the beginning of a file."""
    with open(path, "rb", buffering=0) as file:
        return file.read(count)


def shown(path):
    """The entries of a folder, or the beginning of a file; nothing where there is none or it may not be read."""
    try:
        return os.listdir(path) if os.path.isdir(path) else read(path, 4096)
    except OSError:
        return b""


def finish():
    """Ends the payload: with 0 only when something was tried and all of it was refused."""
    if _failed or not _held:
        print("NOT HELD:", "; ".join(_failed) or "nothing was tried", flush=True)
        sys.exit(1)
    print(f"all {len(_held)} walls held", flush=True)
