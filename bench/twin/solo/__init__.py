"""The simulated station alone: with a small outlet and a car of its own, against any back end."""
