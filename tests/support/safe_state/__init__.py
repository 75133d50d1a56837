"""Every way a bench can die, in every state it can be in, and what the outputs did then (`make safe-state`)."""
