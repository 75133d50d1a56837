"""Shipped cases: pytest tests that run against a station."""
