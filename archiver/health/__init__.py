"""How the archive is doing: what `archiver status`, the notices and the metrics say."""
