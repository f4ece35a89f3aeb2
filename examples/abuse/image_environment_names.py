"""An image whose environment claims to be Vivarium's: run id, home, path to programs of the workspace.

Tries: to mislead the agent, and programs that read its environment.
Must: succeed: what Vivarium sets goes before what the image says.

image: ENV VIVARIUM_RUN_ID=01arz3ndektsv4rrffq69g5fav
image: ENV VIVARIUM_ATTEMPT=99
image: ENV HOME=/root TMPDIR=/root
image: ENV PYTHONSTARTUP=/etc/passwd
expect: SUCCEEDED
"""

import os

from lib.attempt import check, finish

check("the run's id is its own", os.environ["VIVARIUM_RUN_ID"] != "01arz3ndektsv4rrffq69g5fav")
check("the attempt is its own", os.environ["VIVARIUM_ATTEMPT"] != "99")
check("home is the workspace", os.environ["HOME"] == "/workspace" and os.environ["TMPDIR"] == "/tmp")
finish()
