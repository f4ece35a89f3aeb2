"""An image whose libc is no library at all.

Tries: to break whatever Vivarium itself runs inside.
Must: fail with exit code 127, as the agent cannot be loaded; the guest is static and reports it.

image-file: /usr/lib/x86_64-linux-gnu/libc.so.6 0755 text no library
expect: FAILED exit 127
"""
