"""Loads modules and kernels, reboots, reads the kernel's log, and sets the machine's names and clocks.

Tries: to control the machine.
Must: be refused.

expect: SUCCEEDED
"""

import ctypes
import time

from lib.attempt import attempt, call, finish

blob = ctypes.create_string_buffer(64)
now = (ctypes.c_long * 2)(0, 0)
attempt("init_module", lambda: call("init_module", blob, 64, b""))
attempt("finit_module", lambda: call("finit_module", 0, b"", 0))
attempt("delete_module", lambda: call("delete_module", b"dummy", 0))
attempt("kexec_load", lambda: call("kexec_load", 0, 0, 0, 0))
attempt("kexec_file_load", lambda: call("kexec_file_load", 0, 0, 0, b"", 0))
attempt("reboot", lambda: call("reboot", -18751827, 672274793, 0x1234567, 0))
attempt("syslog", lambda: call("syslog", 3, blob, 64))
attempt("acct", lambda: call("acct", b"/tmp/accounts"))
attempt("vhangup", lambda: call("vhangup"))
attempt("fanotify_init", lambda: call("fanotify_init", 0, 0))
attempt("sethostname", lambda: call("sethostname", b"mine", 4))
attempt("setdomainname", lambda: call("setdomainname", b"mine", 4))
attempt("clock_settime", lambda: call("clock_settime", 0, now))
attempt("settimeofday", lambda: call("settimeofday", now, 0))
attempt("time.clock_settime", lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
finish()
