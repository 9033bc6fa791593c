"""What only a person can do, and has to be reminded of: a module for each kind."""
