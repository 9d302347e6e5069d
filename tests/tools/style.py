"""The style lint of the notebooks (design, section 6): numbers about the cells, and findings in words."""

import re
import statistics
from html.parser import HTMLParser

from helpers.lab import bootstrap

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_OFFLINE_LINKS = re.compile(r"<script[^>]+src=|<link[^>]+href=")
_PATHS = re.compile(r"(/home/|/root/|/work/|/Users/|/tmp/|[A-Z]:\\\\Users)")


def code_lines(source: str) -> int:
    """Lines that are neither blank nor pure comment."""
    return sum(1 for line in source.splitlines() if line.strip() and not line.strip().startswith("#"))


def _joined(value) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def output_text(cell) -> str:
    """All text, HTML and error text of a cell's outputs."""
    parts = []
    for out in cell.get("outputs", []):
        parts.append(_joined(out.get("text", "")))
        parts += [_joined(v) for k, v in out.get("data", {}).items() if k.startswith("text/")]
        parts += out.get("traceback", [])
    return "\n".join(parts)


class _Images(HTMLParser):
    def __init__(self):
        super().__init__()
        self.alts = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append(dict(attrs).get("alt") or "")


def images(cell) -> list[str]:
    """The alt text of every image in a cell's HTML outputs ("" where it is missing)."""
    parser = _Images()
    for out in cell.get("outputs", []):
        parser.feed(_joined(out.get("data", {}).get("text/html", "")))
    return parser.alts


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def stats(nb) -> dict[str, float]:
    """Cell statistics: code cells, median and 90th percentile of their lines, markdown to code, share with output."""
    code = [c for c in nb.cells if c.cell_type == "code" and "bootstrap" not in tags(c)]
    lengths = sorted(code_lines(c.source) for c in code) or [0]
    silent = [c for c in code if not c.get("outputs")]
    return {
        "code": len(code),
        "markdown": len(nb.cells) - len(code) - 1,
        "median": statistics.median(lengths),
        "p90": lengths[min(len(lengths) - 1, int(0.9 * len(lengths)))],
        "longest": lengths[-1],
        "ratio": (len(nb.cells) - len(code) - 1) / max(1, len(code)),
        "with_output": 1 - len(silent) / max(1, len(code)),
        "figures": sum(len(images(c)) for c in nb.cells),
    }


def findings(nb, size: int, chapter: str) -> list[str]:
    """What the notebook does that the style forbids; empty when all is well. ``size`` is the file's bytes."""
    found, s = [], stats(nb)
    ids = [c.get("id") for c in nb.cells]
    if None in ids or len(set(ids)) != len(ids):
        found.append("cell ids are missing or not unique")
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        found.append(f"format {nb.nbformat}.{nb.nbformat_minor}, expected 4.5")
    if nb.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("the kernel is not python3")
    if "widgets" in nb.metadata:
        found.append("widget state is stored in the metadata")
    if size > 500_000:
        found.append(f"the file has {size} bytes, more than 500,000")
    headings = [
        line for c in nb.cells if c.cell_type == "markdown" for line in _without_fences(c.source) if re.match(r"#+ ", line)
    ]
    levels = [len(h.split()[0]) for h in headings]
    if levels.count(1) != 1 or (levels and levels[0] != 1):
        found.append(f"{levels.count(1)} first-level headings; exactly one is wanted, at the top")
    found += [f"heading level skipped before '{h}'" for h, a, b in zip(headings[1:], levels, levels[1:]) if b > a + 1]
    code = [c for c in nb.cells if c.cell_type == "code"]
    if not code or code[0].source != bootstrap.cell():
        found.append("the first code cell is not the common bootstrap cell")
    for number, c in enumerate(code):
        name = f"code cell {number} ({c.source.strip().splitlines()[0][:50] if c.source.strip() else 'empty'})"
        text = output_text(c)
        if c.execution_count is None:
            found.append(f"{name} was not executed")
        if any(WIDGET_VIEW in o.get("data", {}) for o in c.outputs):
            found.append(f"{name} holds a widget view")
        if any(o.output_type == "error" for o in c.outputs) and "raises-exception" not in tags(c):
            found.append(f"{name} ends in an error")
        if any(o.get("name") == "stderr" for o in c.outputs) or re.search(r"\w+Warning:", text):
            found.append(f"{name} shows a warning or writes to stderr")
        if _PATHS.search(text) or _PATHS.search(c.source):
            found.append(f"{name} shows an absolute path")
        if _OFFLINE_LINKS.search(text):
            found.append(f"{name} loads a script or style from outside")
        if any("image/png" in o.get("data", {}) for o in c.outputs):
            found.append(f"{name} has an image without alt text (use show)")
        found += [f"{name} has an image with poor alt text: '{alt}'" for alt in images(c) if len(alt) < 25]
        if code_lines(c.source) > 60:
            found.append(f"{name} has {code_lines(c.source)} lines, more than 60")
        if re.search(r"^\s*(import|from) matplotlib\.pyplot|plt\.show", c.source, re.MULTILINE):
            found.append(f"{name} uses pyplot; use figures.new and show")
    if not (2 if chapter == "00" else 3.5) <= s["median"] <= 6.5:  # chapter 00 has little code of its own
        found.append(f"median code cell {s['median']} lines, 4 to 6 are wanted")
    if s["p90"] > 20:
        found.append(f"90th percentile of code cells {s['p90']} lines, at most 20 are wanted")
    if s["with_output"] < 0.65:
        found.append(f"{s['with_output']:.0%} of code cells show output, 65 % are wanted")
    if not 1.0 <= s["ratio"] <= 1.9:
        found.append(f"markdown to code {s['ratio']:.2f}, about 1.3 is wanted")
    if chapter != "00":
        text = "\n".join(c.source for c in nb.cells if c.cell_type == "markdown")
        for part in ("## Summary", "## The ladder so far", "## Self-check", "## What breaks at scale", "## Further reading"):
            if part not in text:
                found.append(f"the section '{part}' is missing")
    return found


def _without_fences(source: str) -> list[str]:
    kept, inside = [], False
    for line in source.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            kept.append(line)
    return kept
