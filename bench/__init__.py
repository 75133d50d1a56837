"""The bench: time, correlation, back end, safety, recording, and what ties them together."""
