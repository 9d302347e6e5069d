"""Drawings of chapter 08: they draw for odd settings too, and the alt text tells what is seen."""

import numpy as np
import pytest

from helpers.lab.drawings import ch08 as drawings
from helpers.lab.drawings import ch08_maps as maps

TOKENS = ["The", " $cost$", " &", " <b>", "é東"]


@pytest.mark.parametrize("kind", maps.MASKS)
def test_masks_and_their_verdicts(kind):
    mask = maps.mask_of(kind, 9)
    assert mask.diagonal().all()  # a token may always look at itself, so no row is empty
    sees_ahead = bool(np.triu(mask, 1).any())
    assert sees_ahead == (kind in ("both ways", "prefix, then causal", "upside down"))
    fig, alt = maps.mask_editor(kind, 99, TOKENS)
    assert f"Mask '{kind}'" in alt and maps.VERDICT[kind] in alt and len(fig.axes) == 2


def test_single_masks_by_hand():
    assert maps.mask_of("causal", 3).astype(int).tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert maps.mask_of("window of 3", 5).sum() == 1 + 2 + 3 * 3
    assert maps.mask_of("two documents", 4).astype(int).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert (maps.mask_of("upside down", 4) == maps.mask_of("causal", 4).T).all()
    with pytest.raises(ValueError, match="expected one of"):
        maps.mask_of("diagonal", 3)


def test_the_dial_depends_on_the_distance_only():
    score = lambda q, k: maps.rope_dial(q, k)[1].split("score is ")[1].split(",")[0]  # noqa: E731
    assert score(9, 6) == score(20, 17) == score(6, 9) != score(9, 5)
    assert score(5, 5) == "4.00"  # four pairs, all hands together


def test_attention_view_names_the_strongest():
    a = np.zeros((2, 3, 5, 5))
    a[..., 0] = 0.2
    a[1, 2, 4, 3] = 0.7
    fig, alt = maps.attention_view(a, TOKENS, 1, 2, 50)
    assert alt.startswith("Layer 1, head 2. The token '") and "'·<b>' (0.70)" in alt and len(fig.axes) == 2


def test_maps_lens_and_tokens_are_safe():
    fig, alt = maps.weights(np.eye(5), TOKENS, "Told.")
    assert alt.startswith("Told. The looks most at The (1.00)")
    _, alt = maps.weights(np.stack([np.eye(5)] * 2), TOKENS, "Told.", titles=["one", "two"])
    assert "one: " in alt and "two: " in alt
    fig, alt = maps.logit_lens([["a", "$b$"], [" c", " d"]], np.array([[0.1, 0.2], [0.3, 0.9]]), ["first", "last"], ["x", "$"])
    assert "last '·d' (0.90)" in alt
    fig.savefig("/dev/null", format="png")  # a dollar sign must not start a formula
    shown = maps.next_tokens([" <script>", "\n"], np.array([0.6, 0.3]), ["<b>", " &"])
    assert "<script>" not in shown and "&lt;b&gt;" in shown and "0.600" in shown


def test_curves_spread_training():
    series = {"one": ([1, 2], [3.0, 2.0]), "two": ([1, 2], [1.0, 2.0], [0.9, 1.9], [1.1, 2.1])}
    for kw in ({}, {"logx": True, "logy": True}):
        fig, alt = drawings.curves(series, "x", "y", "Told.", **kw)
        assert alt.startswith("Told. one: from 3 at 1 to 2 at 2; two")
        assert fig.axes[0].get_xlim()[1] > 2
    _, alt = drawings.spread({"a": [2.0, 2.2], "b": [1.0, 1.2]}, "x", "Told.", baseline="b")
    assert alt == "Told. b 1.10 (1.00 to 1.20); a 2.10 (2.00 to 2.20)."
    _, alt = drawings.training([4.0] * 30, [(10, 2.5), (20, 2.0)], "Told.", window=5)
    assert "step 10 2.50, step 20 2.00" in alt
    assert "ReLU" in drawings.activations()[1]


def test_bowls_mark_the_lowest_point():
    runs = [
        {"budget": c, "parameters": n, "seed": seed, "bits": 2 + (np.log(n) - np.log(n0)) ** 2}
        for c, n0 in ((1e9, 2_000), (1e10, 4_000))
        for n in (1_000, 2_000, 4_000, 8_000)
        for seed in (0, 1)
    ]
    fig, alt = drawings.bowls(runs, live={"parameters": 2_000, "bits": 2.1})
    assert "1e+09 operations: lowest at about 2,000" in alt and "1e+10 operations: lowest at about 4,000" in alt


def test_size_card_shows_smollm2():
    shown = drawings.size_card(576, 30, 9, 3, 49_152, True, 2_048)
    assert "134,515,008" in shown and "23 kB" in shown and "538 MB" in shown
    assert "6 query heads of 74 channels, 2 key-value heads" in drawings.size_card(448, 2, 7, 3, 257, False, 256)  # 3 in 7: twice
    assert "2 query heads of 32 channels, 1 key-value heads" in drawings.size_card(64, 1, 2, 8, 257, False, 256)
    assert drawings.size_card(64, 1, 1, 1, 257, False, 256) != drawings.size_card(64, 1, 1, 1, 257, True, 256)
