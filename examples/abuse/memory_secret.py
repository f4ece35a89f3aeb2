"""Asks for secret memory, pages that even the kernel unmaps from itself and cannot take back.

Tries: to hold memory of a kind that is looked at nowhere.
Must: be refused: the call is not in the filter.

expect: SUCCEEDED
"""

from lib.attempt import attempt, call, finish

attempt("memfd_secret", lambda: call("memfd_secret", 0))
finish()
