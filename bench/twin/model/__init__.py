"""The physics that couples the emulators and the station."""
