#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dashboard_names EXPORTER DASHBOARD DOCUMENT: all that the dashboard asks for is exported, and the
document lists exactly what is exported, with its types and labels."""
import pathlib
import re
import subprocess
import sys

from dashboard.exported import Exported
from dashboard.panels import Dashboard
from dashboard.promql import Fault, check, check_variable

I = 'instance=~"$instance"'
R = "[$__rate_interval]"
# Queries with one fault each: whoever takes them cannot judge the others.
WRONG = [
    f"sum(pvf_queue{{{I}}})",
    f"sum(pvf_execute_queue_length{{{I}}}",
    f"sum by (kinds) (pvf_execute_queue_length{{{I}}})",
    f"sum(pvf_execute_queue_length{{kin=\"backing\",{I}}})",
    f"sum(pvf_execute_queue_length{{kind=\"baking\",{I}}})",
    f"sum(pvf_execute_queue_length{{kind=~\"backing|baking\",{I}}})",
    "sum(pvf_execute_queue_length)",
    f"sum(rate(pvf_execute_queue_length{{{I}}}{R}))",
    f"sum(rate(pvf_requests_total{{{I}}}))",
    f"sum(rate(pvf_requests_total{{{I}}}[5m]))",
    f"sum(pvf_requests_total{{{I}}}{R})",
    f"sum(pvf_request_duration_seconds{{{I}}})",
    f"histogram_quantile(0.5, sum(rate(pvf_request_duration_seconds_bucket{{{I}}}{R})))",
    f"histogram_quantile(0.5, sum by (le) (rate(pvf_request_duration_seconds_sum{{{I}}}{R})))",
    f"histogram_quantile(50, sum by (le) (rate(pvf_request_duration_seconds_bucket{{{I}}}{R})))",
    f"sum(pvf_up{{{I}}}) / sum by (kind) (pvf_execute_running{{{I}}})",
    f"delta(pvf_up{{{I}}}{R})",
    f"sum(pvf_up{{{I}}}) )",
    "",
]
WRONG_LEGENDS = [
    (f"sum by (kind) (pvf_execute_running{{{I}}})", "{{reason}}"),
    (f"sum by (kind) (pvf_execute_running{{{I}}})", "one text for all"),
]


def judge(expr, legend, exported):
    try:
        return check(expr, legend, exported), None
    except Fault as fault:
        return set(), str(fault)


def self_test(exported):
    faults = [f"taken, though it is wrong: {expr}" for expr in WRONG
              if judge(expr, "", exported)[1] is None]
    faults += [f"taken, though its legend is wrong: {legend}" for expr, legend in WRONG_LEGENDS
               if judge(expr, legend, exported)[1] is None]
    for expr, legend in [(f"sum(pvf_up{{{I}}})", ""), (WRONG_LEGENDS[0][0], "{{kind}}")]:
        if judge(expr, legend, exported)[1] is not None:
            faults.append(f"refused, though it is right: {expr}")
    return faults


def document_faults(path, exported):
    """Rows of the document's tables against the families."""
    listed = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(\w+)` \| (\w+) \| ([^|]*) \|", line)
        if row:
            listed[row[1]] = (row[2], set(re.findall(r"`(\w+)`", row[3])))
    faults = [f"{name} is listed, but not exported" for name in listed
              if name not in exported.families]
    for name, family in exported.families.items():
        if name not in listed:
            faults.append(f"{name} is exported, but not listed")
        elif listed[name] != (family.kind, set(family.labels)):
            faults.append(f"{name} is listed as {listed[name]}, "
                          f"but is {(family.kind, set(family.labels))}")
    # The values of labels: "| `label` of `metric`, … | value, … |".
    text = pathlib.Path(path).read_text(encoding="utf-8")
    seen = set()
    for label, names, values in re.findall(r"^\| `(\w+)` of ([^|]*) \| ([^|]*) \|$", text, re.M):
        for name in re.findall(r"`(\w+)`", names):
            seen.add((name, label))
            family = exported.families.get(name)
            have = list(dict.fromkeys(family.labels.get(label, []))) if family else []
            if have != values.split(", "):
                faults.append(f"{label} of {name} is listed as {values}, but is {', '.join(have)}")
    for name, family in exported.families.items():
        for label in family.labels:
            if name.startswith("pvf_") and name != "pvf_build_info" and (name, label) not in seen:
                faults.append(f"the values of {label} of {name} are not listed")
    return faults


def main():
    exporter, dashboard_path, document = sys.argv[1:4]
    text = subprocess.run([exporter, "print"], capture_output=True, text=True, timeout=120,
                          check=True).stdout
    exported = Exported(text)
    dashboard = Dashboard(dashboard_path)
    faults = self_test(exported) + dashboard.shape() + document_faults(document, exported)
    used = set()
    for query in dashboard.queries:
        families, fault = judge(query.expr, query.legend, exported)
        used |= families
        if fault is not None:
            faults.append(f"{query.where}: {fault}")
    for definition in dashboard.variables():
        try:
            check_variable(definition, exported)
        except Fault as fault:
            faults.append(str(fault))
    for name in exported.families:
        # The reference's have dashboards already; ours are for this one.
        if name.startswith("pvf_") and name not in used:
            faults.append(f"the dashboard does not show {name}")
    for fault in faults:
        print(fault)
    if faults or not dashboard.queries:
        sys.exit(1)
    print(f"{len(dashboard.queries)} queries in {len(dashboard.panels)} panels, "
          f"{len(exported.families)} metrics, {len(exported.series)} names of samples")


main()
