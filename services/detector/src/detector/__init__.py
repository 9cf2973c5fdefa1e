"""Stores window counts and raises alerts: Kinesis stream 2 in, DynamoDB, SNS, SQS and CloudWatch out.

Two kinds of process. The supervisor (`python -m detector`) keeps the KCL's Java daemon alive and shows health and
metrics; the daemon starts one child a shard (`python -m detector.processor`), which handles that shard's records.

handlers     `DetectBots`, the use case: what becomes of a batch of records
alerting     `RaiseAlerts`: stored, published once, marked
ports        what they need, as small protocols
workers      bounded threads, and the retries of what may pass
adapters     the ports on AWS and in memory
kcl          the daemon: starting it, watching it, speaking with it
shard        one shard's records to the use case, and its kcl_checkpoint
app          the composition root of both processes
"""
