"""Rules, the engine that judges them, and verdicts. Reads the timeline only."""
