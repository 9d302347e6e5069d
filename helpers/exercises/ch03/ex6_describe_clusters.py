"""Exercise 3.6, 156 labels are not 156 topics: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def describe_clusters(labels):
    """(number of topics, share of the texts in the largest topic, share in no topic); the label -1 means "no topic"."""
    topics, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return len(topics), float(sizes.max(initial=0) / len(labels)), float(np.mean(labels < 0))


def describe_clusters_with_noise(labels):
    """(number of topics, share of the texts in the largest topic, share in no topic); the label -1 means "no topic"."""
    topics, sizes = np.unique(labels, return_counts=True)
    return len(topics), float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_always_one_less(labels):
    topics, sizes = np.unique(labels, return_counts=True)
    return len(topics) - 1, float(sizes[topics >= 0].max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_of_the_rest(labels):
    topics, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return len(topics), float(sizes.max() / sizes.sum()), float(np.mean(labels < 0))


def describe_clusters_noise_is_largest(labels):
    topics, sizes = np.unique(labels, return_counts=True)
    return int(np.sum(topics >= 0)), float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_highest_label(labels):
    _, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return int(labels.max()) + 1, float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def draw_describe_clusters(rng: np.random.Generator) -> list:
    return rng.choice([-1, 0, 1, 3, 8], size=int(rng.integers(6, 14))).tolist()


def check_describe_clusters(t: Trial) -> None:
    for labels in (
        [0, 0, 1],
        [0, -1, 1, 1],
        [-1, -1, -1, 0, 1, 2, 2],
        [5, 5, -1, 2],
        [0, 0, 0, 1, -1, -1, -1, -1, 4, 4],
        [-1, -1],
        *t.fresh(draw_describe_clusters),
    ):
        labels = np.array(labels)
        got, expected = t.call(labels), describe_clusters(labels)
        got = tuple(got) if isinstance(got, np.ndarray) and got.shape == (3,) else got
        t.several(got, 3, "must return three numbers", expected)
        t.close(got, expected, what="the three numbers")


HINTS = (
    "Try it by hand on the labels 0, -1, 1, 1. How many topics are there?",
    "labels[labels >= 0] are the labels of the texts that are in a topic. The shares still refer to all texts.",
)
WRONG = (
    Wrong(describe_clusters_with_noise, "counts the label -1 as a topic; it marks the texts that belong to none"),
    Wrong(describe_clusters_always_one_less, "subtracts one topic also when no label is -1"),
    Wrong(
        describe_clusters_of_the_rest,
        "divides the largest topic by the texts that are in a topic; the share of all texts is asked",
    ),
    Wrong(describe_clusters_noise_is_largest, "leaves -1 out of the number of topics, but it can still be the largest topic"),
    Wrong(describe_clusters_highest_label, "takes the highest label plus one; labels may have gaps"),
)
EXERCISE = Exercise(
    "3.6",
    "156 labels are not 156 topics",
    "find the bug",
    describe_clusters,
    check_describe_clusters,
    HINTS,
    WRONG,
    points=2,
    start=describe_clusters_with_noise,
)
