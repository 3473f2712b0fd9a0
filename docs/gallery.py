#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws the pictures of docs/elements/overlaytimeline.md from the examples that stand there.

Usage: gallery.py [FOLDER]      within `./dev shell` or `meson devenv`; without FOLDER into docs/elements/gallery

An example is a `json` block below a comment `<!-- picture: NAME WIDTHxHEIGHT SECONDS -->`: a timeline, or one item of it, drawn over
a plain colour as it is after so many seconds.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/elements/overlaytimeline.md"
FPS = 30
BACKGROUND = "0xff37596d"
# What the examples name, beside them.
FILES = [ROOT / "pipelines/examples/logo.svg"]
EXAMPLE = re.compile(r"^<!-- picture: ([\w-]+) (\d+)x(\d+) ([\d.]+) -->\s*```json\n(.*?)^```", re.M | re.S)


def examples():
    """(name, width, height, seconds, timeline) of each."""
    for name, width, height, seconds, text in EXAMPLE.findall(PAGE.read_text(encoding="utf-8")):
        document = json.loads(text)
        yield name, int(width), int(height), float(seconds), document if "overlays" in document else {"overlays": [document]}


def draw(folder, name, width, height, seconds, timeline):
    """Returns what the element had to say."""
    with tempfile.TemporaryDirectory() as work:
        for file in FILES:
            shutil.copy(file, work)
        pathlib.Path(work, "timeline.json").write_text(json.dumps(timeline), encoding="utf-8")
        done = subprocess.run(
            ["gst-launch-1.0", "-q", "videotestsrc", "pattern=solid-color", f"foreground-color={BACKGROUND}",
             f"num-buffers={round(seconds * FPS) + 1}", "!", f"video/x-raw,format=BGRx,width={width},height={height},framerate={FPS}/1",
             "!", "overlaytimeline", f"location={work}/timeline.json", "!", "videoconvert", "!", "pngenc", "compression-level=1",
             "!", "multifilesink", "max-files=1", f"location={work}/%06d.png"],
            check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
        last = max(pathlib.Path(work).glob("*.png"))
        subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={last}", "!", "pngdec", "!", "videoconvert", "!", "webpenc",
                        "quality=85", "!", "filesink", f"location={folder / name}.webp"], check=True)
        return done.stdout + done.stderr


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, *example in examples():
        said = draw(folder, name, *example)
        if said:
            print(f"{name}: {said}", file=sys.stderr)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE.parent / "gallery")
