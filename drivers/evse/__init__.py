"""Monitors that read a station through a port of its own."""
