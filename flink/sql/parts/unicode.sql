(DECODE(payload, 'UTF-8') NOT LIKE U&'%\FFFD%' OR ENCODE(DECODE(payload, 'UTF-8'), 'UTF-8') = payload)
AND (DECODE(payload, 'UTF-8') NOT LIKE '%\u%' OR NOT REGEXP(DECODE(payload, 'UTF-8'), '{half_pair}'))
