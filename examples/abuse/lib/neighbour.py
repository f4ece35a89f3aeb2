"""A well-behaved neighbour of the payloads.

It does a little of everything twenty times a second: it computes, writes a file and reads it back, and prints how many
milliseconds that took, from the moment when it was due. It holds a secret, which no other process may learn. After its 200
ticks it has finished.
"""

import hashlib
import os
import time

TICKS = 200
INTERVAL_SECONDS = 0.05
BLOCK = os.urandom(64 * 1024)


def tick():
    digest = BLOCK
    for _ in range(20):
        digest = hashlib.sha256(digest + BLOCK).digest()
    with open("note", "wb") as file:
        file.write(BLOCK)
        file.flush()
        os.fsync(file.fileno())
    with open("note", "rb") as file:
        assert file.read() == BLOCK


def main():
    due = time.monotonic()
    for _ in range(TICKS):
        time.sleep(max(0, due - time.monotonic()))
        tick()
        now = time.monotonic()
        print(f"tick {(now - due) * 1000:.2f}", flush=True)
        due = max(due + INTERVAL_SECONDS, now)


main()
