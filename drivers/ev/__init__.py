"""EV simulators."""
