"""Drawings of chapter 07: each file draws one kind of thing."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    curves: lines told_lines gradient_panel two_panels bars
    states: readable unrolled memory_lane unit_map gate_panel
    texts: alignment copy_panel written
    """,
)
