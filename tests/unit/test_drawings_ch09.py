"""Drawings of chapter 09, first half: they draw for odd settings too, and the alt text tells what is seen."""

import numpy as np
import pytest

from helpers.lab.drawings import ch09 as drawings


def test_the_loss_mask_counts_and_escapes():
    shown = drawings.loss_mask(["<b>", "\n", "", " é"], [False, True, False, True], "A note & more.")
    assert "2 of 4 tokens count" in shown and "&lt;b&gt;" in shown and "↵" in shown and "<b>" not in shown and "&amp;" in shown
    assert shown.count("solid #00304d") == 2 and shown.count("dotted") == 2
    with pytest.raises(ValueError):
        drawings.loss_mask(["a"], [True, False])


def test_memory_adds_the_parts():
    fig, alt = drawings.memory({"small": {"weights": 4e6}, "all": dict.fromkeys(drawings.KINDS, 1e6)})
    assert "small 4 MB" in alt and "all 4 MB" in alt and len(fig.axes[0].patches) == 2 * len(drawings.KINDS)


def test_intervals_tell_every_row():
    rows = {"one": (0.5, 0.4, 0.7), "two": (-0.1, -0.3, 0.0)}
    fig, alt = drawings.intervals(rows, "share", "Told.", zero=True)
    assert alt == "Told. one 0.50 (0.40 to 0.70); two -0.10 (-0.30 to 0.00)."
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["two", "one"]  # the first on top


def test_the_error_of_a_rank():
    s = np.array([3.0, 4.0, 0.0])[[1, 0, 2]]  # 4, 3, 0
    for rank, left in ((0, 100), (1, 60), (2, 0), (3, 0)):
        _, alt = drawings.low_rank(s, np.ones(3), rank, (3, 3))
        assert f"{left}% of the update" in alt and f"with {6 * rank} numbers in place of 9" in alt
    assert "58% of the weights" in drawings.low_rank(s, np.ones(3), 2, (3, 3))[1]


def test_codebooks_and_trade_off():
    _, alt = drawings.codebooks(np.linspace(-1, 1, 100), {"two": np.array([-1.0, 1.0]), "three": np.array([-1.0, 0.0, 1.0])})
    assert "two: 2 levels, 0% of them" in alt and "three: 3 levels, 33%" in alt
    fig, alt = drawings.tradeoff([("a", 1.0, 2.0), ("a", 3.0, 4.0), ("b", 0.0, 0.0)], (5.0, 1.0), "x", "y", "Told.")
    assert "Before: 5.00 and 1.00" in alt and "a: 2.00 and 3.00; b: 0.00 and 0.00" in alt


def test_labels_of_the_trade_off_keep_clear_of_other_marks():
    """A label stands on the right of its rightmost mark, and moves down where another mark lies there, a little higher."""

    def height_of(other):
        fig, _ = drawings.tradeoff([("first", 1.0, 1.0), ("other", *other), ("last", 3.0, 3.0)], (4.0, 1.5), "x", "y", "Told.")
        return next(t for t in fig.axes[0].texts if t.get_text() == "first").xyann[1]

    assert height_of((2.0, 2.5)) == 0  # nothing near
    assert height_of((1.1, 1.05)) < 0 < height_of((1.1, 0.95))


def test_before_and_after_escape_what_a_model_wrote():
    shown = drawings.before_after({"title": "A & B", "text": "<i>t</i>", "reference": "r"}, {"before": "<script>", "after": ""})
    assert "&lt;script&gt;" in shown and "A &amp; B" in shown and "(nothing)" in shown
    assert shown.index("before") < shown.index("after") < shown.index("reference")
