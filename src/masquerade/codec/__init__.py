"""Codecs: columns of a table to integer codes and small scalars, and back."""
