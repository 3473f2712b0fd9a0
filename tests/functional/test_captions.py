# SPDX-License-Identifier: LGPL-2.1-or-later
"""Captions show on the frames on which ffmpeg would show them, wherever their file is; and what is wrong with it is said."""

from fractions import Fraction
import random
import re
import subprocess

import pytest

import judge
import media
import servers
import weft

RATES = ["25", "30000/1001", "30"]
SECONDS = 12
SIZE = (320, 180)


def black(folder, fps, seconds=SECONDS):
    path = folder / "black.mp4"
    media.ffmpeg("-f", "lavfi", "-i", f"color=black:s={SIZE[0]}x{SIZE[1]}:r={fps}:d={seconds}", "-c:v", "libx264",
                 "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    return path


def clock(ms, comma):
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}{comma}{ms % 1000:03}"


def spans_of_time(seed):
    """Pairs of milliseconds, without overlap, with and without gaps."""
    numbers = random.Random(seed)
    at, found = numbers.randrange(300), []
    while True:
        end = at + numbers.randrange(120, 900)
        if end > SECONDS * 1000 - 200:
            return found
        found.append((at, end))
        at = end + numbers.choice([0, 0, 150, 333, 700])


def write_srt(path):
    cues = [(s, e, "top", "{\\an8}") for s, e in spans_of_time(1)] + [(s, e, "low", "") for s, e in spans_of_time(2)]
    lines = []
    for i, (start, end, where, tag) in enumerate(cues):
        # As files are: some without a number, some with a point, with CR LF, with short fields.
        arrow = f"{clock(start, ',')} --> {clock(end, '.' if i % 7 == 3 else ',')}"
        if i % 5 == 4:
            arrow = f"0:{start // 60000}:{start // 1000 % 60},{start % 1000} -->  {clock(end, ',')}  X1:0 X2:9 Y1:0 Y2:9"
        lines += ([] if i % 3 == 2 else [str(i + 1)]) + [arrow, f"{tag}<b>{where}</b>", f"{1900 + i}"] + ([] if i % 4 == 3 else [""])
    path.write_bytes("\r\n".join(lines).encode())


def write_vtt(path):
    cues = [(s, e, "top", "line:0") for s, e in spans_of_time(3)] + [(s, e, "low", "line:-1 align:center") for s, e in spans_of_time(4)]
    # No STYLE: ffmpeg 5.1 reads nothing behind one.
    lines = ["\ufeffWEBVTT - some", "Kind: captions", "", "NOTE", "not 00:00:01.000 shown", ""]
    for i, (start, end, where, settings) in enumerate(cues):
        short = clock(start, ".")[3:] if i % 2 else clock(start, ".")
        lines += ([f"cue {i}"] if i % 3 else []) + [f"{short} --> {clock(end, '.')} {settings}", f"<v Ann>{where}</v>", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def cues_by_ffmpeg(path):
    """(start, end, first word) of each cue, as ffmpeg reads the file."""
    text = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "webvtt", "-"], check=True, capture_output=True, text=True).stdout
    time = r"((?:\d+:)?\d+:\d+\.\d+)"
    found = re.findall(time + r" --> " + time + r"[^\n]*\n(?:<[^>]*>)*(\w+)", text)
    seconds = lambda s: sum(Fraction(part) * 60 ** i for i, part in enumerate(reversed(s.split(":"))))
    return [(seconds(s), seconds(e), word) for s, e, word in found]


def frames_of(cues, word, fps):
    nearest = lambda t: int(t * Fraction(fps) + Fraction(1, 2))
    return sorted({frame for s, e, w in cues if w == word for frame in range(nearest(s), nearest(e))})


def lit(luma):
    return [i for i, frame in enumerate(luma) if frame.max() > 120]


def captions(path, **more):
    return {"type": "captions", "src": str(path), "font": {"size": 20}, **more}


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_cues_show_on_the_frames_of_ffmpegs_times(folder, name, fps):
    path = folder / name
    (write_srt if name == "a.srt" else write_vtt)(path)
    result = weft.run(weft.job([black(folder, fps)], fps=fps, size=SIZE, overlays=[captions(path)]), folder)
    luma = judge.decode_luma(result.file("out.mp4"))
    cues = cues_by_ffmpeg(path)
    assert len(cues) > 20
    assert lit(luma[:, :70]) == frames_of(cues, "top", fps)
    assert lit(luma[:, 110:]) == frames_of(cues, "low", fps)


def test_captions_may_be_on_a_server(folder):
    path = folder / "a.srt"
    path.write_text("00:00:00,400 --> 00:00:00,800\nHello\n", encoding="utf-8")
    with servers.Good(path, "a.srt?token=secret") as server:
        result = weft.run(weft.job([black(folder, 25, 1)], size=SIZE, overlays=[captions(server.uri)]), folder)
        assert server.requests > 0
    assert lit(judge.decode_luma(result.file("out.mp4"))) == list(range(10, 20))


def test_captions_that_cannot_be_read_end_the_job(folder):
    latin = folder / "latin.srt"
    latin.write_bytes("00:00:00,000 --> 00:00:00,800\ncafé\n".encode("latin-1"))
    clip = black(folder, 25, 1)
    result = weft.run(weft.job([clip], size=SIZE, overlays=[captions(latin)]), folder, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert result.problem["pointer"] == "/timeline/overlays/0/src"
    assert "byte 33 (0xE9), on line 2, is not UTF-8" in result.problem["message"]
    with servers.Status(latin, 404) as server:
        result = weft.run(weft.job([clip], size=SIZE, overlays=[captions(server.uri + "?token=secret")]), folder, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert result.problem["code"] == "SOURCE_NOT_FOUND"
    assert result.problem["pointer"] == "/timeline/overlays/0/src"
    assert "secret" not in result.out + result.err


def test_what_is_left_out_is_warned_of_with_its_line(folder):
    path = folder / "damaged.srt"
    path.write_text("1\n00:00:00,400 --> 00:00:00,200\nbackwards\n\n2\n00:00:00,400 --> 00:00:00,800\nHello\n", encoding="utf-8")
    result = weft.run(weft.job([black(folder, 25, 1)], size=SIZE, overlays=[captions(path)]), folder)
    warnings = [e["data"] for e in result.events if e["type"] == "job.warning"]
    assert len(warnings) == 1, warnings
    assert warnings[0]["pointer"] == "/timeline/overlays/0/src"
    assert "damaged.srt: line 2: the cue ends before it starts" in warnings[0]["message"]
    assert lit(judge.decode_luma(result.file("out.mp4"))) == list(range(10, 20))
