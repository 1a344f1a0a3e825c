"""Recorded metrics for examples/alert_rules.yaml: half an hour, read every 30 s, with one trouble of each kind.

usage: python make_replay.py > ../../../examples/alert_metrics.jsonl
"""
import json

requests = slow = errors = negative = positive = 0
for i in range(61):
    time = 30 * i
    busy = 600 <= time < 840  # slow requests
    requests += 100
    slow += 20 if busy else 0
    errors += 6 if 900 <= time < 1020 else 0  # 0.2 a second, of two codes
    negative += (i % 2) + (12 if 1200 <= time < 1260 else 0)
    positive += 40
    drift = 0.31 if 300 <= time < 480 and time != 360 else 0.05
    queue = (3 + i % 3) if time < 1500 else 9
    lines = ["# TYPE suanli_request_duration_seconds histogram"]
    for route, late in [("/embed", slow), ("/predict", 0), ("/metrics", requests)]:
        for bound, count in [("0.1", requests - late), ("1", requests), ("+Inf", requests)]:
            lines.append(f'suanli_request_duration_seconds_bucket{{route="{route}",le="{bound}"}} {count}')
    lines.append(f'suanli_requests_total{{route="/embed",code="200"}} {requests}')
    if errors:
        lines.append(f'suanli_requests_total{{route="/embed",code="500"}} {errors // 2}')
        lines.append(f'suanli_requests_total{{route="/embed",code="503"}} {errors - errors // 2}')
    lines.append(f'suanli_drift_score{{feature="length",test="psi"}} {drift}')
    lines.append(f'suanli_predictions_total{{label="negative"}} {negative}')
    lines.append(f'suanli_predictions_total{{label="positive"}} {positive}')
    lines.append(f"suanli_queue_size {queue}")
    print(json.dumps({"time": time, "metrics": "\n".join(lines) + "\n"}))
