"""The domain: what Storepulse knows, with no I/O, no clock and no framework.

Where to look:
- `activity`: the clickstream's events, their codec, the window counts made of them
- `streaming`: event time: tumbling windows, watermarks, the aggregation that follows Flink's rules
- `detection`: rules that turn a window count into an alert
- `replay`: how a recorded file is played again: pacing, clocks, planted bots
- `failures`: what becomes of a record that cannot be used
- `identity`: ids that depend on content alone
- `instants`: the one text form of a point in time on the wire
- `schemas`: JSON Schemas of all that crosses a wire, generated from the types
"""
