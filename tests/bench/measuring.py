# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every bench measures with: the cost of a command, interleaved repetitions, and what machine it was."""

import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import weft


@dataclasses.dataclass
class Cost:
    wall: float
    cpu: float
    rss: int

    def __add__(self, other):
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.rss, other.rss))


class Failed(RuntimeError):
    pass


def measure(command, env=None, cwd=None, quiet_exit=(0,)):
    """Runs one command; wall seconds, user+system seconds and peak resident bytes of it and its children."""
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in quiet_exit:
            log.seek(0)
            raise Failed(f"exit {process.returncode}: {' '.join(map(str, command))[:300]}\n{log.read()[-1500:].decode(errors='replace')}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def plain_environment():
    """Without our plugins: what others run on is what Debian installs."""
    env = dict(os.environ)
    for name in ("GST_PLUGIN_PATH", "GST_REGISTRY_1_0", "LD_LIBRARY_PATH", "DISPLAY"):
        env.pop(name, None)
    return env


def repeat(tools, times, quiet):
    """Every tool once, then every tool again: {tool: [Cost]}; a tool that fails is left out with its reason."""
    costs, failed = {name: [] for name in tools}, {}
    for turn in range(times):
        names = list(tools)
        names = names[turn % len(names):] + names[:turn % len(names)]
        for name in names:
            if name in failed:
                continue
            try:
                cost = tools[name]()
            except (Failed, OSError, AssertionError) as error:
                failed[name] = str(error)
                print(f"  {name}: {str(error)[:600]}", file=sys.stderr)
                continue
            costs[name].append(cost)
            if not quiet:
                print(f"  {turn + 1}/{times} {name}: {cost.wall:.2f} s, cpu {cost.cpu:.2f} s, {cost.rss / 2**20:.0f} MiB", file=sys.stderr)
    return {n: c for n, c in costs.items() if c}, failed


def medians(costs):
    return {name: {"wall": statistics.median(c.wall for c in list_), "cpu": statistics.median(c.cpu for c in list_),
                   "rss": statistics.median(c.rss for c in list_), "runs": [dataclasses.asdict(c) for c in list_]}
            for name, list_ in costs.items()}


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(next(line.split()[1] for line in f if line.startswith("MemTotal"))) * 1024

    def version(*command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return (done.stdout or done.stderr).splitlines()[0].strip()
        except (OSError, IndexError):
            return None

    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "memory_bytes": memory, "kernel": platform.release(),
            "load_before": os.getloadavg()[0], "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "ffmpeg": version("ffmpeg", "-version"), "x264": version("x264", "--version"),
            "gstreamer": version("gst-launch-1.0", "--version"), "melt": version("melt", "--version"),
            "weft": version(str(weft.binary()), "--version"), "build": build_type()}


def build_type():
    """Figures of a build without optimisation say nothing; the JSON records which it was."""
    try:
        options = json.loads((weft.build_folder() / "meson-info/intro-buildoptions.json").read_text())
        return {o["name"]: o["value"] for o in options if o["name"] in ("buildtype", "optimization", "debug", "b_sanitize")}
    except OSError:
        return None
