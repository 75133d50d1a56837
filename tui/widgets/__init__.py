"""The parts of the live screen, each with one thing to show."""
