payload = CAST(payload AS VARBINARY(1048576))
