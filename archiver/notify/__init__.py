"""Notices: who is told of a run, by which way. What a notice says is made elsewhere."""
