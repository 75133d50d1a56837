"""What a run leaves for people and for CI."""
