"""A reader's text is drawn as it is in every figure: no formula, no warning, no exception."""

import warnings

import pytest
from matplotlib.text import Text

from helpers.lab import figures

NASTY = [
    "$x_$",
    "$$",
    "costs $5 and $6",
    r"\frac{",
    "a^b_c{d}",
    "100 %",
    "two\nlines",
    "a\tb",
    "\0\x04\x13",
    "\u4e2d\u6587",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\U0001f600\U0001f1e9",
    "\u05e9\u05dc\u05d5\u05dd",
    "e\u0301",
    "word" * 60,
    "",
    "$\\alpha$",
    "\\$5",
]


def everywhere(text):
    """A figure with the text wherever a drawing may put it."""
    fig, axes = figures.new(1, 3)
    axes[0].plot([1, 2], [1, 2], label=text or "b")
    axes[0].set(title=text, xlabel=text, ylabel=text or "b")
    axes[0].legend(title=text)
    axes[0].text(1, 1, text)
    figures.labels(axes[0], [(1, 1), (2, 2)], [text, text], ["blue", "red"])
    axes[1].bar(["a", text or "b"], [1, 2])
    axes[1].set_yticks([0, 1], [text, text])
    axes[2].table([[text]])
    axes[2].set_xscale("log")
    fig.suptitle(text)
    return fig


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_text_is_drawn_as_it_is(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fig = everywhere(text)
        assert figures.png(fig)
    drawn = [t for t in fig.findobj(Text) if t.get_text() and t.get_text() == figures.without_controls(text)]
    assert all(not t.get_parse_math() for t in drawn) and (len(drawn) >= 8 or not text)


def test_powers_at_an_axis_stay_powers():
    fig = everywhere("x")
    figures.png(fig)
    marks = fig.axes[2].get_xticklabels()
    assert any(t.get_parse_math() and "10^" in t.get_text() for t in marks)


def test_chapters_draw_the_readers_words():
    import numpy as np

    from helpers.lab.drawings import ch08_maps, ch10

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fig, alt = ch08_maps.weights(np.eye(2), ["$x_$", "$$"], "told")
        figures.html(fig, alt)
        fig, alt = ch10.distributions({"one": np.array([0.5, 0.5])}, ["$a", "b$"], "told")
        figures.html(fig, alt)
    assert any(t.get_text().endswith("$a") for t in fig.findobj(Text))
