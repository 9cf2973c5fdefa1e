"""The detector."""
