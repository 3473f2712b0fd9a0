# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the `weft` command as a user would, and writes the jobs the tests are about."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]

DONE, FAILED, USAGE, INVALID_JOB, SOURCE, OUTPUT, CANCELLED = 0, 1, 2, 3, 4, 5, 130



def patient(seconds):
    """How long what takes up to `seconds` here may take where the tests run: ./dev sets WEFT_PATIENCE for slow builds."""
    return seconds * float(os.environ.get("WEFT_PATIENCE", 1))


# No job of the functional tests takes this long; one that does hangs, and that is what the test is about.
PATIENCE_S = patient(90)


class Hung(AssertionError):
    """The command did not end."""


def build_folder():
    return pathlib.Path(os.environ.get("WEFT_BUILD_ROOT", ROOT / "build"))


def environment(**more):
    """What `meson devenv` would set, so that a bare `pytest tests/functional` works too."""
    env = dict(os.environ)
    build = build_folder()
    if not (env.get("GST_PLUGIN_PATH") or "").startswith(str(build)):
        folders = [str(build / "plugins")]
        env["GST_PLUGIN_PATH"] = os.pathsep.join(folders)
        env["GST_REGISTRY_1_0"] = str(build / "gst-registry.bin")
        env.setdefault("WEFT_DATA_DIR", str(ROOT / "pipelines"))
        for name, folder in (("PATH", "launcher/cli"), ("LD_LIBRARY_PATH", "launcher/lib"),
                             ("GI_TYPELIB_PATH", "launcher/lib")):
            env[name] = os.pathsep.join(filter(None, [str(build / folder), env.get(name)]))
    env.pop("DISPLAY", None)
    env["LC_ALL"] = "C.UTF-8"
    env["NO_COLOR"] = "1"
    env.update({k: str(v) for k, v in more.items()})
    return env


def foreign_environment(**more):
    """For programs that are not ours and load our library or elements, or run the command under a tracer."""
    env = environment(**more)
    preload = os.environ.get("WEFT_SANITIZE_PRELOAD")
    if preload:
        # They are not built with the sanitizers, their leaks are none of ours, and no leak can be found under ptrace.
        env.update(LD_PRELOAD=preload, ASAN_OPTIONS="detect_leaks=0")
    return env


def binary():
    return build_folder() / "launcher/cli/weft"


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str
    report: dict = None
    folder: pathlib.Path = None
    peak_rss: int = 0
    cpu_s: float = 0.0

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    @property
    def error(self):
        """The error of the terminal event: code, message, retryable, problems."""
        last = self.events[-1]
        assert last["type"] in ("job.failed", "job.canceled"), last
        return last["data"]["error"]

    @property
    def problem(self):
        """The first thing that is wrong: code, message, hint, pointer, uri, element."""
        return next(p for p in self.error["problems"] if p["severity"] == "error")

    @property
    def said(self):
        return self.err + self.out

    def file(self, name):
        return self.folder / name

    def __str__(self):
        return f"exit {self.code}\n--- stderr\n{self.err[-3000:]}\n--- stdout\n{self.out[-3000:]}"


def command(*args, timeout=PATIENCE_S, env=None, stdin=None, **more):
    """`weft ARGS`; the result whatever it is."""
    try:
        done = subprocess.run([str(binary()), *map(str, args)], capture_output=True, timeout=timeout, input=stdin,
                              env=env or environment(), check=False, **more)
    except subprocess.TimeoutExpired as late:
        raise Hung(f"weft {' '.join(map(str, args))} did not end within {timeout} s\n"
                   f"{(late.stderr or b'').decode(errors='replace')[-3000:]}") from late
    result = Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    assert result.code >= 0, f"weft died of {signal.Signals(-result.code).name}\n{result}"
    assert "Sanitizer" not in result.err, str(result)
    assert "CRITICAL" not in result.err, str(result)
    return result


def write_job(folder, job, name="job.json"):
    path = pathlib.Path(folder) / name
    path.write_text(json.dumps(job, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def run(job, folder, *args, check=True, timeout=PATIENCE_S, env=None, stall=None, name="job.json", **more):
    """`weft run` of a job in a folder of its own. Outputs are relative to `folder`/out."""
    folder = pathlib.Path(folder)
    path = write_job(folder, job, name)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    report = folder / "report.json"
    if stall is not None:
        args += ("--stall-timeout", stall)
    result = command("run", path, "--output-dir", out, "--events", "json", "--report", report, *args,
                     timeout=timeout, env=env, **more)
    result.folder = out
    if report.exists():
        result.report = json.loads(report.read_text(encoding="utf-8"))
    if check:
        assert result.code == DONE, str(result)
    return result


def plan(job, folder, *args, check=True):
    result = command("plan", write_job(folder, job), "--output-dir", pathlib.Path(folder) / "out", *args)
    if check:
        assert result.code == DONE, str(result)
        return json.loads(result.out)
    return result


class Running:
    """A `weft run` in a process group of its own, to be watched and interrupted."""

    def __init__(self, job, folder, *args, env=None, name="job.json"):
        self.folder = pathlib.Path(folder)
        self.out = self.folder / "out"
        self.out.mkdir(exist_ok=True)
        path = write_job(self.folder, job, name)
        # Files, not pipes: nobody has to read while the process runs.
        self._out = tempfile.TemporaryFile()
        self._err = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(binary()), "run", str(path), "--output-dir", str(self.out), "--events", "json",
             "--report", str(self.folder / "report.json"), *map(str, args)],
            stdout=self._out, stderr=self._err, stdin=subprocess.DEVNULL, env=env or environment(),
            start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def said_so_far(self):
        return os.pread(self._out.fileno(), 1 << 24, 0).decode(errors="replace")

    def wait_for(self, event, timeout=PATIENCE_S):
        """Until an event of that type was printed, or the process ended."""
        ended = threading.Event()
        for _ in range(int(timeout * 50)):
            if f'"{event}"' in self.said_so_far():
                return True
            if self.process.poll() is not None:
                return False
            ended.wait(0.02)
        raise Hung(f"no {event} within {timeout} s")

    def listens(self):
        """Whether the process has taken SIGINT to itself: it blocks it, to read it from a descriptor."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                blocked = next(line.split()[1] for line in status if line.startswith("SigBlk:"))
        except (OSError, StopIteration):
            return False
        return bool(int(blocked, 16) & 1 << (signal.SIGINT - 1))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE_S):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired as late:
            self.kill()
            raise Hung(f"weft run did not end within {timeout} s\n{self._read(self._err)[-3000:]}") from late
        result = Result(code, self.said_so_far(), self._read(self._err), folder=self.out)
        report = self.folder / "report.json"
        if report.exists():
            result.report = json.loads(report.read_text(encoding="utf-8"))
        return result

    @staticmethod
    def _read(file):
        return os.pread(file.fileno(), 1 << 24, 0).decode(errors="replace")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._out.close()
        self._err.close()


# ---------------------------------------------------------------------------------------------------------
# jobs


def video(name="out.mp4", quality=16, speed="ultrafast", **more):
    """A video output that costs little and keeps counters readable."""
    settings = {"speed": speed}
    if "bitrate" not in more.get("video", {}):
        settings["quality"] = quality
    settings.update(more.pop("video", {}))
    return {"id": pathlib.PurePath(name).stem, "uri": name, "video": settings, **more}


def clip(src, **more):
    return {"src": str(src), **more}


def job(clips, outputs=None, size=(320, 180), fps=25, overlays=None, **more):
    """A job document; clips are paths or clip objects."""
    timeline = {"width": size[0], "height": size[1], "fps": fps,
                "clips": [c if isinstance(c, dict) else clip(c) for c in clips]}
    if overlays:
        timeline["overlays"] = overlays
    timeline.update(more.pop("timeline", {}))
    return {"version": 1, "timeline": timeline, "outputs": outputs or [video()], **more}
