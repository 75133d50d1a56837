"""What is known of the station and the bench at an instant: signals built from events in canonical order."""
