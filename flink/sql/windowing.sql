-- Every user's actions in windows of 10 s of event time, the 11th action at once, and each record that cannot be counted
-- with its reason. A statement ends with ';' at the end of a line; {name} stands for sql/parts/name.*, or for what the
-- application's properties say. Which records count is what storepulse.activity.actions.decode_actions says.

-- rowtime: the whole judgement of a record, made once. {fields} is what matters of it, written anew in the order of the
-- names: {"event_type":"view","txn_timestamp":"2026-01-01T00:00:00.000Z","user_id":"541312140"}; of a name given twice the
-- last one is taken; NULL when the payload is no JSON object. {countable} finds the time in a record that counts, and
-- nothing in any other. The brackets of {enclosed} see to it that nothing may follow the object: Flink's JSON functions
-- would not look behind it. What cannot be counted has a time before all others, which moves no watermark; a NULL would
-- end the job.
-- This part decides what a record costs. Flink computes an expression anew wherever it is named: so the record is parsed
-- here and nowhere else, {user} finds the user without parsing, and SPLIT_INDEX serves to look for a text, as LIKE and
-- CHAR_LENGTH would turn it into bytes first. Not REGEXP_EXTRACT: it compiles its expression for every record. Not CAST to
-- a timestamp: TO_TIMESTAMP with its format takes a fifth of the time.
CREATE TABLE stream_1 (
  payload BYTES,
  {stream_1_place},
  taken_at AS PROCTIME(),
  rowtime AS COALESCE(TO_TIMESTAMP(REGEXP_SUBSTR({fields}, '{countable}'), '{wire_form}'), {never}),
  WATERMARK FOR rowtime AS CASE WHEN {far_ahead} THEN {never} ELSE rowtime - INTERVAL '10' SECOND END
) WITH ({stream_1});

CREATE TABLE stream_2 (
  user_id STRING,
  num_actions BIGINT,
  window_start STRING,
  window_end STRING,
  kind STRING
) {stream_2_key} WITH ({stream_2});

CREATE TABLE bad_events (
  bad_event_id STRING,
  service STRING,
  kind STRING,
  reason STRING,
  payload STRING,
  `stream` STRING,
  shard_id STRING,
  sequence_number STRING,
  failed_at STRING
) WITH ({bad_events});

-- A stage (see stages.py): stream 1 is read once, for what counts and for what does not.
CREATE VIEW readings AS
SELECT payload, shard_id, sequence_number, taken_at, rowtime, {far_ahead} AS far_ahead
FROM stream_1;

CREATE VIEW readable AS
SELECT payload, shard_id, sequence_number, taken_at, rowtime, {user} AS user_id
FROM readings
WHERE rowtime > {never} AND NOT far_ahead;

-- A heartbeat has no user.
CREATE VIEW actions AS
SELECT payload, shard_id, sequence_number, taken_at, rowtime, user_id, window_start, window_end
FROM TABLE(TUMBLE(TABLE readable, DESCRIPTOR(rowtime), INTERVAL '10' SECOND))
WHERE user_id IS NOT NULL;

-- The state of a number goes when nothing was added for table.exec.state.ttl. A stage: each row gets fired_until, the
-- highest watermark before it. That is CURRENT_WATERMARK, which begins anew when the job starts from a snapshot, while
-- fired_until goes on as the windows do.
CREATE VIEW numbered AS
SELECT payload, shard_id, sequence_number, user_id, taken_at, rowtime, window_start, window_end,
       COUNT(*) OVER (PARTITION BY user_id, window_start ORDER BY PROCTIME()
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS num_actions
FROM actions;

-- Late: the window had fired before the record, by the watermark behind the shuffle, which the windows go by. No window
-- drops a record unseen after that.
CREATE VIEW judged AS
SELECT payload, shard_id, sequence_number, user_id, taken_at, rowtime, window_start, window_end, num_actions,
       COALESCE(window_end - INTERVAL '0.001' SECOND(1, 3) <= fired_until, FALSE) AS late
FROM numbered;

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

-- bad_event_id: 32 hexadecimal digits for the place and the content. What would not fit into a message of the dead-letter queue with its
-- payload goes without: stream 1 and its archive hold it.
INSERT INTO bad_events
SELECT MD5(CONCAT_WS(U&'\001F', 'flink', '{stream_1_name}', shard_id, sequence_number, MD5(DECODE(payload, 'ISO-8859-1')))),
       'flink', kind, reason,
       CASE WHEN payload = CAST(payload AS VARBINARY(150000)) THEN COALESCE(TO_BASE64(payload), '') ELSE '' END,
       '{stream_1_name}', shard_id, sequence_number, DATE_FORMAT(CAST(taken_at AS TIMESTAMP(3)), '{wire_form}')
FROM (
  SELECT payload, shard_id, sequence_number, taken_at, 'late' AS kind,
         'its window, from ' || DATE_FORMAT(window_start, '{wire_form}') || ', had fired' AS reason
  FROM judged
  WHERE late
  UNION ALL
  SELECT payload, shard_id, sequence_number, taken_at,
         CASE WHEN rowtime > {never} THEN 'invalid'
              WHEN NOT ({fits}) THEN 'too_large'
              WHEN {unicode} AND (TRIM({text}) = 'null' OR JSON_EXISTS({enclosed}, 'lax $[-2].record'))
              THEN 'invalid' ELSE 'malformed' END,
         CASE WHEN rowtime > {never} THEN 'txn_timestamp: more than 366 days after the record''s arrival'
              WHEN NOT ({fits}) THEN 'an event has 1,048,576 bytes at most'
              WHEN {fields} IS NULL THEN 'not a JSON object in UTF-8'
              WHEN REGEXP({fields}, '(?sx) \A.* "txn_timestamp":"{instant}Z" (?:,"user_id":.*)? \} \z')
              THEN 'user_id: missing, or not a text of 1 to 256 characters'
              ELSE 'txn_timestamp: missing, or not of the form YYYY-MM-DDTHH:MM:SS.mmmZ' END
  FROM readings
  WHERE rowtime = {never} OR far_ahead
);
