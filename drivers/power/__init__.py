"""Supplies, loads and relays."""
