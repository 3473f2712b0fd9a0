#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures Weft against the tools one would use instead, on the same job, in one run on one machine.

    bench.py [reel] [frames] [ladder] [clips] [overlay] [--json FILE] [--quick] [--repeat N] [--only TOOL,TOOL]

Every tool reads the same real clips and makes the same frames with the same x264 settings. What came out is checked
before any figure is printed: the frame count, and that x264 was really given the same options (it writes them into
the stream). Repetitions are interleaved, so that a busy minute hits all tools; figures are medians.
docs/design/0008-benchmarks.md says what is measured and why it is fair.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import judge  # noqa: E402
import media  # noqa: E402
import overlay  # noqa: E402
import weft  # noqa: E402
from measuring import Failed, machine, measure, medians, plain_environment, repeat  # noqa: E402

FONT = "DejaVu Sans"
PRESET, CRF = "fast", 23

# What is promised. (bench, what, against): the ratio it may not exceed.
GOALS = {
    ("reel", "wall", "ffmpeg"): 0.90,
    ("reel", "cpu", "ffmpeg"): 0.92,
    ("reel", "wall", "ffmpeg-usual"): 0.90,
    ("reel", "cpu", "ffmpeg-usual"): 0.92,
    ("reel", "cpu", "x264 alone"): 1.09,
    ("reel", "wall", "chain"): 0.48,
    ("reel", "rss", "ffmpeg"): 0.80,
    ("ladder", "wall", "ffmpeg"): 0.88,
    ("ladder", "wall", "ffmpeg-usual"): 0.88,
}
GOAL_RSS_OF_MANY_CLIPS = 1.10


# ---------------------------------------------------------------------------------------------------------
# the reel: five real clips, titles, a logo


@dataclasses.dataclass
class Piece:
    name: str
    start: float
    length: float


@dataclasses.dataclass
class Title:
    text: str
    start: float
    end: float
    size: int
    # Its centre, as a fraction of the height.
    y: float
    stroke: int = 0
    box: bool = False
    shadow: bool = False


class Reel:
    """One description, from which every tool's own commands are written."""

    def __init__(self, size=(1080, 1920), seconds=30, rates=((1080, 1920),)):
        k = seconds / 30
        self.size, self.fps, self.seconds, self.ladder = size, 30, seconds, rates
        self.frames = round(seconds * self.fps)
        # In whole frames, so that every tool's own rounding comes to the same.
        shares = [("phone.mp4", 0, 45), ("hello.mp4", 0, 240), ("cockatoo.mp4", 2, 240), ("realshort.mp4", 0, 33)]
        self.pieces = [Piece(n, start, round(frames * k) / self.fps) for n, start, frames in shares]
        left = self.frames - sum(round(p.length * self.fps) for p in self.pieces)
        self.pieces.append(Piece("together.mp4", 20, left / self.fps))
        scale = size[0] / 1080
        self.titles = [
            Title("Bienvenue à Nice", 0, 4 * k, round(96 * scale), 0.14, stroke=round(4 * scale)),
            Title("Spa & piscine", 5 * k, 10 * k, round(72 * scale), 0.72, box=True),
            Title("Three lines of text that say\nwhat there is to see here,\nand when it is open", 11 * k, 18 * k, round(56 * scale), 0.76,
                  stroke=round(3 * scale), box=True),
            Title("Book now", 20 * k, 30 * k, round(110 * scale), 0.2, stroke=round(5 * scale), shadow=True)]
        self.logo = media.real("debian-logo.png")
        self.logo_width = 0.15

    def path(self, piece):
        return media.real(piece.name)

    # -- Weft

    def job(self, out, quality=CRF, speed=PRESET, bitrate=None, sizes=None):
        overlays = []
        for t in self.titles:
            font = {"family": FONT, "size": t.size, "color": "#FFFFFF"}
            if t.stroke:
                font["stroke"] = {"color": "#000000", "width": t.stroke}
            if t.shadow:
                font["shadow"] = {"color": "#000000", "dx": 4, "dy": 4, "blur": 0}
            overlay = {"type": "text", "text": t.text, "start": t.start, "end": t.end, "font": font, "position": "top", "y": t.y}
            if t.box:
                overlay["background"] = {"color": "#00000080", "padding": 24}
            overlays.append(overlay)
        overlays.append({"type": "image", "src": str(self.logo), "position": "bottom-right", "width": self.logo_width, "opacity": 0.8})
        video = {"speed": speed, **({"bitrate": bitrate} if bitrate else {"quality": quality})}
        return {"version": 1,
                "timeline": {"width": self.size[0], "height": self.size[1], "fps": self.fps, "overlays": overlays,
                             "clips": [{"src": str(self.path(p)), "in": p.start, "duration": round(p.length, 6), "fit": "cover"} for p in self.pieces]},
                "outputs": [{"id": f"o{i}", "uri": str(pathlib.Path(out) / f"weft-{i}.mp4"), "width": w, "height": h, "video": video,
                             "audio": {"codec": "aac", "bitrate": 128000}} for i, (w, h) in enumerate(sizes or self.ladder)]}

    # -- ffmpeg

    def inputs(self):
        args = []
        for p in self.pieces:
            # Input seeking: nothing is decoded that is not shown.
            args += ["-ss", p.start, "-t", p.length, "-i", self.path(p)]
        return args

    def cover(self):
        """Crop, then scale: only what is shown is scaled."""
        w, h = self.size
        return f"crop='min(iw,ih*{w}/{h})':'min(ih,iw*{h}/{w})',scale={w}:{h}:flags=bicubic,setsar=1,format=yuv420p"

    def cover_as_usual(self):
        """What one finds everywhere: scale past the frame, then crop."""
        w, h = self.size
        return f"scale={w}:{h}:force_original_aspect_ratio=increase,crop={w}:{h},setsar=1,format=yuv420p"

    def drawtexts(self, folder):
        chain = []
        for i, t in enumerate(self.titles):
            text = pathlib.Path(folder) / f"title-{i}.txt"
            text.write_text(t.text, encoding="utf-8")
            options = [f"textfile={text}", f"font='{FONT}'", "fontcolor=white", f"fontsize={t.size}", "x=(w-text_w)/2", f"y=h*{t.y}",
                       f"enable='between(t,{t.start},{t.end})'"]
            if t.stroke:
                options += [f"borderw={t.stroke}", "bordercolor=black"]
            if t.shadow:
                options += ["shadowx=4", "shadowy=4", "shadowcolor=black"]
            if t.box:
                options += ["box=1", "boxcolor=black@0.5", "boxborderw=24"]
            chain.append("drawtext=" + ":".join(options))
        return ",".join(chain)

    def logo_filter(self, n):
        w = round(self.size[0] * self.logo_width)
        margin = round(0.05 * min(self.size))
        return (f"[{n}:v]scale={w}:-1,format=yuva420p,colorchannelmixer=aa=0.8[logo]",
                f"overlay=W-w-{margin}:H-h-{margin}")

    @staticmethod
    def x264(quality=CRF, bitrate=None, speed=PRESET):
        rate = ["-b:v", bitrate] if bitrate else ["-crf", quality]
        return ["-c:v", "libx264", "-preset", speed, *rate, "-pix_fmt", "yuv420p"]

    def ffmpeg(self, out, folder, cover, quality=CRF, speed=PRESET, bitrate=None, sizes=None):
        """One command: everything decoded, drawn and encoded in one process."""
        sizes = sizes or self.ladder
        graph = []
        for i in range(len(self.pieces)):
            # Frames are dropped or doubled before they are scaled, not after; the last one fills the slot.
            frames = round(self.pieces[i].length * self.fps)
            graph.append(f"[{i}:v]fps={self.fps}:start_time=0,{cover},tpad=stop=-1:stop_mode=clone,trim=end_frame={frames}[v{i}]")
            graph.append(f"[{i}:a]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo:sample_fmts=fltp,apad,"
                         f"atrim=end_sample={round(frames * 48000 / self.fps)}[a{i}]")
        n = len(self.pieces)
        graph.append("".join(f"[v{i}][a{i}]" for i in range(n)) + f"concat=n={n}:v=1:a=1[joined][sound]")
        graph += self.drawn(folder)
        maps = []
        if len(sizes) > 1:
            graph[-1] = graph[-1][:-len("[s0]")] + ",split=2[s0][l0]"
            for i, (w, h) in enumerate(sizes[1:], 1):
                more = f"split=2[s{i}][l{i}]" if i + 1 < len(sizes) else f"null[s{i}]"
                graph.append(f"[l{i - 1}]scale={w}:{h}:flags=bicubic,{more}")
        sounds = [f"[t{i}]" for i in range(len(sizes))]
        graph.append("[sound]" + (f"asplit={len(sizes)}" if len(sizes) > 1 else "anull") + "".join(sounds))
        for i in range(len(sizes)):
            maps += ["-map", f"[s{i}]", "-map", f"[t{i}]", *self.x264(quality, bitrate, speed), "-c:a", "aac", "-b:a", "128k",
                     "-movflags", "+faststart", pathlib.Path(out) / f"ffmpeg-{i}.mp4"]
        return ["ffmpeg", "-v", "error", "-nostdin", "-y", *self.inputs(), "-i", self.logo, "-filter_complex", ";".join(graph), *maps]

    def drawn(self, folder):
        """The titles and the logo, from [joined] to [s0]."""
        logo, overlay = self.logo_filter(len(self.pieces))
        return [logo, f"[joined]{self.drawtexts(folder)}[titled]", f"[titled][logo]{overlay},format=yuv420p[s0]"]

    def ffmpeg_frames(self, folder, cover):
        """The frames alone: nothing is heard, nothing encoded."""
        graph = [f"[{i}:v]fps={self.fps}:start_time=0,{cover},tpad=stop=-1:stop_mode=clone,trim=end_frame={round(p.length * self.fps)}[v{i}]"
                 for i, p in enumerate(self.pieces)]
        graph.append("".join(f"[v{i}]" for i in range(len(self.pieces))) + f"concat=n={len(self.pieces)}[joined]")
        return ["ffmpeg", "-v", "error", "-nostdin", "-y", *self.inputs(), "-i", self.logo, "-filter_complex",
                ";".join(graph + self.drawn(folder)), "-map", "[s0]", "-c:v", "wrapped_avframe", "-f", "null", "-"]

    def frames_job(self, out):
        """The same for Weft: a picture of the last frame, for which every one before it is made, too."""
        job = self.job(out)
        job["outputs"] = [{"type": "thumbnail", "uri": str(pathlib.Path(out) / "last.jpg"), "at": (self.frames - 0.5) / self.fps}]
        return job

    def chain(self, out, folder):
        """Normalise each clip, join the files, encode everything again to draw on it."""
        commands, names = [], []
        for i, p in enumerate(self.pieces):
            name = pathlib.Path(folder) / f"normal-{i}.mp4"
            names.append(name)
            frames = round(p.length * self.fps)
            commands.append(["ffmpeg", "-v", "error", "-nostdin", "-y", "-ss", p.start, "-t", p.length, "-i", self.path(p), "-vf",
                             f"fps={self.fps}:start_time=0,{self.cover()},tpad=stop=-1:stop_mode=clone,trim=end_frame={frames}", "-af",
                             f"aresample=48000:async=1:first_pts=0,apad,atrim=end_sample={round(frames * 48000 / self.fps)}", "-ac", "2",
                             *self.x264(), "-c:a", "aac", "-b:a", "128k", name])
        listing = pathlib.Path(folder) / "list.txt"
        listing.write_text("".join(f"file '{n}'\n" for n in names), encoding="utf-8")
        joined = pathlib.Path(folder) / "joined.mp4"
        commands.append(["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", joined])
        logo, overlay = self.logo_filter(1)
        commands.append(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", joined, "-i", self.logo, "-filter_complex",
                         f"{logo};[0:v]{self.drawtexts(folder)}[t];[t][logo]{overlay},format=yuv420p[v]", "-map", "[v]", "-map", "0:a",
                         *self.x264(), "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", pathlib.Path(out) / "chain-0.mp4"])
        return commands

    # -- melt

    def melt(self, out, folder):
        profile = pathlib.Path(folder) / "profile"
        w, h = self.size
        profile.write_text(f"description=reel\nframe_rate_num={self.fps}\nframe_rate_den=1\nwidth={w}\nheight={h}\nprogressive=1\n"
                           f"sample_aspect_num=1\nsample_aspect_den=1\ndisplay_aspect_num={w}\ndisplay_aspect_den={h}\ncolorspace=709\n",
                           encoding="ascii")
        command = ["melt", "-silent", "-profile", profile]
        for p in self.pieces:
            first = round(p.start * self.fps)
            command += [self.path(p), f"in={first}", f"out={first + round(p.length * self.fps) - 1}", "-attach", "crop", "center=1"]
        for t in self.titles:
            command += ["-filter", "dynamictext", f"argument={t.text}", f"family={FONT}", f"size={t.size}", "fgcolour=#ffffff",
                        "halign=center", "valign=top", f"geometry=0/{round(self.size[1] * t.y)}:{w}x{h}:100",
                        f"in={round(t.start * self.fps)}", f"out={round(t.end * self.fps) - 1}"]
            if t.stroke:
                command += ["olcolour=#000000", f"outline={t.stroke}"]
            if t.box:
                command += ["bgcolour=#80000000", "pad=24"]
        command += ["-filter", "watermark", f"resource={self.logo}",
                    f"composite.geometry={w - round(w * self.logo_width) - 54}/{h - 200}:{round(w * self.logo_width)}x146:80"]
        command += ["-consumer", f"avformat:{pathlib.Path(out) / 'melt-0.mp4'}", "vcodec=libx264", f"preset={PRESET}", f"crf={CRF}", "g=250",
                    "bf=3", "acodec=aac", "ab=128k", "ar=48000", "channels=2", "movflags=+faststart", f"real_time=-{os.cpu_count()}", "terminate_on_pause=1"]
        return command

    # -- ges-launch-1.0: it has no cover and no stroke; what it can do is measured, and said so

    def ges(self, out):
        w, h = self.size
        command = ["ges-launch-1.0"]
        for p in self.pieces:
            command += ["+clip", self.path(p).as_uri(), f"inpoint={p.start}", f"duration={p.length:.6f}", "layer=1"]
        for t in self.titles:
            command += ["+title", t.text, f"start={t.start}", f"duration={t.end - t.start}", "layer=0"]
        command += ["-o", (pathlib.Path(out) / "ges-0.mp4").as_uri(), "-f",
                    f"video/quicktime,variant=iso:video/x-raw,width={w},height={h},framerate={self.fps}/1->video/x-h264:audio/mpeg,mpegversion=4"]
        return command


# ---------------------------------------------------------------------------------------------------------
# tools: name -> function that does the whole job once and returns its Cost


def run_weft(job, work, name="job.json"):
    path = weft.write_job(work, job, name)
    return measure([weft.binary(), "run", path, "--events", "none"], env=weft.environment())


def x264_options(path):
    """The options x264 says it ran with, from the SEI it puts in front."""
    found = re.search(rb"x264 - core (\d+).{0,200}?options: ([ -~]+)", path.read_bytes()[:4_000_000], re.S)
    return dict(o.partition("=")[::2] for o in found[2].decode().split()) if found else None


def differing_options(a, b):
    if a is None or b is None:
        return ["one of them has no x264 options in it"]
    # threads follow the picture's height and the machine, in both alike; what they say is not quality.
    return [f"{k}: {a.get(k)} / {b.get(k)}" for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k)]


def table(bench, figures, notes):
    print(f"\n{bench}")
    print(f"  {'':<14}{'wall s':>9}{'cpu s':>9}{'MiB':>8}   {'wall':>6}{'cpu':>7}{'rss':>7}   ratio of weft to it (goal)")
    ours, floor = figures.get("weft"), figures.get("x264 alone")
    verdicts = []
    for name, f in figures.items():
        line = f"  {name:<14}{f['wall']:>9.2f}{f['cpu']:>9.2f}{f['rss'] / 2**20:>8.0f}"
        if ours and name != "weft":
            ratios = {what: ours[what] / f[what] for what in ("wall", "cpu", "rss")}
            line += f"   {ratios['wall']:>6.3f}{ratios['cpu']:>7.3f}{ratios['rss']:>7.3f}"
            for what in ("wall", "cpu", "rss"):
                goal = GOALS.get((bench, what, name))
                if goal:
                    verdict = {"what": what, "against": name, "ratio": round(ratios[what], 4), "goal": goal, "reached": ratios[what] <= goal}
                    verdicts.append(verdict)
                    line += f"  {what} {ratios[what]:.3f} {'<=' if verdict['reached'] else '> '} {goal:.2f}"
        if floor and f is not floor:
            line += f"  [cpu {f['cpu'] / floor['cpu']:.3f} of x264 alone]"
        print(line)
    for note in notes:
        print(f"  note: {note}")
    return verdicts


def check_outputs(reel, work, tool, sizes, notes, slack=0):
    for i, size in enumerate(sizes):
        path = work / f"{tool}-{i}.mp4"
        s = judge.stream(path, "video")
        frames = judge.count_frames(path)
        if (s["width"], s["height"]) != tuple(size) or abs(frames - reel.frames) > slack:
            raise AssertionError(f"{path.name} is {s['width']}x{s['height']} with {frames} frames, not {size} with {reel.frames}")
        if frames != reel.frames:
            notes.append(f"{tool} made {frames} frames of {reel.frames}")


def one_pass(tool, make, reel, work, sizes, notes, checked, slack=0):
    """A tool of one or several commands; its output is checked after its first run."""
    def run():
        cost = None
        for command in make():
            c = measure(command, env=plain_environment())
            cost = c if cost is None else cost + c
        if tool not in checked:
            check_outputs(reel, work, tool, sizes, notes, slack)
            checked.add(tool)
        return cost
    return run


def raw_frames_of_weft(reel, work):
    """Our own frames, exactly: encoded without loss, decoded to a file of planes."""
    run_weft(reel.job(work, quality=0, speed="ultrafast", sizes=[reel.size]), work, "lossless.json")
    raw = work / "frames.yuv"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", work / "weft-0.mp4", "-fps_mode", "passthrough", "-f", "rawvideo",
                    "-pix_fmt", "yuv420p", raw], check=True)
    expected = reel.frames * reel.size[0] * reel.size[1] * 3 // 2
    assert raw.stat().st_size == expected, f"{raw.stat().st_size} bytes of raw frames, not {expected}"
    return raw


def floor_command(reel, raw):
    w, h = reel.size
    command = ["x264", "--quiet", "--no-progress", "--demuxer", "raw", "--input-csp", "i420", "--input-res", f"{w}x{h}", "--fps", str(reel.fps),
               "--preset", PRESET, "--crf", CRF, "-o", "/dev/null", "--muxer", "raw", raw]
    return command


def bench_reel(args, name="reel"):
    small = args.quick
    size = (270, 480) if small else (1080, 1920)
    seconds = 6 if small else 30
    sizes = {"reel": [size], "ladder": [size, (180, 320), (120, 212)] if small else [size, (720, 1280), (480, 854)]}[name]
    reel = Reel(size, seconds, sizes)
    notes, checked = [], set()
    with tempfile.TemporaryDirectory(prefix="weft-bench-", dir=args.work) as folder:
        work = pathlib.Path(folder)

        def run_ours():
            cost = run_weft(reel.job(work, sizes=sizes), work)
            if "weft" not in checked:
                check_outputs(reel, work, "weft", sizes, notes)
                checked.add("weft")
            return cost

        tools = {"weft": run_ours,
                 "ffmpeg": one_pass("ffmpeg", lambda: [reel.ffmpeg(work, work, reel.cover(), sizes=sizes)], reel, work, sizes, notes, checked),
                 "ffmpeg-usual": one_pass("ffmpeg", lambda: [reel.ffmpeg(work, work, reel.cover_as_usual(), sizes=sizes)], reel, work, sizes, notes, checked)}
        if name == "reel":
            # Its joins add up the padding of each file's last AAC frame: the chain makes a few frames more.
            tools["chain"] = one_pass("chain", lambda: reel.chain(work, work), reel, work, sizes, notes, checked, slack=len(reel.pieces))
            if shutil.which("melt"):
                tools["melt"] = one_pass("melt", lambda: [reel.melt(work, work)], reel, work, sizes, notes, checked, slack=2)
            if shutil.which("ges-launch-1.0"):
                tools["ges"] = one_pass("ges", lambda: [reel.ges(work)], reel, work, sizes, notes, checked, slack=2)
                notes.append("ges-launch-1.0 has no cover, stroke, box or quality setting: it does less than the others")
            if shutil.which("x264") and (not args.only or "x264 alone" in args.only.split(",")):
                raw = raw_frames_of_weft(reel, work)
                tools["x264 alone"] = lambda: measure(floor_command(reel, raw))
        if args.only:
            tools = {n: t for n, t in tools.items() if n in args.only.split(",")}
        costs, failed = repeat(tools, args.repeat, False)
        if {"weft", "ffmpeg"} <= set(costs):
            for i in range(len(sizes)):
                differing = differing_options(x264_options(work / f"weft-{i}.mp4"), x264_options(work / f"ffmpeg-{i}.mp4"))
                if differing:
                    notes.append(f"x264 options differ (weft / ffmpeg), output {i}: {', '.join(differing)}")
            notes.append(f"bytes: weft {[(work / f'weft-{i}.mp4').stat().st_size for i in range(len(sizes))]}, "
                         f"ffmpeg {[(work / f'ffmpeg-{i}.mp4').stat().st_size for i in range(len(sizes))]}")
        figures = medians(costs)
        result = {"figures": figures, "failed": failed, "notes": notes, "frames": reel.frames, "size": size}
        if name == "reel" and not args.only:
            result["ssim"] = equal_bitrate(reel, work, notes)
        result["goals"] = table(name, figures, notes)
        for tool, why in failed.items():
            print(f"  {tool} could not do the job: {why.splitlines()[0]}")
        return result


def bench_frames(args):
    """What is left of the reel when nothing is encoded: decoding, framing, drawing."""
    reel = Reel((270, 480) if args.quick else (1080, 1920), 6 if args.quick else 30)
    with tempfile.TemporaryDirectory(prefix="weft-bench-", dir=args.work) as folder:
        work = pathlib.Path(folder)
        tools = {"weft": lambda: run_weft(reel.frames_job(work), work),
                 "ffmpeg": lambda: measure(reel.ffmpeg_frames(work, reel.cover()), env=plain_environment()),
                 "ffmpeg-usual": lambda: measure(reel.ffmpeg_frames(work, reel.cover_as_usual()), env=plain_environment())}
        if args.only:
            tools = {n: t for n, t in tools.items() if n in args.only.split(",")}
        costs, failed = repeat(tools, args.repeat, False)
        figures = medians(costs)
        notes = ["Weft also converts BT.601 sources to the timeline's BT.709; the ffmpeg commands leave them as they are"]
        return {"figures": figures, "failed": failed, "notes": notes, "frames": reel.frames, "goals": table("frames", figures, notes)}


def equal_bitrate(reel, work, notes):
    """SSIM of both at one mean bit rate, each against the frames it was given itself, which are taken without loss."""
    bitrate = round(4_000_000 * reel.size[0] * reel.size[1] / (1080 * 1920))
    found, options = {}, {}
    for tool in ("weft", "ffmpeg"):
        lossless = work / f"{tool}-lossless.mp4"
        if tool == "weft":
            run_weft(reel.job(work, quality=0, speed="ultrafast", sizes=[reel.size]), work, "l.json")
            os.replace(work / "weft-0.mp4", lossless)
            run_weft(reel.job(work, bitrate=bitrate, sizes=[reel.size]), work, "b.json")
        else:
            measure(reel.ffmpeg(work, work, reel.cover(), quality=0, speed="ultrafast", sizes=[reel.size]))
            os.replace(work / "ffmpeg-0.mp4", lossless)
            measure(reel.ffmpeg(work, work, reel.cover(), bitrate=bitrate, sizes=[reel.size]))
        made = work / f"{tool}-0.mp4"
        s = judge.stream(made, "video")
        options[tool] = x264_options(made)
        found[tool] = {"ssim": judge.ssim(made, ["-i", lossless]), "bit_rate": int(s["bit_rate"])}
    differing = differing_options(options["weft"], options["ffmpeg"])
    if differing:
        notes.append(f"at equal bitrate x264 options differ (weft / ffmpeg): {', '.join(differing)}")
    notes.append("SSIM at equal bitrate: " + ", ".join(f"{t} {f['ssim']:.4f} at {f['bit_rate'] / 1e6:.2f} Mbit/s" for t, f in found.items()))
    return found


# ---------------------------------------------------------------------------------------------------------
# clips: how cost and memory grow with their number


def bench_clips(args):
    counts = (4, 12) if args.quick else (4, 40, 400)
    size, each = (640, 360), 0.5
    # Four kinds, so that four clips hold what four hundred do.
    names = ("hello.mp4", "cockatoo.mp4", "phone.mp4", "together.mp4")
    results, notes = {}, []
    with tempfile.TemporaryDirectory(prefix="weft-bench-", dir=args.work) as folder:
        work = pathlib.Path(folder)
        for count in counts:
            clips = [(media.real(names[i % len(names)]), round(0.07 * (i % 9), 2)) for i in range(count)]
            frames = round(count * each * 30)
            job = {"version": 1, "timeline": {"width": size[0], "height": size[1], "fps": 30,
                                              "clips": [{"src": str(p), "in": s, "duration": each} for p, s in clips]},
                   "outputs": [{"id": "o", "uri": str(work / "weft-0.mp4"), "video": {"speed": PRESET, "quality": CRF}}]}
            command = ["ffmpeg", "-v", "error", "-nostdin", "-y"]
            graph = []
            for i, (path, start) in enumerate(clips):
                command += ["-ss", start, "-t", each, "-i", path]
                graph.append(f"[{i}:v]fps=30:start_time=0,crop='min(iw,ih*16/9)':'min(ih,iw*9/16)',scale={size[0]}:{size[1]}:flags=bicubic,setsar=1,format=yuv420p,"
                             f"tpad=stop=-1:stop_mode=clone,trim=end_frame={round(each * 30)}[v{i}]")
                graph.append(f"[{i}:a]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo:sample_fmts=fltp,apad,atrim=end_sample={round(each * 48000)}[a{i}]")
            graph.append("".join(f"[v{i}][a{i}]" for i in range(count)) + f"concat=n={count}:v=1:a=1[v][a]")
            script = work / "graph.txt"
            script.write_text(";".join(graph), encoding="utf-8")
            command += ["-filter_complex_script", script, "-map", "[v]", "-map", "[a]", *Reel.x264(), "-c:a", "aac", "-b:a", "128k",
                        "-movflags", "+faststart", work / "ffmpeg-0.mp4"]
            tools = {"weft": lambda job=job: run_weft(job, work), "ffmpeg": lambda command=command: measure(command, env=plain_environment())}
            if args.only:
                tools = {n: t for n, t in tools.items() if n in args.only.split(",")}
            costs, failed = repeat(tools, 1 if count > 100 else args.repeat, False)
            for tool in costs:
                made = judge.count_frames(work / f"{tool}-0.mp4")
                if made != frames:
                    raise Failed(f"{tool} made {made} frames of {frames} from {count} clips")
            results[count] = {"figures": medians(costs), "failed": failed}
            table(f"clips: {count}", results[count]["figures"], [f"{t} could not do it: {w.splitlines()[0]}" for t, w in failed.items()])
    goals = []
    if all("weft" in results[c]["figures"] for c in counts):
        ratio = results[counts[-1]]["figures"]["weft"]["rss"] / results[counts[0]]["figures"]["weft"]["rss"]
        goals.append({"what": "rss", "against": f"{counts[0]} clips", "ratio": round(ratio, 4), "goal": GOAL_RSS_OF_MANY_CLIPS,
                      "reached": ratio <= GOAL_RSS_OF_MANY_CLIPS})
        print(f"  peak memory of {counts[-1]} clips / of {counts[0]}: {ratio:.3f} (goal {GOAL_RSS_OF_MANY_CLIPS})")
    return {"counts": results, "notes": notes, "goals": goals}


BENCHES = {"reel": bench_reel, "frames": bench_frames, "ladder": lambda args: bench_reel(args, "ladder"), "clips": bench_clips, "overlay": overlay.bench}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or several of {', '.join(BENCHES)}; all if none is named")
    parser.add_argument("--json", metavar="FILE", help="write every figure, the machine and the notes")
    parser.add_argument("--quick", action="store_true", help="a small picture and a few seconds: whether it works, not how fast it is")
    parser.add_argument("--repeat", type=int, help="repetitions of each tool (5; with --quick 1)")
    parser.add_argument("--only", metavar="TOOLS", help="only these tools, separated by commas")
    parser.add_argument("--work", metavar="DIR", help="where the files are made (needs 12 GB for the reel; default: the temporary folder)")
    args = parser.parse_args()
    args.repeat = args.repeat or (1 if args.quick else 5)
    unknown = set(args.names) - set(BENCHES)
    if unknown:
        parser.error(f"no bench is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")

    report = {"machine": machine(), "quick": args.quick, "repeat": args.repeat, "benches": {}}
    if report["machine"]["load_before"] > 0.5:
        print(f"the machine is not quiet (load {report['machine']['load_before']:.1f}): these figures are noise", file=sys.stderr)
    status = 0
    for name in args.names or BENCHES:
        print(f"{name}: {args.repeat} repetitions", file=sys.stderr)
        report["benches"][name] = BENCHES[name](args)
        # In a smoke run of a few seconds only that everything works is judged.
        if "weft" in report["benches"][name].get("failed", {}):
            status = 1
        if not args.quick and not all(g["reached"] for g in report["benches"][name]["goals"]):
            status = max(status, 3)
    report["machine"]["load_after"] = os.getloadavg()[0]
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
