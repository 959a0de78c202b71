"""Pictures as files: one module per format, and what they share. `picture_files` is the way in."""
