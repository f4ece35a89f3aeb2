"""Takes all requests of asynchronous input and output that the machine has.

Tries: io_setup, which reserves events out of one count for the whole machine (fs.aio-max-nr), so that databases on the host
and all neighbours are refused them.
Must: succeed: the call is refused, and the machine's count stays.

expect: SUCCEEDED
"""

import ctypes

from lib.attempt import NUMBERS, attempt, call, finish

NUMBERS.update({"io_setup": (206, 0), "io_submit": (209, 2), "io_getevents": (208, 4), "io_destroy": (207, 1)})
for events in (1, 128, 16384, 65536):
    context = ctypes.c_ulong(0)
    attempt(f"{events} events", lambda: call("io_setup", events, ctypes.addressof(context)))
for name in ("io_submit", "io_getevents", "io_destroy"):
    attempt(name, lambda: call(name, 0, 0, 0, 0, 0))
finish()
