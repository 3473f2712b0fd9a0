# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `weft run` tells while it works, and the report it writes."""

import datetime
import json
import os
import pty
import re
import select
import subprocess

import judge
import media
import weft

TYPES = {"job.queued", "job.started", "job.progress", "job.warning", "output.ready", "job.succeeded", "job.failed",
         "job.canceled"}


def two_outputs():
    return weft.job([weft.clip(media.real("together.mp4"), out=12), media.real("realshort.mp4")],
                    [weft.video("a.mp4", speed="veryfast"), weft.video("b.mp4", width=160)], size=(640, 360),
                    metadata={"video_id": "v1"})


def test_events_are_complete_in_order_and_never_go_back(folder):
    result = weft.run(two_outputs(), folder)
    events = result.events
    assert {e["type"] for e in events} <= TYPES
    assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[0]["seq"] + len(events)))
    assert len({e["id"] for e in events}) == len(events)
    assert len({e["job_id"] for e in events}) == 1
    stamps = [datetime.datetime.fromisoformat(e["timestamp"].replace("Z", "+00:00")) for e in events]
    assert stamps == sorted(stamps)
    assert events[0]["type"] == "job.started"
    assert [e["type"] for e in events].count("job.succeeded") == 1
    assert events[-1]["type"] == "job.succeeded"
    progress = [e["data"] for e in events if e["type"] == "job.progress"]
    assert len(progress) >= 2
    percents = [p["percent"] for p in progress]
    assert percents == sorted(percents) and 0 <= percents[0] and percents[-1] <= 100
    frames = [p["frame"] for p in progress]
    assert frames == sorted(frames)
    for p in progress:
        assert {"percent", "stage", "frame", "fps", "speed", "eta_s", "outputs"} <= set(p), p
    ready = [e["data"] for e in events if e["type"] == "output.ready"]
    assert {r["id"] for r in ready} == {"a", "b"}


def test_progress_is_that_of_the_work_not_of_a_clock(folder):
    """Half way through the frames is half way through the percents."""
    result = weft.run(two_outputs(), folder)
    for p in (e["data"] for e in result.events if e["type"] == "job.progress"):
        if 20 < p["percent"] < 80:
            assert abs(p["percent"] - 100 * p["frame"] / 330) < 25, p


def test_the_report_says_what_came_out(folder):
    result = weft.run(two_outputs(), folder)
    report = result.report
    assert {"job_id", "state", "error", "wall_s", "cpu_s", "peak_rss_bytes", "weft_version", "inputs", "outputs"} <= set(report)
    assert report["state"] == "succeeded" and report["error"] is None
    assert 0 < report["wall_s"] < 120 and report["cpu_s"] > 0
    assert 10e6 < report["peak_rss_bytes"] < 2e9
    assert len(report["inputs"]) == 2
    for entry in report["inputs"]:
        assert entry["size"] == os.path.getsize(entry["uri"].removeprefix("file://"))
        assert 0 < entry["bytes_read"]
    by_id = {o["id"]: o for o in report["outputs"]}
    for name, size in (("a", (640, 360)), ("b", (160, 90))):
        o, path = by_id[name], result.file(name + ".mp4")
        assert {"id", "uri", "type", "bytes", "frames", "samples", "duration_s", "width", "height", "encoder", "segments"} <= set(o)
        assert o["type"] == "video"
        assert o["bytes"] == path.stat().st_size
        assert (o["width"], o["height"]) == size
        assert o["uri"].endswith(f"/{name}.mp4")
        judge.assert_movie(path, o["frames"], 25, size, samples=o["samples"])
        assert abs(o["duration_s"] - o["frames"] / 25) < 1e-6
        assert o["segments"] == {"copied": 0, "cached": 0, "encoded": 1}
    assert by_id["a"]["encoder"]


def test_each_source_is_read_about_once(folder):
    result = weft.run(weft.job([media.real("hello.mp4")]), folder)
    entry = result.report["inputs"][0]
    assert 0.9 * entry["size"] < entry["bytes_read"] < 1.5 * entry["size"], entry


def test_without_json_the_progress_is_for_people(folder):
    path = weft.write_job(folder, weft.job([media.real("realshort.mp4")]))
    result = weft.command("run", path, "--output-dir", folder / "out")
    assert result.code == weft.DONE, str(result)
    assert "out.mp4" in result.said
    assert "\x1b" not in result.said, "escape sequences where there is no terminal"


def test_events_none_says_nothing(folder):
    path = weft.write_job(folder, weft.job([media.real("realshort.mp4")]))
    result = weft.command("run", path, "--output-dir", folder / "out", "--events", "none")
    assert (result.code, result.out, result.err) == (weft.DONE, "", "")


def test_on_a_terminal_there_is_one_live_line(folder):
    path = weft.write_job(folder, two_outputs())
    leader, follower = pty.openpty()
    env = weft.environment(TERM="xterm", COLUMNS="100")
    env.pop("NO_COLOR")
    with subprocess.Popen([weft.binary(), "run", path, "--output-dir", folder / "out"], stdin=follower, stdout=follower,
                          stderr=follower, env=env) as process:
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], weft.PATIENCE_S)[0]:
            try:
                block = os.read(leader, 65536)
            except OSError:
                break
            if not block:
                break
            shown += block
        assert process.wait(weft.PATIENCE_S) == weft.DONE
    os.close(leader)
    text = shown.decode(errors="replace")
    assert re.search(r"\d+\s?%", text), text
    assert "fps" in text
    assert "\r" in text.replace("\r\n", "\n"), "nothing was redrawn"
    for line in text.replace("\r\n", "\n").split("\n"):
        last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line.split("\r")[-1])
        assert len(last) <= 400


def test_the_job_comes_from_standard_input_too(folder):
    job = weft.job([media.real("realshort.mp4")])
    (folder / "out").mkdir()
    result = weft.command("run", "-", "--output-dir", folder / "out", "--events", "none", stdin=json.dumps(job).encode())
    assert result.code == weft.DONE, str(result)
    judge.assert_movie(folder / "out" / "out.mp4", 30, 25, samples=57600)


def test_paths_are_relative_to_the_job_file(folder):
    import shutil
    (folder / "clips").mkdir()
    shutil.copy(media.real("realshort.mp4"), folder / "clips" / "a b%20ü#?.mp4")
    path = weft.write_job(folder, weft.job(["clips/a b%20ü#?.mp4"]))
    result = weft.command("run", path, "--events", "none", cwd="/")
    assert result.code == weft.DONE, str(result)
    judge.assert_movie(folder / "out.mp4", 30, 25, samples=57600)


def test_variables_are_replaced_everywhere(folder):
    job = weft.job(["{{media}}/realshort.mp4"], [{**weft.video("{{job.id}}-{{output.id}}.mp4"), "id": "main"}], id="reel-7",
                   variables={"media": "/nowhere"})
    result = weft.run(job, folder, "--set", f"media={media.folder()}")
    judge.assert_movie(result.file("reel-7-main.mp4"), 30, 25, samples=57600)


def test_the_same_job_gives_the_same_frames_and_samples(folder):
    """What goes into the encoders is the same every time. (x264 with several threads may make other bytes of it.)"""
    job = weft.job([media.real("realshort.mp4"), media.real("hello.mp4")], outputs=[weft.video(quality=0)], timeline={"fps": 30}, overlays=[
        {"type": "text", "text": "Same", "start": 0.2, "end": 1.5, "animate": {"in": "fade", "out": "slide-up"}}])
    hashes = []
    for name in ("first", "second"):
        (folder / name).mkdir()
        out = weft.run(job, folder / name).file("out.mp4")
        hashes.append((media.ffmpeg("-i", out, "-map", "0:v", "-f", "framemd5", "-").stdout,
                       media.ffmpeg("-i", out, "-map", "0:a", "-c", "copy", "-f", "streamhash", "-").stdout))
    assert hashes[0] == hashes[1] and b"SHA256" in hashes[0][1]
    assert hashes[0][0].count(b"\n") > 200
