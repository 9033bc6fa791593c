"""Taking something out of verbatim bytes, and looking whether anything of it is left."""
