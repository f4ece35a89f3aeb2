"""An agent that cannot stop talking.

It floods its standard output as fast as it is read, with colours, bytes that are no text, and sequences that would
take over the reader's terminal.

What must happen: KILLED with reason OUTPUT; what it said up to the limit is kept, and does no harm on a terminal.
"""

import sys

SENTENCE = (
    b"\x1b[36mAs I was saying\x1b[0m, and as I have said before, "
    b"\x1b]0;I own your title\x07 \x1b[2J \xff\xfe one can never say it often enough.\n"
)


def main():
    while True:
        sys.stdout.buffer.write(SENTENCE * 100)


if __name__ == "__main__":
    main()
