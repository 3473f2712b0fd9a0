# SPDX-License-Identifier: LGPL-2.1-or-later
"""Media for tests: real ones out of Debian packages, and ones derived from them that a test can read.

    real("hello.mp4")            a file nobody made for us
    source("hevc-10bit-mkv")     one of SOURCES: real pictures in every codec, container and oddity, with the frame's
                                 number in its lowest quarter and bursts in its sound
    counter(clip=3, fps="30000/1001", frames=90)
                                 a plain clip whose whole picture is the frame's number
    broken("cut-moov-last")      one of BROKEN: what must fail, or be survived

Everything derived lies in the cache under a name that holds a hash of how it was made.
"""

import dataclasses
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import tempfile
from fractions import Fraction

import numpy as np

import judge

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Part of every recipe's hash: raise it when this file changes what a recipe makes.
REVISION = 3


@functools.lru_cache(maxsize=None)
def folder():
    """The folder of the real media, fetched on first use."""
    done = subprocess.run([str(ROOT / "tests/support/fetch-media")], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(done.stdout.strip())


def real(name):
    path = folder() / name
    assert path.exists(), f"{path} is not among the fetched media"
    return path


def _derived_folder():
    path = folder() / "derived"
    path.mkdir(exist_ok=True)
    return path


def _cached(name, ext, recipe, make):
    """The file a recipe makes; made once, by one process, and seen only when whole."""
    text = json.dumps([REVISION, name, recipe], sort_keys=True, default=str)
    key = hashlib.sha256(text.encode()).hexdigest()[:10]
    path = _derived_folder() / f"{name}-{key}.{ext}"
    if path.exists():
        return path
    with open(_derived_folder() / f".lock-{key}", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path
        with tempfile.TemporaryDirectory(dir=_derived_folder(), prefix=".make-") as work:
            made = pathlib.Path(work) / f"out.{ext}"
            make(made, pathlib.Path(work))
            os.rename(made, path)
    return path


def ffmpeg(*args, stdin=None):
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, args)] if stdin is None else
                          ["ffmpeg", "-v", "error", "-y", *map(str, args)],
                          input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ffmpeg {' '.join(map(str, args))}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done


# ---------------------------------------------------------------------------------------------------------
# pictures and sound to encode


@functools.lru_cache(maxsize=4)
def _real_pictures(size, frames):
    """Moving real pictures, yuv420p planes of even size."""
    w, h = size
    raw = ffmpeg("-ss", "1", "-i", real("hello.mp4"), "-vf", f"fps=25,scale={w}:{h}:flags=area,format=yuv420p",
                 "-frames:v", str(frames), "-f", "rawvideo", "-").stdout
    data = np.frombuffer(raw, np.uint8).reshape(-1, w * h * 3 // 2)
    assert len(data) == frames
    return data


def _raw_frames(size, frames, clip, picture, hold=1):
    """yuv420p bytes of numbered frames; `hold` repeats each number, for fields of one frame."""
    w, h = size
    chroma = 2 * ((w + 1) // 2) * ((h + 1) // 2)
    out = np.empty((frames, w * h + chroma), np.uint8)
    if picture:
        ew, eh = w + w % 2, h + h % 2
        pictures = _real_pictures((ew, eh), frames)
        luma = pictures[:, :ew * eh].reshape(frames, eh, ew)[:, :h, :w]
        out[:, :w * h] = luma.reshape(frames, -1)
        out[:, w * h:] = pictures[:, ew * eh:]
    else:
        out[:, :w * h] = 125
        out[:, w * h:] = 128
    for k in range(frames):
        luma = out[k, :w * h].reshape(h, w)
        if picture:
            judge.paint(luma, clip, k // hold, judge.BOTTOM, judge.STRIP)
        else:
            judge.paint(luma, clip, k // hold)
    return out.tobytes()


def burst_times(seconds):
    """Where a clip's bursts lie: near its start, then about three a second, never on a round number."""
    return [t for t in (0.0617 + 0.31 * i for i in range(2000)) if t + judge.BURST_S < seconds]


def burst_number(clip, i):
    return clip * 2003 + i


def _sound(path, clip, rate, channels, seconds):
    samples = round(seconds * rate)
    signal = np.zeros(samples, np.float32)
    reach = int(rate * judge.BURST_S)
    for i, t in enumerate(burst_times(seconds)):
        first = max(0, int(t * rate) - reach)
        count = min(2 * reach, samples - first)
        signal[first:first + count] += judge.burst(burst_number(clip, i), rate, count, t - first / rate)
    data = np.repeat((signal * 32767).astype("<i2")[:, None], channels, axis=1)
    masks = {1: 0x4, 2: 0x3, 6: 0x3F, 8: 0x63F}
    body = data.tobytes()
    # WAVE_FORMAT_EXTENSIBLE, because only that says which channel is which.
    guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, channels, rate, rate * channels * 2, channels * 2, 16, 22, 16,
                      masks[channels]) + guid
    with open(path, "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", 4 + 8 + len(fmt) + 8 + len(body)) + b"WAVE")
        f.write(b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(body)) + body)


# ---------------------------------------------------------------------------------------------------------
# sources: everything that must render

VIDEO = {
    "h264": "-c:v libx264 -preset veryfast -crf 16 -g 24 -bf 2 -pix_fmt yuv420p",
    "h264-nob": "-c:v libx264 -preset veryfast -crf 16 -g 24 -bf 0 -pix_fmt yuv420p",
    "h264-10": "-c:v libx264 -preset veryfast -crf 16 -g 24 -pix_fmt yuv420p10le",
    "h264-422": "-c:v libx264 -preset veryfast -crf 16 -g 24 -pix_fmt yuv422p",
    "h264-444": "-c:v libx264 -preset veryfast -crf 16 -g 24 -pix_fmt yuv444p",
    "h264-full": "-c:v libx264 -preset veryfast -crf 16 -g 24 -pix_fmt yuvj420p -color_range pc",
    "h264-opengop": "-c:v libx264 -preset veryfast -crf 16 -g 12 -bf 3 -x264-params open-gop=1:scenecut=0 -pix_fmt yuv420p",
    "h264-intra": "-c:v libx264 -preset ultrafast -crf 16 -g 1 -pix_fmt yuv420p",
    "h264-longgop": "-c:v libx264 -preset veryfast -crf 16 -g 250 -keyint_min 250 -sc_threshold 0 -bf 3 -pix_fmt yuv420p",
    "h264-tff": "-c:v libx264 -preset veryfast -crf 16 -g 24 -flags +ilme+ildct -x264-params tff=1 -pix_fmt yuv420p",
    "h264-bff": "-c:v libx264 -preset veryfast -crf 16 -g 24 -flags +ilme+ildct -x264-params bff=1 -pix_fmt yuv420p",
    "hevc": "-c:v libx265 -preset ultrafast -crf 18 -x265-params log-level=none:keyint=24 -pix_fmt yuv420p -tag:v hvc1",
    "hevc-10": "-c:v libx265 -preset ultrafast -crf 18 -x265-params log-level=none:keyint=24 -pix_fmt yuv420p10le -tag:v hvc1",
    "hevc-raw": "-c:v libx265 -preset ultrafast -crf 18 -x265-params log-level=none:keyint=24 -pix_fmt yuv420p",
    "vp8": "-c:v libvpx -b:v 1500k -deadline realtime -cpu-used 5 -g 24 -pix_fmt yuv420p",
    "vp9": "-c:v libvpx-vp9 -b:v 1500k -deadline realtime -cpu-used 7 -g 24 -pix_fmt yuv420p",
    "vp9-10": "-c:v libvpx-vp9 -b:v 1500k -deadline realtime -cpu-used 7 -g 24 -pix_fmt yuv420p10le",
    "av1": "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 1500k -g 24 -pix_fmt yuv420p",
    "mpeg1": "-c:v mpeg1video -q:v 2 -g 12 -bf 2 -pix_fmt yuv420p",
    "mpeg2": "-c:v mpeg2video -q:v 2 -g 12 -bf 2 -pix_fmt yuv420p",
    "mpeg1-nob": "-c:v mpeg1video -q:v 2 -g 12 -bf 0 -pix_fmt yuv420p",
    "mpeg2-nob": "-c:v mpeg2video -q:v 2 -g 12 -bf 0 -pix_fmt yuv420p",
    "mpeg2-oneb": "-c:v mpeg2video -q:v 2 -g 15 -bf 1 -sc_threshold 1000000000 -flags +cgop -pix_fmt yuv420p",
    "mpeg2-tff": "-c:v mpeg2video -q:v 2 -g 12 -bf 2 -flags +ilme+ildct -top 1 -pix_fmt yuv420p",
    "mpeg4": "-c:v mpeg4 -q:v 2 -g 24 -bf 2 -pix_fmt yuv420p",
    "mpeg4-nob": "-c:v mpeg4 -q:v 2 -g 24 -bf 0 -vtag XVID -pix_fmt yuv420p",
    "mjpeg": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p",
    "mjpeg-422": "-c:v mjpeg -q:v 2 -pix_fmt yuvj422p",
    "prores": "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le",
    "prores4444": "-c:v prores_ks -profile:v 4 -pix_fmt yuv444p10le",
    "theora": "-c:v libtheora -q:v 9 -g 24 -pix_fmt yuv420p",
    "ffv1": "-c:v ffv1 -pix_fmt yuv420p",
}
AUDIO = {
    "aac": "-c:a aac -b:a 128k",
    "mp3": "-c:a libmp3lame -b:a 128k",
    "mp2": "-c:a mp2 -b:a 192k",
    "ac3": "-c:a ac3 -b:a 192k",
    "opus": "-c:a libopus -b:a 96k",
    "vorbis": "-c:a libvorbis -q:a 5",
    "flac": "-c:a flac",
    "alac": "-c:a alac",
    "pcm": "-c:a pcm_s16le",
    "pcm24": "-c:a pcm_s24le",
}


@dataclasses.dataclass(frozen=True)
class Source:
    """One way a clip can be. fps and size are those of the coded frames before any tag."""
    ext: str
    video: str = "h264"
    audio: str = "aac"
    size: tuple = (320, 180)
    fps: str = "25"
    frames: int = 40
    rate: int = 48000
    channels: int = 2
    # Filters between the numbered frames and the encoder, and arguments of the muxer.
    vf: str = ""
    out: str = ""
    # What happens to the finished file: a function of this module (path, work folder) -> None.
    after: str = ""
    # How far, in samples at 48 kHz, sound may lie from where ffmpeg's decoder puts it. One is the rule; where a
    # format does not say how much its encoder put in front, decoders differ by up to two of its blocks.
    slack: int = 1
    # Frames that a deinterlacer, or the loss of an open GOP, may show as their neighbour.
    frame_slack: int = 0
    picture_db: float = 27.0


def _t(**kw):
    return kw


_MATRIX = {
    "601": "-colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m -color_range tv",
    "709": "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv",
    "2020": "-colorspace bt2020nc -color_primaries bt2020 -color_trc bt709 -color_range tv",
}
_CONVERT = "scale=in_color_matrix=bt601:out_color_matrix={0}:flags=accurate_rnd"

SOURCES = {
    # codecs and containers
    "h264-mp4": Source("mp4"),
    "h264-mp4-faststart": Source("mp4", out="-movflags +faststart"),
    "h264-mp4-fragmented": Source("mp4", out="-movflags +frag_keyframe+empty_moov+default_base_moof"),
    "h264-mp4-dash": Source("mp4", out="-movflags +dash+frag_keyframe+global_sidx"),
    "h264-mov": Source("mov", audio="pcm"),
    "h264-mkv": Source("mkv"),
    "h264-avi": Source("avi", video="h264-nob", audio="mp3", slack=2304),
    "h264-ts": Source("ts", slack=2048),
    "h264-flv": Source("flv", rate=44100, slack=2048),
    "h264-opengop-mp4": Source("mp4", video="h264-opengop"),
    "h264-intra-mp4": Source("mp4", video="h264-intra"),
    "h264-longgop-mp4": Source("mp4", video="h264-longgop"),
    "hevc-mp4": Source("mp4", video="hevc"),
    "hevc-mov": Source("mov", video="hevc"),
    "hevc-mkv": Source("mkv", video="hevc-raw"),
    "hevc-ts": Source("ts", video="hevc-raw", slack=2048),
    "vp8-webm": Source("webm", video="vp8", audio="vorbis", slack=1024),
    "vp9-webm": Source("webm", video="vp9", audio="opus", slack=1024),
    "vp9-mp4": Source("mp4", video="vp9"),
    "av1-mp4": Source("mp4", video="av1"),
    "av1-webm": Source("webm", video="av1", audio="opus", slack=1024),
    "mpeg1-mpg": Source("mpg", video="mpeg1", audio="mp2", slack=2304),
    "mpeg2-mpg": Source("mpg", video="mpeg2", audio="mp2", slack=2304),
    "mpeg2-ts": Source("ts", video="mpeg2", audio="ac3", slack=3072),
    "mpeg2-vob": Source("vob", video="mpeg2", audio="ac3", slack=3072),
    "mpeg4-avi": Source("avi", video="mpeg4-nob", audio="mp3", slack=2304),
    "mpeg4-mp4": Source("mp4", video="mpeg4"),
    "mpeg4-3gp": Source("3gp", video="mpeg4"),
    "mjpeg-avi": Source("avi", video="mjpeg", audio="pcm"),
    "mjpeg-mov": Source("mov", video="mjpeg-422", audio="pcm"),
    "prores-mov": Source("mov", video="prores", audio="pcm24"),
    "prores4444-mov": Source("mov", video="prores4444", audio="pcm24"),
    "theora-ogg": Source("ogg", video="theora", audio="vorbis", slack=1024),
    "ffv1-mkv": Source("mkv", video="ffv1", audio="flac"),
    # orientation: the coded picture is turned so that the tag turns it back upright
    "rotated-90": Source("mp4", vf="transpose=clock", after="rotate_90"),
    "rotated-180": Source("mp4", vf="hflip,vflip", after="rotate_180"),
    "rotated-270": Source("mp4", vf="transpose=cclock", after="rotate_270"),
    "rotated-90-mov": Source("mov", vf="transpose=clock", after="rotate_90"),
    "rotated-90-hevc": Source("mp4", video="hevc", vf="transpose=clock", after="rotate_90"),
    "flipped-horizontal": Source("mp4", vf="hflip", after="mirror_horizontal"),
    "flipped-vertical": Source("mp4", vf="vflip", after="mirror_vertical"),
    "transposed": Source("mp4", vf="transpose=cclock_flip", after="mirror_transpose"),
    # time
    "vfr-mp4": Source("mp4", vf="setpts=(N/27+0.012*sin(N*1.7))/TB",
                      out="-fps_mode vfr -enc_time_base:v 1/90000 -video_track_timescale 90000"),
    "vfr-mkv": Source("mkv", vf="setpts=(N/31+0.010*sin(N*2.3))/TB", out="-fps_mode vfr -enc_time_base:v 1/1000"),
    "vfr-hole-mp4": Source("mp4", vf="setpts=(N/30+0.4*gte(N\\,20))/TB",
                           out="-fps_mode vfr -enc_time_base:v 1/90000 -video_track_timescale 90000"),
    "vfr-webm": Source("webm", video="vp9", audio="opus", vf="setpts=(N/24+0.013*sin(N*1.1))/TB",
                       out="-fps_mode vfr -enc_time_base:v 1/1000", slack=1024),
    "fps-8": Source("mp4", fps="8", frames=14),
    "fps-23.976": Source("mp4", fps="24000/1001"),
    "fps-29.97": Source("mp4", fps="30000/1001"),
    "fps-50": Source("mp4", fps="50", frames=80),
    "fps-59.94": Source("mp4", fps="60000/1001", frames=96),
    "fps-120": Source("mp4", fps="120", frames=180),
    "late-start-mkv": Source("mkv", out="-output_ts_offset 7.3"),
    "late-start-ts": Source("ts", out="-output_ts_offset 3600 -muxdelay 0", slack=2048),
    "opus-in-mkv": Source("mkv", audio="opus", slack=1024),
    "wrapping-ts": Source("ts", out="-output_ts_offset 95442 -muxdelay 0", slack=2048),
    "late-video-mp4": Source("mp4", after="delay_video"),
    "late-audio-mp4": Source("mp4", after="delay_audio"),
    "late-audio-mkv": Source("mkv", after="delay_audio"),
    "edit-list-cut": Source("mp4", video="h264-longgop", after="cut_by_edit_list"),
    "short-audio": Source("mp4", after="shorten_audio"),
    "short-video": Source("mp4", after="shorten_video"),
    # pictures
    "tff-h264": Source("mp4", video="h264-tff", fps="50", frames=80, vf="tinterlace=interleave_top,setfield=tff", frame_slack=1),
    "bff-h264": Source("mp4", video="h264-bff", fps="50", frames=80, vf="tinterlace=interleave_bottom,setfield=bff", frame_slack=1),
    "tff-mpeg2": Source("mpg", video="mpeg2-tff", audio="mp2", fps="50", frames=80,
                        vf="tinterlace=interleave_top,setfield=tff", frame_slack=1, slack=2304),
    "10-bit-h264": Source("mp4", video="h264-10"),
    "10-bit-hevc": Source("mp4", video="hevc-10"),
    "10-bit-vp9": Source("webm", video="vp9-10", audio="opus", slack=1024),
    "yuv422": Source("mkv", video="h264-422"),
    "yuv444": Source("mp4", video="h264-444"),
    "full-range": Source("mp4", video="h264-full"),
    "bt601": Source("mp4", out=_MATRIX["601"]),
    "bt709": Source("mp4", vf=_CONVERT.format("bt709"), out=_MATRIX["709"]),
    "bt2020": Source("mp4", video="hevc-10", vf=_CONVERT.format("bt2020"), out=_MATRIX["2020"]),
    "anamorphic-4-3": Source("mp4", size=(240, 180), vf="setsar=4/3"),
    "anamorphic-16-11": Source("mkv", size=(320, 240), vf="setsar=16/11"),
    "anamorphic-10-11": Source("mpg", video="mpeg2", audio="mp2", size=(352, 240), vf="setdar=4/3", slack=2304),
    "rotated-anamorphic": Source("mp4", size=(240, 180), vf="setsar=4/3,transpose=clock", after="rotate_90"),
    "odd-853x481": Source("mp4", video="h264-444", size=(853, 481), frames=30),
    "odd-321x241": Source("mkv", video="h264-444", size=(321, 241)),
    "odd-321x241-vp9": Source("webm", video="vp9", audio="opus", size=(321, 241), slack=1024),
    "odd-mjpeg": Source("avi", video="mjpeg", audio="pcm", size=(321, 241)),
    "portrait": Source("mp4", size=(180, 320)),
    "tiny": Source("mp4", size=(64, 36), picture_db=22.0),
    "large": Source("mp4", size=(1920, 1080), frames=30),
    # sound
    "no-audio": Source("mp4", audio=""),
    "no-audio-webm": Source("webm", video="vp8", audio=""),
    "mono": Source("mp4", channels=1),
    "5.1": Source("mp4", channels=6),
    "5.1-ac3": Source("mkv", audio="ac3", channels=6, slack=3072),
    "7.1": Source("mkv", audio="flac", channels=8),
    "7.1-pcm": Source("mov", audio="pcm", channels=8),
    "8000-hz": Source("mkv", audio="flac", rate=8000),
    "11025-hz": Source("mp4", rate=11025),
    "22050-hz": Source("mp4", rate=22050),
    "44100-hz": Source("mp4", rate=44100),
    "96000-hz": Source("mkv", audio="flac", rate=96000),
    "mp3-in-mp4": Source("mp4", audio="mp3", slack=2304),
    "mp3-in-mkv": Source("mkv", audio="mp3", slack=2304),
    "alac-in-mov": Source("mov", audio="alac"),
    "ac3-in-mp4": Source("mp4", audio="ac3", slack=3072),
    "opus-in-mp4": Source("mp4", audio="opus", slack=1024),
    "vorbis-in-mkv": Source("mkv", audio="vorbis", slack=1024),
    # only sound
    "audio-mp3": Source("mp3", video="", audio="mp3", slack=2304),
    "audio-mp3-cover": Source("mp3", video="cover", audio="mp3", slack=2304),
    "audio-m4a": Source("m4a", video="", audio="aac"),
    "audio-m4a-cover": Source("m4a", video="cover", audio="aac"),
    "audio-wav": Source("wav", video="", audio="pcm"),
    "audio-wav-44100-mono": Source("wav", video="", audio="pcm", rate=44100, channels=1),
    "audio-flac": Source("flac", video="", audio="flac"),
    "audio-flac-cover": Source("flac", video="cover", audio="flac"),
    "audio-ogg": Source("ogg", video="", audio="vorbis", slack=1024),
    "audio-opus": Source("opus", video="", audio="opus", slack=1024),
    "audio-aac": Source("aac", video="", audio="aac", slack=2048),
    # trimmed; what is added comes last, for a source's number is its place
    "edit-list-cut-gops": Source("mp4", frames=60, after="cut_by_edit_list"),
    "edit-list-cut-mov": Source("mov", audio="pcm", frames=60, after="cut_by_edit_list"),
    "edit-list-cut-m4a": Source("m4a", video="", rate=44100, after="cut_by_edit_list"),
    "very-short-audio": Source("mp4", frames=125, after="shorten_audio"),
}

# Every source is another clip to its counter, so that frames of two can never be taken for one another.
CLIP_OF = {name: 300 + i for i, name in enumerate(SOURCES)}


def source(name):
    """The file of one of SOURCES."""
    s = SOURCES[name]
    clip = CLIP_OF[name]
    return _cached(name, s.ext, [dataclasses.asdict(s), clip, VIDEO.get(s.video), AUDIO.get(s.audio)],
                   lambda path, work: _make_source(s, clip, path, work))


@dataclasses.dataclass(frozen=True)
class Facts:
    """What foreign tools see in a source. Times count from the source's first presented time, in seconds."""
    counters: list
    times: list
    bursts: list
    displayed: tuple
    seconds: float


def facts(name):
    """The Facts of one of SOURCES, kept beside the file."""
    path = source(name)
    recipe = [path.name, "facts", 2]

    def make(out, _work):
        s = SOURCES[name]
        info = judge.probe(path)
        found = {"counters": [], "times": [], "bursts": [], "displayed": None,
                 "seconds": float(info["format"].get("duration", 0))}
        if s.video and s.video != "cover":
            read = judge.read_counters(path, judge.BOTTOM, judge.STRIP)
            assert all(c and c[0] == CLIP_OF[name] for c in read), f"{name}: ffmpeg shows {read}"
            found["counters"] = [c[1] for c in read]
            found["times"] = [str(t) for t in judge.source_pts(path)]
            found["displayed"] = [str(v) for v in judge.displayed_size(path)]
            assert len(found["times"]) == len(found["counters"]), name
        if s.audio:
            rate = int(judge.stream(path, "audio")["sample_rate"])
            signal = judge.decode_audio_timed(path)
            for i, t in enumerate(burst_times(s.frames / float(Fraction(s.fps)))):
                position, score = judge.burst_position(signal, burst_number(CLIP_OF[name], i), rate, t, reach_s=1.0)
                # One that an edit list or a shorter track cut away is not there to be heard.
                if score > 0.7:
                    found["bursts"].append([i, position / rate])
        out.write_text(json.dumps(found), encoding="ascii")

    known = json.loads(_cached(f"{name}-facts", "json", recipe, make).read_text(encoding="ascii"))
    return Facts(known["counters"], [Fraction(t) for t in known["times"]], known["bursts"],
                 tuple(Fraction(v) for v in known["displayed"]) if known["displayed"] else None, known["seconds"])


def _make_source(s, clip, path, work):
    num, _, den = s.fps.partition("/")
    seconds = s.frames * int(den or 1) / int(num)
    inputs, maps, outs = [], [], []
    stdin = None
    if s.video == "cover":
        inputs += ["-i", real("chelsea.png")]
        maps += ["-map", "0:v"]
        outs += ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-disposition:v", "attached_pic"]
    elif s.video:
        hold = 2 if "tinterlace" in s.vf else 1
        stdin = _raw_frames(s.size, s.frames, clip, True, hold)
        inputs += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{s.size[0]}x{s.size[1]}", "-r", s.fps, "-i", "-"]
        maps += ["-map", "0:v"]
        outs += VIDEO[s.video].split()
        if s.vf:
            outs += ["-vf", s.vf]
    if s.audio:
        _sound(work / "sound.wav", clip, s.rate, s.channels, seconds)
        maps += ["-map", f"{1 if s.video else 0}:a"]
        inputs += ["-i", work / "sound.wav"]
        outs += AUDIO[s.audio].split() + ["-strict", "-2"]
        if s.audio == "opus" and s.channels > 2:
            outs += ["-mapping_family", "1"]
    else:
        outs += ["-an"]
    ffmpeg(*inputs, *maps, *outs, *s.out.split(), path, stdin=stdin)
    if s.after:
        globals()["_" + s.after](path, work)


def _remux(path, work, *args):
    other = work / ("remuxed" + path.suffix)
    ffmpeg(*args, other)
    os.replace(other, path)


def _rotate_90(path, work):
    _remux(path, work, "-i", path, "-map", "0", "-c", "copy", "-metadata:s:v:0", "rotate=90")


def _rotate_180(path, work):
    _remux(path, work, "-i", path, "-map", "0", "-c", "copy", "-metadata:s:v:0", "rotate=180")


def _rotate_270(path, work):
    _remux(path, work, "-i", path, "-map", "0", "-c", "copy", "-metadata:s:v:0", "rotate=270")


def _set_matrix(path, a, b, c, d, x, y):
    """Writes the display matrix of the video track (ISO 14496-12, 8.3.2): the one tkhd that has a size."""
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd")
    while at >= 0:
        version = data[at + 4]
        matrix = at + 4 + 4 + (32 if version else 20) + 16
        width, height = struct.unpack_from(">II", data, matrix + 36)
        if width and height:
            fixed = [a << 16, b << 16, 0, c << 16, d << 16, 0, x * width, y * height, 1 << 30]
            struct.pack_into(">9i", data, matrix, *fixed)
        at = data.find(b"tkhd", at + 4)
    path.write_bytes(data)


def _mirror_horizontal(path, _work):
    _set_matrix(path, -1, 0, 0, 1, 1, 0)


def _mirror_vertical(path, _work):
    _set_matrix(path, 1, 0, 0, -1, 0, 1)


def _mirror_transpose(path, _work):
    _set_matrix(path, 0, 1, 1, 0, 0, 0)


def _delay_video(path, work):
    _remux(path, work, "-itsoffset", "0.4", "-i", path, "-i", path, "-map", "0:v", "-map", "1:a", "-c", "copy")


def _delay_audio(path, work):
    _remux(path, work, "-i", path, "-itsoffset", "0.32", "-i", path, "-map", "0:v", "-map", "1:a", "-c", "copy")


def _cut_by_edit_list(path, work):
    # The packets from the start of the GOP stay in the file, the edit list hides the first 0.6 s of them.
    _remux(path, work, "-ss", "0.6", "-i", path, "-c", "copy")


def _shorten_audio(path, work):
    _remux(path, work, "-i", path, "-t", "0.7", "-i", path, "-map", "0:v", "-map", "1:a", "-c", "copy")


def _shorten_video(path, work):
    _remux(path, work, "-t", "0.8", "-i", path, "-i", path, "-map", "0:v", "-map", "1:a", "-c", "copy")


# ---------------------------------------------------------------------------------------------------------
# exact clips


VFR = "setpts=(N/{fps}+0.010*sin(N*1.7+{clip}))/TB"


def counter(clip, fps="25", frames=50, size=(320, 180), rate=48000, channels=2, video="h264", audio="aac", ext="mp4",
            vfr=False, out=""):
    """A clip whose whole picture is (clip, frame number) and whose bursts are numbered burst_number(clip, i)."""
    recipe = [clip, fps, frames, size, rate, channels, VIDEO.get(video), AUDIO.get(audio), vfr, out]

    def make(path, work):
        num, _, den = fps.partition("/")
        seconds = frames * int(den or 1) / int(num)
        args = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", fps, "-i", "-"]
        if audio:
            _sound(work / "sound.wav", clip, rate, channels, seconds)
            args += ["-i", work / "sound.wav", *AUDIO[audio].split()]
        args += VIDEO[video].split()
        if vfr:
            args += ["-vf", VFR.format(fps=fps, clip=clip), "-fps_mode", "vfr", "-enc_time_base:v", "1/90000"]
            if ext in ("mp4", "mov"):
                args += ["-video_track_timescale", "90000"]
        ffmpeg(*args, *out.split(), path, stdin=_raw_frames(size, frames, clip, False))

    return _cached(f"counter-{clip}", ext, recipe, make)


PATCHES = [(255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 0, 0), (0, 255, 0), (0, 0, 255),
           (200, 60, 40), (30, 160, 90), (60, 80, 200), (230, 200, 40), (180, 40, 180), (40, 190, 210)]
PATCH_GRID = (4, 3)


def patches(matrix, full_range=False, tagged=True, size=(320, 180), ten_bit=False):
    """Flat patches of known RGB, coded with a matrix ('bt601', 'bt709', 'bt2020') and a range."""
    recipe = [matrix, full_range, tagged, size, ten_bit, PATCHES]
    names = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020nc"}
    primaries = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020"}

    def make(path, _work):
        w, h = size
        image = np.zeros((h, w, 3), np.uint8)
        cols, rows = PATCH_GRID
        for i, rgb in enumerate(PATCHES):
            c, r = i % cols, i // cols
            image[h * r // rows:h * (r + 1) // rows, w * c // cols:w * (c + 1) // cols] = rgb
        out_range = "pc" if full_range else "tv"
        pix_fmt = "yuv420p10le" if ten_bit else "yuv420p"
        tags = []
        if tagged:
            tags = ["-colorspace", names[matrix], "-color_primaries", primaries[matrix], "-color_trc", "bt709"]
        ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}", "-r", "25", "-i", "-", "-vf",
               f"scale=out_color_matrix={matrix}:out_range={out_range}:flags=accurate_rnd+full_chroma_int+bicubic,"
               f"format={pix_fmt}", "-c:v", "libx264", "-preset", "veryfast", "-crf", "4", *tags,
               "-color_range", out_range, path, stdin=image.tobytes() * 20)

    return _cached(f"patches-{matrix}", "mp4", recipe, make)


# ---------------------------------------------------------------------------------------------------------
# broken ones

def _truncate(part):
    def make(path, work):
        whole = work / "whole.mp4"
        ffmpeg("-i", real("hello.mp4"), "-t", "4", "-c", "copy",
               *(["-movflags", "+faststart"] if part == "first" else []), whole)
        data = whole.read_bytes()
        path.write_bytes(data[:len(data) * 6 // 10])
    return make


def _text(path, _work):
    path.write_text("This is not a film.\n" * 500, encoding="ascii")


def _noise(path, _work):
    path.write_bytes(np.random.default_rng(1).bytes(200_000))


def _zero(path, _work):
    path.write_bytes(b"")


def _nulls(path, _work):
    path.write_bytes(b"\0" * 100_000)


def _garbage_packets(path, work):
    """A sound index over packets of noise: it demuxes, and nothing in it decodes."""
    whole = work / "whole.mp4"
    ffmpeg("-i", real("hello.mp4"), "-t", "3", "-map", "0:v", "-c", "copy", whole)
    data = bytearray(whole.read_bytes())
    for kind, at, size in judge.boxes(whole):
        if kind == "mdat":
            data[at + 8:at + size] = np.random.default_rng(2).bytes(size - 8)
    path.write_bytes(data)


def _damaged_middle(path, work):
    """Noise over a twentieth of the packets: most of it still decodes."""
    whole = work / "whole.mp4"
    ffmpeg("-i", real("hello.mp4"), "-t", "4", "-c", "copy", "-movflags", "+faststart", whole)
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle:middle + len(data) // 20] = np.random.default_rng(3).bytes(len(data) // 20)
    path.write_bytes(data)


def _only_header(path, work):
    whole = work / "whole.mp4"
    ffmpeg("-i", real("hello.mp4"), "-t", "2", "-c", "copy", "-movflags", "+faststart", whole)
    mdat = next(b for b in judge.boxes(whole) if b[0] == "mdat")
    path.write_bytes(whole.read_bytes()[:mdat[1] + 8])


def _subtitles_only(path, work):
    (work / "s.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n", encoding="ascii")
    ffmpeg("-i", work / "s.srt", path)


def _unknown_codec(path, work):
    """H.264 under a four-character code nobody knows."""
    whole = work / "whole.mp4"
    ffmpeg("-i", real("hello.mp4"), "-t", "1", "-map", "0:v", "-c", "copy", whole)
    path.write_bytes(whole.read_bytes().replace(b"avc1", b"zzz9"))


BROKEN = {
    "cut-moov-first": ("mp4", _truncate("first")),
    "cut-moov-last": ("mp4", _truncate("last")),
    "text-renamed": ("mp4", _text),
    "random-bytes": ("mp4", _noise),
    "zero-bytes": ("mp4", _zero),
    "nulls": ("mp4", _nulls),
    "garbage-packets": ("mp4", _garbage_packets),
    "damaged-middle": ("mp4", _damaged_middle),
    "only-header": ("mp4", _only_header),
    "subtitles-only": ("mkv", _subtitles_only),
    "unknown-codec": ("mp4", _unknown_codec),
}


def broken(name):
    ext, make = BROKEN[name]
    return _cached(name, ext, [name], make)


if __name__ == "__main__":
    # Makes everything, so that a first test run is not the one that pays for it.
    for each in SOURCES:
        print(source(each))
        facts(each)
    for each in BROKEN:
        print(broken(each))
