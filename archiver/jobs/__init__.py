"""The jobs of `archiver run`: what is due is done, one job after the other, and each says what became of it."""
