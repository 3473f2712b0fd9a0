#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many jobs for a long time: what a short test cannot see.

    soak.py [kills] [clips] [hang] [hostile] [--count N] [--minutes N] [--seed N]

kills    N random SIGINT, SIGTERM and SIGKILL at random moments (100)
clips    N odd-length clips of mixed frame rates and sample rates in one timeline: no drift at all (400)
hang     every combination of look-ahead, outputs and clip length, each with a deadline; in random order, so that
         --count or --minutes takes a fair sample
hostile  every hostile document through `run`, and N random mutations of good ones (400)

The seed is printed; the same seed gives the same run. Exit 1 if anything was wrong.
"""

import argparse
import copy
import itertools
import json
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import hostile as documents  # noqa: E402
import judge  # noqa: E402
import media  # noqa: E402
import servers  # noqa: E402
import weft  # noqa: E402


class Tally:
    """Counts what went right, keeps what went wrong."""

    def __init__(self, name):
        self.name, self.right, self.wrong, self.began = name, 0, [], time.monotonic()

    def check(self, what, condition, detail=""):
        if condition:
            self.right += 1
        else:
            self.wrong.append(f"{what}: {detail}")
            print(f"  WRONG {what}: {str(detail)[:600]}", flush=True)

    def attempt(self, what, function):
        try:
            function()
            self.right += 1
        except Exception as error:  # noqa: BLE001  one bad case must not end an hour of others
            self.wrong.append(f"{what}: {error}")
            print(f"  WRONG {what}: {str(error)[:900]}", flush=True)

    def end(self, of=""):
        print(f"{self.name}: {self.right} right, {len(self.wrong)} wrong{of}, {time.monotonic() - self.began:.0f} s", flush=True)
        return not self.wrong


# ---------------------------------------------------------------------------------------------------------


def kills(args):
    """INT and TERM: exit 130 and nothing left. KILL: an unfinished file under its temporary name may stay, beside the output and
    hidden; never anything under the output's own name, and the next run of the same job succeeds and is complete."""
    tally = Tally("kills")
    dice = random.Random(args.seed)
    job = weft.job([weft.clip(media.real("hello.mp4"), out=6), weft.clip(media.real("together.mp4"), **{"in": 10, "out": 30})],
                   [weft.video("a.mp4", speed="veryfast"), weft.video("sub/b.mp4", width=320),
                    {"id": "p", "type": "thumbnail", "uri": "p.jpg", "at": 1}], size=(640, 360))
    # GStreamer's scanner of plugins outlives a killed command for a moment: it has run when this is over.
    weft.command("doctor", "--json")
    with servers.Good(media.real("hello.mp4")) as server:
        remote = copy.deepcopy(job)
        remote["timeline"]["clips"][0]["src"] = server.uri
        for i in range(args.count or 100):
            number = dice.choice([signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGTERM, signal.SIGKILL])
            # Most moments early, where things are being built; some anywhere.
            moment = dice.uniform(0, 0.6) if dice.random() < 0.5 else dice.uniform(0.3, 4)
            twice = dice.random() < 0.2
            what = f"{i}: {number.name} after {moment:.3f} s{' twice' if twice else ''}"
            with tempfile.TemporaryDirectory(prefix="weft-soak-") as folder, \
                    weft.Running(remote if i % 4 == 0 else job, folder) as running:
                threading.Event().wait(moment)
                # Before it has taken the signals to itself the kernel ends it, and nothing was begun.
                listened = running.listens()
                if running.process.poll() is None:
                    running.signal(number)
                    if twice:
                        threading.Event().wait(dice.uniform(0, 0.05))
                        if running.process.poll() is None:
                            running.signal(number)
                try:
                    result = running.wait(weft.patient(20))
                except weft.Hung as hung:
                    tally.check(what, False, hung)
                    continue
                left = judge.files_below(running.out)
                named = {"a.mp4", "sub/b.mp4", "p.jpg"}
                if number == signal.SIGKILL:
                    # All of them is possible: it came after the end.
                    tally.check(what, not left & named or left == named, left)
                    for name in left - named:
                        tally.check(what, pathlib.PurePath(name).name.startswith("."), f"{name} is left, and not hidden")
                elif result.code == weft.DONE:
                    tally.check(what, left == named, left)
                else:
                    tally.check(what, result.code in ((weft.CANCELLED,) if listened else (weft.CANCELLED, -number)), result)
                    tally.check(what, not left, left)
                    tally.check(what, not (running.out / "sub").exists(), "the folder it made is left")
                tally.check(what, not judge.group_members(running.pid), "a process is left")
    # After all that the same job still works where a killed one lies.
    with tempfile.TemporaryDirectory(prefix="weft-soak-") as folder:
        with weft.Running(job, folder) as running:
            running.wait_for("job.progress")
            running.signal(signal.SIGKILL)
            running.wait(weft.patient(20))

        def again():
            small = copy.deepcopy(job)
            small["timeline"]["clips"][1]["out"] = 11
            result = weft.run(small, folder)
            judge.assert_movie(result.file("a.mp4"), 175, 25, samples=7 * 48000)
        tally.attempt("the same job after a kill", again)
    return tally.end()


def clips(args):
    """Hundreds of clips of odd lengths; each frame of the whole output and each burst is checked."""
    tally = Tally("clips")
    dice = random.Random(args.seed)
    count = args.count or 400
    rates = ["24000/1001", "25", "30000/1001", "30", "50", "60000/1001", "vfr"]
    sources = []
    for i in range(28):
        rate = rates[i % len(rates)]
        more = {"rate": (44100, 48000)[i // 2 % 2], "channels": 1 + i % 2, "video": ("h264", "h264-longgop", "h264-opengop", "h264-intra")[i // 7]}
        number = 100 + i
        path = media.counter(number, fps="30", frames=90, vfr=True, **more) if rate == "vfr" else \
            media.counter(number, fps=rate, frames=round(3 * float(Fraction(rate))), **more)
        sources.append((number, path, judge.source_pts(path), judge.read_counters(path)))
    for fps in ("30000/1001", "25"):
        cuts = []
        for _ in range(count):
            number, path, times, counters = dice.choice(sources)
            start = round(dice.uniform(0, 2), 4)
            cuts.append((number, path, times, counters, start, round(start + dice.uniform(0.03, 0.9), 4)))
        lengths = [judge.exact(e) - judge.exact(s) for *_, s, e in cuts]
        placed, frames, samples = judge.layout_of(lengths, fps)
        with tempfile.TemporaryDirectory(prefix="weft-soak-") as folder:
            job = weft.job([weft.clip(p, **{"in": s, "out": e}) for _, p, _, _, s, e in cuts], fps=fps)
            try:
                result = weft.run(job, folder, timeout=weft.patient(1800))
            except AssertionError as error:
                tally.check(f"{count} clips at {fps}", False, error)
                continue
            out = result.file("out.mp4")
            tally.attempt(f"{count} clips at {fps}: totals", lambda: judge.assert_movie(out, frames, fps, samples=samples))
            seen = judge.read_counters(out)
            signal_ = judge.decode_audio(out)[:, 0]
            for k, ((number, _, times, counters, start, end), (first, n, first_sample, n_samples)) in enumerate(zip(cuts, placed)):
                shown = judge.expected_sources(times, n, Fraction(fps), judge.exact(start))
                tally.check(f"clip {k} at {fps}: frames", seen[first:first + n] == [counters[i] for i in shown],
                            f"of {number} from {start}: {[c and c[1] for c in seen[first:first + n]]} for {[counters[i][1] for i in shown]}")
                margin = judge.BURST_S / 2 + 0.005
                # A slot is whole frames, so up to half a frame of the sound has no room in it.
                ends = min(end, start + n_samples / 48000)
                for i, t in enumerate(media.burst_times(3)):
                    if start + margin < t < ends - margin:
                        at = first_sample / 48000 + t - start
                        position, score = judge.burst_position(signal_, media.burst_number(number, i), 48000, at, reach_s=0.05)
                        off = None if position is None else position - at * 48000
                        tally.check(f"clip {k} at {fps}: sound", score > 0.6 and abs(off) <= 1.5, f"of {number} from {start}: {off} samples off, likeness {score:.2f}")
    return tally.end()


def hang(args):
    """Look-ahead by outputs by clip length: each job ends within its deadline and is exact."""
    tally = Tally("hang")
    path = media.counter(40, fps="25", frames=100, size=(160, 90))
    cases = list(itertools.product((0, 1, 5, 20, 40, 41, 60, 100, 180, 250), (1, 2, 3, 6), (0.04, 0.12, 0.5, 3.0, 180.0)))
    random.Random(args.seed).shuffle(cases)
    # Three minutes are for the queues, not for the clock: few outputs, and the look-aheads at the ends and in between.
    cases = [(lookahead, outputs, seconds) for lookahead, outputs, seconds in cases
             if seconds < 180 or (outputs <= 2 and lookahead in (0, 40, 250))]
    ends = time.monotonic() + 60 * args.minutes
    for lookahead, outputs, seconds in cases[:args.count or len(cases)]:
        if time.monotonic() > ends:
            break
        if seconds == 180.0:
            source, cuts = media.real("together.mp4"), [(0.0, 180.0)]
        else:
            source, cuts = path, [(0.04 * (i % 5), round(0.04 * (i % 5) + seconds, 2)) for i in range(max(2, min(40, round(6 / seconds))))]
        made = [weft.video(f"o{i}.mp4", quality=30, width=160 - 32 * (i % 3), height=90 - 18 * (i % 3),
                           video={"lookahead": lookahead if i % 2 == 0 else 0, "bframes": (3, 0, 16)[i % 3]},
                           audio={"codec": "none"} if i == 3 else {"bitrate": 64000 * (1 + i % 2)}) for i in range(outputs)]
        what = f"look-ahead {lookahead}, {outputs} outputs, {len(cuts)} clips of {seconds} s"

        def one(source=source, cuts=cuts, made=made, outputs=outputs):
            with tempfile.TemporaryDirectory(prefix="weft-soak-") as folder:
                result = weft.run(weft.job([weft.clip(source, **{"in": s, "out": e}) for s, e in cuts], made, size=(160, 90)), folder, timeout=weft.patient(180))
                _, frames, samples = judge.layout_of([judge.exact(e) - judge.exact(s) for s, e in cuts], 25)
                for i in range(outputs):
                    judge.assert_movie(result.file(f"o{i}.mp4"), frames, 25, samples=None if i == 3 else samples)
        tally.attempt(what, one)
    return tally.end(f" of {len(cases)} combinations")


def mutated(document, dice):
    """A good document with something done to it that nobody would think of."""
    text = bytearray(json.dumps(document).encode())
    if dice.random() < 0.5:
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(text))
            kind = dice.randrange(4)
            if kind == 0:
                text[at] = dice.randrange(256)
            elif kind == 1:
                del text[at:at + dice.randrange(1, 20)]
            elif kind == 2:
                text[at:at] = dice.choice([b"[", b"{", b'"', b"\\", b"\0", b"\xff", b"1e999", b"null", b",,", b"}]"])
            else:
                piece = text[at:at + dice.randrange(1, 60)]
                text[at:at] = piece * dice.randrange(1, 5)
        return bytes(text)
    job = copy.deepcopy(document)
    places = []

    def walk(node):
        for key in (list(node) if isinstance(node, dict) else range(len(node))):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])
    walk(job)
    for _ in range(dice.randrange(1, 4)):
        node, key = dice.choice(places)
        try:
            node[key] = dice.choice([None, True, -1, 0, 0.04, 1e308, -1e308, 2 ** 53, 2 ** 64, "", "x" * 300, "{{a}}", "end", "00:00:01", "#fff",
                                     "24000/1001", [], {}, [None], {"type": "text", "text": "<b>"}, 16, 3600000, "fill", "8192px"])
        except (KeyError, IndexError):
            pass
    return json.dumps(job).encode()


def hostile(args):
    """Refused or rendered; no crash, no hang, nothing left when refused."""
    tally = Tally("hostile")
    dice = random.Random(args.seed)
    good = str(media.real("realshort.mp4"))
    rich = weft.job([weft.clip(good, out=0.4, id="c", fit="contain", volume=0.5), weft.clip(good, **{"in": 0.2}, duration=0.2)],
                    [weft.video("o.mp4"), {"type": "thumbnail", "id": "p", "uri": "p.jpg", "at": 0.1}], size=(160, 90),
                    overlays=[{"type": "text", "text": "A {{a}}", "start": 0, "end": 0.3, "position": "top", "max_width": 0.5,
                               "font": {"family": "Sans", "size": 12, "stroke": {"width": 1}}, "background": {"padding": 2}}], variables={"a": "b"})
    cases = [(f"document {n}", d) for n, d in documents.refused().items()]
    cases += [(f"mutation {i}", mutated(rich, dice)) for i in range(args.count or 400)]
    for name, data in cases:
        with tempfile.TemporaryDirectory(prefix="weft-soak-") as top:
            folder = pathlib.Path(top)
            (folder / "out").mkdir()
            (folder / "job.json").write_bytes(data.replace(documents.GOOD_SRC.encode(), good.encode()))
            try:
                result = weft.command("run", folder / "job.json", "--output-dir", folder / "out", "--events", "json", timeout=weft.patient(60))
            except AssertionError as error:
                tally.check(name, False, f"{error}\n{data[:3000]!r}")
                continue
            left = judge.files_below(folder / "out")
            known = (weft.DONE, weft.FAILED, weft.INVALID_JOB, weft.SOURCE, weft.OUTPUT)
            tally.check(name, result.code in known, result)
            if result.code != weft.DONE:
                tally.check(name, not left, f"left behind: {left}")
            if result.code == weft.FAILED:
                # An encoder that refuses sane-looking settings is one thing; a defect of ours would say INTERNAL.
                tally.check(name, result.error["code"] != "INTERNAL", result)
    return tally.end()


SOAKS = {"kills": kills, "clips": clips, "hang": hang, "hostile": hostile}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or several of {', '.join(SOAKS)}; all if none is named")
    parser.add_argument("--count", type=int, help="how many, instead of each one's own number")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end the hang matrix after so long")
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    unknown = set(args.names) - set(SOAKS)
    if unknown:
        parser.error(f"no soak is called {', '.join(sorted(unknown))}; there are {', '.join(SOAKS)}")
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 30)
    print(f"seed {args.seed}", flush=True)
    results = [SOAKS[name](args) for name in args.names or SOAKS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
