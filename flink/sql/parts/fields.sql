CASE WHEN {fits} AND {unicode}
     THEN JSON_QUERY({enclosed}, 'lax $[-2].record[''event_type'',''txn_timestamp'',''user_id'']') END
