"""Starts programs with arguments and an environment as large as can be, and larger.

Tries: to have the kernel and its own successor choke on a million variables.
Must: get an error that the list is too long, and succeed.

limits: memory=128Mi
expect: SUCCEEDED
"""

import errno
import os

from lib.attempt import attempt, finish

attempt("100000 arguments of 100 bytes", lambda: os.execv("/bin/true", ["x" * 100] * 100_000), errno.E2BIG)
attempt("100000 variables", lambda: os.execve("/bin/true", ["true"], {f"V{i}": "x" * 50 for i in range(100_000)}), errno.E2BIG)
attempt("one argument of 1 MiB", lambda: os.execv("/bin/true", ["true", "x" * (1 << 20)]), errno.E2BIG)
attempt("itself as its own interpreter", lambda: (open("/tmp/self", "w").write("#!/tmp/self\n"), os.chmod("/tmp/self", 0o755),
                                                  os.execv("/tmp/self", ["self"])), errno.ELOOP, errno.ENOEXEC)
finish()
