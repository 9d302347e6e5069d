"""Values as a reader can take them in: short texts of inputs and results, and comparison of nested ones."""

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


def call_text(name: str, args: tuple, kwargs: dict) -> str:
    """The text of a call, such as ``mse([1.0, 2.0], [0.0, 0.0])``, cut where it grows long."""
    parts = [_argument(a) for a in args] + [f"{k}={_argument(v)}" for k, v in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _argument(value: Any) -> str:
    if is_tensor(value):
        text = np.array2string(as_array(value), precision=4, threshold=24, edgeitems=3, separator=", ")
        return f"tensor({' '.join(text.split())})"
    if isinstance(value, np.ndarray) and value.size <= 24:
        return " ".join(np.array2string(value, precision=6, separator=", ").split())
    return getattr(value, "__name__", None) or brief(value, 120)


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
