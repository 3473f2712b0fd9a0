# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents nobody should send are refused with pointers, or drawn literally; none crashes, hangs or reaches further."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import time

import pytest

import hostile
import judge
import media
import weft

REFUSED = hostile.refused()


def prepared(data):
    return data.replace(hostile.GOOD_SRC.encode(), str(media.real("realshort.mp4")).encode())


def test_there_are_at_least_200_hostile_documents():
    assert len(REFUSED) + len(hostile.drawn()) >= 200


def validate(folder, name, data):
    path = folder / (f"{abs(hash(name))}.json")
    path.write_bytes(prepared(data))
    began = time.monotonic()
    result = weft.command("validate", path, "--json", timeout=weft.patient(30))
    return name, result, time.monotonic() - began


def test_hostile_documents_are_refused_with_a_pointer_and_a_hint(folder):
    """All of them; what one says is judged, then the list of those that said it badly."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda c: validate(folder, *c), REFUSED.items()))
    wrong = []
    for name, result, took in results:
        if result.code != weft.INVALID_JOB:
            wrong.append((name, f"exit {result.code}", result.said[-300:]))
            continue
        if took > weft.patient(10):
            wrong.append((name, f"took {took:.1f} s"))
        try:
            problems = json.loads(result.out)
        except ValueError:
            wrong.append((name, "no JSON", result.said[-300:]))
            continue
        problems = problems.get("problems", []) if isinstance(problems, dict) else problems
        errors = [p for p in problems if p.get("severity") == "error"]
        if not errors:
            wrong.append((name, "no error among the problems", result.out[-300:]))
        for p in errors[:3]:
            if not p.get("message") or p.get("pointer") is None:
                wrong.append((name, "no message or pointer", p))
            elif not p.get("hint"):
                wrong.append((name, "no hint", p))
        if len(result.out) > 200_000:
            wrong.append((name, f"answers with {len(result.out)} bytes"))
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(map(str, wrong[:25]))


@pytest.mark.parametrize("name", ["deep objects", "invalid utf-8", "source 'fd://0'", "output 'o.mp4\\n'", "one key twice, deep"])
def test_run_refuses_them_like_validate_and_writes_nothing(folder, name):
    (folder / "out").mkdir()
    path = folder / "job.json"
    path.write_bytes(prepared(REFUSED[name]))
    with judge.nothing_left_in(folder):
        result = weft.command("run", path, "--output-dir", folder / "out", "--events", "json")
    assert result.code == weft.INVALID_JOB, str(result)
    assert result.error["code"] == "INVALID_JOB"


def test_all_problems_are_reported_not_only_the_first(folder):
    job = {"version": 1, "colour": "red", "timeline": {"width": 321, "height": 180, "clips": [{"src": "a.mp4", "fitt": "cover"}, {}]},
           "outputs": [{"uri": "o.mp4", "video": {"speed": "fats"}}]}
    result = weft.command("validate", weft.write_job(folder, job), "--json")
    assert result.code == weft.INVALID_JOB
    found = json.loads(result.out)
    pointers = {p["pointer"] for p in (found.get("problems", []) if isinstance(found, dict) else found)}
    for pointer in ("/colour", "/timeline/width", "/timeline/clips/0/fitt", "/outputs/0/video/speed"):
        assert pointer in pointers, pointers
    assert any(p.startswith("/timeline/clips/1") for p in pointers), pointers
    assert "fit" in result.out and "fast" in result.out, "no 'did you mean'"


def test_the_pointer_of_a_strange_key_is_escaped(folder):
    job = {**hostile.base(), "a/b~c": 1}
    result = weft.command("validate", weft.write_job(folder, job), "--json")
    assert "/a~1b~0c" in result.out, result.out


@pytest.mark.parametrize("name", hostile.drawn())
def test_strange_but_legal_documents_are_rendered_literally(folder, name):
    path = folder / "job.json"
    path.write_bytes(prepared(hostile.drawn()[name]))
    (folder / "out").mkdir()
    result = weft.command("run", path, "--output-dir", folder / "out", "--events", "json")
    assert result.code == weft.DONE, str(result)
    job = json.loads(path.read_bytes())
    assert judge.files_below(folder / "out") == {o["uri"] for o in job["outputs"]}
    for o in job["outputs"]:
        judge.assert_movie(folder / "out" / o["uri"], 10, 25, (320, 180), samples=19200)
    assert judge.files_below(folder) == {"job.json"} | {f"out/{o['uri']}" for o in job["outputs"]}


def picture(folder, text, name):
    (folder / name).mkdir()
    job = weft.job([media.real("realshort.mp4")], [{"id": "p", "type": "thumbnail", "uri": "p.png", "at": 0.4}], size=(640, 360),
                   overlays=[{"type": "text", "text": text, "font": {"size": 48}}])
    return judge.decode_luma(weft.run(job, folder / name).file("p.png"))[0].astype(int)


def test_markup_is_drawn_and_not_obeyed(folder):
    plain, marked, bare = (picture(folder, t, n) for t, n in (("bold", "a"), ("<b>bold</b>", "b"), (" ", "c")))
    lit = [abs(p - bare) > 40 for p in (plain, marked)]
    # The tags are there to be seen: the text is more than twice as wide.
    widths = [int(m.any(axis=0).nonzero()[0].ptp()) for m in lit]
    assert widths[1] > 2 * widths[0], widths


def test_path_tricks_in_ids_do_not_leave_the_output_folder(folder):
    job = weft.job([media.real("realshort.mp4")], [{**weft.video("{{job.id}}/{{output.id}}.mp4"), "id": "o"}], id="..")
    result = weft.run(job, folder, check=False)
    assert result.code == weft.INVALID_JOB, str(result)
    job["id"] = "fine"
    result = weft.run(job, folder)
    assert judge.files_below(folder / "out") == {"fine/o.mp4"}


def test_output_dir_holds_relative_outputs_only_inside_it(folder):
    job = weft.job([media.real("realshort.mp4")], [weft.video("../../escaped.mp4")])
    result = weft.run(job, folder, check=False)
    # Refused, or where the path says; never somewhere else.
    if result.code == weft.DONE:
        assert (folder.parent / "escaped.mp4").exists()
        (folder.parent / "escaped.mp4").unlink()
    else:
        assert result.code in (weft.INVALID_JOB, weft.OUTPUT), str(result)
        assert not (folder.parent / "escaped.mp4").exists()


def test_a_document_of_ten_megabytes_is_judged_quickly_and_in_little_memory(folder):
    job = hostile.base()
    job["metadata"] = {"k": "x" * 10_000_000}
    path = weft.write_job(folder, job)
    path.write_bytes(prepared(path.read_bytes()))
    began = time.monotonic()
    with subprocess.Popen([weft.binary(), "validate", path], env=weft.environment(), stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert time.monotonic() - began < weft.patient(10)
    assert process.returncode in (weft.DONE, weft.INVALID_JOB)
    if os.environ.get("WEFT_SANITIZE") != "yes":
        assert usage.ru_maxrss < 300_000


def test_the_schema_the_command_prints_is_the_one_that_judges(folder):
    printed = json.loads(weft.command("schema").out)
    assert printed == json.loads((pathlib.Path(weft.environment()["WEFT_DATA_DIR"]) / "job.schema.json").read_text(encoding="utf-8"))
    jsonschema = pytest.importorskip("jsonschema")
    if not hasattr(jsonschema, "Draft202012Validator"):
        pytest.skip("this jsonschema does not know draft 2020-12")
    validator = jsonschema.Draft202012Validator(printed)
    validator.check_schema(printed)
    # A second opinion: what a foreign validator refuses, Weft refuses too.
    disagree = []
    documents = []
    for name, data in list(REFUSED.items()):
        try:
            document = json.loads(prepared(data))
        except (ValueError, RecursionError):
            continue
        if len(data) < 100_000 and not validator.is_valid(document):
            documents.append((name, data))
    assert len(documents) > 80
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, result, _ in pool.map(lambda c: validate(folder, *c), documents[::4]):
            if result.code != weft.INVALID_JOB:
                disagree.append(name)
    assert not disagree
