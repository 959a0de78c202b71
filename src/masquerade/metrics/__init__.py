"""Pure arithmetic on arrays and columns: distances, divergences, nearest neighbours. No JAX, no files."""
