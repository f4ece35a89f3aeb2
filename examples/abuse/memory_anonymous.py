"""Takes anonymous memory and writes to it, without end.

Tries: to take all memory of the machine.
Must: be killed at its limit of memory.

expect: KILLED MEMORY
"""

hoard = []
while True:
    hoard.append(bytearray(b"x") * (1 << 20))
