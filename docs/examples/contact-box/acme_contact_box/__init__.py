"""The ACME contact box: its driver, and an emulator of it."""
