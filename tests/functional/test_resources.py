# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory does not grow with the number of clips, nothing leaks, threads end."""

import contextlib
import os
import signal
import subprocess

import pytest

import judge
import media
import weft

sanitized = os.environ.get("WEFT_SANITIZE") == "yes"


def peak_rss_kib(job, folder):
    path = weft.write_job(folder, job)
    (folder / "out").mkdir(exist_ok=True)
    with subprocess.Popen([weft.binary(), "run", path, "--output-dir", folder / "out", "--events", "none"], env=weft.environment(),
                          stderr=subprocess.PIPE) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, process.stderr.read().decode()
    return usage.ru_maxrss


@pytest.mark.skipif(sanitized, reason="sanitizers keep freed memory")
def test_forty_clips_need_no_more_memory_than_four(folder):
    names = ("hello.mp4", "phone.mp4", "cockatoo.mp4", "realshort.mp4")

    def job(count, seconds):
        return weft.job([weft.clip(media.real(names[i % 4]), out=seconds) for i in range(count)], size=(640, 360))

    four = min(peak_rss_kib(job(4, 1.0), folder) for _ in range(2))
    forty = peak_rss_kib(job(40, 0.6), folder)
    assert forty < 1.1 * four + 8192, f"{forty} KiB for 40 clips, {four} KiB for 4"


@contextlib.contextmanager
def nothing_alive_at_the_end(folder):
    """The environment of a command that is to end with no GstObject and no GstMiniObject left."""
    log = folder / "gst.log"
    yield weft.environment(GST_TRACERS="leaks", GST_DEBUG="GST_TRACER:7", GST_DEBUG_FILE=log, GST_DEBUG_NO_COLOR=1)
    # Its own line formats, logged first, are not objects.
    text = log.read_text(errors="replace")
    assert "object-alive.class" in text, "the tracer did not run"
    leaked = [line for line in text.splitlines() if "object-alive, type-name=(string)" in line and "(string)%s" not in line]
    assert not leaked, f"{len(leaked)} objects are alive at the end:\n" + "\n".join(leaked[:10])


@pytest.mark.skipif(sanitized, reason="LeakSanitizer looks at the whole of it")
def test_the_leaks_tracer_finds_nothing(folder):
    job = weft.job([media.real("realshort.mp4"), weft.clip(media.real("phone.mp4"), out=0.5), media.source("audio-mp3"),
                    media.source("no-audio"), weft.clip(media.real("chelsea.png"), duration=0.2)],
                   [weft.video("a.mp4"), weft.video("b.mp4", width=160), {"id": "p", "type": "thumbnail", "uri": "p.jpg"}],
                   overlays=[{"type": "text", "text": "x", "end": 1}, {"type": "image", "src": str(media.real("debian-logo.png")), "end": 1}])
    with nothing_alive_at_the_end(folder) as env:
        weft.run(job, folder, env=env)


@pytest.mark.skipif(sanitized, reason="LeakSanitizer looks at the whole of it")
@pytest.mark.parametrize("what", ["missing", "damaged", "late-damage"])
def test_nothing_leaks_when_a_job_fails(folder, what):
    src = {"missing": folder / "gone.mp4", "damaged": media.broken("text-renamed"), "late-damage": media.broken("cut-moov-first")}[what]
    job = weft.job([media.real("realshort.mp4"), src])
    with nothing_alive_at_the_end(folder) as env:
        result = weft.run(job, folder, env=env, check=False)
        assert result.code == weft.SOURCE, str(result)


@pytest.mark.skipif(sanitized, reason="LeakSanitizer looks at the whole of it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["at the start", "in the middle"])
def test_nothing_leaks_when_a_job_is_cancelled(folder, number, when):
    job = weft.job([weft.clip(media.real("together.mp4"), out=40)], [weft.video("a.mp4"), weft.video("b.mp4", width=160)],
                   overlays=[{"type": "text", "text": "x", "end": 30}], size=(640, 360))
    with nothing_alive_at_the_end(folder) as env, weft.Running(job, folder, env=env) as running:
        if when == "at the start":
            while not running.listens():
                assert running.process.poll() is None
        else:
            assert running.wait_for("job.progress")
        running.signal(number)
        result = running.wait(weft.patient(60))
        assert result.code == weft.CANCELLED, str(result)


def test_open_files_stay_few_however_many_clips_there_are(folder):
    job = weft.job([weft.clip(media.real("realshort.mp4"), out=0.3) for _ in range(80)], size=(160, 90))
    seen = 0
    with weft.Running(job, folder) as running:
        while running.process.poll() is None:
            try:
                seen = max(seen, len(os.listdir(f"/proc/{running.pid}/fd")))
            except OSError:
                break
        result = running.wait()
    assert result.code == weft.DONE, str(result)
    assert 0 < seen < 80, f"{seen} open files"
    judge.assert_movie(result.file("out.mp4"), 600, 25, samples=80 * 14400)


@pytest.mark.skipif(sanitized, reason="valgrind and sanitizers exclude each other")
def test_the_report_of_memory_is_true(folder):
    job = weft.job([media.real("realshort.mp4")])
    measured = peak_rss_kib(job, folder) * 1024
    reported = weft.run(job, folder).report["peak_rss_bytes"]
    assert 0.6 * measured < reported < 1.5 * measured, (measured, reported)
