"""The Textual application: one live screen on a running bench."""
