"""examples/grafana_dashboard.json: every expression is PromQL, every panel has a source, a place and a size.
usage: check_dashboard.py [DASHBOARD.json]       (needs promql-parser from PyPI)
That a server has the metrics that it asks for is tests/serve/ui_test.cpp's."""
import json
import sys
from pathlib import Path

import promql_parser

dashboard = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else "examples/grafana_dashboard.json").read_text())
assert dashboard["schemaVersion"] >= 38, "Grafana 10"
variables = {v["name"] for v in dashboard["templating"]["list"]}
assert variables == {"datasource", "model"}
expressions, places = 0, set()
for panel in dashboard["panels"]:
    place = panel["gridPos"]
    cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
    assert not cells & places and place["x"] + place["w"] <= 24, f"{panel['title']} lies over another panel"
    places |= cells
    for target in panel.get("targets", []):
        assert target["datasource"]["uid"] == "${datasource}", panel["title"]
        promql_parser.parse(target["expr"].replace("$__rate_interval", "1m").replace("$model", ".*"))
        expressions += 1
assert expressions > 15
print(f"{expressions} expressions of {len(dashboard['panels'])} panels are PromQL")
