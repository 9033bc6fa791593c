"""Where records come from. Each source is split into a client (I/O) and a parser (bytes to records)."""
