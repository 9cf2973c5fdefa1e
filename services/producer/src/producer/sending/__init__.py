"""Rows to the stream.

lanes       one queue and one request at a time for each shard: that is what keeps a shard's order
delivery    one request, until every record of it is in the stream once
bad_events  rows that are no events, to their queue
"""
