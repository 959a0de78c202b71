"""Generators of new rows. Each module holds one class; they do not import one another."""
