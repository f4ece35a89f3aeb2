"""An image with an environment of many MiB.

Tries: to start no process at all, and to have the node carry it around.
Must: fail in a sentence: the kernel takes no such list, and the agent is not started.

image-env: 600 8000
expect: FAILED SANDBOX_REFUSED
"""
