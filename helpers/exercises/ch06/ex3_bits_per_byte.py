"""Exercise 6.3, Bits per byte: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def bits_per_byte(log_probs, texts):
    """Bits per byte of the texts. log_probs: for each text an array of natural-log probabilities, end of text included."""
    nats = -sum(np.sum(scores) for scores in log_probs)
    n_bytes = sum(len(text.encode("utf-8")) for text in texts)
    return float(nats / np.log(2) / n_bytes)


def bpb_characters(log_probs, texts):
    nats = -sum(np.sum(scores) for scores in log_probs)
    return float(nats / np.log(2) / sum(len(text) for text in texts))


def bpb_nats(log_probs, texts):
    return bits_per_byte(log_probs, texts) * float(np.log(2))


def bpb_times_ln2(log_probs, texts):
    return bits_per_byte(log_probs, texts) * float(np.log(2)) ** 2


def bpb_mean_of_ratios(log_probs, texts):
    return float(np.mean([bits_per_byte([s], [text]) for s, text in zip(log_probs, texts)]))


def bpb_per_token(log_probs, texts):
    return float(-np.concatenate(log_probs).mean() / np.log(2))


def bpb_without_end(log_probs, texts):
    return bits_per_byte([scores[:-1] for scores in log_probs], texts)


def bpb_positive(log_probs, texts):
    return -bits_per_byte(log_probs, texts)


def bpb_end_bytes(log_probs, texts):
    return bits_per_byte(log_probs, [text + "|" for text in texts])


def bpb_utf16(log_probs, texts):
    n_bytes = sum(len(text.encode("utf-16")) for text in texts)
    return float(-sum(np.sum(scores) for scores in log_probs) / np.log(2) / n_bytes)


def draw_bits_per_byte(rng: np.random.Generator) -> tuple:
    texts = ["".join(rng.choice(list("ab é日"), size=int(rng.integers(2, 7)))) for _ in range(3)]
    return [rng.uniform(0.05, 0.9, size=int(rng.integers(2, 6))).tolist() for _ in texts], texts


def check_bits_per_byte(t: Trial) -> None:
    cases = [
        ([[0.5, 0.25]], ["ab"]),
        ([[0.5, 0.1, 0.2], [0.25, 0.9]], ["word by word", "a"]),
        ([[0.1, 0.2, 0.05, 0.5]], ["naïve café"]),
    ]
    for p, texts in [*cases, *t.fresh(draw_bits_per_byte)]:
        log_probs = [np.log(np.array(row)) for row in p]
        t.close(t.call(log_probs, texts), bits_per_byte(log_probs, texts), rtol=1e-6, what="bits per byte")


HINTS = (
    "Above the line: all losses of all tokens of all texts, added up, in bits. One nat is 1 / ln 2 bits.",
    'Below the line: all bytes of all texts. len(text) counts characters; len(text.encode("utf-8")) counts bytes.',
)
WRONG = (
    Wrong(
        bpb_characters,
        'divides by characters: an é has two bytes, a Chinese character three. Use len(text.encode("utf-8"))',
    ),
    Wrong(bpb_end_bytes, "counts a byte for the end of each text: the end costs bits, but only the text's own bytes count"),
    Wrong(bpb_utf16, "counts bytes of another encoding: UTF-8 is meant"),
    Wrong(bpb_nats, "gives nats per byte: divide by ln 2 to get bits"),
    Wrong(
        bpb_times_ln2,
        "multiplies by ln 2 where it must divide: a nat is more than a bit, so the number of bits is larger",
    ),
    Wrong(
        bpb_mean_of_ratios,
        "averages the bits per byte of the texts: a text of one byte would weigh as much as a "
        "long one. Add up first, "
        "divide once",
    ),
    Wrong(
        bpb_per_token,
        "divides by the number of tokens: then the number depends on the tokenizer, which is what bits per byte avoids",
    ),
    Wrong(bpb_without_end, "leaves out the last token of each text, its end: the end must be predicted, and paid for, too"),
    Wrong(bpb_positive, "has the sign turned: log-probabilities are negative, a cost is positive"),
)
EXERCISE = Exercise("6.3", "Bits per byte", "core", bits_per_byte, check_bits_per_byte, HINTS, WRONG, points=2)
