"""How a recorded file is played again.

pacing  when each row is due, and what `txn_timestamp` it gets
bots    planted users, described as data, with the label each of them carries
"""
