"""Telemetry, which there is none of: the names are there, and nothing is ever sent."""
