# SPDX-License-Identifier: LGPL-2.1-or-later
"""`weft plan`, `weft graph` and `weft probe` say what is true, and the printed line is the job."""

import json
import re
import shutil
import subprocess

import pytest

import judge
import media
import weft


def a_job():
    return weft.job([weft.clip(media.counter(50, fps="30", frames=60), **{"in": 0.3, "out": 1.5}),
                     weft.clip(media.counter(51, fps="25", frames=50), **{"in": 0.11, "out": 1.0})],
                    [weft.video("a.mp4"), weft.video("b.mp4", width=160),
                     {"id": "p", "type": "thumbnail", "uri": "p.png", "at": 1.0}],
                    overlays=[{"type": "text", "text": "it's \"quoted\" \\ and ! split, é", "start": 0.2, "end": 0.8,
                               "position": "top", "font": {"size": 16}}])


def test_the_printed_line_run_by_gst_launch_gives_the_same_frames(folder):
    gst_launch = shutil.which("gst-launch-1.0")
    if not gst_launch:
        pytest.skip("gst-launch-1.0 is not installed")
    job = a_job()
    result = weft.run(job, folder)
    ours = {n: (result.file(n).read_bytes() if n.endswith("png") else judge.decode_luma(result.file(n))) for n in ("a.mp4", "b.mp4", "p.png")}
    sound = judge.decode_audio(result.file("a.mp4"))
    for n in ours:
        result.file(n).unlink()

    line = weft.command("graph", folder / "job.json", "--output-dir", folder / "out", "--format", "launch")
    assert line.code == weft.DONE, str(line)
    # A shell reads it, as a user's would.
    done = subprocess.run(f"{gst_launch} -q -e {line.out.strip()}", shell=True, env=weft.foreign_environment(), capture_output=True,
                          timeout=weft.PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:] + line.out[:3000]
    for n in ("a.mp4", "b.mp4"):
        theirs = judge.decode_luma(result.file(n))
        assert theirs.shape == ours[n].shape
        assert (theirs == ours[n]).all(), f"{n} differs"
        assert judge.moov_first(result.file(n))
    assert (judge.decode_audio(result.file("a.mp4")) == sound).all()
    assert result.file("p.png").read_bytes() == ours["p.png"]


def test_the_graph_is_printed_as_dot_and_json(folder):
    path = weft.write_job(folder, a_job())
    dot = weft.command("graph", path, "--format", "dot")
    assert dot.code == weft.DONE and dot.out.startswith("digraph"), str(dot)
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=dot.out.encode(), check=True, capture_output=True)
    root = json.loads(weft.command("graph", path, "--format", "json").out)
    assert "clipsequence" in json.dumps(root)


def test_printing_plans_and_graphs_writes_nothing(folder):
    path = weft.write_job(folder, a_job())
    (folder / "out").mkdir()
    with judge.nothing_left_in(folder):
        for arguments in (("plan", path), ("graph", path), ("graph", path, "--format", "dot"), ("validate", path)):
            result = weft.command(*arguments, *(("--output-dir", folder / "out") if arguments[0] != "validate" else ()))
            assert result.code == weft.DONE, str(result)


def test_each_source_is_decoded_once_whatever_is_made_of_it(folder):
    """Six outputs and a poster: one decoder of each clip, one encoder of each video, one of the sound they share."""
    outputs = [weft.video(f"o{i}.mp4", width=320 - 32 * i, height=180 - 18 * i) for i in range(6)]
    path = weft.write_job(folder, weft.job([media.counter(50, fps="30", frames=60)], outputs))
    line = weft.command("graph", path, "--format", "launch").out
    assert len(re.findall(r"\bclipsequence\b", line)) == 1
    assert len(re.findall(r"\bx264enc\b", line)) == 6
    assert len(re.findall(r"aac", line)) <= 2, line


def test_the_plan_places_clips_by_their_position(folder):
    lengths = ["0.333", "1.0005", "0.04", "2.7182818", "0.5"]
    path = media.counter(52, fps="50", frames=200)
    for fps in ("24000/1001", "25", "30000/1001", "60"):
        plan = weft.plan(weft.job([weft.clip(path, out=float(s)) for s in lengths], fps=fps), folder)
        placed, frames, samples = judge.layout_of(lengths, fps)
        assert plan["timeline"]["frames"] == frames
        assert plan["timeline"]["samples"] == samples
        assert [(c["first_frame"], c["frames"], c["first_sample"], c["samples"]) for c in plan["clips"]] == placed


def test_the_plan_says_what_this_build_cannot_run(folder):
    job = weft.job([weft.clip(media.real("realshort.mp4"), speed=2), weft.clip(media.real("realshort.mp4"), transition={"type": "fade"})],
                   [weft.video(), {"id": "s", "type": "silence", "uri": "s.json"}, {"id": "h", "type": "hls", "uri": "hls/"}],
                   webhook={"url": "https://example.org/hook"}, timeline={"loudness": {}})
    plan = weft.plan(job, folder, check=False)
    assert plan.code in (weft.DONE, weft.INVALID_JOB), str(plan)
    named = json.loads(plan.out)["unsupported"]
    pointers = [u["pointer"] for u in named]
    for pointer in ("/timeline/clips/0/speed", "/timeline/clips/1/transition", "/outputs/1", "/outputs/2", "/webhook",
                    "/timeline/loudness"):
        assert any(p.startswith(pointer) for p in pointers), (pointer, pointers)


@pytest.mark.parametrize("name,rotation,size", [("rotated-90", 90, (180, 320)), ("anamorphic-4-3", 0, (240, 180)), ("vfr-mp4", 0, (320, 180))])
def test_probe_says_what_ffprobe_says(name, rotation, size):
    path = media.source(name)
    result = weft.command("probe", path)
    assert result.code == weft.DONE, str(result)
    root = json.loads(result.out)
    info = judge.probe(path)
    duration = next(v for k, v in root.items() if "duration" in k)
    seconds = duration / 1e9 if duration > 1000 else duration
    assert abs(seconds - float(info["format"]["duration"])) < 0.06
    text = json.dumps(root)
    assert str(size[0]) in text and str(size[1]) in text
    if rotation:
        assert "rotate" in text or "orientation" in text


def test_probe_of_what_is_no_media_is_a_source_error():
    for name in ("text-renamed", "zero-bytes", "cut-moov-last"):
        result = weft.command("probe", media.broken(name))
        assert result.code == weft.SOURCE, str(result)


def test_presets_doctor_version_and_help_answer():
    assert "reel-1080" in json.loads(weft.command("presets").out)
    doctor = weft.command("doctor", "--json")
    assert doctor.code == weft.DONE, str(doctor)
    json.loads(doctor.out)
    assert weft.command("--version").out.strip()
    for name in ("run", "validate", "plan", "graph", "probe", "schema", "presets", "doctor"):
        told = weft.command(name, "--help")
        assert told.code == weft.DONE and name in told.out, str(told)
