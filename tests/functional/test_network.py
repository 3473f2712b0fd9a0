# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sources over HTTP: read once, and when they stop, break or change, the job says so in time."""

import contextlib
import os
import signal
import subprocess
import threading
import time

import pytest

import judge
import media
import servers
import weft

HELLO_FRAMES = 200


def faststart():
    return media._cached("hello-faststart", "mp4", [], lambda p, w: media.ffmpeg(
        "-i", media.real("hello.mp4"), "-c", "copy", "-movflags", "+faststart", p))


@pytest.mark.parametrize("kind", ["moov-last", "moov-first", "mkv"])
def test_a_source_over_http_is_fetched_about_once(folder, kind):
    path = {"moov-last": media.real("hello.mp4"), "moov-first": faststart(), "mkv": media.source("h264-mkv")}[kind]
    with servers.Good(path) as server:
        result = weft.run(weft.job([server.uri]), folder)
        size = os.path.getsize(path)
        assert server.bytes_sent < 1.25 * size + 1_000_000, f"{server.bytes_sent} bytes sent of a file of {size}: {server.ranges}"
    entry = next(i for i in result.report["inputs"] if i["uri"] == server.uri)
    assert entry["size"] == size
    assert 0 < entry["bytes_read"] <= server.bytes_sent
    plan = result.report["outputs"][0]
    judge.assert_movie(result.file("out.mp4"), plan["frames"], 25, samples=plan["samples"])


def together_faststart():
    return media._cached("together-faststart", "mp4", [], lambda p, w: media.ffmpeg(
        "-i", media.real("together.mp4"), "-c", "copy", "-movflags", "+faststart", p))


def test_a_short_piece_of_a_long_source_does_not_fetch_it_all(folder):
    path = together_faststart()
    with servers.Good(path) as server:
        result = weft.run(weft.job([weft.clip(server.uri, **{"in": 100, "out": 102})]), folder)
        assert server.bytes_sent < 0.6 * os.path.getsize(path), f"{server.bytes_sent} of {os.path.getsize(path)}"
    judge.assert_movie(result.file("out.mp4"), 50, 25, samples=96000)


def one_gop(container):
    """Eight seconds of 4 Mbit/s that begin with the only key frame."""
    made = media._cached("one-gop", "mp4", [], lambda p, w: media.ffmpeg(
        "-i", media.real("hello.mp4"), "-c:v", "libx264", "-preset", "veryfast", "-b:v", "4M", "-g", "1000",
        "-sc_threshold", "0", "-c:a", "copy", "-movflags", "+faststart", p))
    if container == "moov-first":
        return made
    return media._cached(f"one-gop-{container}", "mkv" if container == "mkv" else "mp4", [], lambda p, w: media.ffmpeg(
        "-i", made, "-c", "copy", p))


@pytest.mark.parametrize("name,share", [("one-gop-moov-first", 0.2), ("one-gop-moov-last", 0.2), ("together-moov-first", 0.06),
                                        ("together-moov-last", 0.04), ("hello-mkv", 0.25)])
def test_planning_fetches_the_header_and_the_first_frames_only(folder, name, share):
    """Where the end of a long group of pictures is need not be read: it stands in an MP4's tables. A Matroska file is read from
    its last key frame."""
    if name.startswith("one-gop"):
        path = one_gop(name.removeprefix("one-gop-"))
    elif name == "together-moov-first":
        path = together_faststart()
    elif name == "together-moov-last":
        path = media.real("together.mp4")
    else:
        path = media._cached("hello", "mkv", [], lambda p, w: media.ffmpeg("-i", media.real("hello.mp4"), "-c", "copy", p))
    size = os.path.getsize(path)
    with servers.Good(path) as server:
        plan = weft.plan(weft.job([server.uri]), folder)
        assert server.bytes_sent < share * size, f"{server.bytes_sent} of {size}: {server.ranges}"
    local = weft.plan(weft.job([path]), folder)
    assert plan["timeline"]["frames"] == local["timeline"]["frames"]
    source, expected = plan["sources"][0], float(judge.probe(path)["format"]["duration"])
    assert abs(source["duration_ns"] / 1e9 - expected) < 0.045


@pytest.mark.parametrize("kind", ["moov-first", "mkv"])
def test_a_file_that_was_cut_off_on_the_server_is_damaged(folder, kind):
    path = one_gop(kind)
    cut = folder / f"cut{path.suffix}"
    cut.write_bytes(path.read_bytes()[:os.path.getsize(path) * 6 // 10])
    with servers.Good(cut) as server:
        result = weft.plan(weft.job([server.uri]), folder, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert "SOURCE_DAMAGED" in result.said and "truncated" in result.said, str(result)


def test_three_clips_of_one_source_share_one_plan_entry(folder):
    with servers.Good(faststart()) as server:
        job = weft.job([weft.clip(server.uri, **{"in": i, "out": i + 1}) for i in (0, 3, 6)])
        result = weft.run(job, folder)
    assert len(result.report["inputs"]) == 1
    judge.assert_movie(result.file("out.mp4"), 75, 25, samples=144000)


def test_a_server_without_ranges_works_when_the_index_comes_first(folder):
    with servers.WithoutRanges(faststart()) as server:
        result = weft.run(weft.job([weft.clip(server.uri, out=2)]), folder)
    judge.assert_movie(result.file("out.mp4"), 50, 25, samples=96000)


@pytest.mark.parametrize("status,code", [(404, "SOURCE_NOT_FOUND"), (410, "SOURCE_NOT_FOUND"), (403, "SOURCE_DENIED"),
                                         (401, "SOURCE_DENIED")])
def test_a_status_of_the_server_becomes_the_right_error(folder, status, code):
    with servers.Status(faststart(), status) as server:
        result = weft.run(weft.job([media.real("realshort.mp4"), server.uri]), folder, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert result.problem["code"] == code, result.problem
    assert result.problem["pointer"] == "/timeline/clips/1"
    assert not judge.files_below(folder / "out")


def test_a_server_that_fails_for_good_is_given_up(folder):
    with servers.Status(faststart(), 500) as server:
        began = time.monotonic()
        result = weft.run(weft.job([server.uri]), folder, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert time.monotonic() - began < weft.patient(60)
    assert result.error["code"].startswith("SOURCE_") or result.error["code"] == "STALLED"


def test_nobody_listens(folder):
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{s.getsockname()[1]}/a.mp4"
    result = weft.run(weft.job([uri]), folder, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert uri in str(result.problem)


def test_connections_that_break_are_taken_up_again_where_they_broke(folder):
    path = faststart()
    with servers.Dropping(path, every=700_000, times=4) as server:
        result = weft.run(weft.job([weft.clip(server.uri, out=8)]), folder)
        assert server.bytes_sent < 2 * os.path.getsize(path)
    judge.assert_movie(result.file("out.mp4"), 200, 25, samples=8 * 48000)


def test_a_source_that_changes_while_it_is_read_is_never_mixed(folder):
    with servers.Changing(faststart(), media.source("h264-mp4-faststart"), after=2) as server:
        result = weft.run(weft.job([weft.clip(server.uri, out=8)]), folder, check=False)
    if result.code == weft.DONE:
        # It had read all it needed before.
        judge.assert_movie(result.file("out.mp4"), 200, 25, samples=8 * 48000)
    else:
        assert result.code == weft.SOURCE, str(result)
        assert result.problem["code"] in ("SOURCE_CHANGED", "SOURCE_DAMAGED"), result.problem
        assert not judge.files_below(folder / "out")


def test_redirections_are_followed(folder):
    with servers.Good(faststart()) as target, servers.Redirecting(faststart(), target.uri) as server:
        result = weft.run(weft.job([weft.clip(server.uri, out=1)]), folder)
    judge.assert_movie(result.file("out.mp4"), 25, 25, samples=48000)


def test_a_source_that_stops_while_it_is_rendered_is_stalled_in_time_and_the_pad_is_named(folder):
    """It behaves until frames come out of the job, then sends nothing more past a megabyte and a half."""
    clips = [weft.clip(media.real("together.mp4"), out=20)]
    with servers.Stalling(faststart(), after=1_500_000, armed=False) as server:
        job = weft.job([*clips, server.uri], size=(640, 360), outputs=[weft.video(speed="medium")])
        with weft.Running(job, folder, "--stall-timeout", 4) as running:
            assert running.wait_for("job.progress")
            server.arm()
            assert server.stalled.wait(weft.patient(60)), "the source was never asked for what it would not give"
            began = time.monotonic()
            result = running.wait()
            took = time.monotonic() - began
    assert result.code == weft.SOURCE, str(result)
    assert result.error["code"] == "STALLED", result.error
    # What was read ahead still renders; then the timeout runs.
    assert took < 4 + weft.patient(30), f"it took {took:.1f} s to notice"
    assert ":" in str(result.problem.get("element") or result.problem["message"]), result.problem
    assert server.uri in str(result.error) or "/timeline/clips/1" in str(result.error), result.error
    assert not judge.files_below(folder / "out")


@pytest.mark.parametrize("server", ["stops", "never answers"])
def test_a_source_that_cannot_even_be_opened_in_time_is_stalled(folder, server):
    with servers.Stalling(faststart(), after=100_000) if server == "stops" else servers.Mute(faststart()) as server:
        job = weft.job([weft.clip(media.real("realshort.mp4"), out=1), server.uri])
        began = time.monotonic()
        result = weft.run(job, folder, "--stall-timeout", 3, check=False)
        took = time.monotonic() - began
    assert result.code == weft.SOURCE, str(result)
    assert result.error["code"] == "STALLED", result.error
    assert result.problem["pointer"] == "/timeline/clips/1"
    assert took < 3 + SLACK_S, f"{took:.1f} s"
    assert not judge.files_below(folder / "out")


# How much longer than its stall timeout a command may take on a busy machine.
SLACK_S = weft.patient(4)


def ask(command, uri, folder, *args):
    """`weft COMMAND` about one source; the result and how long it took."""
    about = uri if command == "probe" else weft.write_job(folder, weft.job([media.real("realshort.mp4"), uri]))
    began = time.monotonic()
    result = weft.command(command, about, *args)
    return result, time.monotonic() - began


@pytest.mark.parametrize("command", ["run", "plan", "graph", "probe"])
@pytest.mark.parametrize("kind", ["never answers", "stops at once", "stops before its index"])
def test_a_silent_server_is_given_up_after_the_stall_timeout(folder, command, kind):
    server = {"never answers": lambda: servers.Mute(faststart()),
              "stops at once": lambda: servers.Stalling(faststart(), after=0),
              "stops before its index": lambda: servers.Stalling(media.real("realshort.mp4"), after=70_000)}[kind]()
    with server:
        result, took = ask(command, server.uri, folder, "--stall-timeout", 1.5)
    assert result.code == weft.SOURCE, str(result)
    assert "STALLED" in result.said and server.uri in result.said and "1.5 s" in result.said, str(result)
    assert 1.5 <= took < 1.5 + SLACK_S, f"{took:.1f} s"


def test_a_server_that_sends_a_byte_a_second_is_given_up(folder):
    """It is alive at every moment, and would take a day."""
    with servers.Dripping(faststart(), after=2000) as server:
        result, took = ask("plan", server.uri, folder, "--stall-timeout", 1.5)
    assert result.code == weft.SOURCE, str(result)
    assert "STALLED" in result.said and server.uri in result.said and "too slowly" in result.said, str(result)
    assert took < 2 * 1.5 + SLACK_S, f"{took:.1f} s"


def test_sources_are_waited_for_side_by_side(folder):
    with contextlib.ExitStack() as stack:
        uris = [stack.enter_context(servers.Mute(faststart())).uri for _ in range(8)]
        path = weft.write_job(folder, weft.job(uris))
        began = time.monotonic()
        result = weft.command("plan", path, "--stall-timeout", 2)
        took = time.monotonic() - began
    assert result.code == weft.SOURCE, str(result)
    assert all(uri in result.said for uri in uris), str(result)
    assert took < 2 + SLACK_S, f"{took:.1f} s for eight sources of 2 s each"


@pytest.mark.parametrize("command", ["run", "plan", "probe"])
@pytest.mark.parametrize("kind", ["never answers", "drips"])
def test_an_interrupt_ends_the_wait_for_a_server_at_once(folder, command, kind):
    class Asked(servers.Dripping):
        def __init__(self, path):
            super().__init__(path)
            self.stalled = threading.Event()

        def send_body(self, *args):
            self.stalled.set()
            super().send_body(*args)

    with servers.Mute(faststart()) if kind == "never answers" else Asked(faststart()) as server:
        about = server.uri if command == "probe" else weft.write_job(folder, weft.job([server.uri]))
        with subprocess.Popen([str(weft.binary()), command, str(about)], env=weft.environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert server.stalled.wait(weft.patient(60)), "the server was never asked"
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            code = process.wait(weft.patient(60))
            took = time.monotonic() - began
    assert code == weft.CANCELLED, said
    # 200 ms are promised; the rest is the end of the process on a busy machine.
    assert took < weft.patient(1), f"{took:.2f} s"


def test_a_pipe_as_source_is_refused_or_stalls_but_does_not_hang(folder):
    fifo = folder / "pipe.mp4"
    os.mkfifo(fifo)
    result = weft.run(weft.job([media.real("realshort.mp4"), fifo]), folder, "--stall-timeout", 3, check=False)
    assert result.code == weft.SOURCE, str(result)
    assert result.problem["pointer"] == "/timeline/clips/1", result.problem
    assert not judge.files_below(folder / "out")


def test_a_pipe_that_somebody_holds_open_does_not_hang_either(folder):
    fifo = folder / "pipe.mp4"
    os.mkfifo(fifo)
    keeper = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    try:
        result = weft.run(weft.job([media.real("realshort.mp4"), fifo]), folder, "--stall-timeout", 3, check=False)
    finally:
        os.close(keeper)
    assert result.code == weft.SOURCE, str(result)
    assert not judge.files_below(folder / "out")


def test_a_slow_but_living_source_is_not_stalled(folder):
    class Slow(servers.Good):
        BYTES_PER_S = 800_000

    path = media._cached("realshort-faststart", "mp4", [], lambda p, w: media.ffmpeg(
        "-i", media.real("realshort.mp4"), "-c", "copy", "-movflags", "+faststart", p))
    with Slow(path) as server:
        result = weft.run(weft.job([server.uri, server.uri]), folder, "--stall-timeout", 2)
    judge.assert_movie(result.file("out.mp4"), 60, 25, samples=115200)


def test_secrets_in_a_uri_are_never_shown(folder):
    with servers.Good(faststart()) as server:
        host = server.uri.split("//")[1]
        job = weft.job([weft.clip(f"http://user:hunter2@{host}?token=hunter3", out=0.5)])
        result = weft.run(job, folder, check=False)
        plan = weft.command("plan", folder / "job.json")
        graph = weft.command("graph", folder / "job.json", "--format", "dot")
    for said in (result.said, str(result.report), plan.said, graph.said):
        assert "hunter2" not in said and "hunter3" not in said
