"""What is OCPP 1.6 about the simulated station."""
