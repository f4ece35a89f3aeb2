"""Uses the kernel's keyrings, which no namespace divides.

Tries: to read keys of others with the same user, and to leave something there for the next run.
Must: be refused.

expect: SUCCEEDED
"""

from lib.attempt import attempt, call, finish

USER_KEYRING, SESSION_KEYRING = -4, -3
attempt("add_key", lambda: call("add_key", b"user", b"mark", b"x", 1, USER_KEYRING))
attempt("request_key", lambda: call("request_key", b"user", b"mark", 0, 0))
attempt("keyctl get keyring", lambda: call("keyctl", 0, USER_KEYRING, 1))
attempt("keyctl join session", lambda: call("keyctl", 1, 0))
attempt("keyctl read", lambda: call("keyctl", 11, SESSION_KEYRING, 0, 0))
finish()
