"""Becomes root: by setuid and its kin, by capabilities, by the image's own setuid programs, by turning the wall off.

Tries: to become another user inside, the first step of most ways out.
Must: be refused; a setuid program runs as the user that started it.

expect: SUCCEEDED
"""

import errno
import os
import subprocess

from lib.attempt import LIBC, OWN_KERNEL, attempt, check, finish

PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_SET_SECUREBITS = 38, 39, 47, 28
attempt("setuid(0)", lambda: os.setuid(0))
attempt("setresuid(0, 0, 0)", lambda: os.setresuid(0, 0, 0))
attempt("setgid(0)", lambda: os.setgid(0))
attempt("setgroups([0])", lambda: os.setgroups([0]))
attempt("chown to root", lambda: (open("/tmp/mine", "w").close(), os.chown("/tmp/mine", 0, 0)))
check("no_new_privs cannot be taken back", LIBC.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0)
check("no capability can be made ambient", LIBC.prctl(PR_CAP_AMBIENT, 2, 21, 0, 0) < 0)
check("secure bits cannot be set", LIBC.prctl(PR_SET_SECUREBITS, 1, 0, 0, 0) < 0)
os.chmod("/tmp/mine", 0o6755)
for program in ("/usr/bin/su", "/usr/bin/newgrp"):
    if os.path.exists(program):
        done = subprocess.run([program, "-c", "id -u"], capture_output=True, stdin=subprocess.DEVNULL)
        check(f"{program} gives nothing (exit {done.returncode})", done.stdout.strip() != b"0")
with open("/proc/self/status") as status:
    lines = dict(line.split(":\t", 1) for line in status.read().splitlines() if ":\t" in line)
SETS = {"CapInh", "CapPrm", "CapEff", "CapBnd"} if OWN_KERNEL else {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}
check("it has no capability in any set", all(int(lines[name], 16) == 0 for name in SETS))
check("it is under no_new_privs and a filter", LIBC.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 and lines["Seccomp"] == "2")
finish()
