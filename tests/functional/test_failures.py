# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong ends with the right exit code, says what, where and what to do, and leaves nothing behind."""

import os
import shutil
import stat
import subprocess

import pytest

import judge
import media
import weft

GOOD = "realshort.mp4"


def broken_job(src, **clip):
    """The broken clip stands between two good ones, so that outputs are already being written when it is reached."""
    return weft.job([weft.clip(media.real(GOOD), out=0.4), weft.clip(src, **clip), weft.clip(media.real(GOOD), out=0.4)],
                    [weft.video("a.mp4"), weft.video("b.mp4", width=160),
                     {"id": "poster", "type": "thumbnail", "uri": "poster.jpg", "at": 0.2}])


def fails(job, folder, exit_code, codes, pointer, mentions=(), **more):
    """Runs a job that must fail; checks all that every failure owes its user. Returns the result."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    with judge.nothing_left_in(out):
        result = weft.run(job, folder, check=False, **more)
    assert result.code == exit_code, str(result)
    problem = result.problem
    assert problem["code"] in codes, problem
    assert problem["message"] and not problem["message"].endswith("."), problem
    if pointer is not None:
        # The very member of the document, or one inside it.
        assert (problem.get("pointer") + "/").startswith(pointer + "/"), problem
    assert problem.get("hint"), f"no word on what to do: {problem}"
    for word in mentions:
        assert word in str(problem), f"{word!r} is not in {problem}"
    assert result.report["state"] == "failed" and result.report["error"]["code"] == problem["code"]
    assert [e["type"] for e in result.events].count("job.failed") == 1
    assert "output.ready" not in [e["type"] for e in result.events]
    return result


def test_a_missing_source(folder):
    missing = folder / "nowhere" / "gone.mp4"
    fails(broken_job(missing), folder, weft.SOURCE, ["SOURCE_NOT_FOUND"], "/timeline/clips/1", ["gone.mp4"])


def test_a_folder_as_source(folder):
    fails(broken_job(folder), folder, weft.SOURCE, ["SOURCE_NOT_FOUND", "SOURCE_DAMAGED", "SOURCE_DENIED"], "/timeline/clips/1")


DAMAGED = ["cut-moov-last", "text-renamed", "random-bytes", "zero-bytes", "nulls", "garbage-packets", "only-header"]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_source(folder, name):
    path = media.broken(name)
    fails(broken_job(path), folder, weft.SOURCE, ["SOURCE_DAMAGED"], "/timeline/clips/1", [path.name])


def test_a_source_cut_off_at_60_percent_whose_index_is_whole(folder):
    """It announces four seconds and holds some two and a half of them."""
    path = media.broken("cut-moov-first")
    fails(broken_job(path), folder, weft.SOURCE, ["SOURCE_DAMAGED"], "/timeline/clips/1", [path.name])


def test_the_whole_part_of_a_cut_off_source_renders_or_is_refused_as_damaged(folder):
    result = weft.run(broken_job(media.broken("cut-moov-first"), out=1.0), folder, check=False)
    if result.code == weft.DONE:
        judge.assert_movie(result.file("a.mp4"), 45, 25, samples=86400)
    else:
        assert (result.code, result.problem["code"]) == (weft.SOURCE, "SOURCE_DAMAGED"), str(result)


@pytest.mark.parametrize("name", ["subtitles-only", "unknown-codec"])
def test_a_source_with_nothing_to_decode(folder, name):
    path = media.broken(name)
    fails(broken_job(path), folder, weft.SOURCE, ["SOURCE_DAMAGED", "UNSUPPORTED"], "/timeline/clips/1", [path.name])


def test_a_source_with_a_damaged_stretch_fails_or_renders_whole(folder):
    """Decoders hide a few broken packets; what may not happen is an output that is short."""
    out = folder / "out"
    result = weft.run(broken_job(media.broken("damaged-middle")), folder, check=False)
    if result.code == weft.DONE:
        plan = weft.plan(broken_job(media.broken("damaged-middle")), folder)
        judge.assert_movie(out / "a.mp4", plan["outputs"][0]["frames"], 25, samples=plan["outputs"][0]["samples"])
    else:
        assert (result.code, result.problem["code"]) == (weft.SOURCE, "SOURCE_DAMAGED")
        assert not judge.files_below(out)


@pytest.mark.parametrize("name", ["text-renamed", "zero-bytes", "garbage-packets", "cut-moov-last", "cut-moov-first"])
def test_on_error_skip_leaves_the_clip_out(folder, name):
    result = weft.run(broken_job(media.broken(name), on_error="skip", out=3.5), folder)
    plan = result.report["outputs"][0]["frames"]
    judge.assert_movie(result.file("a.mp4"), plan, 25, samples=result.report["outputs"][0]["samples"])
    assert "job.warning" in [e["type"] for e in result.events]


@pytest.mark.parametrize("name", ["text-renamed", "missing", "garbage-packets", "cut-moov-first"])
def test_on_error_background_keeps_the_slot(folder, name):
    src = folder / "gone.mp4" if name == "missing" else media.broken(name)
    job = broken_job(src, on_error="background", duration=2.6)
    job["timeline"]["background"] = "#FF0000"
    result = weft.run(job, folder)
    judge.assert_movie(result.file("a.mp4"), 85, 25, samples=163200)
    frame = judge.decode_rgb(result.file("a.mp4"), (320, 180))[60]
    assert abs(frame.astype(int).mean(axis=(0, 1)) - (255, 0, 0)).max() < 6
    assert "job.warning" in [e["type"] for e in result.events]


def unprivileged():
    """Arguments for subprocess that take root's powers away, for file permissions to mean something."""
    return {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


def as_nobody(job, folder):
    """`weft run` by somebody without rights, in a folder of theirs: (exit code, standard output, folder)."""
    env = weft.environment(HOME=folder / "home", XDG_CACHE_HOME=folder / "home", GST_REGISTRY_1_0=folder / "home/registry.bin")
    (folder / "home").mkdir()
    path = weft.write_job(folder, job)
    if os.geteuid() == 0:
        for p in [folder, *folder.rglob("*")]:
            if not p.is_symlink() and "denied" not in p.name:
                os.chown(p, 65534, 65534)
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & stat.S_IXOTH:
                os.chmod(parent, parent.stat().st_mode | stat.S_IXOTH)
    done = subprocess.run([weft.binary(), "run", path, "--output-dir", folder / "out", "--events", "json"], env=env,
                          capture_output=True, text=True, timeout=weft.PATIENCE_S, check=False, **unprivileged())
    return weft.Result(done.returncode, done.stdout, done.stderr, folder=folder / "out")


def test_a_source_one_may_not_read(folder):
    secret = folder / "denied.mp4"
    shutil.copy(media.real(GOOD), secret)
    secret.chmod(0)
    (folder / "out").mkdir()
    result = as_nobody(broken_job(secret), folder)
    assert result.code == weft.SOURCE, str(result)
    assert result.problem["code"] == "SOURCE_DENIED", result.problem
    assert result.problem["pointer"] == "/timeline/clips/1"
    assert not judge.files_below(folder / "out")


def test_an_output_folder_one_may_not_write(folder):
    (folder / "out").mkdir()
    denied = folder / "out" / "denied"
    denied.mkdir()
    denied.chmod(0o555)
    job = weft.job([media.real(GOOD)], [weft.video("a.mp4"), weft.video("denied/b.mp4")])
    result = as_nobody(job, folder)
    assert result.code == weft.OUTPUT, str(result)
    assert result.problem["code"] == "OUTPUT_DENIED", result.problem
    assert result.problem["pointer"] == "/outputs/1", result.problem
    assert not judge.files_below(folder / "out")


def test_an_output_that_is_a_folder(folder):
    (folder / "out" / "a.mp4").mkdir(parents=True)
    job = weft.job([media.real(GOOD)], [weft.video("a.mp4")])
    fails(job, folder, weft.OUTPUT, ["OUTPUT_DENIED", "OUTPUT_FAILED"], "/outputs/0", ["a.mp4"])
    assert (folder / "out" / "a.mp4").is_dir()


def test_an_output_below_a_file(folder):
    (folder / "out").mkdir()
    (folder / "out" / "file").write_text("here first", encoding="ascii")
    job = weft.job([media.real(GOOD)], [weft.video("file/a.mp4")])
    fails(job, folder, weft.OUTPUT, ["OUTPUT_DENIED", "OUTPUT_FAILED"], "/outputs/0")
    assert (folder / "out" / "file").read_text(encoding="ascii") == "here first"


def test_a_failed_job_leaves_an_older_output_as_it_was(folder):
    (folder / "out").mkdir()
    old = folder / "out" / "a.mp4"
    old.write_bytes(b"the older one")
    fails(broken_job(media.broken("cut-moov-first")), folder, weft.SOURCE, ["SOURCE_DAMAGED"], "/timeline/clips/1")
    assert old.read_bytes() == b"the older one"


def test_an_older_output_is_replaced_when_the_new_one_is_complete(folder):
    (folder / "out").mkdir()
    (folder / "out" / "out.mp4").write_bytes(b"the older one")
    result = weft.run(weft.job([media.real(GOOD)]), folder)
    judge.assert_movie(result.file("out.mp4"), 30, 25, samples=57600)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of half a megabyte."""
    at = tmp_path / "disk"
    at.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", at], capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"cannot mount: {error}")
    if done.returncode != 0:
        # Without the right to mount here, in a namespace of our own perhaps: but then weft must run in it too.
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.decode().strip()}")
    yield at
    subprocess.run(["umount", "-l", at], check=True)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_full_disk(folder, small_disk, outputs):
    job = weft.job([weft.clip(media.real("phone.mp4"), out=1.4), weft.clip(media.real("together.mp4"), out=4)],
                   [weft.video(f"o{i}.mp4", quality=5) for i in range(outputs)], size=(640, 360))
    path = weft.write_job(folder, job)
    result = weft.command("run", path, "--output-dir", small_disk, "--events", "json")
    assert result.code == weft.OUTPUT, str(result)
    assert result.problem["code"] == "NO_SPACE", result.problem
    assert result.problem["pointer"].startswith("/outputs/")
    assert not judge.files_below(small_disk)


def test_a_full_disk_at_the_very_end(folder, small_disk):
    """Room for the media data but not for the index that is written last."""
    job = weft.job([weft.clip(media.real("hello.mp4"), out=2)], [weft.video("o.mp4", quality=30)], size=(320, 180))
    free = weft.run(job, folder).file("o.mp4").stat().st_size
    blocks = os.statvfs(small_disk)
    ballast = blocks.f_bavail * blocks.f_frsize - free + 4096
    with open(small_disk / "ballast", "wb") as f:
        f.write(b"\0" * ballast)
    result = weft.command("run", folder / "job.json", "--output-dir", small_disk, "--events", "json")
    assert result.code == weft.OUTPUT, str(result)
    assert result.problem["code"] == "NO_SPACE", result.problem
    assert judge.files_below(small_disk) == {"ballast"}


def test_dev_full_as_a_folder_of_outputs_is_refused(folder):
    job = weft.job([media.real(GOOD)], [weft.video("/dev/full/a.mp4")])
    fails(job, folder, weft.OUTPUT, ["OUTPUT_DENIED", "OUTPUT_FAILED"], "/outputs/0")


def text(content="Hello", **more):
    return {"type": "text", "text": content, "start": 0, "end": "end", **more}


def test_a_missing_font_file_is_a_source_that_was_not_found(folder):
    job = weft.job([media.real(GOOD)], overlays=[text(font={"family": "Nowhere"})],
                   fonts=[{"family": "Nowhere", "src": "fonts/nowhere.ttf"}])
    fails(job, folder, weft.SOURCE, ["SOURCE_NOT_FOUND"], "/fonts/0", ["nowhere.ttf"])


def test_a_font_file_that_is_no_font(folder):
    job = weft.job([media.real(GOOD)], overlays=[text(font={"family": "Wrong"})],
                   fonts=[{"family": "Wrong", "src": str(media.broken("text-renamed"))}])
    fails(job, folder, weft.SOURCE, ["SOURCE_DAMAGED", "UNSUPPORTED"], "/fonts/0")


def test_a_font_that_is_not_installed_is_a_warning_that_names_it(folder):
    job = weft.job([media.real(GOOD)], overlays=[text(font={"family": "No Such Family At All"})])
    result = weft.run(job, folder)
    warnings = [e["data"] for e in result.events if e["type"] == "job.warning"]
    assert any("No Such Family At All" in str(w) for w in warnings), warnings


@pytest.mark.parametrize("src,codes", [("nowhere.png", ["SOURCE_NOT_FOUND"]), ("text", ["SOURCE_DAMAGED"]),
                                       ("zero", ["SOURCE_DAMAGED"])])
def test_an_overlay_image_that_cannot_be_read(folder, src, codes):
    path = {"text": media.broken("text-renamed"), "zero": media.broken("zero-bytes")}.get(src, folder / src)
    job = weft.job([media.real(GOOD)], overlays=[text(), {"type": "image", "src": str(path)}])
    fails(job, folder, weft.SOURCE, codes, "/timeline/overlays/1")


def test_two_outputs_with_one_name_are_refused(folder):
    job = weft.job([media.real(GOOD)], [weft.video("a.mp4"), {**weft.video("./a.mp4"), "id": "other"}])
    fails(job, folder, weft.INVALID_JOB, ["INVALID_JOB"], "/outputs/1/uri")


def test_an_output_that_is_also_a_source_is_refused(folder):
    (folder / "out").mkdir()
    source = folder / "out" / "a.mp4"
    shutil.copy(media.real(GOOD), source)
    before = source.read_bytes()
    result = weft.run(weft.job([source], [weft.video("a.mp4")]), folder, check=False)
    if result.code == weft.DONE:
        judge.assert_movie(source, 30, 25, samples=57600)
    else:
        assert result.code in (weft.INVALID_JOB, weft.OUTPUT), str(result)
        assert source.read_bytes() == before


def test_what_this_build_cannot_run_is_said_before_anything_is_rendered(folder):
    job = weft.job([media.real(GOOD)], analysis={"silence": {}})
    job["outputs"].append({"type": "silence", "id": "s", "uri": "s.json"})
    result = fails(job, folder, weft.INVALID_JOB, ["UNSUPPORTED"], None, ["silence"])
    assert "job.progress" not in [e["type"] for e in result.events]


def test_in_after_the_end_of_the_source(folder):
    result = weft.run(broken_job(media.real(GOOD), **{"in": 60, "out": 61}), folder, check=False)
    assert result.code in (weft.INVALID_JOB, weft.SOURCE), str(result)
    assert result.problem["pointer"].startswith("/timeline/clips/1"), result.problem
    assert not judge.files_below(folder / "out")


@pytest.mark.parametrize("arguments", [["run"], ["run", "--nonsense", "x"], ["frobnicate"], ["run", "a", "b"], []])
def test_wrong_usage_is_exit_2_and_says_how(arguments):
    result = weft.command(*arguments)
    assert result.code == weft.USAGE, str(result)
    assert "sage" in result.err or "help" in result.err, result.err


def test_a_job_file_that_is_not_there(folder):
    result = weft.command("run", folder / "nothing.json")
    assert result.code in (weft.INVALID_JOB, weft.USAGE), str(result)
    assert "nothing.json" in result.err, result.err


def test_people_read_the_same_things_without_json(folder):
    path = weft.write_job(folder, broken_job(folder / "gone.mp4"))
    result = weft.command("run", path, "--output-dir", folder / "out")
    assert result.code == weft.SOURCE
    for word in ("gone.mp4", "/timeline/clips/1"):
        assert word in result.err, result.err


def test_a_reader_that_goes_away_does_not_stop_the_job(folder):
    """`weft run --events json | head -1`: the job is the point, not its chatter."""
    path = weft.write_job(folder, weft.job([media.real(GOOD)]))
    with subprocess.Popen([weft.binary(), "run", path, "--output-dir", folder / "out", "--events", "json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=weft.environment()) as process:
        process.stdout.close()
        process.wait(weft.PATIENCE_S)
        err = process.stderr.read().decode()
    # Either it finishes its work, or it stops like a tool in a pipe does; it leaves no half of a file.
    if process.returncode == weft.DONE:
        judge.assert_movie(folder / "out" / "out.mp4", 30, 25, samples=57600)
    else:
        assert process.returncode in (weft.FAILED, weft.OUTPUT, weft.CANCELLED, -13), (process.returncode, err)
        assert not judge.files_below(folder / "out")
