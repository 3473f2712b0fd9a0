# SPDX-License-Identifier: LGPL-2.1-or-later
"""The five fits, against the filters an ffmpeg user would write for each."""

import numpy as np
import pytest

import judge
import media
import weft

# Frames that are wider and taller than the source, and a source with pixels that are not square.
FRAMES = {"landscape": (320, 180), "portrait": (180, 320), "square": (240, 240)}
SOURCES = ["hello.mp4", "together.mp4", "anamorphic-4-3", "rotated-90"]


def file_of(source):
    return media.real(source) if "." in source and "-" not in source else media.source(source)


def filters(fit, size, displayed):
    """ffmpeg's way, in square pixels."""
    w, h = size
    dw, dh = (float(v) for v in displayed)
    square = f"scale={2 * round(dw / 2)}:{2 * round(dh / 2)}:flags=bicubic,setsar=1"
    if fit == "fill":
        return f"scale={w}:{h}:flags=bicubic"
    if fit == "contain":
        k = min(w / dw, h / dh)
        return f"scale={round(dw * k)}:{round(dh * k)}:flags=bicubic,pad={w}:{h}:-1:-1"
    if fit == "cover":
        k = max(w / dw, h / dh)
        return f"scale={round(dw * k)}:{round(dh * k)}:flags=bicubic,crop={w}:{h}"
    if fit == "none":
        return f"{square},crop='min(iw,{w})':'min(ih,{h})',pad={w}:{h}:-1:-1"
    raise ValueError(fit)


def reference(path, chain, size, frame):
    w, h = size
    raw = media.ffmpeg("-i", path, "-map", "0:v:0", "-vf", f"select=eq(n\\,{frame}),{chain},format=yuv420p,extractplanes=y",
                       "-fps_mode", "passthrough", "-frames:v", "1", "-f", "rawvideo", "-").stdout
    return np.frombuffer(raw, np.uint8).reshape(h, w)


def alike(a, b):
    """PSNR, wherever within two pixels the picture was centred: half a pixel has to go one way or the other."""
    inner = (slice(8, -8), slice(8, -8))
    return max(judge.psnr(np.roll(a, (dy, dx), (0, 1))[inner], b[inner]) for dy in range(-2, 3) for dx in range(-2, 3))


@pytest.mark.parametrize("frame", FRAMES)
def test_fits_look_as_ffmpeg_makes_them(folder, frame):
    size = FRAMES[frame]
    cases = [(s, f) for s in SOURCES for f in ("cover", "contain", "fill", "none")]
    job = weft.job([weft.clip(file_of(s), out=0.2, fit=f) for s, f in cases], size=size)
    out = weft.run(job, folder).file("out.mp4")
    luma = judge.decode_luma(out)
    assert len(luma) == 5 * len(cases)
    wrong = []
    for i, (source, fit) in enumerate(cases):
        path = file_of(source)
        shown = judge.expected_sources(judge.source_pts(path), 5, 25)[3]
        ours = luma[5 * i + 3]
        db = alike(ours, reference(path, filters(fit, size, judge.displayed_size(path)), size, shown))
        if db < 22:
            wrong.append((source, fit, round(db, 1)))
    assert not wrong, f"(source, fit, dB against ffmpeg): {wrong}"


def test_contain_blur_is_contain_over_something_that_fills_the_frame(folder):
    path = media.real("hello.mp4")
    size = FRAMES["portrait"]
    out = weft.run(weft.job([weft.clip(path, out=0.2, fit="contain-blur")], size=size), folder).file("out.mp4")
    ours = judge.decode_luma(out)[3]
    shown = judge.expected_sources(judge.source_pts(path), 5, 25)[3]
    contained = reference(path, filters("contain", size, judge.displayed_size(path)), size, shown)
    _, y0, _, y1 = judge.contained(judge.displayed_size(path), size)
    inside = slice(int(320 * y0) + 3, int(320 * y1) - 3)
    assert judge.psnr(ours[inside], contained[inside]) > 25
    # Above and below: of the light of the picture, and without its edges.
    blurred = np.concatenate([ours[:int(320 * y0) - 3], ours[int(320 * y1) + 3:]])
    covered = reference(path, filters("cover", size, judge.displayed_size(path)), size, shown)
    around = np.concatenate([covered[:int(320 * y0) - 3], covered[int(320 * y1) + 3:]])
    # Some make the copy darker, so that the picture stands out.
    assert 0.4 * around.mean() < blurred.mean() < 1.2 * around.mean()
    assert np.abs(np.diff(blurred.astype(int), axis=1)).mean() < 0.5 * np.abs(np.diff(around.astype(int), axis=1)).mean()


def test_background_shows_around_a_contained_clip(folder):
    path = media.real("hello.mp4")
    job = weft.job([weft.clip(path, out=0.2, fit="contain")], size=(180, 320), timeline={"background": "#2040C0"})
    frame = judge.decode_rgb(weft.run(job, folder).file("out.mp4"), (180, 320))[2].astype(int)
    assert abs(frame[:80].mean(axis=(0, 1)) - (0x20, 0x40, 0xC0)).max() < 4
    assert abs(frame[-80:].mean(axis=(0, 1)) - (0x20, 0x40, 0xC0)).max() < 4
