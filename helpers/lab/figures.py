"""Figures in one style: opaque background, color-blind-safe palette, alt text and caption in the page."""

import base64
import html as _html
import io
from collections.abc import Iterator
from contextlib import contextmanager
from warnings import catch_warnings, filterwarnings

from matplotlib import font_manager, rc_context
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.table import Table
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter

from helpers.features.spelling import without_controls

# Okabe and Ito (2008), "Color Universal Design": eight colors that stay apart for color-blind readers.
COLORS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "red": "#D55E00",
    "purple": "#CC79A7",
}
CYCLE = [COLORS[name] for name in ("blue", "orange", "green", "red", "purple", "sky", "black")]
GREY = "#6b6b6b"
MAP = "cividis"  # ordered values
SIGNED = "RdBu_r"  # values around zero; set vmin = -vmax

# Fonts for what DejaVu lacks, where the system has one: Chinese, Japanese and Korean, then emoji.
_WANTED = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
)
_WANTED += ("Noto Emoji", "Segoe UI Emoji", "Symbola", "Nirmala UI", "Noto Sans Devanagari", "Noto Sans Arabic")
LONG = 300  # characters of a line: beyond any figure's width, and drawing 5,000 takes seconds
_MARK = "\u2060"
_WORDS = (FixedFormatter, FuncFormatter, StrCategoryFormatter)  # axes whose marks are words
_FOUND = {font.name for font in font_manager.fontManager.ttflist}

STYLE = {
    "font.family": ["DejaVu Sans", *(name for name in _WANTED if name in _FOUND)],
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100,
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "legend.frameon": False,
    "image.cmap": MAP,
}


def new(rows: int = 1, cols: int = 1, size: tuple[float, float] = (7.0, 3.6), **subplots_kw):
    """A figure of ``size`` inches in the course's style and its axes, as ``pyplot.subplots`` returns them.

    No pyplot and so no global state: nothing is drawn twice and nothing needs closing.
    """
    with rc_context(STYLE):
        fig = Figure(figsize=size, layout="constrained")
        axes = fig.subplots(rows, cols, **subplots_kw)
        for ax in axes.flat if hasattr(axes, "flat") else [axes]:
            ax.set_prop_cycle(color=CYCLE)
    return fig, axes


def label(ax, x: float, y: float, text: str, color: str = "black", dx: float = 5, dy: float = 0, **kw) -> None:
    """Write ``text`` beside the data point (x, y), ``dx``, ``dy`` points away: a direct label."""
    ax.annotate(
        text, (x, y), xytext=(dx, dy), textcoords="offset points", color=COLORS.get(color, color), va=kw.pop("va", "center"), **kw
    )


def labels(ax, points, texts, colors, fontsize: float = 9) -> None:
    """A direct label for each data point, to its right, left, above or below: the first place that is free.

    Free is a place whose box, by its estimated width, holds no point and no label placed before. points: (n, 2), data units.
    Call it when all else is drawn: later changes of the limits move the points, but not the decision.
    """
    measure(ax.figure)
    at = ax.transData.transform(points) * 72 / ax.figure.dpi  # in points of 1/72 inch, as the offsets of labels
    boxes: list[tuple[float, float, float, float]] = [(x - 3, y - 3, 6, 6) for x, y in at]
    for (x, y), point, text, color in zip(at, points, texts, colors):
        w, h = 0.6 * fontsize * len(text), 1.1 * fontsize
        sides = [(6, -h / 2), (-6 - w, -h / 2), (-w / 2, 5), (-w / 2, -5 - h), (6, 3), (6, -3 - h)]
        free = [
            (dx, dy)
            for dx, dy in sides
            if not any(x + dx < bx + bw and bx < x + dx + w and y + dy < by + bh and by < y + dy + h for bx, by, bw, bh in boxes)
        ]
        dx, dy = (free or sides)[0]
        boxes.append((x + dx, y + dy, w, h))
        label(ax, point[0], point[1], text, color=color, dx=dx, dy=dy + h / 2, fontsize=fontsize)


def clean(text: str) -> str:
    """The text as fonts and pages can take it: a space for a control character, U+FFFD for a lone half of a surrogate pair."""
    return without_controls(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def named(name: str) -> str:
    """A name for a legend, which leaves out names that begin with "_": a mark goes before it, and away when it is drawn."""
    return _MARK + name if name.startswith("_") else name


def _drawable(text: str) -> str:
    return "\n".join(
        line if len(line) <= LONG else line[: LONG - 1] + "…" for line in clean(text).removeprefix(_MARK).split("\n")
    )


class _Words(Formatter):
    """The marks of an axis that are words, each as it can be drawn: an axis asks its formatter anew whenever it is drawn."""

    def __init__(self, inner: Formatter):
        self.inner = inner

    def format_ticks(self, values):
        return [_drawable(str(text)) for text in self.inner.format_ticks(values)]  # a mark may be a number

    def __call__(self, x, pos=None):
        return _drawable(str(self.inner(x, pos)))


def literal(fig: Figure) -> None:
    """Have all words in the figure drawn as they are: a reader's "$5 and $6" is no formula. Powers at an axis stay powers."""
    formulas = set()
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, _WORDS):
                axis.set_major_formatter(_Words(formatter))
            elif not isinstance(formatter, _Words):
                formulas |= set(axis.get_ticklabels(which="both"))
    cells = {cell.get_text() for table in fig.findobj(Table) for cell in table.get_celld().values()}  # no children of theirs
    for text in (set(fig.findobj(Text)) | cells) - formulas:
        text.set_parse_math(False)
        text.set_text(_drawable(text.get_text()))


@contextmanager
def _quiet() -> Iterator[None]:
    with catch_warnings():
        filterwarnings("ignore", "Glyph .* missing from")  # a letter that no font has is a box that names its script
        filterwarnings("ignore", "constrained_layout not applied")  # a very long word: the axes keep their places
        yield


def measure(fig: Figure) -> None:
    """Lay the figure out, so that axes have their limits and places."""
    literal(fig)
    with _quiet():
        fig.draw_without_rendering()


def png(fig: Figure, dpi: int = 100) -> bytes:
    """The figure as PNG bytes, reduced to 128 colors where that makes the file smaller."""
    from PIL import Image

    raw = io.BytesIO()
    literal(fig)
    with rc_context(STYLE), _quiet():
        fig.savefig(raw, format="png", dpi=dpi, facecolor="white")
    small = io.BytesIO()
    Image.open(raw).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return min(raw.getvalue(), small.getvalue(), key=len)


def html(fig: Figure, alt: str, caption: str = "", dpi: int = 100) -> str:
    """The figure as one HTML ``<figure>`` with its alt text and caption.

    Raises ValueError when ``alt`` is empty: a reader who cannot see the figure has nothing else.
    """
    if not alt or not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows, for readers who cannot see it")
    alt, caption = clean(alt), clean(caption)
    data = base64.b64encode(png(fig, dpi)).decode()
    width = round(fig.get_figwidth() * 100)
    below = f'<figcaption style="font-size: 0.9em; opacity: 0.85">{_html.escape(caption)}</figcaption>' if caption else ""
    return (
        f'<figure style="margin: 0.5em 0; max-width: {width}px">'
        f'<img alt="{_html.escape(alt, quote=True)}" src="data:image/png;base64,{data}" '
        f'style="width: 100%; height: auto; background: white">{below}</figure>'
    )


def show(fig: Figure, *, alt: str, caption: str) -> None:
    """Show the figure in the page, with alt text for screen readers and a caption below.

    Raises ValueError when ``alt`` is empty. The plain-text form of the output is the alt text.
    """
    from IPython.display import display

    display({"text/html": html(fig, alt, caption), "text/plain": f"[figure] {clean(alt)}"}, raw=True)
