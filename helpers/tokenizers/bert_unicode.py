"""The characters on which uncased BERT's normalization depends, in one version of Unicode whatever Python is in use.

Python's tables grow with each release. The libraries that made BERT's ids keep old ones: marks and controls that came after
Unicode 8 are letters to them. Made by comparing all code points with `tokenizers` 0.22; tests/parity/test_bpe_parity.py compares
them again.
"""

from __future__ import annotations

import unicodedata

__all__ = ["NO_SIGNS", "decomposed", "is_control", "is_mark", "lower"]


def _characters(ranges: str) -> frozenset[str]:
    spans = [span.split("-") for span in ranges.split()]
    return frozenset(chr(c) for span in spans for c in range(int(span[0], 16), int(span[-1], 16) + 1))


_NO_MARKS = _characters(
    """
    5c8-5c9 7fd 897-89f 8ca-8e1 9fe afa-aff b53-b55 c04 c3c d00 d3b-d3c d81 eba ece 180f 1885-1886 1abf-1af0 1df6-1dfb
    a82c a8c5 a8ff a9bd 10d24-10d27 10d69-10d6d 10eab-10eac 10ecb-10ecf 10ef0-10eff 10f46-10f50 10f82-10f85 11070
    11073-11074 110c2 111c9 111cf 1123e 11241 1133b 113bb-113c0 113ce 113d0 113d2 113e1-113e2 11438-1143f 11442-11444
    11446 1145e 1182f-11837 11839-1183a 1193b-1193c 1193e 11943 119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38
    11a3b-11a3e 11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11b60 11b62-11b64 11b66 11c30-11c36 11c38-11c3d
    11c3f 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91
    11d95 11d97 11df0 11ef3-11ef4 11f00-11f01 11f36-11f3a 11f40 11f42 11f5a 13440 13447-13455 1611e-16129 1612d-1612f
    16f4f 16fe4 1cf00-1cf2d 1cf30-1cf46 1d127-1d128 1d25b-1d25c 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024
    1e026-1e02a 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1e944-1e94a
    """
)
NO_SIGNS = _characters(  # punctuation in later versions; in this one U+166D and U+111C9 are
    """
    61d 9fd a76 c77 c84 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d 2e60-2e63 10d6e 10ead 10ed0 10f55-10f59 10f86-10f89
    113d4-113d5 113d7-113d8 1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b 11944-11946 119e2 11a3f-11a46
    11a9a-11a9c 11a9e-11aa2 11b00-11b09 11be1 11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2
    16d6d-16d6f 16e97-16e9a 16fe2 1e5ff 1e95e-1e95f
    """
)
_NO_CONTROLS = _characters("890-891 8e2 110cd 13430-1343f")
_WHOLE = "\U00011938"  # has a decomposition since Unicode 13
_CAPITALS = {  # since Unicode 14
    **{c: c + 1 for c in (0x1C89, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7D4, 0xA7DA)},
    **{c: c + 0x20 for c in range(0x10D50, 0x10D66)},
    **{c: c + 0x1B for c in range(0x16EA0, 0x16EB9)},
    0xA7CB: 0x264,
    0xA7DC: 0x19B,
}


def is_control(c: str) -> bool:
    """Whether a character is dropped: controls, formats, private use and U+FFFD; tabs and line ends are not asked here.

    >>> is_control("\\0"), is_control("a")
    (True, False)
    """
    return c == "\ufffd" or (unicodedata.category(c) in ("Cc", "Cf", "Co") and c not in _NO_CONTROLS)


def is_mark(c: str) -> bool:
    """Whether a character is an accent, which is taken off.

    >>> is_mark("\\u0301"), is_mark("e")
    (True, False)
    """
    return c == "\u1734" or (unicodedata.category(c) == "Mn" and c not in _NO_MARKS)


def decomposed(text: str) -> str:
    """The text with accents as characters of their own (NFD).

    >>> len(decomposed("é"))
    2
    """
    return _WHOLE.join(unicodedata.normalize("NFD", part) for part in text.split(_WHOLE))


def lower(text: str) -> str:
    """Each character in lower case by itself: a sigma at the end of a word has no form of its own.

    >>> lower("ΑΣ")
    'ασ'
    """
    text = "".join(map(str.lower, text)) if "\u03a3" in text else text.lower()
    return text if text.isascii() else text.translate(_CAPITALS)
