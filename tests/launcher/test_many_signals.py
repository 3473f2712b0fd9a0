# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hundred signals at a hundred moments of a short job: it is cancelled or it is done, and nothing is half there."""

import random
import signal
import subprocess

import judge
import media
import weft

TIMES = 100
OUTPUTS = {"a.mp4", "b.mp4", "p.jpg"}
SEED = random.SystemRandom().randrange(1 << 30)


def job():
    return weft.job([weft.clip(media.real("realshort.mp4"), out=0.8), weft.clip(media.real("cockatoo.mp4"), out=0.4)],
                    [weft.video("a.mp4"), weft.video("b.mp4", width=160), {"id": "p", "type": "thumbnail", "uri": "p.jpg"}])


def test_a_hundred_signals_leave_all_or_nothing(tmp_path):
    dice = random.Random(SEED)
    # How long the job takes here and now, so that the moments cover all of it.
    alone = weft.run(job(), tmp_path).report["wall_s"] + 0.2
    print(f"seed {SEED}, a job takes {alone:.2f} s")
    cancelled = 0
    for attempt in range(TIMES):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        moment = dice.uniform(0, alone)
        number = dice.choice([signal.SIGINT, signal.SIGTERM])
        with weft.Running(job(), folder) as running:
            # Before that the kernel ends it, and nothing was begun.
            while running.process.poll() is None and not running.listens():
                pass
            try:
                running.process.wait(moment)
            except subprocess.TimeoutExpired:
                running.signal(number)
            result = running.wait(weft.patient(30))
        said = f"attempt {attempt}, {number.name} after {moment:.3f} s: {result}"
        there = judge.files_below(folder / "out")
        assert (result.code, there) in ((weft.CANCELLED, set()), (weft.DONE, OUTPUTS)), f"{said}\n{there}"
        last = result.events[-1]
        assert last["type"] == ("job.canceled" if result.code == weft.CANCELLED else "job.succeeded"), said
        cancelled += result.code == weft.CANCELLED
    # Otherwise the moments did not hit the job, and nothing was tested.
    assert cancelled > TIMES // 4, f"only {cancelled} of {TIMES} were cancelled"
