"""Control pilot emulators."""
