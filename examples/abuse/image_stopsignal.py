"""An image whose STOPSIGNAL is one that stops nothing.

Tries: to live on when the engine asks it to stop.
Must: be killed at its deadline.

image: STOPSIGNAL SIGCONT
limits: wallClock=1s
expect: KILLED WALL_CLOCK
"""

while True:
    pass
