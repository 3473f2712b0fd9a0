# SPDX-License-Identifier: LGPL-2.1-or-later
"""Overlays through the command: every kind is drawn, at its frames, as the pictures and the cookbook of the documentation show."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import judge
import media
import weft

sys.path.insert(0, str(weft.ROOT / "docs"))
import gallery  # noqa: E402 (a script beside the page it draws)

EXAMPLES = {name: (width, height, seconds, timeline) for name, width, height, seconds, timeline in gallery.examples()}
COOKBOOK = re.findall(r"<!-- picture: ([\w-]+) ",
                      gallery.PAGE.read_text(encoding="utf-8").split("\n## Cookbook\n")[1].split("\n## ")[0])


def test_the_cookbook_is_there():
    assert set(COOKBOOK) >= {"lower-third", "tiktok-captions", "watermark", "countdown"}
    shown = set(re.findall(r"\(gallery/([\w-]+)\.webp\)", gallery.PAGE.read_text(encoding="utf-8")))
    assert shown == set(EXAMPLES)
    assert sum(f.stat().st_size for f in (gallery.PAGE.parent / "gallery").iterdir()) < 1_000_000


def pixels(path):
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                          check=True, capture_output=True)
    return np.frombuffer(done.stdout, np.uint8).astype(int)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_picture_shows_what_is_drawn_today(name, folder, monkeypatch):
    for key, value in weft.environment().items():
        monkeypatch.setenv(key, value)
    assert gallery.draw(folder, name, *EXAMPLES[name]) == ""
    drawn, shown = pixels(folder / f"{name}.webp"), pixels(gallery.PAGE.parent / f"gallery/{name}.webp")
    assert drawn.shape == shown.shape
    # Fonts of another version may move an edge.
    assert np.mean(np.abs(drawn - shown)) < 4, f"draw it again: docs/gallery.py ({name})"
    assert np.ptp(drawn) > 60, "nothing is drawn"


@pytest.mark.parametrize("name", COOKBOOK)
def test_an_example_of_the_cookbook_is_a_job(name, folder):
    timeline = EXAMPLES[name][3]
    (folder / "logo.svg").symlink_to(weft.ROOT / "pipelines/examples/logo.svg")
    job = weft.job([weft.clip(media.real("cockatoo.mp4"), out=8)], overlays=timeline["overlays"],
                   size=(timeline["width"], timeline["height"]), outputs=[{"uri": "out.mp4", "width": timeline["width"] // 4}])
    result = weft.run(job, folder)
    assert not [e for e in result.events if e["type"] == "job.warning" and "overlay" in json.dumps(e)], str(result)
    assert judge.count_frames(result.file("out.mp4")) == 200


# --- every kind, judged by ffmpeg


def codes(path, x, y, cell):
    """The number that each frame says, or None: five rows of eight blocks, as docs/elements/overlaytimeline.md has it."""
    video = judge.stream(path, "video")
    width, height = video["width"], video["height"]
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "-"],
                          check=True, capture_output=True)
    for frame in np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width):
        rows = [sum(int(frame[round(y + (r + .5) * cell), round(x + (c + .5) * cell)] > 128) << (7 - c) for c in range(8)) for r in range(5)]
        good = ~(rows[0] ^ rows[1] ^ rows[2] ^ rows[3]) & 255 == rows[4]
        yield rows[0] << 24 | rows[1] << 16 | rows[2] << 8 | rows[3] if good else None


def test_frame_codes_survive_encoding_and_scaling(folder):
    job = weft.job([media.real("hello.mp4"), media.real("phone.mp4")], size=(640, 360), fps=30,
                   overlays=[{"type": "frame-code", "x": 0, "y": 0, "cell": 16}],
                   outputs=[{"uri": "out.mp4"}, {"uri": "small.mp4", "width": 320}])
    result = weft.run(job, folder)
    for name, cell in (("out.mp4", 16), ("small.mp4", 8)):
        numbers = list(codes(result.file(name), 0, 0, cell))
        assert numbers == list(range(len(numbers)))
        assert len(numbers) == judge.count_frames(result.file(name)) > 60


def test_all_kinds_in_one_job(folder):
    (folder / "logo.svg").symlink_to(weft.ROOT / "pipelines/examples/logo.svg")
    overlays = [
        {"type": "text", "spans": [{"text": "a "}, {"text": "b", "color": "#f00", "background": {}}], "rotation": 20,
         "font": {"letter_spacing": 2, "line_spacing": 1.5, "stroke": {}, "shadow": {}}, "direction": "rtl",
         "animate": {"in": "typewriter", "out": "pop", "easing": "bounce"}},
        {"type": "image", "src": str(media.real("retro.webp")), "width": 0.3, "position": "left", "animate": {"in": "pop"}},
        {"type": "image", "src": str(media.real("newtonscradle.gif")), "width": 0.2, "position": "right", "rotation": -30},
        {"type": "image", "src": "logo.svg", "width": 0.1, "position": "top", "animate": {"out": "slide-left", "easing": "back"}},
        {"type": "timer", "count": "down", "position": "top-left"},
        {"type": "counter", "from": 10, "to": 0, "decimals": 1, "position": "top-right", "easing": "ease-in-out"},
        {"type": "progress-bar", "position": "bottom", "fill": "left"},
        {"type": "frame-code", "position": "bottom-right"}]
    clip = weft.clip(media.real("hello.mp4"), out=1)
    with_them = weft.run(weft.job([clip], overlays=overlays, size=(640, 360)), folder)
    assert judge.count_frames(with_them.file("out.mp4")) == weft.plan(
        weft.job([clip], overlays=overlays, size=(640, 360)), folder)["timeline"]["frames"]
    plain = folder / "plain"
    plain.mkdir()
    without = weft.run(weft.job([clip], size=(640, 360)), plain)
    a, b = pixels(with_them.file("out.mp4")), pixels(without.file("out.mp4"))
    assert a.shape == b.shape and np.mean(np.abs(a - b)) > 3


def test_a_picture_that_moves_shows_its_first_frame(folder):
    """WebP and GIF, still and moving: as ffmpeg sees them."""
    for name in ("retro.webp", "newtonscradle.gif"):
        source = media.real(name)
        out = folder / f"{name}.png"
        timeline = folder / "timeline.json"
        timeline.write_text(json.dumps({"overlays": [{"type": "image", "src": str(source), "x": 0, "y": 0}]}), encoding="utf-8")
        probed = judge.stream(source, "video")
        width, height = probed["width"], probed["height"]
        subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", "pattern=black", "num-buffers=1", "!",
                        f"video/x-raw,format=BGRx,width={width},height={height}", "!", "overlaytimeline", f"location={timeline}", "!",
                        "videoconvert", "!", "pngenc", "!", "filesink", f"location={out}"], check=True, env=weft.environment())
        first = folder / f"{name}.first.png"
        subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), "-frames:v", "1", str(first)], check=True)
        assert np.mean(np.abs(pixels(out) - pixels(first))) < 2, name
