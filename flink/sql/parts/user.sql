CASE WHEN SPLIT_INDEX({text}, '"user_id":"', 1) IS NOT NULL AND SPLIT_INDEX({text}, '"user_id"', 2) IS NULL
          AND SPLIT_INDEX({text}, '{', 2) IS NULL AND SPLIT_INDEX({text}, '\', 1) IS NULL
     THEN SPLIT_INDEX(SPLIT_INDEX({text}, '"user_id":"', 1), '"', 0)
     ELSE JSON_VALUE({enclosed}, 'lax $[-2].record.user_id') END
