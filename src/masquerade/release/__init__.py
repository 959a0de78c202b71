"""Releases built on generators: the same records made safer, or more of them. They do not import one another."""
