#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dashboard_live EXPORTER DASHBOARD: a real Prometheus scrapes pvf's web server, and every query of
the dashboard, as Grafana would send it, gives figures."""
import math
import subprocess
import sys
import tempfile
import time

from dashboard.panels import Dashboard
from dashboard.prometheus import PATIENCE, Server, program


def as_sent(expr):
    """With Grafana's variables filled in: all hosts; four scrapes and more."""
    return expr.replace("$__rate_interval", "1m").replace("$instance", ".*")


def why_not(server, expr):
    """Nothing, or why a query gives no figures."""
    result = server.query(expr)
    if isinstance(result, str):
        return result
    if not result:
        return "no series"
    if any(math.isnan(value) for _, value in result):
        return "no number"
    return None


def run(server, dashboard):
    waiting = {query.where: query.expr for query in dashboard.queries}
    end = time.monotonic() + PATIENCE
    last = {}
    while waiting and time.monotonic() < end:
        for where in list(waiting):
            last[where] = why_not(server, as_sent(waiting[where]))
            # A query that is no query will not become one.
            if last[where] is None or last[where].startswith("invalid parameter"):
                del waiting[where]
        time.sleep(1 if waiting else 0)
    return [f"{where}: {fault}" for where, fault in last.items() if fault is not None]


def main():
    exporter_path, dashboard_path = sys.argv[1:3]
    prometheus = program("prometheus")
    dashboard = Dashboard(dashboard_path)
    with tempfile.TemporaryDirectory() as folder:
        exporter = subprocess.Popen([exporter_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    text=True)
        server = Server(prometheus, folder, exporter.stdout.readline().strip())
        try:
            server.start()
            faults = run(server, dashboard)
            # What must give nothing gives nothing: the others are not answered by anything.
            for expr in ("pvf_no_such_metric", "sum(rate(pvf_requests_total{request=\"x\"}[1m]))"):
                if server.query(expr) != []:
                    faults.append(f"an answer to {expr}")
            if not isinstance(server.query("sum("), str):
                faults.append("an answer to what is no query")
        finally:
            server.stop()
            exporter.stdin.close()
            exporter.wait(timeout=60)
            exporter.stdout.close()
    for fault in faults:
        print(fault)
    if faults or not dashboard.queries:
        sys.exit(1)
    print(f"{len(dashboard.queries)} queries gave figures")


main()
