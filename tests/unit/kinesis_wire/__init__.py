"""Kinesis records on the wire."""
