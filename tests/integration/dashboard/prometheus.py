# SPDX-License-Identifier: Apache-2.0
"""Owns: Prometheus's own programs: where they are, and a server that scrapes one address."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 120


def program(name):
    """The path of prometheus or promtool: in the folder PVF_PROMETHEUS, else in PATH; else skip."""
    folder = os.environ.get("PVF_PROMETHEUS")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if found is None and folder:
        sys.exit(f"PVF_PROMETHEUS={folder} has no {name}")
    if found is None:
        print(f"skipped: {name} is not installed (Debian package prometheus; or name the folder "
              "of its programs by PVF_PROMETHEUS)")
        sys.exit(77)
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Scrapes `target` every second, until stop."""

    def __init__(self, path, folder, target):
        self.config = pathlib.Path(folder) / "prometheus.yml"
        self.config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            "scrape_configs:\n"
            "  - {job_name: pvf, static_configs: [{targets: ['" + target + "']}]}\n",
            encoding="ascii")
        self.log = pathlib.Path(folder) / "log"
        self.data = pathlib.Path(folder) / "data"
        self.path = path
        self.process = None
        self.url = None

    def start(self):
        # Somebody else may take the port meanwhile: then it ends, and another is tried.
        for _ in range(5):
            port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    [self.path, f"--config.file={self.config}", f"--storage.tsdb.path={self.data}",
                     f"--web.listen-address=127.0.0.1:{port}"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            end = time.monotonic() + PATIENCE
            while self.process.poll() is None and time.monotonic() < end:
                if self.get("/-/ready") is not None:
                    return
                time.sleep(0.2)
            self.stop()
        sys.exit(f"prometheus does not start:\n{self.log.read_text(encoding='utf-8')[-2000:]}")

    def get(self, path):
        """The body, or None when there is no good answer."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError):
            return None

    def query(self, expr):
        """(labels, value) of each series, or the fault's text."""
        query = urllib.parse.urlencode({"query": expr})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=30) as answer:
                data = json.load(answer)["data"]
        except urllib.error.HTTPError as fault:
            return json.load(fault).get("error", "an error")
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process is not None:
            self.process.wait()
