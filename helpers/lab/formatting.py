"""Values as a reader can take them in: short texts of inputs and results, and comparison of nested ones."""

import math
from typing import Any

import numpy as np


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a torch tensor, found out without importing torch."""
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def as_array(value: Any) -> Any:
    """A tensor as a NumPy array (its gradient left out); any other value as it is."""
    return value.detach().cpu().numpy() if is_tensor(value) else value


def brief(value: Any, limit: int = 160) -> str:
    """A short text of ``value``: small arrays in full with their shape, long texts cut; "" for None."""
    if value is None:
        return ""
    value = as_array(value)
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=6, threshold=12, edgeitems=3, separator=", ").replace("\n", " ")
        text = f"{' '.join(text.split())}  shape {value.shape}"
    elif isinstance(value, (float, np.floating)):
        text = f"{float(value):.8g}"
    elif isinstance(value, np.generic):
        text = repr(value.item())
    elif isinstance(value, (tuple, list)) and any(isinstance(v, (np.ndarray, float, np.generic)) or is_tensor(v) for v in value):
        inner = ", ".join(brief(v, limit) for v in value)
        text = f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    else:
        text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def call_text(name: str, args: tuple, kwargs: dict, limit: int = 240) -> str:
    """A call as it can be pasted into a cell, such as ``mse(np.array([1.0, 2.0]), np.array([0.0, 0.0]))``.

    One that would be longer than ``limit`` characters, or whose arguments cannot be written, takes them from ``check.tried``
    and says what they are.
    """
    try:
        parts = [source_text(a) for a in args] + [f"{k}={source_text(v)}" for k, v in kwargs.items()]
    except ValueError:
        parts = []
    text = f"{name}({', '.join(parts)})"
    if len(text) <= limit and len(parts) == len(args) + len(kwargs):
        return text
    named = [f"{k}={brief(v, 60)}" for k, v in kwargs.items()]
    return f"{name}({', '.join(['*check.tried', *named])})   # {', '.join(_kind(a) for a in args)}"


def source_text(value: Any) -> str:
    """Python code that makes ``value``, with `np` and `torch` as a notebook has them. Raises ValueError where no code can.

    >>> source_text(np.array([1.0, np.nan])), source_text({"a": (1,)})
    ('np.array([1.0, np.nan])', "{'a': (1,)}")
    """
    if is_tensor(value) or isinstance(value, np.ndarray):
        made, kind = ("torch.tensor", str(value.dtype)) if is_tensor(value) else ("np.array", f"np.{value.dtype.name}")
        if 0 in value.shape[:-1] or kind.startswith(("np.void", "np.datetime", "np.timedelta")):
            raise ValueError(f"no short code makes an array of {kind} with shape {tuple(value.shape)}")
        plain = (
            kind in ("torch.float32", "torch.int64", "torch.bool", "np.float64", "np.int64", "np.bool") and 0 not in value.shape
        )
        text = kind.startswith(("np.str", "np.object", "np.bytes"))
        return f"{made}({source_text(value.tolist())}{'' if plain or text else f', dtype={kind}'})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}[repr(value)]
    if type(value) in (list, tuple, set, frozenset):
        inner = ", ".join(map(source_text, value)) + ("," if type(value) is tuple and len(value) == 1 else "")
        if type(value) is list:
            return f"[{inner}]"
        return f"({inner})" if type(value) is tuple else f"{type(value).__name__}([{inner}])"
    if type(value) is dict:
        return "{" + ", ".join(f"{source_text(k)}: {source_text(v)}" for k, v in value.items()) + "}"
    if value is None or type(value) in (bool, int, float, complex, str, bytes, range):
        return repr(value)
    raise ValueError(f"no code makes a {type(value).__name__}")


def _kind(value: Any) -> str:
    """What an argument is, in two words: "array (5, 3)", "list of 7"."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape):
        return f"{'tensor' if is_tensor(value) else 'array'} {tuple(shape)}"
    if isinstance(value, (list, tuple, dict, str, bytes)):
        return f"{type(value).__name__} of {len(value)}"
    return getattr(value, "__name__", None) or brief(value, 40)


def same(a: Any, b: Any, rtol: float, atol: float) -> bool:
    """Whether two values agree: numbers and arrays within the tolerances, containers element by element."""
    a, b = as_array(a), as_array(b)
    if isinstance(a, dict) or isinstance(b, dict):
        return (
            isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k], rtol, atol) for k in a)
        )
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, rtol, atol) for x, y in zip(a, b))
    if isinstance(a, (np.ndarray, np.generic)) or isinstance(b, (np.ndarray, np.generic)):
        return _same_arrays(a, b, rtol, atol)
    if isinstance(a, float) or isinstance(b, float):
        return _same_arrays(a, b, rtol, atol)
    try:
        return bool(a == b)
    except Exception:  # objects whose == fails are compared by identity
        return a is b


def _same_arrays(a: Any, b: Any, rtol: float, atol: float) -> bool:
    try:
        x, y = np.asarray(a), np.asarray(b)
        if x.shape != y.shape:
            return False
        if x.dtype.kind in "biufc" and y.dtype.kind in "biufc":
            return bool(np.allclose(x, y, rtol=rtol, atol=atol, equal_nan=True))
        return bool((x == y).all())
    except (TypeError, ValueError):
        return False
