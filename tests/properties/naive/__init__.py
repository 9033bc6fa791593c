"""An own, slow reading of exports and of queries, to hold what the program finds against.

It shares the query's tree with the program and nothing else: not how an export is read, not how texts are cut
into words, no index. Every record is held against the whole query, one after the other."""
