"""Asks a hundred times over, without a pause, for what the guest answers in the kernel's place.

Tries: to learn of the machine what its limits do not say, in the right way and in wrong ones; and to keep the guest so busy that
it does nothing else: askers are killed while they wait, forge addresses, and ask about each other.
Must: learn nothing, and be killed at the wall clock as everybody else.

limits: cpu=1 memory=256Mi pids=128 wallClock=6s idle=1m
expect: KILLED WALL_CLOCK
"""

import ctypes
import os
import signal
import struct
import time

libc = ctypes.CDLL(None, use_errno=True)
SYSINFO, GETAFFINITY = (99, 204) if os.uname().machine == "x86_64" else (179, 123)
LIMIT = 256 << 20


def ask_forever(number):
    words = ctypes.create_string_buffer(1024)
    while True:
        if libc.syscall(SYSINFO, words) == 0 and struct.unpack_from("Q", words, 32)[0] > 16 * LIMIT:
            print("ESCAPED sysinfo told the memory of the machine", flush=True)
        for address in (0, 1, 1 << 47, (1 << 64) - 8, id(libc)):
            libc.syscall(SYSINFO, ctypes.c_void_p(address if number % 2 else 0))
            libc.syscall(GETAFFINITY, number + 2, 128, ctypes.c_void_p(address if number % 3 == 0 else 8))
        for size in (1, 7, 8, 1 << 16, (1 << 31) - 8, (1 << 32) - 8):
            libc.syscall(GETAFFINITY, 0, ctypes.c_uint(size), None)


signal.signal(signal.SIGTERM, signal.SIG_IGN)
askers = []
while True:
    while len(askers) < 100:
        try:
            child = os.fork()
        except OSError:
            break
        if child == 0:
            ask_forever(len(askers))
        askers.append(child)
    time.sleep(0.05)
    for child in askers[::3]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        askers.remove(child)
