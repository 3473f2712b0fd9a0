# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C and SIGTERM at any moment: exit 130, said so, nothing left."""

import random
import signal
import threading

import pytest

import judge
import media
import weft

# One sequence of moments each day would hide a failure; each run has its own and prints it.
SEED = random.SystemRandom().randrange(1 << 30)


def long_job():
    return weft.job([weft.clip(media.real("together.mp4"), out=40), weft.clip(media.real("hello.mp4"), out=8)],
                    [weft.video("a.mp4", speed="veryfast"), weft.video("b.mp4", width=320),
                     {"id": "p", "type": "thumbnail", "uri": "p.jpg", "at": 1}], size=(640, 360))


def cancelled(running, number, again=None):
    running.signal(number)
    if again is not None:
        threading.Event().wait(again)
        if running.process.poll() is None:
            running.signal(number)
    result = running.wait(weft.patient(20))
    assert result.code == weft.CANCELLED, f"{signal.Signals(number).name}: {result}"
    assert not judge.files_below(running.out), judge.files_below(running.out)
    assert not judge.group_members(running.pid), "a process is left"
    return result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_cancels_the_job(folder, number):
    with weft.Running(long_job(), folder) as running:
        assert running.wait_for("job.progress")
        result = cancelled(running, number)
    assert result.events[-1]["type"] == "job.canceled"
    assert result.error["code"] == "CANCELLED"
    assert result.report["state"] == "canceled"


@pytest.mark.parametrize("attempt", range(12))
def test_a_signal_at_a_random_moment_leaves_nothing(folder, attempt):
    dice = random.Random(SEED + attempt)
    moment = dice.uniform(0.05, 1.5)
    print(f"seed {SEED}, attempt {attempt}: after {moment:.3f} s")
    with weft.Running(long_job(), folder) as running:
        while not running.listens():
            assert running.process.poll() is None
        threading.Event().wait(moment)
        cancelled(running, dice.choice([signal.SIGINT, signal.SIGTERM]))


def test_a_second_ctrl_c_gives_up_at_once_and_still_leaves_nothing(folder):
    with weft.Running(long_job(), folder) as running:
        assert running.wait_for("job.progress")
        cancelled(running, signal.SIGINT, again=0.01)


def test_a_signal_after_the_end_changes_nothing(folder):
    """The signal comes when outputs appear: they are all there, or none is."""
    job = weft.job([media.real("realshort.mp4")], [weft.video("a.mp4"), weft.video("b.mp4", width=160)])
    for wait in (0.0, 0.01, 0.03):
        with weft.Running(job, folder) as running:
            running.wait_for("output.ready")
            threading.Event().wait(wait)
            if running.process.poll() is None:
                running.signal(signal.SIGTERM)
            result = running.wait(weft.patient(20))
        there = judge.files_below(folder / "out")
        assert (result.code, there) in ((weft.DONE, {"a.mp4", "b.mp4"}), (weft.CANCELLED, set())), str(result)
        for name in there:
            judge.assert_movie(folder / "out" / name, 30, 25, samples=57600)
            (folder / "out" / name).unlink()


def test_a_job_that_waits_for_a_dead_source_can_be_cancelled(folder):
    import servers
    with servers.Stalling(media.real("hello.mp4"), after=200_000) as server:
        with weft.Running(weft.job([server.uri]), folder) as running:
            assert server.stalled.wait(weft.patient(30))
            cancelled(running, signal.SIGINT)
