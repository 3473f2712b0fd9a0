# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges files by foreign tools: ffprobe says what is in them, ffmpeg decodes them, numpy measures.

Nothing here knows how Weft works. Two signals make a file judgeable to the frame and to the sample:

- every frame carries its own number, painted as blocks of luma (`paint`, `read_counters`), robust to scaling
  and to any sane encoder;
- the audio carries short bursts (`burst`), unlike one another by their number, whose place is found by
  correlation (`burst_position`), robust to AAC and resampling.
"""

import contextlib
import functools
import json
import os
import pathlib
import re
import struct
import subprocess
from fractions import Fraction

import numpy as np

# ---------------------------------------------------------------------------------------------------------
# ffprobe


class Unreadable(AssertionError):
    """A foreign tool refused the file."""


def _run(command, stdin=None):
    done = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise Unreadable(f"{' '.join(map(str, command))}\nexit {done.returncode}: "
                         f"{done.stderr.decode(errors='replace')[-2000:]}")
    return done


def probe(path, count=False):
    """Everything ffprobe says about a file. With count, nb_read_frames is decoded and counted."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams"]
    if count:
        command += ["-count_frames"]
    return json.loads(_run(command + [path]).stdout)


def stream(path, kind, count=False):
    """The first 'video' or 'audio' stream as ffprobe describes it."""
    for s in probe(path, count)["streams"]:
        if s["codec_type"] == kind:
            return s
    raise Unreadable(f"{path} has no {kind} stream")


def has(path, kind):
    return any(s["codec_type"] == kind for s in probe(path)["streams"])


def count_frames(path):
    """Frames of the first video stream, by decoding every one of them."""
    done = _run(["ffprobe", "-v", "error", "-of", "json", "-select_streams", "v:0", "-count_frames",
                 "-show_entries", "stream=nb_read_frames", path])
    return int(json.loads(done.stdout)["streams"][0]["nb_read_frames"])


@functools.lru_cache(maxsize=512)
def _pts(path, kind, _stamp):
    done = _run(["ffprobe", "-v", "error", "-of", "json", "-select_streams", kind[0] + ":0",
                 "-show_entries", "stream=time_base:frame=best_effort_timestamp", path])
    root = json.loads(done.stdout)
    base = Fraction(root["streams"][0]["time_base"])
    times = [f["best_effort_timestamp"] * base if "best_effort_timestamp" in f else None for f in root["frames"]]
    # The last frame of an MPEG-PS comes out of the decoder without one: it follows at the same distance.
    for i, t in enumerate(times):
        if t is None:
            times[i] = 2 * times[i - 1] - times[i - 2] if i > 1 else Fraction(0)
    return tuple(sorted(times))


def pts(path, kind="video"):
    """Presentation times of all frames a player shows, ascending, as exact fractions of a second.

    They are those of decoded frames: packets of MPEG-PS and AVI do not all carry one.
    """
    return list(_pts(str(path), kind, os.stat(path).st_mtime_ns))


def packet_stamps(path, kind="video"):
    """The time stamps that packets have in the file, in decoding order; None for those that have none."""
    done = _run(["ffprobe", "-v", "error", "-select_streams", kind[0], "-show_entries", "packet=pts", "-of", "json", path])
    return [p.get("pts") for p in json.loads(done.stdout)["packets"]]


def keyframes(path):
    """Presentation times of the keyframes, as floats."""
    done = _run(["ffprobe", "-v", "error", "-of", "csv=p=0", "-select_streams", "v:0",
                 "-show_entries", "packet=pts_time,flags", path])
    rows = [line.split(",") for line in done.stdout.decode().split()]
    return [float(r[0]) for r in rows if len(r) > 1 and "K" in r[1]]


def source_pts(path):
    """What the plan counts from: frame times minus the file's first presented time, audio and video together."""
    info = probe(path)
    start = Fraction(info["format"].get("start_time", "0"))
    return [t - start for t in pts(path)]


def expected_sources(times, frames, fps, start=Fraction(0)):
    """Which source frame each of `frames` output frames shows: the last whose rounded place is not later."""
    grid = [int((t - start) * fps + Fraction(1, 2)) if t >= start else -1 for t in times]
    shown, at = [], 0
    for k in range(frames):
        while at + 1 < len(grid) and grid[at + 1] <= k:
            at += 1
        shown.append(at)
    return shown


# ---------------------------------------------------------------------------------------------------------
# boxes


def boxes(path):
    """Top-level boxes of an ISO file: [(type, offset, size)]."""
    found = []
    size = os.path.getsize(path)
    with open(path, "rb") as f:
        at = 0
        while at + 8 <= size:
            f.seek(at)
            length, kind = struct.unpack(">I4s", f.read(8))
            if length == 1:
                length = struct.unpack(">Q", f.read(8))[0]
            elif length == 0:
                length = size - at
            if length < 8:
                raise Unreadable(f"{path}: box {kind!r} at {at} says it is {length} bytes long")
            found.append((kind.decode("latin1"), at, length))
            at += length
    if at != size:
        raise Unreadable(f"{path}: boxes end at {at}, the file at {size}")
    return found


def moov_first(path):
    kinds = [b[0] for b in boxes(path)]
    return "moov" in kinds and "mdat" in kinds and kinds.index("moov") < kinds.index("mdat")


# ---------------------------------------------------------------------------------------------------------
# decoding


def decode_luma(path, size=None, start=None, frames=None, autorotate=True):
    """The luma of every frame as uint8 [n, h, w], one per decoded frame, nothing dropped or doubled."""
    if size is None:
        s = stream(path, "video")
        size = (s["width"], s["height"])
        if autorotate and abs(rotation(s)) in (90, 270):
            size = size[::-1]
    w, h = size
    filters = f"scale={w}:{h}:flags=area,format=yuv420p,extractplanes=y"
    command = ["ffmpeg", "-v", "error", "-nostdin"]
    if not autorotate:
        command += ["-noautorotate"]
    if start is not None:
        command += ["-ss", str(start)]
    command += ["-i", path, "-map", "0:v:0", "-vf", filters, "-fps_mode", "passthrough"]
    if frames is not None:
        command += ["-frames:v", str(frames)]
    raw = _run(command + ["-f", "rawvideo", "-"]).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, h, w)


def decode_rgb(path, size, filters="", frames=None):
    """Frames as uint8 [n, h, w, 3], converted by ffmpeg with accurate rounding and the file's own matrix."""
    w, h = size
    chain = ",".join(f for f in (filters, f"scale={w}:{h}:flags=bicubic+accurate_rnd+full_chroma_int:sws_dither=none",
                                 "format=rgb24") if f)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-vf", chain,
               "-fps_mode", "passthrough"]
    if frames is not None:
        command += ["-frames:v", str(frames)]
    raw = _run(command + ["-f", "rawvideo", "-"]).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, h, w, 3)


def decode_yuv(path):
    """Frames as they are coded: (Y [n,h,w], U [n,h/2,w/2], V), 8 bit 4:2:0, not one value converted."""
    s = stream(path, "video")
    w, h = s["width"], s["height"]
    assert s["pix_fmt"] in ("yuv420p", "yuvj420p"), s["pix_fmt"]
    raw = _run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough",
                "-f", "rawvideo", "-pix_fmt", s["pix_fmt"], "-"]).stdout
    cw, ch = (w + 1) // 2, (h + 1) // 2
    data = np.frombuffer(raw, np.uint8).reshape(-1, w * h + 2 * cw * ch)
    return (data[:, :w * h].reshape(-1, h, w),
            data[:, w * h:w * h + cw * ch].reshape(-1, ch, cw),
            data[:, w * h + cw * ch:].reshape(-1, ch, cw))


def decode_audio(path, channels=None):
    """Samples at the file's own rate as float32 [n, channels], as a player hears them (edit list applied)."""
    s = stream(path, "audio")
    channels = channels or s["channels"]
    raw = _run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-ac", str(channels),
                "-f", "f32le", "-"]).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, channels)


def decode_audio_timed(path):
    """The first channel from the file's first presented time on, gaps in its timestamps filled, at the file's own rate."""
    raw = _run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-af",
                "aresample=async=1:first_pts=0:min_hard_comp=0.01,pan=mono|c0=c0", "-f", "f32le", "-"]).stdout
    return np.frombuffer(raw, np.float32)


def rotation(stream_info):
    for side in stream_info.get("side_data_list", []):
        if "rotation" in side:
            return int(side["rotation"])
    return 0


def displayed_size(path):
    """Width and height in square pixels, the way a player shows it."""
    s = stream(path, "video")
    w, h = Fraction(s["width"]), Fraction(s["height"])
    sar = s.get("sample_aspect_ratio", "1:1").replace(":", "/")
    if sar not in ("0/1", "N/A"):
        w *= Fraction(sar)
    return (h, w) if abs(rotation(s)) in (90, 270) else (w, h)


def contained(displayed, frame):
    """Where `displayed` lies in `frame` when it is fitted whole and centred: fractions (x0, y0, x1, y1)."""
    dw, dh = (float(v) for v in displayed)
    fw, fh = (float(v) for v in frame)
    k = min(fw / dw, fh / dh)
    w, h = dw * k / fw, dh * k / fh
    return ((1 - w) / 2, (1 - h) / 2, (1 + w) / 2, (1 + h) / 2)


# ---------------------------------------------------------------------------------------------------------
# the counter: 32 cells, 14 bits of frame, 10 of clip, 4 of check, 4 to calibrate on

GRID = (8, 4)
STRIP = (16, 2)
FULL = (0.0, 0.0, 1.0, 1.0)
# The lowest quarter: leaves the picture above it to be judged as a picture.
BOTTOM = (0.0, 0.75, 1.0, 1.0)
DARK, BRIGHT = 40, 210


def _check(clip, index):
    value, check = clip << 14 | index, 5
    while value:
        check ^= value & 15
        value >>= 4
    return check & 15


def _bits(clip, index):
    word = (index & 0x3FFF) | (clip & 0x3FF) << 14 | _check(clip & 0x3FF, index & 0x3FFF) << 24
    return [1, 0] + [word >> i & 1 for i in range(28)] + [0, 1]


def _cells(shape, region, layout):
    h, w = shape
    x0, y0, x1, y1 = region
    cols, rows = layout
    for i in range(cols * rows):
        c, r = i % cols, i // cols
        yield (h * (y0 + (y1 - y0) * r / rows), h * (y0 + (y1 - y0) * (r + 1) / rows),
               w * (x0 + (x1 - x0) * c / cols), w * (x0 + (x1 - x0) * (c + 1) / cols))


def paint(luma, clip, index, region=FULL, layout=GRID):
    """Writes a frame's number into its luma plane."""
    for bit, (top, bottom, left, right) in zip(_bits(clip, index), _cells(luma.shape, region, layout)):
        luma[round(top):round(bottom), round(left):round(right)] = BRIGHT if bit else DARK


def read_counter(luma, region=FULL, layout=GRID):
    """(clip, index) of one frame, or None where there is no counter to read."""
    means = []
    for top, bottom, left, right in _cells(luma.shape, region, layout):
        dy, dx = (bottom - top) * 0.3, (right - left) * 0.3
        t, l = int(top + dy), int(left + dx)
        means.append(float(luma[t:max(t + 1, round(bottom - dy)), l:max(l + 1, round(right - dx))].mean()))
    bright, dark = (means[0] + means[31]) / 2, (means[1] + means[30]) / 2
    if bright - dark < 60:
        return None
    word = sum((m > (bright + dark) / 2) << i for i, m in enumerate(means[2:30]))
    index, clip, check = word & 0x3FFF, word >> 14 & 0x3FF, word >> 24
    return (clip, index) if check == _check(clip, index) else None


def read_counters(path, region=FULL, layout=GRID, size=None):
    """(clip, index) of every frame of a file."""
    return [read_counter(frame, region, layout) for frame in decode_luma(path, size)]


# ---------------------------------------------------------------------------------------------------------
# bursts

BURST_S = 0.03


@functools.lru_cache(maxsize=None)
def _partials(number):
    rng = np.random.default_rng(7919 + number)
    return rng.uniform(350, 3000, 10), rng.uniform(0, 2 * np.pi, 10)


def burst(number, rate, samples, centre_s):
    """One burst, centred at an exact time, as `samples` samples at `rate`; peak about 0.6."""
    t = np.arange(samples) / rate - centre_s
    out = np.zeros(samples, np.float64)
    inside = np.abs(t) < BURST_S / 2
    ti = t[inside]
    frequencies, phases = _partials(number)
    wave = np.sin(2 * np.pi * frequencies[:, None] * ti[None, :] + phases[:, None]).sum(axis=0)
    out[inside] = wave * np.cos(np.pi * ti / BURST_S) ** 2 * 0.12
    return out.astype(np.float32)


def burst_position(signal, number, rate, expected_s, reach_s=0.25):
    """(position in samples with a fraction, correlation 0..1) of a burst near expected_s; position is its centre."""
    half = int(BURST_S * rate / 2) + 2
    reference = burst(number, rate, 2 * half + 1, half / rate).astype(np.float64)
    first = int(round(expected_s * rate)) - int(reach_s * rate) - half
    last = int(round(expected_s * rate)) + int(reach_s * rate) + half + 1
    window = np.zeros(last - first)
    a, b = max(first, 0), min(last, len(signal))
    if b <= a:
        return None, 0.0
    window[a - first:b - first] = signal[a:b]
    size = 1 << int(len(window) + len(reference)).bit_length()
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(reference, size))
    correlation = np.fft.irfft(spectrum, size)[:len(window) - len(reference) + 1]
    sums = np.concatenate(([0.0], np.cumsum(window ** 2)))
    energy = np.sqrt((sums[len(reference):] - sums[:-len(reference)]) * (reference ** 2).sum()) + 1e-9
    # A floor under the energy, so that the noise of silence does not look like a match.
    score = correlation / np.maximum(energy, 0.05 * (reference ** 2).sum())
    k = int(np.argmax(score))
    shift = 0.0
    if 0 < k < len(correlation) - 1:
        l, m, r = correlation[k - 1:k + 2]
        if l - 2 * m + r != 0:
            shift = 0.5 * (l - r) / (l - 2 * m + r)
    return first + half + k + shift, float(score[k])


def tone_level(signal, rate, frequency):
    """Amplitude of one frequency in a stretch of signal."""
    n = np.arange(len(signal))
    window = np.hanning(len(signal))
    return float(2 * abs((signal * window * np.exp(-2j * np.pi * frequency * n / rate)).sum()) / window.sum())


def rms(signal):
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64)))) if len(signal) else 0.0


# ---------------------------------------------------------------------------------------------------------
# pictures


def psnr(a, b):
    """Of two arrays of 8-bit values; 99 where they are equal."""
    mse = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return 99.0 if mse == 0 else float(10 * np.log10(255 ** 2 / mse))


def ssim(path, reference_args):
    """ffmpeg's SSIM (all planes) of a file against a reference given as ffmpeg input arguments."""
    done = _run(["ffmpeg", "-v", "info", "-nostdin", "-nostats", "-i", path, *reference_args, "-lavfi",
                 "[0:v]setpts=N/TB/25[a];[1:v]setpts=N/TB/25[b];[a][b]ssim", "-f", "null", "-"])
    found = re.findall(rb"SSIM.*All:([0-9.]+)", done.stderr)
    if not found:
        raise Unreadable("ffmpeg printed no SSIM")
    return float(found[-1])


# ---------------------------------------------------------------------------------------------------------
# what is left behind


def files_below(folder):
    return {str(p.relative_to(folder)) for p in pathlib.Path(folder).rglob("*") if not p.is_dir()}


@contextlib.contextmanager
def nothing_left_in(*folders):
    """Fails if the folders hold a file afterwards that they did not hold before."""
    before = {f: files_below(f) for f in folders}
    yield
    left = {str(f): sorted(files_below(f) - before[f]) for f in folders}
    assert not any(left.values()), f"left behind: {left}"


def children_of(pid):
    """Pids below a process, zombies included."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat", encoding="latin1") as f:
                    rest = f.read().rpartition(")")[2].split()
                if int(rest[1]) == pid:
                    found.append(int(entry))
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin1") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def group_members(pgid):
    """Processes, zombies included, that still belong to a process group."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat", encoding="latin1") as f:
                    rest = f.read().rpartition(")")[2].split()
                if int(rest[2]) == pgid:
                    found.append(int(entry))
    return found


# ---------------------------------------------------------------------------------------------------------
# whole outputs


def rounded(value):
    """Half up, as positions on the timeline become frames and samples."""
    return int((Fraction(value) + Fraction(1, 2)) // 1)


def exact(value):
    """A time as it was written: 0.1 is a tenth, not the double nearest to it."""
    return Fraction(str(value))


def layout_of(lengths, fps, rate=48000):
    """Where clips of these lengths (seconds) lie: [(first_frame, frames, first_sample, samples)], and the totals."""
    fps, position, placed = Fraction(fps), Fraction(0), []
    for length in lengths:
        first, position = rounded(position * fps), position + exact(length)
        end = rounded(position * fps)
        a, b = rounded(Fraction(first) * rate / fps), rounded(Fraction(end) * rate / fps)
        placed.append((first, end - first, a, b - a))
    total = rounded(position * fps)
    return placed, total, rounded(Fraction(total) * rate / fps)


def assert_movie(path, frames, fps, size=None, samples=None, rate=48000, channels=None):
    """An MP4 that is complete and exact: frames, their times, samples, starts, boxes. samples=None: no sound in it."""
    fps = Fraction(fps)
    info = probe(path, count=True)
    kinds = [s["codec_type"] for s in info["streams"]]
    assert kinds.count("video") == 1, kinds
    video = next(s for s in info["streams"] if s["codec_type"] == "video")
    assert int(video["nb_read_frames"]) == frames, f"{video['nb_read_frames']} frames, the plan says {frames}"
    assert int(video["nb_frames"]) == frames
    assert Fraction(video["r_frame_rate"]) == fps or frames < 3, video["r_frame_rate"]
    if size:
        assert (video["width"], video["height"]) == tuple(size)
    assert float(video["start_time"]) == 0.0, f"video starts at {video['start_time']}"
    tick = Fraction(video["time_base"])
    length = int(video["duration_ts"]) * tick
    assert abs(length - frames / fps) <= tick, f"the video track lasts {float(length)} s for {frames} frames"
    times = pts(path)
    wrong = [(k, float(t)) for k, t in enumerate(times) if abs(t - k / fps) > tick]
    assert not wrong, f"frames off their time: {wrong[:5]}"
    if samples is None:
        assert "audio" not in kinds
    else:
        assert kinds.count("audio") == 1, kinds
        audio = next(s for s in info["streams"] if s["codec_type"] == "audio")
        assert int(audio["sample_rate"]) == rate
        if channels:
            assert audio["channels"] == channels
        assert float(audio["start_time"]) == 0.0, f"audio starts at {audio['start_time']}"
        length = Fraction(int(audio["duration_ts"])) * Fraction(audio["time_base"]) * rate
        assert length == samples, f"the audio track lasts {float(length)} samples, the plan says {samples}"
        # ffmpeg 5.1 applies an edit list's start to the sample, its end only to the packet.
        decoded = len(decode_audio(path))
        assert samples <= decoded < samples + 1024, f"{decoded} samples are heard, the plan says {samples}"
    assert float(info["format"]["start_time"]) == 0.0
    assert moov_first(path), [b[0] for b in boxes(path)]
    return info


def assert_bursts(path, expected, rate=48000, within=1.0, channel=0):
    """Bursts lie where they belong: expected is [(number, seconds from the start)]."""
    signal = decode_audio(path)[:, channel]
    wrong = []
    for number, at in expected:
        position, score = burst_position(signal, number, rate, float(at), reach_s=0.12)
        # Half a sample of the tolerance belongs to rounding a position that is not a whole sample.
        if score < 0.6 or abs(position - float(at) * rate) > within + 0.5:
            wrong.append((number, float(at), None if position is None else round(position - float(at) * rate, 2),
                          round(score, 2)))
    assert not wrong, f"(burst, where it belongs, how many samples off, likeness): {wrong[:6]} of {len(expected)}"
