"""Drawings of chapter 09's second half: odd settings too, and the alt text tells what is seen."""

import numpy as np
import pytest

from helpers.lab.drawings import ch09_preferences as pictures


@pytest.mark.parametrize("beta, chosen, rejected", [(0.1, 1.0, -1.0), (1.0, -10.0, 10.0), (0.05, 0.0, 0.0)])
def test_the_dpo_view(beta, chosen, rejected):
    fig, alt = pictures.dpo_view(beta, chosen, rejected)
    assert len(fig.axes) == 2 and f"a difference of {chosen - rejected:+.1f}" in alt
    assert f"Loss {np.log1p(np.exp(-beta * (chosen - rejected))):.3f}" in alt
    assert "less likely" not in alt


def test_the_dpo_view_warns_when_both_fall():
    assert "Loss 0.554" in pictures.dpo_view(0.1, -1.0, -4.0)[1]
    assert "Both answers have become less likely" in pictures.dpo_view(0.1, -1.0, -4.0)[1]


def test_margins_count_what_is_right():
    fig, alt = pictures.margins(np.array([1.0, -1.0, 2.0, 3.0]), [0, 0, 1, 1], ("one", "two"), "Told.")
    assert alt == "Told. 75% of all pairs are right: one 50% right, two 100% right." and len(fig.axes) == 2
    fig, alt = pictures.margins(np.zeros(2), [0, 1], ("one", "two"), "Told.")  # nothing learned at all
    assert "0% of all pairs" in alt
    fig.savefig("/dev/null", format="png")


def test_spread_over_tells_mean_and_range():
    values = np.array([[0.9, 1.0], [0.5, 0.7]])
    _, alt = pictures.spread_over([0, 40], {"a": values}, "x", "y", "Told.", percent=True, level=0.6, level_name="chance")
    assert alt == "Told. a: 95% (90% to 100%) at 0, 60% (50% to 70%) at 40."
    fig, alt = pictures.spread_over([1, 4], {"a": values, "b": values}, "x", "y", "Told.", logx=True)
    assert "b: 0.95 (0.9 to 1) at 1" in alt and fig.axes[0].get_xlim()[1] > 4


def test_picked_and_moved():
    fig, alt = pictures.picked([1, 16], {"clean": [0.1, 3.0], "noisy": [0.0, 2.0]}, {"clean": [0.05, 0.2], "noisy": [0.05, 0.06]})
    assert "clean: reward 0.1 to 3.0, overlap 0.05 to 0.20; noisy" in alt and len(fig.axes) == 2
    fig, alt = pictures.moved({"beta 0.1": [(0, 0), (-1, -2.5)], "beta 1.0": [(0, 0), (0.1, -0.5)]}, "Told.")
    assert alt == "Told. At the last step beta 0.1: chosen -1.00, rejected -2.50; beta 1.0: chosen +0.10, rejected -0.50."
    assert len(fig.axes) == 2 and len(pictures.moved({"one": [(0, 0), (1, 2)]}, "Told.")[0].axes) == 1
