"""The inbox: a folder into which people put exports. What lies there whole is taken into the spool, and moved
to `done/` when it is sealed, or to `failed/` with the reason beside it."""
