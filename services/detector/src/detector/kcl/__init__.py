"""The Kinesis Client Library's Java daemon, which reads the shards and leases them to one instance at a time.

java        finds a Java that can run it
runfiles    the folder with what it reads: properties, logging, the children's start
leash       the process between us and Java, so that Java never outlives us
daemon      starts, drains and stops it
children    who of its children lives: a locked file each
output      its output as our log lines
supervisor  keeps it running
protocol    what a child and the daemon say to each other, on stdin and stdout
"""
