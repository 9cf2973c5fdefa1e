-- Every user's actions in windows of 10 s of event time, the 11th action at once, and each record that cannot be counted
-- with its reason. A statement ends with ';' at the end of a line; {name} stands for what the application's properties say.

-- Decode, and watermark: the source decodes each record once (storepulse.flink.Decoder) and gives each shard a watermark of
-- its own. What is no event has a failure and moves nothing; its event_time is before all others, as a NULL would end the job.
CREATE TABLE stream_1 (
  payload BYTES,
  shard_id STRING METADATA FROM 'shard-id' VIRTUAL,
  sequence_number STRING METADATA FROM 'sequence-number' VIRTUAL,
  user_id STRING METADATA FROM 'user-id' VIRTUAL,
  rowtime TIMESTAMP(3) METADATA FROM 'event-time' VIRTUAL,
  failure STRING METADATA VIRTUAL,
  reason STRING METADATA VIRTUAL,
  WATERMARK FOR rowtime AS CASE WHEN failure IS NULL THEN rowtime - INTERVAL '10' SECOND END
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

-- A stage (see stages.py): stream 1 is read once, for what counts and for what does not. Each row gets passed, the highest
-- watermark before it here.
CREATE VIEW readings AS
SELECT payload, shard_id, sequence_number, user_id, rowtime, failure, reason FROM stream_1;

CREATE VIEW events AS
SELECT payload, shard_id, sequence_number, user_id, rowtime, passed FROM readings WHERE failure IS NULL;

-- Number: a heartbeat has no user. The state of a number goes when nothing was added for table.exec.state.ttl. A stage: each
-- row gets fired_until, the highest watermark before it. That is CURRENT_WATERMARK, which begins anew when the job starts
-- from a snapshot, while fired_until goes on as the windows do. The bytes go through the shuffle only where they may be asked
-- for: no watermark behind it is ahead of the one before it.
CREATE VIEW numbered AS
SELECT CASE WHEN passed >= window_end - INTERVAL '0.001' SECOND(1, 3) THEN payload END AS payload, shard_id, sequence_number, user_id, rowtime, window_start, window_end,
       COUNT(*) OVER (PARTITION BY user_id, window_start ORDER BY PROCTIME()
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS num_actions
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(rowtime), INTERVAL '10' SECOND))
WHERE user_id IS NOT NULL;

-- Late: the window had fired before the record, by the watermark behind the shuffle, which the windows go by. No window
-- drops a record unseen after that.
CREATE VIEW judged AS
SELECT payload, shard_id, sequence_number, user_id, rowtime, window_start, window_end, num_actions,
       COALESCE(window_end - INTERVAL '0.001' SECOND(1, 3) <= fired_until, FALSE) AS late
FROM numbered;

-- Tumble.
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

-- bad_event_id: 32 hexadecimal digits for the place and the content. What would not fit into a message of the dead-letter
-- queue with its payload goes without: stream 1 and its archive hold it.
INSERT INTO bad_events
SELECT MD5(CONCAT_WS(U&'\001F', 'flink', '{stream_1_name}', shard_id, sequence_number, MD5(DECODE(payload, 'ISO-8859-1')))),
       'flink', kind, reason,
       CASE WHEN payload = CAST(payload AS VARBINARY(150000)) THEN COALESCE(TO_BASE64(payload), '') ELSE '' END,
       '{stream_1_name}', shard_id, sequence_number, DATE_FORMAT(LOCALTIMESTAMP, '{wire_form}')
FROM (
  SELECT payload, shard_id, sequence_number, 'late' AS kind,
         'its window, from ' || DATE_FORMAT(window_start, '{wire_form}') || ', had fired' AS reason
  FROM judged
  WHERE late
  UNION ALL
  SELECT payload, shard_id, sequence_number, failure, reason
  FROM readings
  WHERE failure IS NOT NULL
);
