"""Loads BPF programs and opens performance counters.

Tries: to run code in the kernel, and to watch it at work.
Must: be refused.

expect: SUCCEEDED
"""

import ctypes

from lib.attempt import attempt, call, finish

attributes = ctypes.create_string_buffer(128)
ctypes.memmove(attributes, (ctypes.c_uint32 * 4)(2, 4, 4, 1), 16)
attempt("BPF_MAP_CREATE", lambda: call("bpf", 0, attributes, 72))
attempt("BPF_PROG_LOAD", lambda: call("bpf", 5, attributes, 72))
event = ctypes.create_string_buffer(128)
ctypes.memmove(event, (ctypes.c_uint32 * 2)(1, 112), 8)
attempt("perf_event_open of itself", lambda: call("perf_event_open", event, 0, -1, -1, 0))
attempt("perf_event_open of all", lambda: call("perf_event_open", event, -1, 0, -1, 0))
finish()
