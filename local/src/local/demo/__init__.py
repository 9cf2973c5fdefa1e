"""The demonstration: the whole chain on real data, watched live and checked to the last event.

- `run`: from an empty machine to the verdict
- `containers`: the same platform in docker compose, for `run`
- `stage`: what is put into the account before the replay: the files, the bots, a subscriber to the alerts
- `replay`: asks the producer to play the files
- `witness`: reads stream 1 beside the windower, and so knows the exact answer
- `ledger`: reads what the chain made of it: counts in DynamoDB, bad events in the queue
- `mailbox`: reads the alerts that SNS delivered
- `verdict`: compares the three; pure
- `view`: the live picture and the summary
"""
