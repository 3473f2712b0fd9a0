# SPDX-License-Identifier: LGPL-2.1-or-later
"""A video in the picture: its frames and its sound lie where the plan says, in its own shape, and it fails as clips do."""

from fractions import Fraction

import pytest

import judge
import media
import servers
import weft

SIZE = (640, 360)


def pip(src, **more):
    return {"type": "video", "src": str(src), "x": "16px", "y": "12px", "width": 0.5, **more}


def long_counter(number, fps="30000/1001", seconds=3.0):
    return media.counter(number, fps=fps, frames=round(seconds * float(Fraction(fps))))


def seen_in(luma, place, size):
    return judge.read_counter(luma[place[1]:place[1] + size[1], place[0]:place[0] + size[0]])


def expected_bursts(number, seconds, start, end, at):
    margin = judge.BURST_S / 2 + 0.005
    return [(media.burst_number(number, i), at + Fraction(str(round(t, 6))) - judge.exact(start))
            for i, t in enumerate(media.burst_times(seconds)) if start + margin < t < end - margin]


@pytest.mark.parametrize("fps,source_fps", [("30000/1001", "30000/1001"), ("25", "30"), ("24000/1001", "25"), ("60", "24000/1001")])
def test_frames_and_sound_are_exact(folder, fps, source_fps):
    """The counter of each frame, above and below; every burst of both sounds."""
    main, small = long_counter(40, "30"), long_counter(41, source_fps)
    result = weft.run(weft.job([weft.clip(main, out=2.6)], fps=fps, size=SIZE,
                               overlays=[pip(small, start=0.7, end=2.2, volume=1, **{"in": 0.15})]), folder)
    out, rate = result.file("out.mp4"), Fraction(fps)
    _, frames, samples = judge.layout_of(["2.6"], fps)
    judge.assert_movie(out, frames, fps, SIZE, samples)
    first, last = judge.rounded(judge.exact(0.7) * rate), judge.rounded(judge.exact(2.2) * rate)
    shown = judge.expected_sources(judge.source_pts(small), last - first, rate, judge.exact(0.15))
    luma = judge.decode_luma(out)
    expected = [(41, shown[k - first]) if first <= k < last else None for k in range(frames)]
    seen = [seen_in(f, (16, 12), (320, 180)) for f in luma]
    wrong = [(k, e, s) for k, (e, s) in enumerate(zip(expected, seen)) if e != s]
    assert not wrong, f"(frame, expected, seen): {wrong[:8]}, {len(wrong)} in all"
    begin = Fraction(judge.rounded(first / rate * 48000), 48000)
    bursts = expected_bursts(40, 3.0, 0, 2.6, Fraction(0)) + expected_bursts(41, 3.0, 0.15, 1.65, begin)
    assert len(bursts) > 10
    judge.assert_bursts(out, bursts)


def test_the_sound_ends_with_the_timeline_wherever_it_begins(folder):
    """Frames of 29.97 have 1601 or 1602 samples: none too many, whichever frame the second sound begins at."""
    main, small = long_counter(42), long_counter(43)
    for i in range(6):
        start = round(0.3 + i * 1001 / 30000, 5)
        result = weft.run(weft.job([weft.clip(main, out=1)], fps="30000/1001", overlays=[pip(small, start=start, volume=0.5)]), folder)
        judge.assert_movie(result.file("out.mp4"), 30, "30000/1001", samples=48048)


def test_it_is_silent_unless_asked(folder):
    main, small = media.source("no-audio"), long_counter(44)
    result = weft.run(weft.job([weft.clip(main, out=1)], overlays=[pip(small)]), folder)
    sound = judge.decode_audio(result.file("out.mp4"))
    assert judge.rms(sound[:, 0]) < 0.001


def test_it_loops(folder):
    main, small = long_counter(45, "25"), media.counter(46, fps="25", frames=9)
    result = weft.run(weft.job([weft.clip(main, out=1.2)], size=SIZE, overlays=[pip(small, loop=True)]), folder)
    seen = [seen_in(f, (16, 12), (320, 180)) for f in judge.decode_luma(result.file("out.mp4"))]
    assert seen == [(46, k % 9) for k in range(30)]


def test_it_is_gone_when_its_source_ends_and_that_is_told(folder):
    main, small = long_counter(45, "25"), media.counter(46, fps="25", frames=9)
    result = weft.run(weft.job([weft.clip(main, out=1.2)], size=SIZE, overlays=[pip(small, start=0.2, end=1)]), folder)
    seen = [seen_in(f, (16, 12), (320, 180)) for f in judge.decode_luma(result.file("out.mp4"))]
    assert seen == [None] * 5 + [(46, k) for k in range(9)] + [None] * 16
    warnings = [e["data"] for e in result.events if e["type"] == "job.warning"]
    assert [w["pointer"] for w in warnings] == ["/timeline/overlays/0"] and "loop" in warnings[0]["hint"]


def test_several_at_once_and_the_last_is_on_top(folder):
    main, one, two = long_counter(47, "25"), long_counter(48, "25"), long_counter(49, "25")
    overlays = [pip(one, x=0, y=0, volume=0.3), pip(two, x="160px", y=0, width="320px", start=0.4),
                {"type": "text", "text": "over all", "x": 0, "y": 0}]
    result = weft.run(weft.job([weft.clip(main, out=1.2)], size=SIZE, overlays=overlays), folder)
    luma = judge.decode_luma(result.file("out.mp4"))
    seen = [seen_in(f, (160, 0), (320, 180)) for f in luma]
    assert seen == [None] * 10 + [(49, k) for k in range(20)]
    assert [i["bytes_read"] > 0 for i in result.report["inputs"]] == [True] * 3


@pytest.mark.parametrize("name,width", [("rotated-90", 320), ("anamorphic-4-3", 320), ("rotated-anamorphic", 300), ("h264-mp4", 300)])
def test_it_keeps_the_shape_it_is_displayed_in(folder, name, width):
    main, small = long_counter(50, "25"), media.source(name)
    wide, high = judge.displayed_size(small)
    job = weft.job([weft.clip(main, out=0.4)], size=SIZE, overlays=[pip(small, x=0, y=0, width=f"{width}px")])
    video = weft.plan(job, folder)["overlays"][0]["video"]
    assert video["width"] == width and abs(video["height"] - width * high / wide) <= 1
    # All of its counter is to be seen, upright, in a rectangle of that shape.
    result = weft.run(job, folder)
    for frame in judge.decode_luma(result.file("out.mp4")):
        counter = judge.read_counter(frame[:video["height"], :video["width"]], judge.BOTTOM, judge.STRIP)
        assert counter is not None and counter[0] == media.CLIP_OF[name]


@pytest.mark.parametrize("what,code,exit_code", [("nothing-here.mp4", "SOURCE_NOT_FOUND", weft.SOURCE), ("text", "SOURCE_DAMAGED", weft.SOURCE),
                                                 ("sound", "SOURCE_DAMAGED", weft.SOURCE)])
def test_a_source_that_cannot_be_shown_is_an_error_that_says_where(folder, what, code, exit_code):
    src = folder / "text.mp4" if what == "text" else media.real("debian.mp3") if what == "sound" else folder / what
    if what == "text":
        src.write_text("Not a film. " * 100)
    result = weft.run(weft.job([long_counter(50, "25")], overlays=[pip(src)]), folder, check=False)
    assert result.code == exit_code, str(result)
    assert (result.problem["code"], result.problem["pointer"]) == (code, "/timeline/overlays/0")
    assert result.problem["hint"]
    judge.nothing_left_in(result.folder)


def test_a_source_that_falls_silent_stalls_by_name(folder):
    """The plan reads all it wants; then the server says no more."""
    small = media.counter(52, fps="25", frames=250, video="h264", size=(640, 360))
    with servers.Stalling(small, after=small.stat().st_size // 3, armed=False) as server:
        job = weft.job([long_counter(50, "25")], overlays=[pip(server.uri, width=1, x=0, y=0)])
        with weft.Running(job, folder, "--stall-timeout", 3) as running:
            assert running.wait_for("job.started")
            server.arm()
            result = running.wait()
    assert result.code == weft.SOURCE, str(result)
    assert "/timeline/overlays/0" in result.said
    judge.nothing_left_in(result.folder)
