# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every frame and every sample lies where the plan says: judged by numbers in the picture and bursts in the sound."""

from fractions import Fraction

import pytest

import judge
import media
import weft

TIMELINES = ["24000/1001", "25", "30000/1001", "30", "50", "60"]
SOURCE_RATES = ["24000/1001", "25", "30000/1001", "30", "50", "60", "vfr"]


def counter_clip(number, frame_rate, seconds, **more):
    if frame_rate == "vfr":
        return media.counter(number, fps="30", frames=round(seconds * 30), vfr=True, **more)
    return media.counter(number, fps=frame_rate, frames=round(seconds * float(Fraction(frame_rate))), **more)


def expected_frames(path, number, frames, fps, start):
    return [(number, i) for i in judge.expected_sources(judge.source_pts(path), frames, Fraction(fps), judge.exact(start))]


def expected_bursts(path, number, seconds, start, end, first_sample, rate=48000):
    """Bursts that lie wholly inside the cut, where they are heard in the output."""
    margin = judge.BURST_S / 2 + 0.005
    return [(media.burst_number(number, i), Fraction(first_sample, rate) + Fraction(str(round(t, 6))) - judge.exact(start))
            for i, t in enumerate(media.burst_times(seconds)) if start + margin < t < end - margin]


@pytest.mark.parametrize("fps", TIMELINES)
def test_every_cut_is_exact_to_the_frame_and_the_sample(folder, fps):
    """Seven clips of seven frame rates, cut at odd places, on each frame rate of a timeline."""
    cuts, clips = [], []
    for i, rate in enumerate(SOURCE_RATES):
        path = counter_clip(10 + i, rate, 2.0, rate=44100 if i % 2 else 48000)
        start, end = round(0.213 + 0.0471 * i, 4), round(1.1131 + 0.0817 * i, 4)
        cuts.append((path, 10 + i, start, end))
        clips.append(weft.clip(path, **{"in": start, "out": end}))
    result = weft.run(weft.job(clips, fps=fps), folder)

    placed, frames, samples = judge.layout_of([judge.exact(e) - judge.exact(s) for _, _, s, e in cuts], fps)
    out = result.file("out.mp4")
    judge.assert_movie(out, frames, fps, (320, 180), samples)
    expected, bursts = [], []
    for (path, number, start, end), (_, n, first_sample, _) in zip(cuts, placed):
        expected += expected_frames(path, number, n, fps, start)
        bursts += expected_bursts(path, number, 2.0, start, end, first_sample)
    seen = judge.read_counters(out)
    wrong = [(k, e, s) for k, (e, s) in enumerate(zip(expected, seen)) if e != s]
    assert not wrong, f"(frame, expected, seen): {wrong[:8]}, {len(wrong)} in all"
    assert len(bursts) > 14
    judge.assert_bursts(out, bursts)


def test_counts_in_report_plan_and_file_are_the_same(folder):
    job = weft.job([weft.clip(media.real("realshort.mp4"), out=1.037), media.real("realshort.mp4")], fps="30000/1001",
                   outputs=[weft.video("a.mp4"), weft.video("b.mp4", width=160)])
    plan = weft.plan(job, folder)
    result = weft.run(job, folder)
    for planned, reported in zip(plan["outputs"], result.report["outputs"]):
        assert (planned["frames"], planned["samples"]) == (reported["frames"], reported["samples"])
        judge.assert_movie(result.file(planned["id"] + ".mp4"), planned["frames"], "30000/1001", samples=planned["samples"])
    assert plan["timeline"]["frames"] == plan["outputs"][0]["frames"]


@pytest.mark.parametrize("seconds", [0.04, 0.02, 0.05, 0.1, 0.5])
def test_clips_of_a_few_frames_come_out_one_by_one(folder, seconds):
    """Thirty clips so short that some of them, or most, own one frame or none."""
    cuts = []
    for i in range(30):
        path = counter_clip(20 + i % 3, "25", 2.0)
        start = round(0.1 + 0.045 * i, 3)
        cuts.append((path, 20 + i % 3, start, round(start + seconds, 3)))
    placed, frames, samples = judge.layout_of([judge.exact(e) - judge.exact(s) for _, _, s, e in cuts], 25)
    result = weft.run(weft.job([weft.clip(p, **{"in": s, "out": e}) for p, _, s, e in cuts]), folder)
    judge.assert_movie(result.file("out.mp4"), frames, 25, samples=samples)
    expected = []
    for (path, number, start, _), (_, n, _, _) in zip(cuts, placed):
        expected += expected_frames(path, number, n, 25, start)
    assert judge.read_counters(result.file("out.mp4")) == expected


def test_a_track_that_ends_before_its_clip_holds_its_last_frame_or_is_silent(folder):
    """The picture of one clip ends at 0.88 s of 1.6, the sound of the other at 0.7 s."""
    still, mute, after = media.source("short-video"), media.source("short-audio"), counter_clip(31, "25", 1.0)
    result = weft.run(weft.job([weft.clip(still, out=1.5), weft.clip(mute, out=1.5), weft.clip(after, out=0.8)]), folder)
    out = result.file("out.mp4")
    _, frames, samples = judge.layout_of(["1.5", "1.5", "0.8"], 25)
    judge.assert_movie(out, frames, 25, samples=samples)
    luma = judge.decode_luma(out)
    seen = [judge.read_counter(f, judge.BOTTOM, judge.STRIP) for f in luma]
    for name, first in (("short-video", 0), ("short-audio", 38)):
        facts, count = media.facts(name), (38, 37)[first > 0]
        shown = judge.expected_sources(facts.times, count, 25)
        assert seen[first:first + count] == [(media.CLIP_OF[name], facts.counters[i]) for i in shown]
    assert judge.read_counter(luma[75]) == (31, 0)
    sound = judge.decode_audio(out)[:, 0]
    assert judge.rms(sound[int((38 / 25 + 0.75) * 48000):int((38 / 25 + 1.4) * 48000)]) < 0.002
    judge.assert_bursts(out, [(media.burst_number(media.CLIP_OF["short-video"], 3), 0.0617 + 3 * 0.31),
                              (media.burst_number(31, 0), 3.0 + 0.0617), (media.burst_number(31, 1), 3.0 + 0.3717)])


def test_a_clip_that_asks_for_more_than_its_source_has_is_cut_there_and_told(folder):
    path, after = counter_clip(30, "25", 1.0), counter_clip(31, "25", 1.0)
    result = weft.run(weft.job([weft.clip(path, out=1.6), weft.clip(after, out=0.8)]), folder)
    judge.assert_movie(result.file("out.mp4"), 45, 25, samples=86400)
    assert judge.read_counters(result.file("out.mp4"))[24:26] == [(30, 24), (31, 0)]
    warnings = [e["data"] for e in result.events if e["type"] == "job.warning"]
    assert [w["pointer"] for w in warnings] == ["/timeline/clips/0"] and warnings[0]["hint"]


@pytest.mark.parametrize("name", ["whole.mp4", "whole.mov", "whole.m4a", "fragments.mp4", "cut.mp4", "cut.m4a"])
def test_the_sound_of_a_file_is_heard_to_its_last_sample(folder, name):
    """A tone that goes on to the end: AAC has its last samples in a packet that begins after the edit's length."""
    path = folder / name
    whole = folder / "whole.mp4"
    picture = [] if name.endswith("m4a") else ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3"]
    media.ffmpeg(*picture, "-f", "lavfi", "-i", "sine=f=997:r=44100:d=3", "-c:a", "aac", "-ac", "2",
                 *(["-movflags", "+frag_keyframe+delay_moov"] if name == "fragments.mp4" else []),
                 whole if name.startswith("cut") else path)
    seconds = 3.0
    if name.startswith("cut"):
        media.ffmpeg("-ss", "1.2", "-i", whole, "-c", "copy", path)
        seconds = 1.8
    out = weft.run(weft.job([weft.clip(path, out=seconds), weft.clip(media.source("h264-mp4"), out=0.4, volume=0)]), folder) \
        .file("out.mp4")
    end = round(seconds * 48000)
    sound = judge.decode_audio(out)[:, 0]
    usual = judge.rms(sound[end - 24000:end - 12000])
    levels = [round(judge.rms(sound[k:k + 256]) / usual, 2) for k in range(end - 2048, end, 256)]
    assert usual > 0.05 and min(levels) > 0.8, f"loudness of the last 2048 samples, each 256: {levels}"


@pytest.mark.parametrize("rate,channels", [(44100, 2), (48000, 1), (32000, 2), (96000, 2), (96000, 1)])
def test_the_timeline_may_have_another_sample_rate_and_be_mono(folder, rate, channels):
    path = counter_clip(32, "30000/1001", 2.0, rate=48000)
    job = weft.job([weft.clip(path, **{"in": 0.2, "out": 1.73}), weft.clip(path, out=1.01)], fps="30000/1001",
                   timeline={"rate": rate, "channels": channels})
    result = weft.run(job, folder)
    placed, frames, samples = judge.layout_of(["1.53", "1.01"], "30000/1001", rate)
    out = result.file("out.mp4")
    judge.assert_movie(out, frames, "30000/1001", samples=samples, rate=rate, channels=channels)
    bursts = expected_bursts(path, 32, 2.0, 0.2, 1.73, placed[0][2], rate) \
        + expected_bursts(path, 32, 2.0, 0, 1.01, placed[1][2], rate)
    judge.assert_bursts(out, bursts, rate=rate)


def test_an_output_without_sound_has_no_audio_track(folder):
    job = weft.job([counter_clip(33, "25", 1.0)], [weft.video("mute.mp4", audio={"codec": "none"}), weft.video("both.mp4")])
    result = weft.run(job, folder)
    judge.assert_movie(result.file("mute.mp4"), 25, 25)
    judge.assert_movie(result.file("both.mp4"), 25, 25, samples=48000)


def test_picture_and_sound_of_a_clip_stay_together_at_every_cut(folder):
    """A burst belongs to a frame; after forty cuts of odd lengths it still does."""
    cuts = []
    for i in range(40):
        rate = SOURCE_RATES[i % len(SOURCE_RATES)]
        path = counter_clip(10 + i % len(SOURCE_RATES), rate, 2.0, rate=44100 if (i % len(SOURCE_RATES)) % 2 else 48000)
        start = round(0.01 + 0.0137 * i, 4)
        cuts.append((path, 10 + i % len(SOURCE_RATES), start, round(start + 0.2 + 0.0073 * i, 4)))
    placed, frames, samples = judge.layout_of([judge.exact(e) - judge.exact(s) for _, _, s, e in cuts], "30000/1001")
    result = weft.run(weft.job([weft.clip(p, **{"in": s, "out": e}) for p, _, s, e in cuts], fps="30000/1001"), folder)
    out = result.file("out.mp4")
    judge.assert_movie(out, frames, "30000/1001", samples=samples)
    expected, bursts = [], []
    for (path, number, start, end), (_, n, first_sample, _) in zip(cuts, placed):
        expected += expected_frames(path, number, n, "30000/1001", start)
        bursts += expected_bursts(path, number, 2.0, start, end, first_sample)
    seen = judge.read_counters(out)
    wrong = [(k, e, s) for k, (e, s) in enumerate(zip(expected, seen)) if e != s]
    assert not wrong, f"(frame, expected, seen): {wrong[:8]}, {len(wrong)} in all"
    judge.assert_bursts(out, bursts)


def test_clips_in_any_order_of_one_source_show_what_they_ask_for(folder):
    path = counter_clip(34, "30", 4.0)
    cuts = [(3.1, 3.6), (0.0, 0.5), (1.7, 2.2), (1.7, 2.2), (0.9, 1.0)]
    placed, frames, samples = judge.layout_of([judge.exact(e) - judge.exact(s) for s, e in cuts], 30)
    result = weft.run(weft.job([weft.clip(path, **{"in": s, "out": e}) for s, e in cuts], fps=30), folder)
    judge.assert_movie(result.file("out.mp4"), frames, 30, samples=samples)
    expected = []
    for (start, _), (_, n, _, _) in zip(cuts, placed):
        expected += expected_frames(path, 34, n, 30, start)
    assert judge.read_counters(result.file("out.mp4")) == expected


@pytest.mark.parametrize("fps", ["25", "30000/1001"])
@pytest.mark.parametrize("video", ["mpeg1", "mpeg1-nob", "mpeg2", "mpeg2-oneb", "mpeg2-nob"])
def test_pictures_of_program_streams_that_have_no_timestamps(folder, video, fps):
    """Pictures so small that several of them share a packet, which has one timestamp."""
    path = media.counter(40, fps=fps, frames=60, video=video, audio="mp2", ext="mpg")
    stamps = judge.packet_stamps(path)
    assert stamps.count(None) > len(stamps) / 5, "this file does not have what the test is about"
    clips = [weft.clip(path, **{"in": start, "out": end}) for start, end in ((0, 1.2), (0.35, 1.0), (0.9, 1.8))]
    result = weft.run(weft.job(clips, fps=fps), folder)
    placed, frames, samples = judge.layout_of(["1.2", "0.65", "0.9"], fps)
    judge.assert_movie(result.file("out.mp4"), frames, fps, samples=samples)
    expected = []
    for start, (_, n, _, _) in zip((0, 0.35, 0.9), placed):
        expected += expected_frames(path, 40, n, fps, start)
    seen = judge.read_counters(result.file("out.mp4"))
    wrong = [(k, e, s) for k, (e, s) in enumerate(zip(expected, seen)) if e != s]
    assert not wrong, f"(frame, expected, seen): {wrong[:8]}, {len(wrong)} in all"


def test_volume_scales_a_clips_sound_and_nothing_else(folder):
    path = counter_clip(35, "25", 2.0)
    job = weft.job([weft.clip(path, out=0.8, volume=v) for v in (1, 0.5, 0, 2)])
    result = weft.run(job, folder)
    sound = judge.decode_audio(result.file("out.mp4"))[:, 0]
    levels = [judge.rms(sound[int((0.8 * i + 0.04) * 48000):int((0.8 * i + 0.5) * 48000)]) for i in range(4)]
    assert levels[1] / levels[0] == pytest.approx(0.5, abs=0.03)
    assert levels[2] < 0.001
    assert levels[3] / levels[0] == pytest.approx(2, abs=0.25)


def test_renditions_of_a_ladder_show_the_same_frames(folder):
    path = counter_clip(36, "30", 2.0, size=(640, 360))
    outputs = [weft.video("a.mp4"), weft.video("b.mp4", width=320), weft.video("c.mp4", height=90)]
    result = weft.run(weft.job([weft.clip(path, **{"in": 0.3, "out": 1.9})], outputs, size=(640, 360), fps=30), folder)
    expected = expected_frames(path, 36, 48, 30, 0.3)
    for name, size in (("a.mp4", (640, 360)), ("b.mp4", (320, 180)), ("c.mp4", (160, 90))):
        judge.assert_movie(result.file(name), 48, 30, size, samples=76800)
        assert judge.read_counters(result.file(name)) == expected


def test_a_poster_is_the_very_frame_it_asks_for(folder):
    path = counter_clip(37, "30", 3.0)
    outputs = [{"id": "p", "type": "thumbnail", "uri": "p.jpg", "at": 1.5, "width": 160},
               {"id": "q", "type": "thumbnail", "uri": "q.png", "at": 2.31, "width": 320},
               {"id": "first", "type": "thumbnail", "uri": "first.jpg"}, weft.video()]
    result = weft.run(weft.job([path], outputs, fps=30), folder)
    for name, size, frame in (("p.jpg", (160, 90), 45), ("q.png", (320, 180), 69), ("first.jpg", (320, 180), 0)):
        s = judge.stream(result.file(name), "video")
        assert (s["width"], s["height"]) == size
        assert judge.read_counters(result.file(name)) == [(37, frame)]
    judge.assert_movie(result.file("out.mp4"), 90, 30, samples=144000)


def test_a_job_of_posters_alone_needs_no_video_output(folder):
    path = counter_clip(37, "30", 3.0)
    result = weft.run(weft.job([path], [{"type": "thumbnail", "id": "p", "uri": "p.jpg", "at": 0.5}], fps=30), folder)
    assert judge.read_counters(result.file("p.jpg")) == [(37, 15)]


@pytest.mark.parametrize("fps, start, end", [("30000/1001", 0.7553, 0.9), ("25", 0.7347, 1.3), ("25", 1.84, 1.96)])
def test_a_cut_just_before_the_keyframe_of_an_open_gop_shows_whole_pictures(folder, fps, start, end):
    """They are shown before the keyframe and stored behind it, and need pictures from before it."""
    path = media.counter(38, fps="25", frames=75, video="h264-opengop")
    result = weft.run(weft.job([weft.clip(path, **{"in": start, "out": end})], fps=fps), folder)
    [(_, count, _, _)], _, _ = judge.layout_of([judge.exact(end) - judge.exact(start)], fps)
    counters = judge.read_counters(path)
    shown = judge.expected_sources(judge.source_pts(path), count, Fraction(fps), judge.exact(start))
    assert judge.read_counters(result.file("out.mp4")) == [counters[i] for i in shown]


def test_faststart_does_not_write_the_file_twice(folder):
    """Bytes that reach the output's file, counted by strace, are little more than its size."""
    import re
    import shutil
    import subprocess
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    path = weft.write_job(folder, weft.job([media.real("hello.mp4")], [weft.video(quality=20)], size=(640, 360)))
    (folder / "out").mkdir()
    trace = folder / "trace"
    done = subprocess.run([strace, "-f", "-y", "-s", "0", "-e", "trace=write,pwrite64,writev,copy_file_range,sendfile",
                           "-o", trace, weft.binary(), "run", path, "--output-dir", folder / "out"],
                          env=weft.foreign_environment(), capture_output=True, check=False, timeout=weft.PATIENCE_S)
    if b"Operation not permitted" in done.stderr:
        pytest.skip("ptrace is not allowed here")
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    written = 0
    for line in trace.read_text(errors="replace").splitlines():
        if f"<{folder}/out/" in line:
            found = re.search(r"= (\d+)$", line)
            written += int(found[1]) if found else 0
    size = (folder / "out/out.mp4").stat().st_size
    trace.unlink()
    assert size <= written < 1.15 * size + 65536, f"{written} bytes were written for a file of {size}"


@pytest.mark.parametrize("bitrate", [400_000, 3_000_000])
def test_the_plan_foretells_the_size_of_a_file_with_a_bitrate(folder, bitrate):
    job = weft.job([media.real("hello.mp4"), media.real("hello.mp4")], size=(1280, 720),
                   outputs=[weft.video(video={"bitrate": bitrate})])
    told = weft.plan(job, folder)["outputs"][0]["estimated_bytes"]
    size = weft.run(job, folder).file("out.mp4").stat().st_size
    assert 0.85 * told < size < 1.1 * told, f"{told} foretold, {size} written"
