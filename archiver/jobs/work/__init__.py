"""What a job of a run and the command of the same name do alike: done here, told of by either in its way."""
