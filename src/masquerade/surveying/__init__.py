"""Learning from a file that memory does not hold: a sample of its rows, and the counts of all of them."""

from masquerade.surveying.passes import Survey, fits_in_memory, survey

__all__ = ["Survey", "fits_in_memory", "survey"]
