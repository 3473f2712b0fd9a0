# SPDX-License-Identifier: LGPL-2.1-or-later
"""What drawing costs a frame: overlaytimeline beside textoverlay and ffmpeg's drawtext, ass and overlay.

All of them read the same raw 1080p I420 frames, decoded once from a real clip, and end in a sink that does nothing. A tool's cost
is what its process takes, less what the same process takes without the filter. That each tool drew something of the same extent is
checked before any figure is printed.
"""

import dataclasses
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import numpy

import measuring
import media
import weft

FPS = 30
FONT = "DejaVu Sans"
TITLE = "Bienvenue à Nice"
CAPTION = ("Three lines of text that say", "what there is to see here,", "and when it is open")
TITLE_SIZE, CAPTION_SIZE, STROKE = 96, 64, 4
# An ASS size is that of the line, ascent and descent, and not of the em; a Pango point is 1/72 inch of 96 pixels.
ASS_PER_PIXEL, POINTS_PER_PIXEL = 1.164, 0.75

# (case, peer): the most that weft may take of it; None stands for milliseconds a frame.
GOALS = {
    ("nothing", None): 0.02,
    ("title", "drawtext"): 0.4,
    ("caption", None): 1.0,
    ("caption", "textoverlay"): 0.2,
    ("caption", "ass"): 0.2,
    ("picture", "overlay"): 0.5,
}
# Instructions are counted between these numbers of frames, so that what a process does once drops out.
COUNTED_FRAMES = (4, 24)
# Passing an untouched frame on is too cheap to be seen beside reading it from a file: there one frame is sent this often.
PASSED_FRAMES = 20000
# Of the luma samples that the tools change: textoverlay's outline is thin, and nothing can be done about it.
MOST_DIFFERENCE_OF_EXTENT = 2


@dataclasses.dataclass
class Scene:
    """Raw frames, and everything that is drawn on them."""

    work: pathlib.Path
    size: tuple
    frames: int

    def __post_init__(self):
        w, h = self.size
        self.scale = h / 1080
        self.frame_bytes = w * h * 3 // 2
        self.raw = self.cut(self.frames, ["-stream_loop", "-1", "-i", media.real("phone.mp4"), "-vf", f"scale={w}:{h},fps={FPS}"])
        self.picture = self.work / "picture.png"
        run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", media.real("photo.jpg"), "-vf",
             f"scale={w}:{h},format=rgba,colorchannelmixer=aa=0.5", "-frames:v", 1, self.picture])
        self.subtitles = self.work / "caption.ass"
        self.subtitles.write_text(self.ass(), encoding="utf-8")

    def cut(self, frames, source):
        path = self.work / f"frames-{frames}.yuv"
        run(["ffmpeg", "-v", "error", "-nostdin", "-y", *source, "-pix_fmt", "yuv420p", "-f", "rawvideo", "-frames:v", frames, path])
        assert path.stat().st_size == frames * self.frame_bytes, f"{path} holds {path.stat().st_size} bytes"
        return path

    def short(self, frames):
        """The first of the frames, in a file of their own."""
        path = self.work / f"frames-{frames}.yuv"
        if not path.exists():
            with open(self.raw, "rb") as whole:
                path.write_bytes(whole.read(frames * self.frame_bytes))
        return path

    def pixels(self, length):
        return round(length * self.scale)

    def ass(self):
        w, h = self.size
        return ("[Script Info]\nScriptType: v4.00+\n"
                f"PlayResX: {w}\nPlayResY: {h}\nScaledBorderAndShadow: yes\n\n[V4+ Styles]\n"
                "Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BorderStyle, Outline, Shadow, Alignment, MarginV\n"
                f"Style: Default,{FONT},{self.pixels(CAPTION_SIZE) * ASS_PER_PIXEL:.1f},&H00FFFFFF,&H00000000,1,{self.pixels(STROKE)},0,2,"
                f"{self.pixels(54)}\n\n[Events]\nFormat: Start, End, Style, Text\n"
                "Dialogue: 0:00:00.00,1:00:00.00,Default," + r"\N".join(CAPTION) + "\n")

    # -- GStreamer

    def gstreamer(self, filter_, raw=None, sink="fakesink"):
        w, h = self.size
        return ["gst-launch-1.0", "-q", "filesrc", f"location={raw or self.raw}", "!", "rawvideoparse", "format=i420", f"width={w}", f"height={h}",
                f"framerate={FPS}/1", "!", *filter_, *sink.split()]

    def repeated(self, filter_):
        w, h = self.size
        return ["gst-launch-1.0", "-q", "filesrc", f"location={self.short(1)}", "!", "rawvideoparse", "format=i420", f"width={w}", f"height={h}",
                f"framerate={FPS}/1", "!", "imagefreeze", f"num-buffers={PASSED_FRAMES}", "!", *filter_, "fakesink"]

    def timeline(self, case):
        w, h = self.size
        text = {"type": "text", "align": "center", "font": {"family": FONT, "stroke": {"width": self.pixels(STROKE)}}}
        item = {"nothing": dict(text, text=TITLE, start=3600),
                "title": dict(text, text=TITLE, position="top", font=dict(text["font"], size=self.pixels(TITLE_SIZE))),
                "caption": dict(text, text="\n".join(CAPTION), position="bottom", font=dict(text["font"], size=self.pixels(CAPTION_SIZE))),
                "picture": {"type": "image", "src": str(self.picture), "x": 0, "y": 0, "width": 1.0}}[case]
        path = self.work / f"{case}.json"
        path.write_text(json.dumps({"width": w, "height": h, "overlays": [item]}), encoding="utf-8")
        return ["overlaytimeline", f"location={path}", "!"]

    def textoverlay(self):
        text = "\n".join(CAPTION)
        return ["textoverlay", f'text="{text}"', f"font-desc={FONT} {self.pixels(CAPTION_SIZE) * POINTS_PER_PIXEL:.0f}", "auto-resize=false",
                "wrap-mode=none", "draw-shadow=false", "valignment=bottom", "line-alignment=center", "!"]

    # -- ffmpeg

    def ffmpeg(self, filter_, raw=None, sink=("-f", "null", "-"), more=()):
        w, h = self.size
        return ["ffmpeg", "-v", "error", "-nostdin", "-y", "-filter_complex_threads", 1, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{w}x{h}",
                "-r", FPS, "-i", raw or self.raw, *more, "-filter_complex", f"[0:v]{filter_}[v]", "-map", "[v]", *sink]

    def drawtext(self):
        return (f"drawtext=text='{TITLE}':font='{FONT}':fontsize={self.pixels(TITLE_SIZE)}:fontcolor=white:borderw={self.pixels(STROKE)}:"
                f"bordercolor=black:x=(w-text_w)/2:y={self.pixels(54)}")


@dataclasses.dataclass
class Tool:
    """How a peer, or weft itself, is run on some frames with its filter and without it."""

    case: str
    name: str
    # Both take a file of raw frames, and a sink where the frames are to be kept.
    drawn: object
    bare: object


def run(command):
    subprocess.run([str(c) for c in command], check=True, stdin=subprocess.DEVNULL, env=weft.environment())


def create_tools(scene):
    def gst(case, name, filter_):
        def command(f):
            return lambda raw=None, keep=None: scene.gstreamer(f, raw, f"filesink location={keep}" if keep else "fakesink")
        return Tool(case, name, command(filter_), command([]))

    def ffmpeg(case, name, filter_, more=()):
        def command(f, inputs):
            return lambda raw=None, keep=None: scene.ffmpeg(
                f, raw, ("-f", "rawvideo", "-pix_fmt", "yuv420p", keep) if keep else ("-f", "null", "-"), inputs)
        return Tool(case, name, command(filter_, more), command("null", ()))

    return [gst("title", "weft", scene.timeline("title")),
            ffmpeg("title", "drawtext", scene.drawtext()),
            gst("caption", "weft", scene.timeline("caption")),
            gst("caption", "textoverlay", scene.textoverlay()),
            ffmpeg("caption", "ass", f"ass={scene.subtitles}"),
            gst("picture", "weft", scene.timeline("picture")),
            ffmpeg("picture", "overlay", "[1:v]overlay", ("-i", scene.picture))]


def count_changed(scene, tool):
    """How many luma samples of the second frame the tool changes."""
    w, h = scene.size
    raw = scene.short(2)
    kept = scene.work / "kept.yuv"
    run(tool.drawn(raw, kept))
    before, after = (numpy.fromfile(p, numpy.uint8)[-scene.frame_bytes:][:w * h].astype(int) for p in (raw, kept))
    assert kept.stat().st_size == 2 * scene.frame_bytes, f"{tool.name} made {kept.stat().st_size} bytes of two frames"
    return int((abs(after - before) > 8).sum())


def check_extents(scene, tools):
    """Refuses to compare tools of which one draws much less than the other."""
    ours, extents = {}, {}
    for tool in tools:
        changed = extents[f"{tool.case}: {tool.name}"] = count_changed(scene, tool)
        if tool.name == "weft":
            ours[tool.case] = changed
        ratio = changed / ours[tool.case]
        if not 1 / MOST_DIFFERENCE_OF_EXTENT < ratio < MOST_DIFFERENCE_OF_EXTENT:
            raise measuring.Failed(f"{tool.case}: {tool.name} changes {changed} samples, weft {ours[tool.case]}: that is not the same work")
    return extents


def count_instructions(command):
    """Those of all threads, by callgrind."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *(str(c) for c in command)],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=weft.environment())
    collected = [line.split()[-1] for line in done.stderr.splitlines() if "Collected :" in line]
    if done.returncode != 0 or not collected:
        raise measuring.Failed(f"valgrind {command[0]}: {done.stderr[-600:]}")
    return int(collected[0])


def count_per_frame(scene, tools):
    """{(case, tool): instructions a frame}; what is common to the runs with the filter and without it is counted once."""
    few, many = COUNTED_FRAMES
    bare = {}

    def slope(command):
        return (count_instructions(command(scene.short(many))) - count_instructions(command(scene.short(few)))) / (many - few)

    found = {}
    for tool in tools:
        kind = tool.bare()[0]
        if kind not in bare:
            bare[kind] = slope(tool.bare)
        found[tool.case, tool.name] = slope(tool.drawn) - bare[kind]
    return found


def measure_all(scene, tools, times):
    """{(case, tool): ms a frame}, and how far the repetitions lie apart."""
    env = weft.environment()
    commands = {("nothing", "weft"): scene.repeated(scene.timeline("nothing")), ("bare", "nothing"): scene.repeated([])}
    bare = {("nothing", "weft"): ("bare", "nothing")}
    frames = {("nothing", "weft"): PASSED_FRAMES}
    for tool in tools:
        key, base = (tool.case, tool.name), ("bare", tool.bare()[0])
        commands[key], commands[base] = tool.drawn(), tool.bare()
        bare[key], frames[key] = base, scene.frames
    runs = {"/".join(key): lambda command=command: measuring.measure(command, env=env) for key, command in commands.items()}
    costs, failed = measuring.repeat(runs, times, True)
    found = {}
    for key, base in bare.items():
        if "/".join(key) in costs and "/".join(base) in costs:
            # Both of one turn: what disturbs the machine for a minute is in both.
            pairs = zip(costs["/".join(key)], costs["/".join(base)])
            ms = [(drawn.cpu - without.cpu) * 1000 / frames[key] for drawn, without in pairs]
            found[key] = {"ms": statistics.median(ms), "runs_ms": ms}
    return found, failed


def judge(figures):
    verdicts = []
    for (case, peer), goal in GOALS.items():
        ours, theirs = figures.get((case, "weft")), figures.get((case, peer))
        if ours is None or (peer is not None and theirs is None):
            continue
        value = ours["ms"] if peer is None else ours["ms"] / theirs["ms"]
        verdicts.append({"what": f"{case}: {'ms a frame' if peer is None else 'cpu'}", "against": peer, "ratio": round(value, 4), "goal": goal,
                         "reached": value <= goal})
    return verdicts


def table(scene, figures, goals):
    print(f"\noverlay: CPU a frame, {scene.size[0]}x{scene.size[1]} I420, {scene.frames} frames")
    print(f"  {'':<10}{'':<14}{'ms':>9}{'M instr.':>11}   weft to it: ms, instr. (goal)")
    for (case, name), f in figures.items():
        counted = f.get("instructions")
        line = f"  {case:<10}{name:<14}{f['ms']:>9.4f}" + (f"{counted / 1e6:>11.3f}" if counted is not None else f"{'':>11}")
        ours = figures.get((case, "weft"))
        if name != "weft" and ours:
            line += f"   {ours['ms'] / f['ms']:.3f}" + (f", {ours['instructions'] / counted:.3f}" if counted else "")
        for g in goals:
            if g["what"].startswith(case + ":") and (g["against"] == name or (g["against"] is None and name == "weft")):
                line += f"   {'<=' if g['reached'] else '> '} {g['goal']}" + (" ms" if g["against"] is None else "")
        print(line)


def bench(args):
    size, frames = ((320, 180), 30) if args.quick else ((1920, 1080), 300)
    notes = []
    with tempfile.TemporaryDirectory(prefix="weft-bench-", dir=args.work) as folder:
        scene = Scene(pathlib.Path(folder), size, frames)
        tools = create_tools(scene)
        if args.only:
            tools = [t for t in tools if t.name in ("weft", *args.only.split(","))]
        extents = check_extents(scene, tools)
        figures, failed = measure_all(scene, tools, args.repeat)
        if args.quick or not shutil.which("valgrind"):
            notes.append("no instructions were counted: " + ("that is not quick" if args.quick else "valgrind is not installed"))
        else:
            for key, count in count_per_frame(scene, tools).items():
                figures.get(key, {})["instructions"] = count
        goals = judge(figures)
        table(scene, figures, goals)
        for note in notes:
            print(f"  note: {note}")
        return {"figures": {"/".join(k): v for k, v in figures.items()}, "extents": extents, "failed": failed, "notes": notes, "goals": goals,
                "frames": frames, "size": size}
