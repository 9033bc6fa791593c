"""The jobs of `archiver run`: what is due is done, one job after the other; each says what came of it."""
