"""Spells the address of the metadata service in every way that a program might let pass.

Tries: to get past a filter that compares texts.
Must: get no answer, however the address is written.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import all_closed, must_be_open, tcp

must_be_open()
spellings = (
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518",
    "169.16689662", "0xa9.254.0251.254",
)
for spelling in spellings:
    assert socket.inet_aton(spelling) == socket.inet_aton(spellings[0]), spelling
all_closed((spelling, lambda s=spelling: tcp(s, 80)) for spelling in spellings)
finish()
