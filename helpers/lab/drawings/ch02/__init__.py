"""Drawings of chapter 02: each file draws one kind of thing."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    maps: shade scatter fitted_map move_points make_points playground
    curves: line_against_curve losses_and_slopes along_a_line activations seed_spread newton_against_descent
    scores: confusion reliability threshold_view
    """,
)
