"""Drivers: one instrument a file."""
