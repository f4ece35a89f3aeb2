"""Writes to every folder and over every program of the image, and to the guest's own.

Tries: to change what the next run will find, or what the guest is.
Must: be refused everywhere but in the places that are its own.

expect: SUCCEEDED
"""

import os

from lib.attempt import attempt, check, finish, write

OWN = ("/workspace", "/tmp", "/dev/shm", "/dev/mqueue")
for path in ("/usr/bin/python3", "/bin/sh", "/etc/passwd", "/etc/ld.so.preload", "/etc/hosts", "/etc/resolv.conf", "/.vivarium/vivarium-init",
             "/lib64/ld-linux-x86-64.so.2", "/.dockerenv", "/proc/self/exe"):
    if os.path.exists(path) or not path.endswith(("preload", ".so.2")):
        attempt(f"writing {path}", lambda: write(path, b"x"), 26)  # ETXTBSY: it runs
attempt("removing the guest", lambda: os.unlink("/.vivarium/vivarium-init"))
attempt("renaming /.vivarium", lambda: os.rename("/.vivarium", "/.gone"), 16)
attempt("a link to the guest", lambda: os.link("/.vivarium/vivarium-init", "/workspace/guest"), 18)
writable = []
for folder, folders, _ in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys", *OWN)]
    probe = os.path.join(folder, "probe")
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY))
        writable.append(folder)
    except OSError:
        pass
check(f"no folder is writable but {writable}", not writable)
finish()
