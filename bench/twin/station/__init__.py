"""The simulated charging station."""
