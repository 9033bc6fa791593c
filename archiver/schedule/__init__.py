"""What is due, what was done when, and the lines and units that start `archiver run`."""
