"""The embedded back end."""
