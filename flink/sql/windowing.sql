-- Every user's actions in windows of 10 s of event time, the 11th action at once, and each record that cannot be counted
-- with its reason. A statement ends with ';' at the end of a line; {name} stands for sql/parts/name.*, or for what the
-- application's properties say. Which records count is what storepulse.activity.actions.decode_actions says.

-- fields: the three fields that matter, written anew in the order of their names, without any other:
-- {"event_type":"view","txn_timestamp":"2026-01-01T00:00:00.000Z","user_id":"541312140"}. Of a name given twice the last
-- one is taken. NULL when the payload is no JSON object. The brackets around it see to it that nothing may follow the
-- object: Flink's JSON functions would not look behind it.
-- rowtime: what cannot be counted has the time of the epoch, which moves no watermark; a NULL would end the job.
-- No REGEXP_EXTRACT: it compiles its expression anew for every record, REGEXP keeps it.
CREATE TABLE stream_1 (
  payload BYTES,
  fields AS {fields},
  taken_at AS PROCTIME(),
  rowtime AS COALESCE(
    CASE WHEN REGEXP({fields}, '{countable}')
         THEN TRY_CAST(SUBSTRING(REPLACE(JSON_VALUE({enclosed}, 'lax $[-2].record.txn_timestamp'), 'T', ' '), 1, 23)
                       AS TIMESTAMP(3)) END,
    TIMESTAMP '1970-01-01 00:00:00.000'),
  WATERMARK FOR rowtime AS rowtime - INTERVAL '10' SECOND
) WITH ({stream_1});

CREATE TABLE stream_2 (
  user_id STRING,
  num_actions BIGINT,
  window_start STRING,
  window_end STRING,
  kind STRING
) {stream_2_key} WITH ({stream_2});

CREATE TABLE bad_events (
  service STRING,
  kind STRING,
  reason STRING,
  payload STRING,
  failed_at STRING
) WITH ({bad_events});

CREATE VIEW records AS
SELECT payload, fields, taken_at, rowtime,
       COALESCE(REGEXP(fields, '{countable}'), FALSE) AS countable,
       JSON_VALUE(fields, '$.user_id') AS user_id
FROM stream_1;

CREATE VIEW actions AS
SELECT payload, user_id, taken_at, rowtime FROM records WHERE countable AND user_id IS NOT NULL;

-- The state of a number goes when nothing was added for table.exec.state.ttl.
CREATE VIEW numbered AS
SELECT payload, user_id, taken_at, rowtime,
       COUNT(*) OVER (PARTITION BY user_id, window_start ORDER BY taken_at
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS num_actions
FROM TABLE(TUMBLE(TABLE actions, DESCRIPTOR(rowtime), INTERVAL '10' SECOND));

-- Late: the window had fired before the record, by the very watermark that the windows go by (that behind the shuffle:
-- hence TUMBLE again, for what is computed from num_actions' input would be computed before it). No window drops a
-- record unseen after that.
CREATE VIEW judged AS
SELECT payload, user_id, taken_at, rowtime, num_actions, window_start, window_end,
       COALESCE(window_end - INTERVAL '0.001' SECOND(1, 3) <= CURRENT_WATERMARK(rowtime), FALSE) AS late
FROM TABLE(TUMBLE(TABLE numbered, DESCRIPTOR(rowtime), INTERVAL '10' SECOND));

CREATE VIEW in_time AS
SELECT user_id, rowtime FROM judged WHERE NOT late;

INSERT INTO stream_2
SELECT user_id, num_actions, DATE_FORMAT(window_start, '{wire_form}'), DATE_FORMAT(window_end, '{wire_form}'), 'early'
FROM judged
WHERE num_actions = 11 AND NOT late
UNION ALL
SELECT user_id, COUNT(*), DATE_FORMAT(window_start, '{wire_form}'), DATE_FORMAT(window_end, '{wire_form}'), 'final'
FROM TABLE(TUMBLE(TABLE in_time, DESCRIPTOR(rowtime), INTERVAL '10' SECOND))
GROUP BY user_id, window_start, window_end;

INSERT INTO bad_events
SELECT 'flink', kind, reason, COALESCE(TO_BASE64(payload), ''), DATE_FORMAT(CAST(taken_at AS TIMESTAMP(3)), '{wire_form}')
FROM (
  SELECT payload, taken_at, 'late' AS kind,
         'its window, from ' || DATE_FORMAT(window_start, '{wire_form}') || ', had fired' AS reason
  FROM judged
  WHERE late
  UNION ALL
  SELECT payload, taken_at,
         CASE WHEN {size} > 1048576 THEN 'too_large'
              WHEN {unicode} AND (TRIM(DECODE(payload, 'UTF-8')) = 'null' OR JSON_EXISTS({enclosed}, 'lax $[-2].record'))
              THEN 'invalid' ELSE 'malformed' END,
         CASE WHEN {size} > 1048576 THEN 'an event has 1,048,576 bytes at most'
              WHEN fields IS NULL THEN 'not a JSON object in UTF-8'
              WHEN REGEXP(fields, '(?sx) \A.* "txn_timestamp":"{instant}Z" (?:,"user_id":.*)? \} \z')
              THEN 'user_id: missing, or not a text of 1 to 256 characters'
              ELSE 'txn_timestamp: missing, or not of the form YYYY-MM-DDTHH:MM:SS.mmmZ' END
  FROM records
  WHERE NOT countable
);
