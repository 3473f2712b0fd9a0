# SPDX-License-Identifier: LGPL-2.1-or-later
"""The judge is judged first: it agrees with ffmpeg where both can speak, and it notices what is wrong."""

from fractions import Fraction

import numpy as np
import pytest

import judge
import media


def joined(folder, name, first_frames="25", shift="0", quality="16"):
    """Two counter clips joined by ffmpeg, with a fault if one is asked for."""
    a, b = media.counter(60, fps="25", frames=50), media.counter(61, fps="25", frames=50)
    out = folder / f"{name}.mp4"
    media.ffmpeg("-i", a, "-i", b, "-filter_complex",
                 f"[0:v]trim=end_frame={first_frames},setpts=PTS-STARTPTS[v0];[0:a]atrim=end_sample=48000,asetpts=PTS-STARTPTS,"
                 f"adelay={shift}S:all=1,atrim=end_sample=48000[a0];[1:v]trim=end_frame=25[v1];[1:a]atrim=end_sample=48000[a1];"
                 "[v0][a0][v1][a1]concat=n=2:v=1:a=1[v][a]", "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-crf", quality,
                 "-c:a", "aac", "-movflags", "+faststart", out)
    return out


def bursts():
    return [(media.burst_number(60, i), t) for i, t in enumerate(media.burst_times(1.0))] + \
        [(media.burst_number(61, i), 1 + t) for i, t in enumerate(media.burst_times(1.0))]


def test_it_accepts_what_is_right(tmp_path):
    out = joined(tmp_path, "right")
    judge.assert_movie(out, 50, 25, (320, 180), samples=96000)
    assert judge.read_counters(out) == [(60, i) for i in range(25)] + [(61, i) for i in range(25)]
    judge.assert_bursts(out, bursts())


def test_it_notices_one_frame_too_few(tmp_path):
    out = joined(tmp_path, "short", first_frames="24")
    assert judge.read_counters(out) != [(60, i) for i in range(25)] + [(61, i) for i in range(25)]


def test_it_notices_sound_three_samples_late(tmp_path):
    out = joined(tmp_path, "late", shift="3")
    with pytest.raises(AssertionError, match="how many samples off"):
        judge.assert_bursts(out, bursts())


def test_it_notices_a_file_whose_index_comes_last(tmp_path):
    out = joined(tmp_path, "last")
    media.ffmpeg("-i", out, "-c", "copy", tmp_path / "tail.mp4")
    assert judge.moov_first(out) and not judge.moov_first(tmp_path / "tail.mp4")


def test_counters_survive_bad_encoding_and_scaling(tmp_path):
    out = joined(tmp_path, "poor", quality="38")
    assert judge.read_counters(out, size=(96, 54)) == [(60, i) for i in range(25)] + [(61, i) for i in range(25)]


def test_a_counter_is_not_read_where_there_is_none():
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, (200, 180, 320)).astype(np.uint8)
    assert sum(judge.read_counter(f) is not None for f in noise) == 0
    assert judge.read_counter(np.full((180, 320), 128, np.uint8)) is None


@pytest.mark.parametrize("fps", ["24000/1001", "25", "30000/1001", "30", "50", "60"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30", "60", "vfr"])
def test_the_rule_of_frames_is_that_of_ffmpegs_fps_filter(rate, fps):
    path = media.counter(62, fps="30", frames=60, vfr=True) if rate == "vfr" else media.counter(63, fps=rate, frames=60)
    raw = media.ffmpeg("-i", path, "-vf", f"fps={fps}:start_time=0:round=near,format=yuv420p,extractplanes=y", "-fps_mode", "passthrough",
                       "-f", "rawvideo", "-").stdout
    theirs = [c[1] for c in map(judge.read_counter, np.frombuffer(raw, np.uint8).reshape(-1, 180, 320))]
    ours = judge.expected_sources(judge.source_pts(path), len(theirs), Fraction(fps))
    # At the end ffmpeg decides by durations how often the last frame is repeated; the grid before it is the rule.
    last = len(theirs) - 4
    assert ours[:last] == theirs[:last]


def test_positions_are_rounded_half_up_and_do_not_add_up():
    placed, frames, samples = judge.layout_of(["0.02"] * 100, 25)
    assert frames == 50 and samples == 96000
    assert sum(n for _, n, _, _ in placed) == 50
    assert [judge.rounded(Fraction(v, 2)) for v in (0, 1, 2, 3, 5)] == [0, 1, 1, 2, 3]
