"""What a rule is: its sentence, its options, its limits, packs of them; nothing here looks at an event."""
