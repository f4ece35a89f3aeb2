"""Mounts, by the old call and by each of the new ones, and unmounts.

Tries: to see other file systems, or to take off the covers over /proc and /sys.
Must: be refused.

expect: SUCCEEDED
"""

from lib.attempt import attempt, call, finish

for kind in (b"proc", b"sysfs", b"tmpfs", b"cgroup", b"cgroup2", b"overlay", b"ext4", b"fuse"):
    attempt(f"mount {kind.decode()}", lambda: call("mount", b"none", b"/tmp", kind, 0, 0))
attempt("bind mount", lambda: call("mount", b"/proc", b"/tmp", 0, 4096, 0))
attempt("remount writable", lambda: call("mount", b"none", b"/", 0, 32, 0))
for covered in (b"/proc/kcore", b"/proc/sys", b"/sys", b"/workspace", b"/.vivarium"):
    attempt(f"umount {covered.decode()}", lambda: call("umount2", covered, 2))
attempt("fsopen", lambda: call("fsopen", b"tmpfs", 0))
attempt("fsmount", lambda: call("fsmount", 0, 0, 0))
attempt("open_tree", lambda: call("open_tree", -100, b"/", 1))
attempt("move_mount", lambda: call("move_mount", -100, b"/tmp", -100, b"/workspace", 0))
attempt("mount_setattr", lambda: call("mount_setattr", -100, b"/", 0, bytes(32), 32))
attempt("pivot_root", lambda: call("pivot_root", b"/tmp", b"/tmp"))
attempt("chroot", lambda: call("chroot", b"/tmp"))
attempt("swapon", lambda: call("swapon", b"/tmp/swap", 0))
attempt("quotactl", lambda: call("quotactl", 0x80000700, b"/dev/vda", 0, 0))
finish()
