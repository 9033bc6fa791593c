"""Record first, then act: what was said, by whom and when, kept before anything is done about it."""
