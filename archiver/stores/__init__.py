"""Where sealed files lie: put once, read exactly."""
