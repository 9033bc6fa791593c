"""The log: who did what, when and why, written before it happens and chained so that nothing of it can go.

A chain for each keyholder, signed with the keyholder's key, and one for the host that collects. An entry is
one small tar in the store: a clear link of the chain, its signature, and what was done, encrypted to those
who may read the log. See docs/format.md, "The log".
"""
