(SPLIT_INDEX({text}, U&'\FFFD', 1) IS NULL OR ENCODE({text}, 'UTF-8') = payload)
AND (SPLIT_INDEX({text}, '\', 1) IS NULL OR NOT REGEXP({text}, '{half_pair}'))
