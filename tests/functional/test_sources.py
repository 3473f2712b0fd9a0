# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every kind of source renders: the right frames, the right way up, in the right colours, with its sound in place."""

import json
from fractions import Fraction

import numpy as np
import pytest

import judge
import media
import weft

SIZE = (320, 180)
FPS = Fraction(25)
# How much of a source is shown, and where it begins: not at the start, so that seeking is part of it.
START = Fraction("0.12")
LENGTH = Fraction("0.84")


def neighbour(number):
    return media.counter(number, fps="30", frames=30)


def contained_size(displayed):
    w, h = SIZE
    dw, dh = (float(v) for v in displayed)
    k = min(w / dw, h / dh)
    return round(dw * k), round(dh * k)


def picture_of(name, frame):
    """ffmpeg's own rendering of one frame of a source at the size it has when SIZE contains it; kept beside the source."""
    path, (fw, fh) = media.source(name), contained_size(media.facts(name).displayed)

    def make(out, _work):
        deinterlace = "yadif=0," if name.startswith(("tff", "bff")) else ""
        raw = media.ffmpeg("-i", path, "-map", "0:v:0", "-vf",
                           f"{deinterlace}select=eq(n\\,{frame}),scale={fw}:{fh}:flags=bicubic,format=yuv420p,extractplanes=y",
                           "-fps_mode", "passthrough", "-frames:v", "1", "-f", "rawvideo", "-").stdout
        assert len(raw) == fw * fh, name
        out.write_bytes(raw)

    kept = media._cached(f"{name}-picture-{frame}", "y", [path.name, frame, fw, fh], make)
    return np.frombuffer(kept.read_bytes(), np.uint8).reshape(fh, fw)


def likeness(ours, reference):
    """(PSNR, mean difference) of the upper three quarters of a contained picture, wherever within two pixels it was centred:
    half a pixel has to go one way or the other. The edges are left out: scalers differ in how they see beyond them."""
    h, w = reference.shape
    best = (-1.0, 0.0)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            top, left = (ours.shape[0] - h) // 2 + dy, (ours.shape[1] - w) // 2 + dx
            rows, cols = slice(max(top, 0) + 4, top + h * 3 // 4 - 4), slice(max(left, 0) + 4, min(left + w, ours.shape[1]) - 4)
            a, b = ours[rows, cols], reference[rows.start - top:rows.stop - top, cols.start - left:cols.stop - left]
            best = max(best, (judge.psnr(a, b), float(a.mean()) - float(b.mean())))
    return best


def render(folder, name):
    before, after = neighbour(1), neighbour(2)
    clips = [weft.clip(before, out=0.4),
             weft.clip(media.source(name), **{"in": float(START), "out": float(START + LENGTH)}, fit="contain"),
             weft.clip(after, out=0.4)]
    return weft.run(weft.job(clips), folder)


VIDEO_SOURCES = [n for n, s in media.SOURCES.items() if s.video not in ("", "cover")]
AUDIO_SOURCES = [n for n, s in media.SOURCES.items() if s.video in ("", "cover")]


@pytest.mark.parametrize("name", VIDEO_SOURCES)
def test_it_renders_the_right_frames_upright_and_in_sync(folder, name):
    s, facts = media.SOURCES[name], media.facts(name)
    out = render(folder, name).file("out.mp4")
    placed, frames, samples = judge.layout_of(["0.4", str(float(LENGTH)), "0.4"], FPS)
    luma = judge.decode_luma(out)
    assert len(luma) == frames == 41
    first, count, first_sample, _ = placed[1]

    # The neighbours are whole: a strange clip takes nothing from others.
    assert [judge.read_counter(f) for f in luma[:first]] == \
        [(1, i) for i in judge.expected_sources([Fraction(k, 30) for k in range(30)], first, FPS)]
    assert [judge.read_counter(f) for f in luma[first + count:]] == \
        [(2, i) for i in judge.expected_sources([Fraction(k, 30) for k in range(30)], 10, FPS)]

    # The right source frame in every place.
    x0, y0, x1, y1 = judge.contained(facts.displayed, SIZE)
    region = (x0, y0 + (y1 - y0) * 0.75, x1, y1)
    shown = judge.expected_sources(facts.times, count, FPS, START)
    expected = [facts.counters[i] for i in shown]
    if facts.times[0] > START:
        # Nothing of it is there yet: the plan's rule shows its first frame until then.
        assert expected[0] == facts.counters[0]
    seen = [judge.read_counter(f, region, judge.STRIP) for f in luma[first:first + count]]
    wrong = [(k, e, got) for k, (e, got) in enumerate(zip(expected, seen))
             if got is None or got[0] != media.CLIP_OF[name] or abs(got[1] - e) > s.frame_slack]
    assert not wrong, f"(frame of the clip, expected, seen): {wrong[:8]}, {len(wrong)} of {count}"

    # The picture is the one ffmpeg makes of that frame: not turned, not squeezed, not darker. The counter strip has
    # the hard edges on which scalers differ; it was judged above.
    k = count // 2
    if s.frame_slack == 0 or seen[k][1] == expected[k]:
        db, shift = likeness(luma[first + k], picture_of(name, shown[k]))
        assert db >= s.picture_db, f"{db:.1f} dB against ffmpeg's picture of the same frame"
        assert abs(shift) < 2.5, f"the picture is {shift:+.1f} lighter than ffmpeg's"

    # Its sound is where ffmpeg hears it.
    margin = judge.BURST_S / 2 + 0.005
    bursts = [(media.burst_number(media.CLIP_OF[name], i), Fraction(first_sample, 48000) + Fraction(t) - START)
              for i, t in facts.bursts if START + margin < t < START + LENGTH - margin]
    assert bursts or not s.audio
    judge.assert_bursts(out, bursts, within=s.slack)
    info = judge.probe(out)
    assert {st["codec_type"] for st in info["streams"]} == {"video", "audio"}
    for st in info["streams"]:
        assert float(st["start_time"]) == 0.0


@pytest.mark.parametrize("name", AUDIO_SOURCES)
def test_a_source_of_sound_alone_shows_background_and_is_heard(folder, name):
    s, facts = media.SOURCES[name], media.facts(name)
    before, after = neighbour(1), neighbour(2)
    clips = [weft.clip(before, out=0.4), weft.clip(media.source(name), out=0.8), weft.clip(after, out=0.4)]
    job = weft.job(clips, timeline={"background": "#FF0000"})
    out = weft.run(job, folder).file("out.mp4")
    judge.assert_movie(out, 40, 25, SIZE, samples=76800)
    frame = judge.decode_rgb(out, SIZE)[18]
    if s.video == "cover":
        # Cover art is a picture: showing it and showing the background are both sane; a mixture is not.
        spread = frame.std(axis=(0, 1)).max()
        assert spread > 10 or abs(frame.mean(axis=(0, 1)) - (255, 0, 0)).max() < 6
    else:
        assert abs(frame.astype(int).mean(axis=(0, 1)) - (255, 0, 0)).max() < 6, frame.mean(axis=(0, 1))
    bursts = [(media.burst_number(media.CLIP_OF[name], i), 0.4 + t) for i, t in facts.bursts if 0.02 < t < 0.78]
    assert bursts
    judge.assert_bursts(out, bursts, within=s.slack)


REAL = {"phone.mp4": 1.4, "hello.mp4": 2.0, "hello.avi": 2.0, "hello.mpeg": 2.0, "hello.ogg": 2.0, "cockatoo.mp4": 2.0,
        "realshort.mp4": 1.1, "together.mp4": 2.0, "blits.mp4": 2.0}


@pytest.mark.parametrize("name", REAL)
def test_a_real_clip_renders_like_ffmpeg_renders_it(folder, name):
    seconds, path = REAL[name], media.real(name)
    start = Fraction("0.1")
    job = weft.job([weft.clip(path, **{"in": float(start), "out": float(start) + seconds}, fit="contain"), neighbour(3)], fps=30)
    out = weft.run(job, folder).file("out.mp4")
    placed, frames, samples = judge.layout_of([str(seconds), "1.0"], 30)
    judge.assert_movie(out, frames, 30, SIZE, samples=samples)
    luma = judge.decode_luma(out)
    assert judge.read_counter(luma[placed[1][0]]) == (3, 0)

    fw, fh = contained_size(judge.displayed_size(path))
    reference = np.frombuffer(media.ffmpeg(
        "-i", path, "-map", "0:v:0", "-vf", f"scale={fw}:{fh}:flags=bicubic,format=yuv420p,extractplanes=y",
        "-fps_mode", "passthrough", "-t", str(seconds + 1), "-f", "rawvideo", "-").stdout, np.uint8).reshape(-1, fh, fw)
    shown = judge.expected_sources(judge.source_pts(path), placed[0][1], Fraction(30), start)
    for k in range(0, placed[0][1], 7):
        # A Theora granule marks the end of a frame; ffmpeg takes it for its start, and is one frame late.
        early = shown[k] + 1 if name == "hello.ogg" else shown[k]
        right = max(likeness(luma[k], reference[n])[0] for n in {shown[k], early})
        others = max(likeness(luma[k], reference[n])[0] for n in (shown[k] - 1, early + 1) if 0 <= n < len(reference))
        assert right > 22 and right > others - 1.0, f"frame {k} is not source frame {shown[k]}: {right:.1f} dB, its neighbours {others:.1f}"


@pytest.mark.parametrize("matrix,full_range,tagged", [
    ("bt601", False, True), ("bt709", False, True), ("bt2020", False, True),
    ("bt601", True, True), ("bt709", True, True), ("bt601", False, False)])
def test_colours_come_out_as_they_went_in(folder, matrix, full_range, tagged):
    """Flat patches of known RGB, in every matrix and range, are the same RGB when ffmpeg reads our file by its tags."""
    path = media.patches(matrix, full_range, tagged)
    job = weft.job([weft.clip(path, fit="contain", duration=0.4)], [weft.video(quality=6, speed="veryfast")])
    out = weft.run(job, folder).file("out.mp4")
    s = judge.stream(out, "video")
    assert s.get("color_space") in ("bt709", "smpte170m", "bt470bg"), "the output does not say which matrix it uses"
    assert s.get("color_range") == "tv"
    ours, theirs = (judge.decode_rgb(p, SIZE, frames=6)[5].astype(int) for p in (out, path))
    cols, rows = media.PATCH_GRID
    wrong = []
    for i, rgb in enumerate(media.PATCHES):
        c, r = i % cols, i // cols
        cell = (slice(180 * r // rows + 16, 180 * (r + 1) // rows - 16), slice(320 * c // cols + 16, 320 * (c + 1) // cols - 16))
        a, b = ours[cell].mean(axis=(0, 1)), theirs[cell].mean(axis=(0, 1))
        # bt2020's primaries are kept as they are by ffmpeg's scaler too: what is compared is the matrix.
        if abs(a - b).max() > 3.5:
            wrong.append((rgb, [round(v) for v in a], [round(v) for v in b]))
    assert not wrong, f"(painted, Weft, ffmpeg): {wrong}"


def test_a_still_picture_is_a_clip_of_the_length_it_is_given_or_said_to_be_unsupported(folder):
    job = weft.job([weft.clip(media.real("chelsea.png"), duration=0.6, fit="contain"), neighbour(4),
                    weft.clip(media.real("photo.jpg"), duration=0.5, fit="cover")])
    result = weft.run(job, folder, check=False)
    if result.code == weft.INVALID_JOB:
        assert result.problem["code"] == "UNSUPPORTED"
        assert [p["pointer"] for p in result.error["problems"]] == ["/timeline/clips/0", "/timeline/clips/2"]
        return
    out = result.file("out.mp4")
    _, frames, samples = judge.layout_of(["0.6", "1", "0.5"], 25)
    judge.assert_movie(out, frames, 25, SIZE, samples=samples)
    luma = judge.decode_luma(out)
    assert judge.read_counter(luma[15]) == (4, 0)
    fw, fh = contained_size(judge.displayed_size(media.real("chelsea.png")))
    reference = np.frombuffer(media.ffmpeg("-i", media.real("chelsea.png"), "-vf",
                                           f"scale={fw}:{fh}:out_color_matrix=bt709:flags=bicubic,format=yuv420p,extractplanes=y",
                                           "-frames:v", "1", "-f", "rawvideo", "-").stdout, np.uint8).reshape(fh, fw)
    assert likeness(luma[7], reference)[0] > 26


def test_sources_with_nothing_wrong_give_no_warnings(folder):
    plan = weft.plan(weft.job([media.source("h264-mp4"), media.source("vp9-webm")]), folder)
    assert plan["warnings"] == [], json.dumps(plan["warnings"])
