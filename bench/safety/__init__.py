"""The gate and the safe state."""
