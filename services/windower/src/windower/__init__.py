"""The windower: counts each user's actions in tumbling event-time windows, from stream 1 into stream 2.

- `handlers`: what happens to a batch of records: counted, fired, reported, set aside, acknowledged
- `progress`: what is stored with a shard's checkpoint so that a restart neither loses nor doubles anything
- `ports`: where counts and bad events go
- `adapters`: Kinesis, SQS, memory
- `freshness`, `figures`, `reporting`: how current the counts are, for Prometheus and for CloudWatch's alarms
- `worker`: the Faust application around it
- `app`: puts it all together
"""
