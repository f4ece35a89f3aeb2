"""Switches address randomization off, and has memory at zero readable.

Tries: to make exploits of others' programs easy, and to change what old kernels allow by personality.
Must: be refused; asking for its own personality is not.

expect: SUCCEEDED
"""

import mmap
import os

from lib.attempt import attempt, call, check, finish, prepare

ADDR_NO_RANDOMIZE, MMAP_PAGE_ZERO, READ_IMPLIES_EXEC = 0x40000, 0x100000, 0x400000
check("its personality can be asked for", prepare(lambda: call("personality", 0xFFFFFFFF), 0) == 0)
for name, value in (("no randomization", ADDR_NO_RANDOMIZE), ("page zero", MMAP_PAGE_ZERO), ("read implies exec", READ_IMPLIES_EXEC)):
    attempt(f"personality: {name}", lambda: call("personality", value))
finish()
