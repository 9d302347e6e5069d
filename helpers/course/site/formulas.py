"""TeX formulas as MathML, which browsers draw without any script or font of ours."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import cache

from latex2mathml import converter

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
# How many children an element must have: a formula that was cut off shows itself here.
_CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mroot": 2}
# Named widths are no longer part of MathML; browsers take them as zero.
_SPACES = {"negativethinmathspace": "-0.1667em", "negativemediummathspace": "-0.2222em", "negativethickmathspace": "-0.2778em"}
_FUNCTIONS = {"ln", "log", "exp", "sin", "cos", "tan", "tanh", "max", "min", "arg", "softmax"}
_ROWS = {"math", "mrow", "mtd", "mstyle", "msqrt"}
LONG = 40  # characters of TeX from which a formula within a line may be wider than a phone


class FormulaError(ValueError):
    """A formula that cannot be drawn; the message holds the formula and the reason."""


@cache
def mathml(tex: str, display: bool = False) -> str:
    """The formula as a ``<math>`` element; ``display`` for one on a line of its own.

    Raises FormulaError for TeX that is not understood, instead of showing half of it.
    """
    try:
        known = re.sub(r"\\arg(?![A-Za-z])", r"\\operatorname{arg}", tex.strip())  # the one common name that the package lacks
        text = converter.convert(known, display="block" if display else "inline")
        root = ElementTree.fromstring(text)
    except Exception as error:
        raise FormulaError(f"the formula {tex.strip()!r} cannot be read: {error!r}") from error
    for element in root.iter():
        name = element.tag.removeprefix(_NAMESPACE)
        if "\\" in (element.text or ""):
            raise FormulaError(f"the formula {tex.strip()!r} has a command that is not known: {element.text}")
        if name in _CHILDREN and len(element) != _CHILDREN[name]:
            raise FormulaError(f"the formula {tex.strip()!r} is not complete: {name} has {len(element)} parts")
        if name in _ROWS:
            _space_functions(element)
    ElementTree.register_namespace("", _NAMESPACE[1:-1])
    text = ElementTree.tostring(root, encoding="unicode")
    for name, width in _SPACES.items():
        text = text.replace(f'"{name}"', f'"{width}"')
    return text


def _space_functions(row: ElementTree.Element) -> None:
    """A thin space around names of functions, as TeX sets it: y ln p, but ln(p)."""
    children = list(row)
    for at, child in reversed(list(enumerate(children))):
        base = child[0] if len(child) and child.tag.removeprefix(_NAMESPACE) in _CHILDREN else child
        if (base.text or "") not in _FUNCTIONS:
            continue
        after = children[at + 1] if at + 1 < len(children) else None
        if after is not None and not after.tag.endswith(("}mo", "}mspace")):
            row.insert(at + 1, ElementTree.Element(f"{_NAMESPACE}mspace", width="0.1667em"))
        if at and not children[at - 1].tag.endswith(("}mo", "}mspace")):
            row.insert(at, ElementTree.Element(f"{_NAMESPACE}mspace", width="0.1667em"))


def within(text: str) -> str:
    """A piece of HTML with each ``$...$`` outside of tags and code turned into MathML, as JupyterLab does it."""
    parts = re.split(r"(<code\b.*?</code>|<pre\b.*?</pre>|<[^>]*>)", text, flags=re.DOTALL)
    for at in range(0, len(parts), 2):
        parts[at] = re.sub(r"(?<![\\$])\$([^$]+?)(?<!\\)\$(?!\$)", lambda m: mathml(_plain(m[1])), parts[at])
    return "".join(parts)


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
