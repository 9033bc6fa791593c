"""One archive: what one sealing made. Its segments' schema, building, reading, and its manifest."""
