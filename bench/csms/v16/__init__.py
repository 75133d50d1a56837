"""OCPP 1.6: behaviour, requests, and the adapter to the vocabulary."""
