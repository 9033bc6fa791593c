"""The custody register: what keyholders decided about what is sealed. Holds and their release, reviews,
disposals, what is restricted, what was erased.

A chain for each keyholder in the log's own shape (`archiver.audit`), `audit/_custody.NAME/00000001.tar`, so
that syncing, verifying and manifests take it as they take the log. Its entries are sealed to the register's
own identity, which lies in `audit/_custody/key.age`, encrypted to every keyholder as an archive's key is: so
a new keyholder reads what was decided before. See docs/format.md, "The custody register".
"""
