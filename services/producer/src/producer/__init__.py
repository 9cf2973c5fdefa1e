"""The producer: replays recorded clickstreams into Kinesis, as a command and as a service.

options   what one replay is told; `settings` what the process is told
reading   bytes to rows: gzip, lines, CSV; survives any bytes
stamps    what a stream is stamped with, and when the next replay can run; `stream_time` learns and tells it
planning  which clock the replay goes by, and the bots planted in it
sending   rows to the stream: paced, batched, one request at a time a shard, confirmed in order
feeding   each row when it is due, stamped, into its lane; `heartbeats` between them
replay    one replay from its first row to its last window; `run` is one run of it, `state` what is kept for the next
replays   the replays of a service, one at a time; `api` shows them
progress  how far a replay has come; `metrics` and `console` show it
cli       the same from a terminal
app       puts it together; alone imports the adapters
"""
