(POSITION(U&'\FFFD' IN DECODE(payload, 'UTF-8')) = 0 OR ENCODE(DECODE(payload, 'UTF-8'), 'UTF-8') = payload)
AND (POSITION('\u' IN DECODE(payload, 'UTF-8')) = 0 OR NOT REGEXP(DECODE(payload, 'UTF-8'), '{half_pair}'))
