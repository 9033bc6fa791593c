"""What `archiver doctor` looks at: a module a noun. Each gives the checks of its noun."""
