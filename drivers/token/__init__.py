"""Card presenters."""
