"""Exercise 11.6, The end of every document is missing: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def cut(words, size, overlap):
    """Chunks of `size` words, each beginning size - overlap words after the last; the last may be shorter. No word is lost."""
    chunks = []
    for start in range(0, len(words), size - overlap):
        chunks.append(words[start : start + size])
        if start + size >= len(words):
            break
    return chunks


def cut_loses_the_end(words, size, overlap):
    """Chunks of `size` words, each beginning size - overlap words after the last; the last may be shorter. No word is lost."""
    chunks = []
    for start in range(0, len(words) - size, size - overlap):
        chunks.append(words[start : start + size])
    return chunks


def cut_no_overlap(words, size, overlap):
    return [words[i : i + size] for i in range(0, len(words), size)]


def cut_step_off_by_one(words, size, overlap):
    out = []
    for i in range(0, len(words), max(1, size - overlap + 1)):
        out.append(words[i : i + size])
        if i + size >= len(words):
            break
    return out


def cut_overlap_as_step(words, size, overlap):
    out = []
    for i in range(0, len(words), max(1, overlap)):
        out.append(words[i : i + size])
        if i + size >= len(words):
            break
    return out


def cut_with_a_tail(words, size, overlap):
    return [words[i : i + size] for i in range(0, len(words), size - overlap)]


def cut_too_long(words, size, overlap):
    out = []
    for i in range(0, len(words), size - overlap):
        out.append(words[i : i + size + 1])
        if i + size >= len(words):
            break
    return out


def cut_nothing_in_the_overlap(words, size, overlap):
    return [words[i : i + size] for i in range(0, len(words) - overlap, size - overlap)]


def draw_cut(rng: np.random.Generator) -> tuple:
    size = int(rng.integers(3, 7))
    return int(rng.integers(5, 25)), size, int(rng.integers(0, size))


def check_cut(t: Trial) -> None:
    for n, size, overlap in ((3, 2, 0), (10, 5, 2), (9, 3, 0), (11, 5, 3), (2, 4, 1), (8, 4, 2), (1, 4, 2), *t.fresh(draw_cut)):
        words = [f"w{i}" for i in range(n)]
        t.equal(t.call(words, size, overlap), cut(words, size, overlap), what="the list of chunks")


HINTS = (
    "Cut ten words into chunks of four with overlap one, by hand. Where does the last chunk begin?",
    "Let starts run over range(0, len(words), size - overlap), and stop after the first chunk that reaches the end.",
)
WRONG = (
    Wrong(cut_loses_the_end, "loses the last words: a document shorter than a chunk has no chunk at all"),
    Wrong(cut_no_overlap, "has no overlap: each chunk must begin size - overlap words after the last"),
    Wrong(cut_step_off_by_one, "repeats one word too few: the step is size - overlap"),
    Wrong(cut_overlap_as_step, "steps by the overlap; the step is size - overlap"),
    Wrong(cut_with_a_tail, "adds chunks that lie wholly inside the one before: stop when the end is reached"),
    Wrong(cut_too_long, "makes chunks of size + 1 words"),
    Wrong(cut_nothing_in_the_overlap, "gives no chunk at all for a document that is no longer than the overlap"),
)
EXERCISE = Exercise(
    "11.6",
    "The end of every document is missing",
    "find the bug",
    cut,
    check_cut,
    HINTS,
    WRONG,
    points=2,
    start=cut_loses_the_end,
)
