"""GetRecords and PutRecords at a tenth of botocore's cost a record, through botocore's own hooks.

records  what goes over the wire, in msgspec's structs
client   `new_session`, whose clients read and write them; `get_page` and `put_records`, one call each

Signing, endpoints, connections, errors and every other operation stay botocore's.
"""
