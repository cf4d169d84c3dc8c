"""The Python original, batch by batch, each message acknowledged on its own: it knows no other way."""

import json
import resource
import sys
import time

from redis import Redis
from redis_streams.consumer import Consumer

task = json.loads(sys.argv[-1])
print("ready", flush=True)
consumer = Consumer(
    redis_conn=Redis(**task["redis"], decode_responses=True),
    stream=task["stream"],
    consumer_group=task["group"],
    batch_size=task["batchSize"],
    max_wait_time_ms=task["maxWaitMs"],
)
seen = 0
began = None
while seen < task["messages"]:
    for item in consumer.get_items():
        consumer.remove_item_from_consumer_group(item.msgid)
        seen += 1
    if began is None and seen >= task["warmUp"]:
        print("warm", flush=True)
        began = (time.perf_counter(), time.process_time(), seen)

began_at, began_cpu, seen_at_begin = began
wall = time.perf_counter() - began_at
cpu = time.process_time() - began_cpu
measured = seen - seen_at_begin
figures = {
    "client CPU µs/message": cpu * 1e6 / measured,
    "messages/s": measured / wall,
    "peak RSS MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
}
print(json.dumps({"seen": seen, "figures": figures}), flush=True)
