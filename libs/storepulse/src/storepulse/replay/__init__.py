"""How a recorded file is played again.

pacing       when each row is due, and what `txn_timestamp` it gets
event_times  the source's own text form of a time
rows         a row of a file to an `Activity` on the wire, or to the reason why it is none
bots         planted users, described as data, with the label each of them carries
"""
