"""Values as plain text and back: what a check computes with, and nothing that could run as code.

Used where results come from somewhere that is not trusted (grading), or are kept in a file (checks without their
reference solution). Numbers, texts, lists, tuples, dictionaries, sets, arrays and tensors survive; anything else
becomes an `Unknown` that holds only its type's name and a short text. Reading raises ValueError for a malformed text.
"""

import base64
import json
import math
from typing import Any

import numpy as np

from helpers.lab.formatting import is_tensor

MAX_PARTS, MAX_DEPTH, MAX_TEXT = 200_000, 40, 24_000_000  # parts of one value, nesting, characters of its text
_TORCH = ("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


class Unknown:
    """A value that is not plain: it equals nothing, and shows as the text that its owner gave it."""

    text = "?"

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def unknown(kind: str, text: str) -> Unknown:
    """An `Unknown` whose type is called ``kind``."""
    name = "".join(c for c in kind if c.isalnum() or c == "_")[:40] or "object"
    made = type(name, (Unknown,), {})()
    made.text = text[:300]
    return made


def dumps(value: Any) -> str:
    """The value as a line of JSON. Raises ValueError for one that is too large or nested too deeply."""
    return json.dumps(_Writer().write(value, 0), separators=(",", ":"), allow_nan=False)


def loads(text: str | bytes) -> Any:
    """The value of a line that `dumps` wrote. Raises ValueError for anything else."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"the value is {len(text)} characters long, more than {MAX_TEXT}")
    try:
        return _Reader().read(json.loads(text, parse_constant=_refuse), 0)
    except (RecursionError, KeyError, IndexError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError(f"not a plain value: {type(error).__name__}") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no plain JSON")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


class _Writer:
    def __init__(self) -> None:
        self.parts = 0

    def write(self, v: Any, depth: int) -> Any:
        self.parts += 1
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            raise ValueError("the value is too large or nested too deeply")
        if v is None or v is True or v is False:
            return v
        if v is ...:
            return {"$": "..."}
        if isinstance(v, np.generic) and v.dtype.kind in "biufc":
            return {"$": "scalar", "type": v.dtype.str, "data": _b64(v.tobytes())}
        if isinstance(v, int):
            return int(v) if abs(v) < 2**53 else {"$": "int", "data": hex(v)}
        if isinstance(v, float):
            return float(v) if math.isfinite(v) else {"$": "float", "data": repr(float(v))}
        if isinstance(v, complex):
            return {"$": "complex", "data": [self.write(v.real, depth + 1), self.write(v.imag, depth + 1)]}
        if isinstance(v, str):
            return str(v)
        if isinstance(v, (bytes, bytearray)):
            return {"$": "bytes", "data": _b64(bytes(v))}
        return self._container(v, depth)

    def _container(self, v: Any, depth: int) -> Any:
        if isinstance(v, list):
            return [self.write(x, depth + 1) for x in v]
        if isinstance(v, tuple):
            return {"$": "tuple", "data": [self.write(x, depth + 1) for x in v]}
        if isinstance(v, (set, frozenset)):
            return {"$": "set", "data": [self.write(x, depth + 1) for x in v]}
        if isinstance(v, dict):
            return {"$": "dict", "data": [[self.write(k, depth + 1), self.write(x, depth + 1)] for k, x in v.items()]}
        if isinstance(v, range):
            return {"$": "range", "data": [v.start, v.stop, v.step]}
        if isinstance(v, np.ndarray):
            return self._array(v, depth)
        if is_tensor(v):
            return self._tensor(v)
        return {"$": "unknown", "type": type(v).__name__, "data": _text(v)}

    def _array(self, v: np.ndarray, depth: int) -> Any:
        shape = [int(n) for n in v.shape]
        if v.dtype.kind in "biufc" and v.dtype.names is None:
            v = np.ascontiguousarray(v)
            return {
                "$": "array",
                "type": v.dtype.newbyteorder("<").str,
                "shape": shape,
                "data": _b64(v.astype(v.dtype.newbyteorder("<")).tobytes()),
            }
        if v.dtype.kind in "OU":
            return {
                "$": "objects",
                "type": v.dtype.kind,
                "shape": shape,
                "data": [self.write(x, depth + 1) for x in v.ravel().tolist()],
            }
        return {"$": "unknown", "type": "ndarray", "data": f"an array of {v.dtype}"}

    def _tensor(self, v: Any) -> Any:
        import torch

        name = str(v.dtype).removeprefix("torch.")
        if name not in _TORCH or v.layout != torch.strided:
            return {"$": "unknown", "type": "Tensor", "data": f"a tensor of {v.dtype}, {v.layout}"}
        plain = v.detach().cpu().contiguous()
        raw = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        return {"$": "tensor", "type": name, "shape": [int(n) for n in v.shape], "data": _b64(raw)}


def _text(v: Any) -> str:
    try:
        return repr(v)[:300]
    except BaseException:  # a repr may do anything; what it shows is only for the eye
        return f"<{type(v).__name__}>"


class _Reader:
    def __init__(self) -> None:
        self.parts = 0

    def read(self, v: Any, depth: int) -> Any:
        self.parts += 1
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            raise ValueError("the value is too large or nested too deeply")
        if v is None or isinstance(v, (bool, int, float, str)):
            return v
        if isinstance(v, list):
            return [self.read(x, depth + 1) for x in v]
        kind, data = v["$"], v.get("data")
        if kind in ("tuple", "set"):
            parts = [self.read(x, depth + 1) for x in data]
            return tuple(parts) if kind == "tuple" else set(parts)
        if kind == "dict":
            return {self.read(k, depth + 1): self.read(x, depth + 1) for k, x in data}
        if kind == "unknown":
            return unknown(str(v["type"]), str(data))
        return self._number(kind, data) if kind in ("...", "int", "float", "complex", "range", "bytes") else self._array(kind, v)

    def _number(self, kind: str, data: Any) -> Any:
        if kind == "...":
            return ...
        if kind == "int":
            return int(data, 16)
        if kind == "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[data]
        if kind == "complex":
            return complex(*(self.read(x, 0) for x in data))
        return range(*(int(n) for n in data)) if kind == "range" else base64.b64decode(data)

    def _array(self, kind: str, v: dict) -> Any:
        shape = tuple(v.get("shape", ()))
        if any(not isinstance(n, int) or n < 0 for n in shape) or len(shape) > 16:
            raise ValueError("an array of impossible shape")
        count = math.prod(shape)
        if kind == "objects":
            if len(v["data"]) != count:
                raise ValueError("an array whose data do not fit its shape")
            made = np.empty(count, dtype=object)
            for i, x in enumerate(v["data"]):
                made[i] = self.read(x, 1)
            made = made.reshape(shape)
            return made.astype(str) if v["type"] == "U" else made
        raw = base64.b64decode(v["data"])
        if kind == "tensor":
            return _tensor(v["type"], shape, count, raw)
        dtype = np.dtype(str(v["type"])[:8])
        if kind not in ("array", "scalar") or dtype.kind not in "biufc" or len(raw) != count * dtype.itemsize:
            raise ValueError("an array whose data do not fit its shape")
        made = np.frombuffer(raw, dtype="u1" if dtype.kind == "b" else dtype).reshape(shape).astype(dtype.newbyteorder("="))
        return made[()] if kind == "scalar" else made


def _tensor(name: str, shape: tuple[int, ...], count: int, raw: bytes) -> Any:
    import torch

    if name not in _TORCH:
        raise ValueError("a tensor of an unknown type")
    dtype = getattr(torch, name)
    if len(raw) != count * dtype.itemsize:
        raise ValueError("a tensor whose data do not fit its shape")
    if not count:
        return torch.empty(shape, dtype=dtype)
    bytes_ = torch.frombuffer(bytearray(raw), dtype=torch.uint8).clone()
    return (bytes_ != 0 if name == "bool" else bytes_.view(dtype)).reshape(shape)
