"""Runtime, figures, widgets and ladder."""

import json
import random
import subprocess
import sys
from pathlib import Path

import ipywidgets
import numpy as np
import pytest

from helpers.files import save_json
from helpers.lab import figures, ladder, runtime, widgets

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("COURSE_PROFILE", "COURSE_THREADS", "COURSE_DEVICE", "COURSE_RECORD", "COURSE_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ladder, "_session", {})


def test_profile_and_budget(monkeypatch):
    assert runtime.profile() == "cpu" and runtime.budget(cpu=1, full=2) == 1
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert runtime.budget(cpu=1, full=2) == 2
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match="cpu, full"):
        runtime.profile()


@pytest.mark.parametrize("bad", ["0", "-1", "two", ""])
def test_bad_threads(monkeypatch, bad):
    monkeypatch.setenv("COURSE_THREADS", bad)
    with pytest.raises(ValueError, match="COURSE_THREADS"):
        runtime.threads()


def test_bad_device(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "toaster")
    with pytest.raises(ValueError, match="cpu"):
        runtime.device()


def test_setup_seeds_and_prints_one_line(capsys):
    runtime.setup(seed=3)
    first = (random.random(), np.random.rand())
    runtime.setup(seed=3)
    assert (random.random(), np.random.rand()) == first
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 and "seed 3" in lines[0] and "profile cpu" in lines[0] and "thread" in lines[0]
    with pytest.raises(ValueError):
        runtime.setup(seed=-1)


def light(*rooms):
    return [f"helpers.{room}.{file.stem}" for room in rooms for file in sorted((ROOT / "helpers" / room).glob("[a-z]*.py"))]


@pytest.mark.parametrize(
    "code, unwanted",
    [
        ("import helpers", ["numpy", "torch", "matplotlib"]),
        ("import helpers.lab", ["numpy", "torch", "matplotlib", "ipywidgets"]),
        ("from helpers.lab import setup; setup()", ["torch", "transformers"]),
        ("from helpers.lab import setup, show, check, widgets, ladder, progress", ["torch", "transformers", "sklearn"]),
        ("import helpers.tokenizers.chat_template, helpers.tokenizers.unigram", ["torch", "numpy", "transformers"]),
        (f"import {', '.join(light('tokenizers', 'features', 'evaluation'))}", ["torch", "transformers", "sklearn"]),
        (f"import {', '.join(light('retrieval'))}", ["transformers", "sklearn"]),
    ],
)
def test_imports_stay_light(code, unwanted):
    probe = f"{code}\nimport sys; print([m for m in {unwanted!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1] == "[]", done.stdout + done.stderr


def test_a_name_that_lab_has_not():
    import helpers.lab

    with pytest.raises(AttributeError, match="setup"):
        getattr(helpers.lab, "nonsense")  # noqa: B009


def line(slope=1.0):
    fig, ax = figures.new(size=(3, 2))
    ax.plot([0, 1], [0, slope])
    return fig, f"A line from 0 to {slope}, drawn for a test"


def test_figure_html_has_alt_caption_and_image():
    text = figures.html(line()[0], 'A "quoted" line & more', "Caption <b>")
    assert (
        'alt="A &quot;quoted&quot; line &amp; more"' in text and "Caption &lt;b&gt;" in text and "data:image/png;base64," in text
    )
    with pytest.raises(ValueError, match="alt is empty"):
        figures.html(line()[0], "  ")


def test_figures_are_opaque_and_small():
    from io import BytesIO

    from PIL import Image

    data = figures.png(line()[0])
    assert len(data) < 12_000
    image = Image.open(BytesIO(data)).convert("RGBA")
    assert image.getpixel((0, 0)) == (255, 255, 255, 255)


def test_labels_take_the_first_place_that_is_free():
    fig, ax = figures.new()
    ax.plot([0, 1], [0, 1], "o")
    points = [(0.5, 0.5), (0.52, 0.5), (0.54, 0.52), (0.9, 0.1)]
    figures.labels(ax, points, ["concerto", "concertos", "orchestra", "alone"], ["blue"] * 3 + ["red"])
    fig.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert [t.get_text() for t in ax.texts] == ["concerto", "concertos", "orchestra", "alone"]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert boxes[3].x0 > ax.transData.transform(points[3])[0]  # where nothing is in the way: on the right


def test_palette_and_grid_of_axes():
    assert len(set(figures.COLORS.values())) == 8 and set(figures.CYCLE) <= set(figures.COLORS.values())
    _, axes = figures.new(2, 3)
    assert axes.shape == (2, 3)


def test_panel_redraws_shows_errors_and_has_a_static_state():
    def draw(slope, kind):
        if slope > 2:
            raise ValueError("slope <too> big")
        return line(slope) if kind == "line" else f"<p>{slope}</p>"

    panel = widgets.explore(
        draw,
        caption="A caption",
        slope=widgets.slider("slope", 0.0, 3.0, 1.0, 0.5),
        kind=widgets.choice("kind", ["line", "text"]),
    )
    first = panel.view.value
    panel.controls["slope"].value = 2.0
    assert panel.view.value != first
    panel.controls["kind"].value = "text"
    assert "<p>2.0</p>" in panel.view.value and "A caption" in panel.view.value
    panel.controls["slope"].value = 3.0
    assert "slope &lt;too&gt; big" in panel.view.value
    bundle = panel._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.box.model_id
    assert first in bundle["text/html"] and "slope = 1" in bundle["text/html"] and "kind = line" in bundle["text/html"]


def test_panel_with_a_button_waits_for_it():
    panel = widgets.explore(lambda n: f"<p>{n}</p>", caption="", run="Train", n=widgets.slider("n", 1, 9, 1, 1))
    panel.controls["n"].value = 5
    assert "<p>1</p>" in panel.view.value
    panel.button.click()
    assert "<p>5</p>" in panel.view.value


def test_panel_refuses_no_controls_and_a_broken_first_state():
    with pytest.raises(ValueError, match="control"):
        widgets.explore(lambda: "", caption="x")
    with pytest.raises(ZeroDivisionError):
        widgets.explore(lambda n: 1 / 0, caption="x", n=widgets.slider("n", 1, 2, 1, 1))


def test_controls():
    assert isinstance(widgets.slider("a", 0, 5, 2, 1), ipywidgets.IntSlider)
    assert widgets.slider("a", 0.0, 1.0, 0.25, 0.05).readout_format == ".2f"
    assert widgets.log_slider("a", -3, 0, 0.01).value == pytest.approx(0.01)
    assert widgets.choice("a", [("One", 1), ("Two", 2)]).value == 1
    assert widgets.toggle("a", True).value is True and widgets.text("a", "x").value == "x" and widgets.seed_button().value == 0


RUNG = dict(rung="majority", chapter="1", score=0.2, low=0.17, high=0.24, n=450, seconds=0.0123, parameters=0)


def test_ladder_session_and_committed(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path / "results.json"))
    assert ladder.rungs("classification") == []
    ladder.add("classification", **RUNG)
    assert not (tmp_path / "results.json").exists()
    monkeypatch.setenv("COURSE_RECORD", "1")
    ladder.add("classification", **RUNG)
    ladder.add("classification", **{**RUNG, "rung": "better", "score": 0.5, "low": 0.4, "high": 0.6})
    save_json(tmp_path / "results.json", {**ladder.results(), "notebooks": {"01": 1}})
    ladder.add("classification", **RUNG)
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["notebooks"] == {"01": 1} and [r["rung"] for r in kept["classification"]] == ["majority", "better"]
    fig, told = ladder.chart("classification")
    assert "majority 0.200 (0.170 to 0.240)" in told and told.index("majority") < told.index("better")
    assert "<table>" in ladder.table("classification")


def test_a_chapter_shows_no_rungs_of_later_chapters(tmp_path, monkeypatch):
    later = {**RUNG, "rung": "later", "chapter": "02"}
    rows = [{**RUNG, "chapter": "01", "note": ""}, {**later, "note": ""}]
    save_json(tmp_path / "results.json", {"classification": rows})
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path / "results.json"))
    assert [r["rung"] for r in ladder.rungs("classification", through="1")] == ["majority"]
    assert "later" not in ladder.table("classification", through="01")
    assert "later" in ladder.table("classification")


def test_language_models_are_better_when_lower(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path / "none.json"))
    ladder.add("language_models", **{**RUNG, "rung": "a", "score": 2.0, "low": 1.9, "high": 2.1})
    ladder.add("language_models", **{**RUNG, "rung": "b", "score": 1.0, "low": 0.9, "high": 1.1})
    assert [r["rung"] for r in ladder.rungs("language_models")] == ["a", "b"]


def test_ladder_refuses_nonsense(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="classification"):
        ladder.add("cooking", **RUNG)
    with pytest.raises(ValueError, match="contain"):
        ladder.add("classification", **{**RUNG, "score": 0.9})
    with pytest.raises(ValueError, match="n must"):
        ladder.add("classification", **{**RUNG, "n": 0})
    (tmp_path / "results.json").write_text("{")
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path / "results.json"))
    with pytest.raises(ValueError, match="damaged"):
        ladder.results()
