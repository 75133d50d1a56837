"""The twin: software that stands in for hardware, in processes of its own."""
