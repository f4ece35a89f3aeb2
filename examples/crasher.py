"""An agent that crashes and leaves its children behind.

It starts daemons in the classic way, by forking twice and opening a new session, so that none is the agent's child.
They ignore every signal that can be ignored, and sleep. Then the agent itself dies of an exception.

What must happen: FAILED with exit code 1, and no process left.
"""

import os
import signal
import time

DAEMONS = 5
POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)


def become_daemon():
    """Forks once more out of the session, ignores what can be ignored, closes what ties it to anyone, and stays."""
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    for number in POLITE:
        signal.signal(number, signal.SIG_IGN)
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    while True:
        time.sleep(60)


def main():
    for _ in range(DAEMONS):
        child = os.fork()
        if child == 0:
            become_daemon()
        os.waitpid(child, 0)
    print(f"{DAEMONS} daemons are out there. Now the report, which I had in", flush=True)
    time.sleep(1)
    raise KeyError("memory")


if __name__ == "__main__":
    main()
