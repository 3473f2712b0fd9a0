# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command in the README and the guide runs as it stands there, and every link leads somewhere.

All fenced `sh` blocks of a page are run one after the other in a folder of their own, in which `.cache`, `docs` and `pipelines` are those
of the checkout, `weft` is this build's, and STOCK lies around. A block below a comment `<!-- not run by the tests: WHY -->` is left out.
"""

import os
import pathlib
import re
import subprocess

import pytest

import judge
import media
import servers
import weft

PAGES = sorted([weft.ROOT / "README.md", weft.ROOT / "CHANGELOG.md", *(weft.ROOT / "docs").rglob("*.md")])
# The files that examples in the documentation may take for granted.
STOCK = {"a.mp4": "hello.mp4", "b.mp4": "phone.mp4", "photo.jpg": "photo.jpg", "logo.png": "debian-logo.png"}
NOT_RUN = re.compile(r"<!-- not run by the tests: \S.*-->\s*$")


def blocks(page):
    """(first line number, text) of each block of the page that is to be run."""
    found, block, before = [], None, ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if block is None and line.startswith("```"):
            block = (number, [], line[3:].strip() == "sh" and not NOT_RUN.match(before))
        elif block is not None and line.startswith("```"):
            if block[2]:
                found.append((block[0], "\n".join(block[1])))
            block, before = None, ""
        elif block is not None:
            block[1].append(line)
        elif line.strip():
            before = line
    assert block is None, f"{page}: the block of line {block[0]} is not closed"
    return found


def name_of(page):
    return str(page.relative_to(weft.ROOT))


# The README's first block is what runs these tests in the first place.
RUN = [page for page in PAGES if blocks(page) and page.name != "README.md"]


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_every_command_of_the_page_runs(page, tmp_path):
    media.folder()
    for name in ("docs", "pipelines"):
        (tmp_path / name).symlink_to(weft.ROOT / name)
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/media").symlink_to(media.folder())
    (tmp_path / "logo.svg").symlink_to(weft.ROOT / "pipelines/examples/logo.svg")
    for name, real in STOCK.items():
        (tmp_path / name).symlink_to(media.real(real))
    with servers.Good(media.real("hello.mp4")) as server:
        for line, text in blocks(page):
            # There is no screen and no loudspeaker here, nobody waits for them, and the only server is our own.
            text = re.sub(r"\bauto(video|audio)sink\b", "fakesink", text)
            text = re.sub(r"https?://example\.org/[\w.-]+", server.uri, text)
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=tmp_path, env=weft.foreign_environment(), check=False,
                                  capture_output=True, text=True, timeout=weft.PATIENCE_S, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, f"{name_of(page)}:{line}\n{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_the_readme_opens_with_the_two_commands():
    text = (weft.ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"```sh\n(.*?)```", text, re.S)
    assert text[:first.start()].split() == ["#", "Weft"]
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == ["./dev demo", "./dev test"]


def test_the_first_job_writes_what_it_says(tmp_path):
    page = weft.ROOT / "docs/guide/first-job.md"
    text = page.read_text(encoding="utf-8")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/media").symlink_to(media.folder())
    for _, block in blocks(page)[:4]:
        subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=weft.environment(), check=True,
                       capture_output=True, timeout=weft.PATIENCE_S)
    there = {f.name for f in (tmp_path / "out/first").iterdir()}
    assert there == {"720.mp4", "480.mp4", "poster.jpg", "report.json"}
    for name in there - {"report.json"}:
        assert f"`{name}`" in text


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), f"{name_of(page)} leads to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}, f"{name_of(page)}: #{anchor}"


def test_every_command_of_dev_that_is_documented_exists():
    helped = subprocess.run([weft.ROOT / "dev", "help"], capture_output=True, check=True, text=True).stdout
    known = set(re.findall(r"^  ([a-z]+)\b", helped, re.M))
    for page in PAGES:
        for command in re.findall(r"\./dev ([a-z]+)", page.read_text(encoding="utf-8")):
            assert command in known, f"{name_of(page)}: ./dev {command}"


def test_every_subcommand_that_is_documented_exists():
    overview = weft.command("--help").out
    known = set(re.findall(r"^  ([a-z]+)\b", overview, re.M)) | {"help"}
    for page in [p for p in PAGES if "design" not in p.parts]:
        for command in re.findall(r"\bweft ([a-z]+)\b(?=[ `])", " ".join(re.findall(r"`[^`]+`", page.read_text(encoding="utf-8")))):
            assert command in known, f"{name_of(page)}: weft {command}"


# --- the examples that embed the library


EXAMPLES = {
    "C": [weft.build_folder() / "docs/embed"],
    "Python": ["/usr/bin/python3", weft.ROOT / "docs/examples/embed.py"],
}


def run_example(language, job):
    typelib = weft.build_folder() / "launcher/lib/Weft-1.0.typelib"
    if language == "Python" and not typelib.exists():
        pytest.skip("this build has no introspection data")
    env = weft.foreign_environment() if language == "Python" else weft.environment()
    return subprocess.run([*map(str, EXAMPLES[language]), str(job)], capture_output=True, text=True, env=env, check=False,
                          timeout=weft.PATIENCE_S)


@pytest.mark.parametrize("language", EXAMPLES)
def test_an_example_renders_a_job(language, tmp_path):
    job = weft.job([weft.clip(media.real("realshort.mp4"), out=0.4)])
    done = run_example(language, weft.write_job(tmp_path, job))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 %" in done.stdout and f"ready: {(tmp_path / 'out.mp4').as_uri()}" in done.stdout
    judge.assert_movie(tmp_path / "out.mp4", 10, 25, samples=19200)
    assert "CRITICAL" not in done.stderr and "Warning" not in done.stderr, done.stderr


@pytest.mark.parametrize("language", EXAMPLES)
def test_an_example_says_what_is_wrong(language, tmp_path):
    job = weft.job([tmp_path / "gone.mp4"])
    done = run_example(language, weft.write_job(tmp_path, job))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "/timeline/clips/0" in done.stderr
    assert not (tmp_path / "out.mp4").exists()


def test_examples_stay_short():
    for name in ("embed.c", "embed.py"):
        lines = (weft.ROOT / "docs/examples" / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 60, name
