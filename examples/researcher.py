"""A researcher that does its work and finishes.

It gets a small library of notes and a question, makes a plan, reads source by source, takes notes of the sentences that
bear on the question, and writes a summary that names its sources. What a language model would do is done by counting
words here, so that the example needs no network and no key; the shape is that of a real agent: plan, loop of steps with
a memory, answer.

It also holds a secret, as a real agent holds the key of its model. It prints the secret's length, and no other run may
learn more: snoop.py looks for it at the same time.

What must happen: SUCCEEDED, with a summary in summary.json.
"""

import json
import os
import re
import time

QUESTION = "Why do honey bees dance, and what does the dance tell?"

LIBRARY = {
    "frisch.txt": """Karl von Frisch watched honey bees in glass hives for decades. He found that a returning forager dances
        on the comb. The waggle dance tells the other bees the direction of the food relative to the sun. A longer waggle
        tells of a greater distance. He was given the Nobel Prize in 1973.""",
    "seeley.txt": """Thomas Seeley studied swarms that look for a new home. Scouts dance for the site that they have found,
        and better sites get livelier dances. The swarm decides when enough scouts dance for one site. A swarm weighs
        about as much as a loaf of bread.""",
    "garden.txt": """Lavender wants sun and poor soil. Water it rarely. Cut it back after it has flowered, and bees will
        thank you in summer.""",
    "critics.txt": """Adrian Wenner doubted that bees use the dance and held that smell alone leads them. Later experiments
        with a robot bee that dances showed that the dance by itself does tell the direction.""",
}

COMMON_WORDS = set("a an and are as at by do does for in is it of on or that the to was what when why will with".split())


def think(seconds):
    """Stands for the time that a model takes to answer."""
    time.sleep(seconds)


def words(text):
    return {word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower())} - COMMON_WORDS


def make_plan(question, library):
    """Reads first what shares most words with the question."""
    return sorted(library, key=lambda source: -len(words(library[source]) & words(question)))


def take_notes(question, source, text):
    """The sentences that share at least two words with the question."""
    sentences = [" ".join(sentence.split()) for sentence in re.split(r"(?<=\.)\s+", text)]
    return [(source, sentence) for sentence in sentences if len(words(sentence) & words(question)) >= 2]


def main():
    key = os.environ.get("RESEARCH_API_KEY", "")
    print(f"My key has {len(key)} characters.", flush=True)
    print(f"Question: {QUESTION}", flush=True)
    plan = make_plan(QUESTION, LIBRARY)
    think(0.5)
    print("Plan: " + ", then ".join(plan), flush=True)

    notes = []
    for step, source in enumerate(plan, start=1):
        think(1.0)
        found = take_notes(QUESTION, source, LIBRARY[source])
        notes += found
        print(f"Step {step} of {len(plan)}: {source}: {len(found)} notes", flush=True)

    think(0.5)
    summary = {"question": QUESTION, "answer": [{"says": text, "source": source} for source, text in notes]}
    with open("summary.json", "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=2)
    print("Summary:")
    for note in summary["answer"]:
        print(f"  - {note['says']} [{note['source']}]")
    print(f"Done: {len(notes)} notes from {len({source for source, _ in notes})} sources.", flush=True)


if __name__ == "__main__":
    main()
