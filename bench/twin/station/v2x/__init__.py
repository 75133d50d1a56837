"""What is OCPP 2.0.1 and 2.1 about the simulated station."""
