"""Sets up io_uring, whose operations pass by system call filters.

Tries: to reach the kernel's richest source of ways out, and to make calls that no filter sees.
Must: be refused.

expect: SUCCEEDED
"""

import ctypes

from lib.attempt import attempt, call, finish

parameters = ctypes.create_string_buffer(120)
attempt("io_uring_setup", lambda: call("io_uring_setup", 8, parameters))
attempt("io_uring_enter", lambda: call("io_uring_enter", 0, 0, 0, 0, 0, 0))
attempt("io_uring_register", lambda: call("io_uring_register", 0, 0, 0, 0))
finish()
