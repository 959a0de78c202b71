"""Nets: JAX, arrays in, arrays out. They know no table."""
