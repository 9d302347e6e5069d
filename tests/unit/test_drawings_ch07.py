"""Drawings of chapter 07: they draw for odd settings too, and the alt text tells what is seen."""

import numpy as np
import pytest

from helpers.lab.drawings import ch07 as drawings


@pytest.mark.parametrize("x", [[1.0], [1, 0, 0, -1], [0.0] * 9])
def test_the_unrolled_network_shows_every_state(x):
    h = np.linspace(-1, 1, len(x) + 1)
    fig, alt = drawings.unrolled(x, h, -0.5, 2.0)
    shown = [t.get_text() for t in fig.axes[0].texts]
    assert all(f"{v:.2f}" in shown for v in h) and len(fig.axes[0].patches) >= len(h)
    assert f"over {len(x)} steps, w = -0.5, u = 2" in alt


def test_lines_leave_out_what_cannot_be_drawn_and_keep_ticks_to_the_data():
    series = {"falls": (range(1, 6), [1, 1e-3, 0.0, np.inf, 1e-9]), "band": ([1, 5], [1.0, 2.0], [0.5, 1.5], [1.5, 2.5])}
    fig, alt = drawings.lines(series, "x", "y", "Told.", log_y=True)
    assert list(fig.axes[0].lines[0].get_xdata()) == [1, 2, 5]
    assert max(fig.axes[0].get_xticks()) <= 5 < fig.axes[0].get_xlim()[1]
    assert alt.startswith("Told. falls: 1 -> 1, 2 -> 0.001") and alt.endswith("band: 1 -> 1, 5 -> 2.")


def test_lines_label_the_last_point_that_is_inside():
    fig, _ = drawings.lines({"one": ([1, 2, 3], [1.0, 2.0, 50.0])}, "x", "y", "Told.", ylim=(0, 10))
    (label,) = fig.axes[0].texts
    assert label.xy == (2, 2.0)


@pytest.mark.parametrize("norms", [np.full(63, 1e-30), np.full(63, np.inf), np.full(5, np.nan), 0.5 ** np.arange(1, 64)])
def test_the_gradient_panel_draws_vanished_and_exploded_gradients(norms):
    fig, alt = drawings.gradient_panel(norms, {"Elman": np.ones(63)}, "GRU, scale 2.00")
    drawn = fig.axes[0].lines[1].get_ydata()
    assert len(drawn) == len(norms) and drawn.min() >= 1e-12 and drawn.max() <= 1e6
    assert alt.startswith("GRU, scale 2.00") and f"at distance {len(norms)}" in alt


def test_two_panels_share_their_values():
    fig, alt = drawings.two_panels(
        {"a": [3.0, 2.0]}, {"a": ([1, 2], [10, 40])}, "y", "Told.", ("tokens", "seconds"), levels={"counts": 1.5}
    )
    left, right = fig.axes
    assert list(left.lines[0].get_ydata()) == list(right.lines[0].get_ydata()) == [3.0, 2.0]
    assert list(right.lines[0].get_xdata()) == [10, 40]
    assert alt == "Told. At the end: a 2.000 after 40.0; line at 1.500: counts."


def test_bars_give_shares_of_the_whole():
    _, alt = drawings.bars({"table": 300, "rest": 100}, "Told.")
    assert alt == "Told. table 300 (75.0%), rest 100 (25.0%)."


def test_the_memory_lane_writes_every_number():
    fig, alt = drawings.memory_lane({"f": np.array([0.0, 1.0]), "c": np.array([-1.0, 0.25])}, "A cell.")
    assert {t.get_text() for t in fig.axes[0].texts} == {"0.00", "1.00", "-1.00", "0.25"}
    assert alt == "A cell. f: 0.00, 1.00; c: -1.00, 0.25."


def test_the_unit_map_is_safe_html_with_one_colored_token_each():
    shown = drawings.unit_map(["", "<b>", " &", "\n"], {"unit <1>": np.array([0.0, 2.0, -2.0, 0.5])}, 'Told "so"')
    assert shown.count("<span") == 4 + 2  # the tokens, and the two ends of the key
    assert "<b><b>" not in shown and "&lt;b&gt;" in shown and "unit &lt;1&gt;" in shown and "&quot;so&quot;" in shown
    assert "title='1.00'" in shown and "title='-1.00'" in shown  # values are cut off at -1 and 1


@pytest.mark.parametrize("T, which", [(1, "f"), (5, "c"), (30, "h")])
def test_the_gate_panel_draws_for_any_length(T, which):
    rng = np.random.default_rng(0)
    gates = {name: rng.uniform(-1, 1, (T, 16)) for name in "ifgoch"}
    fig, alt = drawings.gate_panel((["Ж\n"] + [" a"] * T)[:T], gates, 3, which)
    top, low = fig.axes
    assert np.allclose(top.lines[3].get_ydata(), gates["c"][:, 3])
    assert len(low.get_yticks()) == 12
    assert alt.startswith(f"Gates of unit 3 over a text of {T} tokens") and f"{which} of twelve units" in alt


def test_the_alignment_says_how_much_is_on_the_diagonal():
    _, alt = drawings.alignment([1, 2, 3], [1, 2, 3], np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1]]), "Told.")
    assert alt == "Told. In 67% of the rows the largest weight is on the diagonal."


def test_the_copy_panel_marks_the_wrong_digits():
    shown = drawings.copy_panel([1, 2, 3], {"one vector": [1, 3, 3], "with attention": [1, 2, 3]}, np.eye(3))
    assert "1 of 3 wrong" in shown and "no error" in shown
    assert shown.count("background:#D55E00") == 1 and "<figure" in shown


def test_a_written_text_is_safe_html():
    shown = drawings.written("LSTM", "<p>", " & so\non", [(" the", 0.25), ("<", 0.1)], "<i>")
    assert "&lt;p&gt;<i> &amp; so<br>on</i>" in shown and "0.250" in shown and "<code>&lt;i&gt;</code>" in shown
