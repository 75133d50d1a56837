"""What is known before a run: what a bench can decide, and what a rule keeps in memory."""
