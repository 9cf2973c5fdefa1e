"""The Flink job's files agree with each other and with the domain."""
