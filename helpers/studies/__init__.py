"""Studies: what takes too long for a page; each is a command that writes a file into data/, which the page then reads."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    sampling_tasks: ATTACKS TASK
    """,
)
