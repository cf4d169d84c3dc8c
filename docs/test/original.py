"""The Python original as a program of its own: its Monitor, pass by pass, or its Consumer, batch by batch."""

import json
import sys
import time

from redis import Redis
from redis_streams.consumer import Consumer
from redis_streams.monitor import Monitor

task = json.loads(sys.argv[-1])
redis = Redis(port=task["port"], decode_responses=True)
place = {"redis_conn": redis, "stream": task["stream"], "consumer_group": task["group"]}

if task["part"] == "monitor":
    monitor = Monitor(**place, **task["settings"])
    while True:
        monitor.collect_monitoring_data(auto_cleanup=task["autoCleanup"])
        print("pass", flush=True)
        time.sleep(0.05)

consumer = Consumer(**place, **task["settings"])
while True:
    for item in consumer.get_items():
        redis.hincrby(task["ledger"], item.msgid, 1)
        consumer.remove_item_from_consumer_group(item.msgid)
    print("pass", flush=True)
