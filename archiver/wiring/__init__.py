"""Settings to the parts that work together: the one place that knows all of them. A module a noun, so that a
command loads what it needs alone."""
