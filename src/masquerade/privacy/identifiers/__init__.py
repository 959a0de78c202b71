"""How each kind of identifier is recognised: by the shape of its values, then a checksum, helped by its name."""
