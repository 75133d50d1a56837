"""What keeps a bench in order: finding its devices, checking them, and describing its file to editors."""
