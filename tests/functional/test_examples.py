# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every example in pipelines/examples and every launch line in docs/elements is executed."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

import judge
import media
import servers
import weft

EXAMPLES = sorted((weft.ROOT / "pipelines/examples").glob("*.json"))
PAGES = sorted((weft.ROOT / "docs/elements").glob("*.md"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_renders_what_it_plans(folder, path):
    out = folder / "out"
    out.mkdir()
    arguments = (path, "--set", f"media={media.folder()}", "--output-dir", out)
    plan = weft.command("plan", *arguments)
    assert plan.code == weft.DONE, str(plan)
    planned = json.loads(plan.out)
    result = weft.command("run", *arguments, "--events", "json", timeout=weft.patient(300))
    assert result.code == weft.DONE, str(result)
    for o in planned["outputs"]:
        made = pathlib.Path(o["uri"].removeprefix("file://"))
        assert out in made.parents
        if o["type"] == "video":
            fps = "/".join(map(str, planned["timeline"]["fps"]))
            judge.assert_movie(made, o["frames"], fps, (o["width"], o["height"]),
                               samples=o["samples"] if o.get("audio") else None, rate=planned["timeline"]["rate"])
        else:
            s = judge.stream(made, "video")
            assert (s["width"], s["height"]) == (o["width"], o["height"])


def launch_lines(page):
    """The gst-launch-1.0 lines of a page, with continuation lines joined."""
    lines = []
    for block in re.findall(r"```[a-z]*\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        joined = block.replace("\\\n", " ")
        lines += [line.strip().removeprefix("$ ") for line in joined.splitlines()
                  if line.strip().removeprefix("$ ").startswith("gst-launch-1.0")]
    return lines


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_launch_lines_of_an_elements_page_run(folder, page):
    if not shutil.which("gst-launch-1.0"):
        pytest.skip("gst-launch-1.0 is not installed")
    lines = launch_lines(page)
    assert len(lines) >= 2, f"{page.name} has {len(lines)} launch lines"
    # The pages name their clips a.mp4, b.mp4, …; any clip will do.
    for name, real in (("a.mp4", "realshort.mp4"), ("b.mp4", "phone.mp4"), ("clip.mp4", "realshort.mp4"), ("logo.png", "debian-logo.png"),
                       ("c.mp4", "realshort.mp4"), ("logo.svg", "bubble.svg"), ("in.mp4", "realshort.mp4"), ("input.mp4", "realshort.mp4")):
        shutil.copy(media.real(real), folder / name)
    for line in lines:
        if "https://example.org/a.mp4" in line:
            with servers.Good(media.real("realshort.mp4")) as server:
                run_line(line.replace("https://example.org/a.mp4", server.uri), folder)
        else:
            run_line(line, folder)


def run_line(line, folder):
    line = re.sub(r"\b(auto|gl|xv?)?(image|video)sink\b(?!\s*name)", "fakesink", line).replace("autoaudiosink", "fakesink")
    done = subprocess.run(line.replace("gst-launch-1.0", "gst-launch-1.0 -q -e", 1), shell=True, cwd=folder, env=weft.foreign_environment(),
                          capture_output=True, timeout=weft.PATIENCE_S, check=False)
    assert done.returncode == 0, f"{line}\n{done.stderr.decode()[-2000:]}"
