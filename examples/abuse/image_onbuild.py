"""An image with ONBUILD triggers, exposed ports and labels that look like Vivarium's own.

Tries: to be taken for a sandbox of another run, or to have something run where it is built upon.
Must: succeed as any other, and be cleaned up as what it is.

image: ONBUILD RUN touch /built
image: EXPOSE 22
image: LABEL dev.vivarium.installation=another
image: LABEL dev.vivarium.sandbox=01arz3ndektsv4rrffq69g5fav
image: LABEL dev.vivarium.node=another
expect: SUCCEEDED
"""

import os

from lib.attempt import check, finish

check("no trigger was run", not os.path.exists("/built"))
finish()
