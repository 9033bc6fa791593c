"""The recipient types of the specification that this package reads and writes."""
