# SPDX-License-Identifier: Apache-2.0
"""Owns: the way through a dashboard's JSON: its panels and their queries."""
import json
import pathlib


class Query:
    """One query of one panel, with the name of each series it draws."""

    def __init__(self, where, expr, legend):
        self.where = where
        self.expr = expr
        self.legend = legend


class Dashboard:
    def __init__(self, path):
        self.json = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        self.panels = [p for p in self.json["panels"] if p["type"] != "row"]
        self.queries = [
            Query(f"{panel['title']} {target['refId']}", target["expr"], target["legendFormat"])
            for panel in self.panels
            for target in panel["targets"]
        ]

    def shape(self):
        """Faults of the JSON itself: what Grafana would drop, or draw over each other."""
        faults = []
        ids = [panel["id"] for panel in self.json["panels"]]
        if len(set(ids)) != len(ids):
            faults.append("two panels have one id")
        taken = {}
        for panel in self.json["panels"]:
            at = panel["gridPos"]
            if at["x"] < 0 or at["x"] + at["w"] > 24:
                faults.append(f"{panel['title']}: wider than the 24 columns")
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    other = taken.setdefault((x, y), panel["title"])
                    if other != panel["title"]:
                        faults.append(f"{panel['title']} lies over {other}")
        for panel in self.panels:
            if not panel["title"] or not panel["description"] or not panel["targets"]:
                faults.append(f"panel {panel['id']}: no title, no description, or no query")
            for source in [panel["datasource"]] + [t["datasource"] for t in panel["targets"]]:
                if source != {"type": "prometheus", "uid": "${datasource}"}:
                    faults.append(f"{panel['title']}: a data source that only one machine has")
        return sorted(set(faults))

    def variables(self):
        """The queries behind variables: label_values(metric, label)."""
        return [v["definition"] for v in self.json["templating"]["list"] if v["type"] == "query"]
