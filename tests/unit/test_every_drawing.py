"""Every drawing of every chapter with texts that break drawings: literal, without a warning, and no code in a page.

A public function of helpers/lab/drawings must stand in CALLS (with a call that puts the text wherever a reader's text can go)
or in NUMBERS (it takes none). A new one in neither fails.
"""

import importlib
import inspect
import io
import logging
import pkgutil
import warnings
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.table import Table
from matplotlib.text import Text

from helpers.evaluation.word_similarity import PairScore
from helpers.generation.beam import Beam, Step
from helpers.lab import drawings, figures
from helpers.lab.drawings import ch08_maps, ch10
from helpers.lab.drawings.ch07.states import readable
from helpers.models import ngram, ngram_counts, word_vectors
from helpers.models.autodiff import Value
from helpers.models.language_model import encode_documents
from helpers.tokenizers.bpe import BPE
from helpers.tokenizers.plain import WordTokenizer

# Few and long: a drawing takes a tenth of a second. Each kind by itself: test_literal_text.py.
NASTY = [
    r"$$ costs $5 and $x_$ \frac{a}{b}^{_ 100 % {0} %s '><img src=x onerror=a()>&amp;",
    "_中文 हिन्दी שלום \u202eabc e\u0301 👨‍👩‍👧 lone \ud83d half, two\nlines\ttab \0\x04",
    "",
]
X, XY, EYE = np.arange(3.0), np.arange(8.0).reshape(4, 2), np.eye(3)
FIT = SimpleNamespace(probabilities=lambda P: 1 / (1 + np.exp(-P.sum(1))))
RAW = SimpleNamespace(transform=lambda P: P)
NONE = lambda text: None  # noqa: E731  the text is shortened, or only a part of it shown


def vectors(t):
    words = [t.strip().lower() or "blank", "one", "two", "three"]
    return word_vectors.WordVectors(words, np.random.default_rng(0).normal(size=(4, 3)) + 1)


def word_model(t):
    texts = [f"one two {t} three", "one two"]
    tokenizer = WordTokenizer.train([text.encode("utf-8", "replace").decode() for text in texts], min_count=1)
    counts = ngram_counts.count_ngrams(encode_documents(tokenizer, ["one two three", "one two"]), 3, tokenizer.vocab_size)
    return ngram.kneser_ney(counts, 0.5), tokenizer, f"one {t}".encode("utf-8", "replace").decode()


def merged(t):
    word = (t.encode("utf-8", "replace").decode() or "x")[:8]
    return BPE([], pattern="none"), word


def graph(t):
    x = Value(2.0, label=t)
    y = x * x
    y.backward()
    return (y,)


def utf8(t):
    return t.encode("utf-8", "replace").decode()


def interval(t):
    return {t: (0.5, 0.4, 0.6), t + "2": (0.3, 0.2, 0.4)}


def series(t):
    return {t: ([1, 2, 3], [1.0, 2.0, 3.0]), t + "2": ([1, 2, 3], [3.0, 2.0, 1.0])}


# module.function -> the arguments that hold the text t; and, where a drawing shows tokens in a way of its own, that way
CALLS = {
    "ch00.next_tokens": (lambda t: (([t], [0.5], 1.0), {}), lambda t: repr(t)[1:-1].replace(" ", "␣")),
    "ch00.speech": lambda t: ((t, t), {}),
    "ch01.graphs.graph": lambda t: (graph(t), {}),
    "ch02.curves.seed_spread": lambda t: (({t: X, t + "2": X}, 0.7), {}),
    "ch02.curves.newton_against_descent": lambda t: (([(t, [3.0, 2.0, 1.0]), (t + "2", [3.0, 1.0])],), {}),
    "ch02.maps.fitted_map": lambda t: ((XY, np.array([0, 1, 0, 1]), FIT, [t, t], RAW), {}),
    "ch02.maps.move_points": lambda t: (
        (XY / 4 - 1, np.array([0, 1, 0, 1]), 0, 0.1, 0.2, 1.0, 1.0, 0.0, False),
        {"names": (t, t)},
    ),
    "ch02.scores.confusion": lambda t: ((np.array([[2, 1], [0, 3]]), [t, t]), {"title": t}),
    "ch02.scores.reliability": lambda t: (([(t, np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.6, 0.4]))] * 2,), {}),
    "ch03.table": lambda t: ((EYE, [t] * 3, [t] * 3), {}),
    "ch03.lines": lambda t: (
        ([1, 2], {t: [0.1, 0.2], t + "2": [0.2, 0.1]}, t, t),
        {"intervals": {t: ([0, 0.1], [0.2, 0.3])}, "hline": (0.1, "left", t)},
    ),
    "ch03.votes": lambda t: ((EYE[:1], [t] * 3, EYE, np.zeros(3), [t] * 3), {}),
    "ch03.contingency": lambda t: ((np.array([0, 1, 0]), np.array([0, 1, 1]), [t] * 2, [t] * 2), {}),
    "ch04.counts_and_ppmi": lambda t: (([t] * 3, EYE, EYE), {}),
    "ch04.points": (lambda t: (([t, "b", "c", "d"], XY, [t, t, t + "2", "x"]), {"title": t})),
    "ch04.cosine_histograms": lambda t: (({t: X / 3, t + "2": X / 3}, t), {}),
    "ch04.keep_and_noise": lambda t: ((X + 1, X / 3, {t: (X + 1) / 6, t + "2": (X + 2) / 9}, ["the", t, t]), {}),
    "ch04.training": lambda t: (({t: [(i * 1000, 4.0 - i / 50) for i in range(40)]}, 4.2), {}),
    "ch04.agreement": lambda t: (({t: {t: [PairScore(0.5, 0.4, 0.6, 5, 6)], t + "2": [PairScore(0.3, 0.2, 0.4, 5, 6)]}},), {}),
    "ch04.embedding_map": (
        lambda t: ((vectors(t), word_vectors.pca(vectors(t).unit, 2), t.strip().lower() or "blank"), {"k": 3}),
        lambda t: t.strip().lower(),
    ),
    "ch04.analogy_box": (
        lambda t: ((vectors(t), t.strip().lower() or "blank", "one", "two"), {"k": 4}),
        lambda t: t.strip().lower(),
    ),
    "ch04.genres": lambda t: ((XY, np.array([0, 1, 0, 1]), [t, t]), {}),
    "ch04.leaning": lambda t: (([t, t, t], EYE, t, t), {}),
    "ch04.similarity_table": lambda t: (([t] * 4, np.eye(4), 2), {"title": t}),
    "ch04.contrastive": lambda t: (({t: [0.1, 0.2], t + "2": [0.2, 0.3]}, 0.05), {}),
    "ch05.boxes": lambda t: (([(t, 1)],), {}),
    "ch05.side_by_side": lambda t: ((utf8(t), {t: lambda text: [(text, 1)]}), {}),
    "ch05.merge_steps": (lambda t: (({"ab" + t: 2, t or "x": 3}, [("a", "b")], 1), {}), NONE),
    "ch05.merge_tree": (lambda t: (merged(t), {}), NONE),
    "ch05.language_price": lambda t: (({t: {t: 3.0, t + "2": 4.0}, t + "2": {t: 3.0, t + "2": 4.0}},), {}),
    "ch05.token_use": lambda t: ((np.array([3, 2, 1]), [t] * 3), {}),
    "ch06.backoff_path": (lambda t: (word_model(t), {}), NONE),
    "ch06.autocomplete": (lambda t: (word_model(t), {}), NONE),
    "ch06.lines": lambda t: ((series(t), t, t, t), {}),
    "ch06.discount_panel": lambda t: (({(1, 0.1): 2.0, (1, 0.5): 1.0}, 1, 0.5, 1.0, t), {}),
    "ch06.lcs_grid": lambda t: (([t, "b"], ["b", t]), {}),
    "ch06.ratings": lambda t: (({t: [1500, 1510], t + "2": [1500, 1490]}, 10), {}),
    "ch07.curves.lines": lambda t: ((series(t), t, t, t), {}),
    "ch07.curves.gradient_panel": lambda t: ((X + 1, {t: X + 1}, t), {}),
    "ch07.curves.two_panels": lambda t: (({t: X, t + "2": X}, {t: (X, X), t + "2": (X, X)}, t, t, [t, t]), {"levels": {t: 1.0}}),
    "ch07.curves.bars": lambda t: (({t: 3, t + "2": 4}, t, t), {}),
    "ch07.states.memory_lane": lambda t: (({t: X, t + "2": X}, t), {}),
    "ch07.states.unit_map": (lambda t: (([t] * 3, {t: X}, t), {}), lambda t: t.replace("\n", "⏎")),
    "ch07.states.gate_panel": (lambda t: (([t] * 3, {k: EYE for k in "ifgoch"}, 0, "f"), {}), readable),
    "ch07.texts.alignment": lambda t: (([t] * 3, [t] * 3, EYE, t), {}),
    "ch07.texts.copy_panel": lambda t: (([1, 2, 3], {t: [1, 2, 2]}, EYE), {}),
    "ch07.texts.written": lambda t: ((t, t, t, [(t, 0.5)], t), {}),
    "ch08.curves": lambda t: ((series(t), t, t, t), {"logx": True}),
    "ch08.training": (lambda t: ((np.arange(30.0), [(1, 2.0), (30, 1.0)], t), {}), NONE),
    "ch08.spread": lambda t: (({t: [1.0, 2.0], t + "2": [2.0, 3.0]}, t, t, t), {}),
    "ch08_maps.weights": (lambda t: ((EYE, [t] * 3, t), {"titles": [t]}), ch08_maps.shown),
    "ch08_maps.mask_editor": (lambda t: (("causal", 1, [t] * 3), {}), ch08_maps.shown),
    "ch08_maps.attention_view": (lambda t: ((EYE[None, None], [t] * 3, 0, 0, 1), {}), ch08_maps.shown),
    "ch08_maps.logit_lens": (lambda t: (([[t] * 3] * 3, EYE, [t] * 3, [t] * 3), {}), ch08_maps.shown),
    "ch08_maps.next_tokens": lambda t: (([t], [0.5], [t]), {}),
    "ch09.loss_mask": (lambda t: (([t, t], [True, False], t), {}), lambda t: t.replace("\n", "↵")),
    "ch09.memory": lambda t: (({t: {"weights": 1e6}, t + "2": {"weights": 2e6}},), {}),
    "ch09.intervals": lambda t: ((interval(t), t, t), {}),
    "ch09.low_rank": lambda t: ((X[::-1] + 1, X[::-1] + 1, 1, (3, 3)), {"names": (t, t)}),
    "ch09.codebooks": lambda t: ((X / 3, {t: X / 3, t + "2": X / 3}), {}),
    "ch09.before_after": lambda t: (({"text": t, "reference": t, "title": t}, {t: t}), {}),
    "ch09.tradeoff": lambda t: (([(t, 0.1, 0.2), (t + "2", 0.3, 0.1)], (0.0, 0.0), t, t, t), {}),
    "ch09_preferences.margins": lambda t: (([1.0, -1.0], [0, 1], [t, t], t), {}),
    "ch09_preferences.spread_over": lambda t: (
        ([1.0, 2.0], {t: np.eye(2), t + "2": np.eye(2)}, t, t, t),
        {"level": 0.5, "level_name": t},
    ),
    "ch09_preferences.picked": lambda t: (
        ([1, 4], {t: [0.1, 0.2], t + "2": [0.3, 0.4]}, {t: [0.1, 0.2], t + "2": [0.3, 0.4]}),
        {},
    ),
    "ch09_preferences.moved": lambda t: (({t: [(0.0, 0.0), (0.1, -0.1)], t + "2": [(0.0, 0.0), (0.1, -0.1)]}, t), {}),
    "ch10.distributions": (lambda t: (({t: X / 3, t + "2": X / 3}, [t] * 3, t), {}), ch10.plain),
    "ch10.knobs": (lambda t: (([t] * 3, X, 1.0, 0, 1.0, 0.0, 1.0, 1.0), {}), ch10.plain),
    "ch10.quality": lambda t: (
        (
            [
                {"sampler": t, "perplexity": 2.0, "distinct_2": 0.5},
                {"sampler": "T = 1", "perplexity": 9.0, "distinct_2": 0.7},
            ],
            t,
        ),
        {"xlabel": t, "ylabel": t},
    ),
    "ch10.beam_tree": (lambda t: (([Step((Beam((1,), -1.0, False, -1.0),), ())], lambda i: t, 1), {}), ch10.plain),
    "ch10.acceptance": (lambda t: ((X / 3, X[::-1] / 3, [t] * 3), {}), ch10.plain),
    "ch10.bars": lambda t: ((interval(t), t, t), {}),
    "ch10.by_count": lambda t: (({t: ([1, 2], [[0.1], [0.2]]), t + "2": ([1, 2], [[0.3], [0.4]])}, t, t, t), {}),
    "ch10.reliability": lambda t: ((X / 3, X / 3, X + 1, t, t), {}),
    "ch10.playground": (lambda t: (([[(t, 0.5), (t, 0.2)]], [0], t, -1.0), {}), NONE),
    "ch10.lines": lambda t: ((series(t), t, t, t), {}),
    "ch11.intervals": lambda t: (({t: interval(t), t + "2": interval(t)}, t, t), {}),
    "ch11.heat": lambda t: ((EYE, [1, 2, 3], [1, 2, 3], t, t, t), {}),
    "ch11.scores_by_kind": lambda t: ((X, [True, False, True], 0.5, t), {}),
    "ch11.results_table": lambda t: ((t, {t: [(t, 0.5, t)]}, t), {}),
    "ch11.chunk_sizes": lambda t: (({t: ([10, 20], [0.1, 0.2]), t + "2": ([10, 20], [0.2, 0.1])},), {}),
    "ch11.chunk_view": (lambda t: ((t, [(0, 3), (2, 5)]), {}), NONE),
}
NUMBERS = {
    "ch00": "course_map chapter_table",
    "ch01.lines": "pair line_and_loss scaled verdict descent",
    "ch01.polynomials": "fit_by_hour degree_and_lambda",
    "ch02.curves": "line_against_curve losses_and_slopes along_a_line activations",
    "ch02.maps": "shade scatter make_points playground",
    "ch02.scores": "threshold_view",
    "ch03": "dots zipf",
    "ch05": "shown bpe_pieces byte_pieces vocabulary_curve",
    "ch06": "shown gave_and_got completions",
    "ch07.curves": "told_lines",
    "ch07.states": "readable unrolled",
    "ch08": "activations bowls size_card",
    "ch08_maps": "shown mask_of rope_dial",
    "ch09_preferences": "dpo_view",
    "ch10": "plain",
    "ch11": "saturation tradeoff ranking_card",
}


def function(name):
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(f"helpers.lab.drawings.{module}"), last)


def test_every_drawing_is_known_here():
    found = set()
    for info in pkgutil.walk_packages(drawings.__path__, "helpers.lab.drawings."):
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if inspect.isfunction(thing) and thing.__module__ == info.name and not name.startswith("_"):
                found.add(f"{info.name.removeprefix('helpers.lab.drawings.')}.{name}")
    numbers = {f"{module}.{name}" for module, names in NUMBERS.items() for name in names.split()}
    assert found == set(CALLS) | numbers, found ^ (set(CALLS) | numbers)
    assert not set(CALLS) & numbers and len(CALLS) > 70


class Page(HTMLParser):
    """The tags and the words of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags |= {tag, *(name for name, _ in attributes)}
        self.words += [value or "" for _, value in attributes]

    def handle_data(self, data):
        self.words.append(data)


def texts(fig):
    cells = [cell.get_text() for table in fig.findobj(Table) for cell in table.get_celld().values()]
    return [*fig.findobj(Text), *cells]


@pytest.mark.parametrize("name", CALLS)
def test_a_readers_text_is_drawn_as_it_is(name, monkeypatch):
    def laid_out(fig, dpi=100):  # all but the pixels; without the search for margins, which takes half of the time
        fig.set_layout_engine("none")
        figures.measure(fig)
        return b""

    monkeypatch.setattr(figures, "png", laid_out)
    call, view = CALLS[name] if isinstance(CALLS[name], tuple) else (CALLS[name], str)
    log, draw = io.StringIO(), function(name)
    handler = logging.StreamHandler(log)
    logging.getLogger("matplotlib").addHandler(handler)
    try:
        for text in NASTY:
            arguments, more = call(text)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                drawn = draw(*arguments, **more)
                page = drawn if isinstance(drawn, str) else figures.html(*drawn)
            page.encode("utf-8", "strict" if not isinstance(drawn, str) else "replace")
            tags = Page(page).tags
            assert not tags & {"script", "onerror"}, text
            expected = view(text)
            if not isinstance(drawn, str):
                words = texts(drawn[0])
                formulas = [t.get_text() for t in words if t.get_parse_math() and "$" in t.get_text()]
                assert all(f.startswith("$\\mathdefault{") for f in formulas), (text, formulas)
                want = None if expected is None else figures._drawable(expected).rstrip("…")[:40]
                assert want is None or any(want in t.get_text() for t in words), (text, [t.get_text() for t in words])
            elif expected and not set(text) & set("\0\n\t\x13"):
                seen = "".join(Page(page).words)
                assert expected in seen or repr(expected)[1:-1] in seen, text
    finally:
        logging.getLogger("matplotlib").removeHandler(handler)
    assert not log.getvalue(), log.getvalue()


def test_a_token_of_any_script_stays_itself():
    from helpers.lab.drawings.ch06 import _readable

    for show in (readable, ch08_maps.shown, _readable, ch10.plain):
        assert show("中文€👨") == "中文€👨"


def test_a_legend_shows_names_that_begin_with_an_underscore():
    fig, _ = function("ch04.points")(list("abcd"), XY, ["_x", "_x", "y", "y"])
    figures.measure(fig)
    assert [t.get_text() for t in fig.axes[0].get_legend().get_texts()] == ["_x", "y"]
