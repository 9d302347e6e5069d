"""The small scaling study: its arithmetic on made-up bowls, the committed results, and two processes against one."""

import numpy as np
import pytest

from helpers.files import save_json
from helpers.models import sizes as model_size
from helpers.studies import scaling
from helpers.training import distributed


def test_the_lowest_point_of_a_parabola():
    sizes = np.array([1e3, 2e3, 4e3, 8e3, 1.6e4])
    at, bits = scaling.lowest(sizes, 1.5 + 0.2 * (np.log(sizes) - np.log(5e3)) ** 2)
    assert at == pytest.approx(5e3) and bits == pytest.approx(1.5)
    for end, order in (("smallest", 1), ("largest", -1)):
        with pytest.raises(ValueError, match=end):
            scaling.lowest(sizes, np.arange(5.0)[::order])


def test_power_law_finds_the_exponent():
    x = np.array([1e9, 3e9, 1e10])
    k, exponent = scaling.power_law(x, 0.09 * x**0.5)
    assert k == pytest.approx(0.09) and exponent == pytest.approx(0.5)
    assert scaling.power_law([1, 10], [3.4, 2.8])[1] == pytest.approx(-0.08432, abs=1e-5)  # a worked number of chapter 06


def test_a_budget_buys_fewer_tokens_for_a_larger_model():
    bought = [scaling.tokens_for(1e11, width) for width in (16, 32, 64)]
    assert bought[0] > bought[1] > bought[2]
    spent = bought[1] * model_size.Size.of(scaling.config_of(32)).flops_per_token(32, training=True)
    assert spent == pytest.approx(1e11, rel=1e-4)


def test_a_run_spends_its_budget_and_is_repeatable():
    rng = np.random.default_rng(0)
    text = [rng.integers(65, 70, size=1_000)]
    documents = (text, [text[0][:100]], 100)
    first, again = (scaling.run(1.6e9, 16, 0, documents) for _ in range(2))
    assert first["bits"] == again["bits"] and first["tokens"] <= scaling.tokens_for(1.6e9, 16)
    with pytest.raises(ValueError, match="at least 10 steps"):
        scaling.run(1e8, 16, 0, documents)


def test_the_committed_study_is_whole():
    study = scaling.load()
    found = {(r["budget"], r["width"], r["seed"]) for r in study["runs"]}
    assert found == {(c, w, s) for c, widths in scaling.GRID.items() for w in widths for s in scaling.SEEDS}
    for seed in (None, *scaling.SEEDS):  # every bowl has a lowest point inside
        best = [scaling.lowest(*scaling.bowl(study["runs"], c, seed))[0] for c in scaling.GRID]
        assert 0.2 < scaling.power_law(list(scaling.GRID), best)[1] < 0.8


@pytest.mark.parametrize("content", [{}, {"runs": []}, {"runs": [{}]}])
def test_an_unfinished_study_is_refused(tmp_path, content):
    path = tmp_path / "scaling.json"
    save_json(path, content)
    with pytest.raises(ValueError, match="no scaling study"):
        scaling.load(path)


def test_two_processes_have_the_losses_of_one():
    one, two = distributed.losses(), distributed.launch(2)  # chapter 08 starts both as commands
    assert len(one) == len(two) == 5 and max(abs(a - b) for a, b in zip(one, two)) < 1e-4
    assert one[-1] < one[0]
    with pytest.raises(ValueError, match="1, 2, 4 or 8"):
        distributed.command(3)
