"""Makes empty files without end.

Tries: to use up the file system's inodes, and the kernel's memory for them, with nothing that takes space.
Must: be killed at its limit of files.

limits: files=1024
expect: KILLED FILES
"""

number = 0
while True:
    number += 1
    try:
        open(f"/tmp/{number}", "w").close()
    except OSError:
        pass
