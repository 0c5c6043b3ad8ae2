# SPDX-License-Identifier: Apache-2.0
"""Owns: what is exported, read from Prometheus's text format: families, labels and their values."""
import re

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# What Prometheus adds to whatever it scrapes.
ADDED = ("instance", "job")


class Family:
    def __init__(self, name, kind):
        self.name = name
        self.kind = kind
        self.labels = {}


class Exported:
    """families by name; series: the name of every sample, with its family."""

    def __init__(self, text):
        self.families = {}
        self.series = {}
        family = None
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:4]
                family = self.families[name] = Family(name, kind)
            elif not line.startswith("#"):
                name, labels, _ = SAMPLE.match(line).groups()
                self.series[name] = family
                for label, value in LABEL.findall(labels or ""):
                    if label != "le":
                        family.labels.setdefault(label, []).append(value)

    def labels_of(self, series):
        names = set(self.series[series].labels) | set(ADDED)
        return names | {"le"} if series.endswith("_bucket") else names

    def values_of(self, series, label):
        return self.series[series].labels.get(label, [])
