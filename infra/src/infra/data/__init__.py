"""What keeps events and results: streams, tables, buckets, the alerts' topic, the dead-letter queue, the archive."""
