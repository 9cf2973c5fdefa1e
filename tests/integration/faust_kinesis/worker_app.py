"""The Faust application under test, run as a process: it appends what it reads to a file, one JSON line a batch."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import faust
from mode.supervisors import CrashingSupervisor

SETTINGS = json.loads(sys.argv.pop())
OUT = Path(SETTINGS["out"])

app = faust.App(
    SETTINGS["app"],
    broker=SETTINGS["broker"],
    datadir=SETTINGS["datadir"],
    topic_allow_declare=False,
    topic_disable_leader=True,
    stream_wait_empty=False,
    broker_commit_interval=SETTINGS.get("commit", 0.3),
)
processed: dict[Any, int] = {}
source = app.topic(SETTINGS["stream"], value_serializer="raw")


def note(**line: object) -> None:
    with OUT.open("a") as out:
        out.write(json.dumps(line) + "\n")


@app.agent(source, supervisor_strategy=CrashingSupervisor)  # type: ignore[untyped-decorator]  # faust has no types
async def reader(stream: faust.Stream) -> None:
    consumer: Any = app.consumer
    async for event in stream.noack().events():
        message, batch = event.message, event.value
        note(
            shard=batch.shard_id,
            offset=message.offset,
            generation=message.generation_id,
            metadata=consumer.commit_metadata.get(message.tp),
            last=batch.last_sequence_number,
            payloads=[payload.decode("latin-1") for payload in batch.payloads()],
        )
        processed[message.tp] = message.offset
        await asyncio.sleep(SETTINGS.get("slow", 0))
        if SETTINGS.get("pause_s") and message.offset % 10 == 0:
            consumer.pause_partitions({message.tp})
            asyncio.get_running_loop().call_later(SETTINGS["pause_s"], consumer.resume_partitions, {message.tp})
        if SETTINGS.get("sink"):
            await app.producer.put_batch(SETTINGS["sink"], [r.partition_key for r in batch], batch.payloads())
        if message.generation_id == consumer.generation:
            consumer.commit_metadata[message.tp] = batch.last_sequence_number
        if not SETTINGS.get("hold"):
            consumer.acknowledge(message.tp, message.offset, message.generation_id)


def is_idle(tp: Any) -> bool:  # noqa: ANN401 - faust's
    consumer: Any = app.consumer
    return bool(consumer.idle(tp, processed.get(tp, -1)))


@app.task  # type: ignore[untyped-decorator]  # faust has no types
async def report() -> None:
    consumer: Any = app.consumer
    while not app.should_stop:
        state = {
            "ready": consumer.ready,
            "standing_by": consumer.standing_by,
            "shards": sorted(consumer.shard_id(tp) for tp in consumer.assignment()),
            "idle": sorted(consumer.shard_id(tp) for tp in consumer.assignment() if is_idle(tp)),
            "generation": consumer.generation,
            "millis_behind": consumer.millis_behind(),
        }
        temporary = OUT.with_suffix(".state.tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(OUT.with_suffix(".state"))
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    app.main()
