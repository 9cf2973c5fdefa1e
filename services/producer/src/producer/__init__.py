"""The producer: replays recorded clickstreams into Kinesis, as a command and as a service.

options   what one replay is told; `settings` what the process is told
reading   bytes to rows: gzip, lines, CSV; survives any bytes
planning  which clock the replay goes by, and the bots planted in it
sending   rows to the stream: paced, batched, one request at a time a shard, confirmed in order
replay    one replay from its first row to its last window
replays   the replays of a service, one at a time; `api` shows them
cli       the same from a terminal
app       puts it together; alone imports the adapters
"""
