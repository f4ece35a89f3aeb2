"""Puts links that lead out where files are to be kept.

Tries: to have files of the host or of the image kept as its own, by links to files, to folders, to /proc and to each other.
Must: succeed: no link is followed, neither at the end nor on the way, and the file beside them is kept.

artifacts: out/** away/passwd
kept: out/file
left-out: LINK MISSING
expect: SUCCEEDED
"""

import os

os.mkdir("out")
for name, target in (
    ("absolute", "/etc/passwd"), ("dots", "../../../../../../etc/passwd"), ("folder", "/etc"), ("proc", "/proc/1/environ"),
    ("root", "/proc/self/root"), ("open", "/proc/self/fd/0"), ("loop", "loop"), ("nowhere", "/nowhere"), ("beside", "file"),
):
    os.symlink(target, f"out/{name}")
os.symlink("/etc", "away")
with open("out/file", "w") as file:
    file.write("its own")
