"""Leaves a file that is huge and has almost no bytes, beside a small one.

Tries: to have all of a sparse file read and stored, whose size is what its disk may hold a thousand times over.
Must: succeed: what is beyond its limit of artifacts is left out, and the small file is kept.

limits: artifacts=64Ki
artifacts: s*
kept: small
left-out: TOO_LARGE
expect: SUCCEEDED
"""

import os

with open("sparse", "wb") as sparse:
    os.truncate(sparse.fileno(), 8 << 30)
with open("small", "wb") as small:
    small.write(b"small")
