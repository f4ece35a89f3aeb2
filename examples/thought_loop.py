"""An agent caught in its own thoughts.

It reviews its plan, finds that the plan could be better, and reviews it again. It is never idle and never done, as
agents are whose model keeps saying "let me reconsider".

What must happen: KILLED with reason WALL_CLOCK, on the dot.
"""

import hashlib
import time


def reconsider(plan):
    """A new plan that is as good as the old one."""
    return hashlib.sha256(plan.encode()).hexdigest()


def main():
    plan, thought = "write the report", 0
    while True:
        thought += 1
        plan = reconsider(plan)
        if thought % 10 == 0:
            print(f"Thought {thought}: let me reconsider, plan {plan[:8]} may be better.", flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
