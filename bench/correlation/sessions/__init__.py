"""Charging sessions: every fact of a run joined by its keys, late, and never guessed."""
