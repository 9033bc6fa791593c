"""A query as SQL: words in the index's syntax, conditions on rows, statements, functions they call."""
