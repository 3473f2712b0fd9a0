# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command itself: its help, completions and man page, and what it prints for machines."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess

import pytest

import judge
import media
import weft

DATA = weft.build_folder() / "launcher/data"


@pytest.fixture(scope="module")
def table():
    return json.loads(weft.command("--generate", "json").out)


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    return program


def small_job(**more):
    return weft.job([weft.clip(media.real("realshort.mp4"), out=0.4)], **more)


# --- help, completions, man page: none may forget what the table has


def words_of(table):
    for command in table["commands"]:
        for option in command["options"] + table["options"]:
            yield command["name"], option


def test_every_command_is_in_the_overview(table):
    text = weft.command("--help").out
    for command in table["commands"]:
        assert re.search(rf"^  {command['name']}\b", text, re.M), command["name"]
        assert weft.command("help", command["name"]).out == weft.command(command["name"], "--help").out
    for code in table["exit_codes"]:
        assert re.search(rf"^  {code}\b", text, re.M), code


def test_every_option_is_in_the_help_of_its_command(table):
    texts = {c["name"]: weft.command(c["name"], "--help").out for c in table["commands"]}
    for command, option in words_of(table):
        assert f"--{option['name']}" in texts[command]
        if option["letter"]:
            assert f"-{option['letter']}, --{option['name']}" in texts[command]
        for choice in (option["choices"] or "").split():
            assert choice in texts[command]
    for name, text in texts.items():
        assert max(map(len, text.splitlines())) <= 80, f"the help of {name} is wider than a terminal"


def test_every_option_is_in_the_man_page_and_every_completion(table):
    man = (DATA / "weft.1").read_text(encoding="utf-8").replace("\\-", "-")
    bash = (DATA / "weft").read_text(encoding="utf-8")
    zsh = (DATA / "_weft").read_text(encoding="utf-8")
    fish = (DATA / "weft.fish").read_text(encoding="utf-8")
    for command, option in words_of(table):
        name = option["name"]
        assert f"--{name}" in man and f"--{name}" in bash and f"--{name}" in zsh, (command, name)
        assert re.search(rf"-l {name}\b", fish), (command, name)
    for command in table["commands"]:
        for text in (man, bash, zsh, fish):
            assert re.search(rf"\b{command['name']}\b", text), command["name"]


def test_every_code_of_the_library_is_in_the_guide():
    header = (weft.ROOT / "launcher/lib/weft-error.h").read_text(encoding="utf-8")
    guide = (weft.ROOT / "docs/guide/troubleshooting.md").read_text(encoding="utf-8")
    codes = re.findall(r"^  WEFT_ERROR_(\w+),", header, re.M)
    assert len(codes) > 10
    for code in codes:
        assert f"\n### {code}\n" in guide, f"{code} is not explained"


@pytest.mark.parametrize("shell, file", [("bash", "weft"), ("zsh", "_weft"), ("fish", "weft.fish")])
def test_completions_are_valid(shell, file):
    done = subprocess.run([need(shell), "-n", DATA / file], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def bash_completes(line):
    words = line.split(" ")
    script = f"""
      source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      compopt () {{ :; }}
      _weft
      printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script, "-", DATA / "weft", *words], capture_output=True, check=True, text=True)
    return set(done.stdout.split())


def test_bash_completes_commands_options_and_choices(table, tmp_path, monkeypatch):
    assert bash_completes("weft ") >= {c["name"] for c in table["commands"]}
    assert bash_completes("weft run --ev") == {"--events"}
    assert bash_completes("weft run --events j") == {"json"}
    assert bash_completes("weft run --events = t") == {"tty"}
    assert bash_completes("weft graph j.json --format ") == {"launch", "dot", "json"}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.json").touch()
    (tmp_path / "below").mkdir()
    assert bash_completes("weft run ") == {"one.json", "below"}
    assert bash_completes("weft run --output-dir ") == {"below"}


def test_fish_completes_commands_options_and_choices(table):
    def completes(line):
        done = subprocess.run([need("fish"), "--no-config", "-c", f"source {DATA}/weft.fish; complete -C '{line}'"],
                              capture_output=True, check=True, text=True, env=weft.environment())
        return {each.split("\t")[0] for each in done.stdout.splitlines()}

    assert completes("weft ") >= {c["name"] for c in table["commands"]}
    assert completes("weft run --ev") == {"--events"}
    assert completes("weft run --events j") == {"json"}


def test_the_man_page_is_clean_and_readable(table):
    need("groff")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", DATA / "weft.1"], capture_output=True, check=False, text=True,
                          env=weft.environment())
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(r".\x08", "", done.stdout)
    for command in table["commands"]:
        assert f"weft {command['name']}" in text
    if shutil.which("man"):
        done = subprocess.run(["man", "--warnings", "-l", "-Tutf8", DATA / "weft.1"], capture_output=True, check=False,
                              text=True, env=weft.environment(MANWIDTH="80", PAGER="cat"))
        assert (done.returncode, done.stderr) == (0, "")


# --- usage


@pytest.mark.parametrize("arguments, says", [
    (["rnu"], "did you mean run?"),
    (["run", "--evnts", "json", "j"], "did you mean --events?"),
    (["run", "j", "--events", "xml"], "tty, json, none"),
    (["run", "j", "--events"], "needs a value"),
    (["run", "j", "--set", "novalue"], "NAME=VALUE"),
    (["run", "j", "--report", "a", "--report", "b"], "only once"),
    (["run", "j", "--stall-timeout", "soon"], "seconds"),
    (["run", "j", "--stall-timeout", "-3"], "seconds"),
    (["run", "j", "--stall-timeout", "nan"], "seconds"),
    (["validate", "--strict=yes", "j"], "takes no value"),
    (["schema", "extra"], "takes no argument"),
    (["run", ""], "needs a JOB"),
    (["--frob"], "unknown option"),
    (["run", "-x", "j"], "-x"),
])
def test_what_was_typed_wrong_is_said(arguments, says):
    result = weft.command(*arguments)
    assert result.code == weft.USAGE, str(result)
    assert says in result.err, result.err
    assert result.out == ""


def test_options_may_stand_anywhere(folder):
    path = weft.write_job(folder, small_job())
    job = weft.command("validate", "--json", path)
    assert job.code == weft.DONE and json.loads(job.out)["valid"]
    assert weft.command("validate", path, "--json").out == job.out
    assert weft.command("validate", "--json", "--", path).out == job.out


def test_version():
    assert re.fullmatch(r"weft \d+\.\d+\.\d+\n", weft.command("--version").out)


# --- what it prints for machines


def test_schema_presets_plan_and_doctor_print_json(folder):
    schema = json.loads(weft.command("schema").out)
    assert schema == json.loads((weft.ROOT / "pipelines/job.schema.json").read_text(encoding="utf-8"))
    presets = json.loads(weft.command("presets").out)
    assert set(presets) == {p.stem for p in (weft.ROOT / "pipelines/presets").glob("*.json")}
    plan = json.loads(weft.command("plan", weft.write_job(folder, small_job())).out)
    assert plan["timeline"]["frames"] == 10
    doctor = weft.command("doctor", "--json")
    assert json.loads(doctor.out)["ok"] is (doctor.code == weft.DONE)
    assert doctor.code == weft.DONE, doctor.out


def test_numbers_are_printed_as_they_were_written(folder):
    clip = {"src": str(media.real("realshort.mp4")), "volume": 0.4, "out": 1.1}
    text = {"type": "text", "text": "a", "x": 0.1, "y": 0.7, "opacity": 0.85, "font": {"size": 24.6}}
    job = weft.write_job(folder, weft.job([clip], overlays=[text], outputs=[weft.video(video={"keyframe_s": 2.4})]))
    plan = weft.command("plan", job).out
    assert '"volume" : 0.4,' in plan and '"opacity" : 0.85' in plan and '"size" : 24.6' in plan, plan
    run = weft.command("run", job, "--events", "json", "--output-dir", folder / "out", "--report", folder / "report.json")
    shown = plan + weft.command("graph", job).out + run.out + (folder / "report.json").read_text()
    # Times that were measured may have all the digits there are.
    measured = r'"(wall_s|cpu_s|speed|fps|eta_s|percent)" ?: ?[-0-9.e]+'
    assert not re.findall(r"\d\.\d{16,}", re.sub(measured, "", shown))


def test_probe_lists_streams_and_keyframes():
    seen = json.loads(weft.command("probe", media.real("hello.mp4")).out)
    assert (seen["video"]["width"], seen["video"]["height"]) == (1280, 720)
    assert seen["audio"]["rate"] == 48000
    truth = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v", "-skip_frame", "nokey", "-show_entries", "frame=pts_time",
         "-of", "csv=p=0", media.real("hello.mp4")], capture_output=True, check=True, text=True)
    assert len(seen["video"]["keyframes_ns"]) == len(truth.stdout.split())


def test_validate_lists_every_problem_for_people_and_for_programs(folder):
    job = small_job()
    job["timeline"]["clips"][0]["fitt"] = "cover"
    job["outputs"][0]["widht"] = 100
    path = weft.write_job(folder, job)
    result = weft.command("validate", path)
    assert result.code == weft.INVALID_JOB and result.out == ""
    for word in ("/timeline/clips/0", "/outputs/0", "fit", "width", "hint"):
        assert word in result.err, result.err
    found = json.loads(weft.command("validate", "--json", path).out)
    assert not found["valid"] and {p["severity"] for p in found["problems"]} == {"error"}
    assert len(found["problems"]) == 2


def test_strict_turns_warnings_into_errors(folder):
    path = weft.write_job(folder, small_job())
    relaxed = weft.command("validate", path, "--set", "nobody=asks")
    assert relaxed.code == weft.DONE and "nobody" in relaxed.err, str(relaxed)
    assert weft.command("validate", path, "--set", "nobody=asks", "--strict").code == weft.INVALID_JOB
    assert weft.command("validate", path, "--strict").code == weft.DONE


def test_the_plan_says_twice_what_cannot_be_run(folder):
    result = weft.command("plan", weft.write_job(folder, small_job(webhook={"url": "https://example.org/"})))
    assert result.code == weft.DONE, str(result)
    assert [each["pointer"] for each in json.loads(result.out)["unsupported"]] == ["/webhook"]
    assert "warning:" in result.err and "/webhook" in result.err, result.err


def test_the_graph_is_printed_three_ways(folder):
    path = weft.write_job(folder, small_job())
    launch = weft.command("graph", path).out
    assert launch == weft.command("graph", path, "--format", "launch").out and "clipsequence" in launch
    assert "digraph" in weft.command("graph", path, "-fdot").out
    assert json.loads(weft.command("graph", path, "--format=json").out)["elements"]


def test_a_language_with_decimal_commas_changes_nothing(folder):
    german = weft.environment(LC_ALL="de_DE.UTF-8", LANGUAGE="de")
    if subprocess.run(["/usr/bin/python3", "-c", "import locale; locale.setlocale(locale.LC_ALL, '')"], env=german, check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip("there is no locale de_DE.UTF-8")
    job = weft.job([weft.clip(media.real("realshort.mp4"), **{"in": 0.2, "out": 0.8}, volume=0.25)], fps=29.97, overlays=[
        {"type": "text", "text": "1.5", "opacity": 0.5, "x": 0.25, "y": 0.5, "end": 0.3}])
    path = weft.write_job(folder, job)
    for env, name in ((weft.environment(), "english"), (german, "german")):
        result = weft.command("run", path, "--output-dir", folder / name, "--report", folder / f"{name}.json", env=env)
        assert result.code == weft.DONE, str(result)
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    english, translated = folder / "english/out.mp4", folder / "german/out.mp4"
    assert (judge.decode_audio(english) == judge.decode_audio(translated)).all()
    assert judge.psnr(judge.decode_luma(english), judge.decode_luma(translated)) > 45
    assert weft.command("graph", path, env=german).out == weft.command("graph", path).out


# --- secrets


SECRETS = ("hunter2", "AKIASECRET", "deadbeef")
SECRET_URI = "http://me:hunter2@127.0.0.1:9/a.mp4?X-Amz-Credential=AKIASECRET&X-Amz-Signature=deadbeef&versionId=7"


@pytest.mark.parametrize("arguments", [["run"], ["run", "--events", "json"], ["plan"], ["graph"]])
def test_secrets_in_addresses_are_never_shown(folder, arguments):
    path = weft.write_job(folder, weft.job([SECRET_URI, media.real("realshort.mp4")]))
    report = folder / "report.json"
    more = ["--report", report] if arguments[0] == "run" else []
    result = weft.command(*arguments, path, *more)
    assert result.code == weft.SOURCE, str(result)
    said = result.said + (report.read_text(encoding="utf-8") if report.exists() else "")
    assert "127.0.0.1" in said and "***" in said
    for secret in SECRETS:
        assert secret not in said, said


def test_secrets_in_an_address_that_is_probed_are_never_shown():
    result = weft.command("probe", SECRET_URI)
    assert result.code == weft.SOURCE and "127.0.0.1" in result.said and "***" in result.said, str(result)
    for secret in SECRETS:
        assert secret not in result.said, result.said


# --- the terminal


def on_a_terminal(arguments, columns=80, **env):
    """What a terminal of that width shows in the end, and everything that was written to it."""
    leader, follower = pty.openpty()
    subprocess.run(["stty", "cols", str(columns), "rows", "24"], stdin=follower, check=True)
    environment = weft.environment(TERM="xterm")
    environment.pop("NO_COLOR")
    environment.update(env)
    written = b""
    with subprocess.Popen([weft.binary(), *map(str, arguments)], stdin=follower, stdout=follower, stderr=follower,
                          env=environment) as process:
        os.close(follower)
        while select.select([leader], [], [], weft.PATIENCE_S)[0]:
            try:
                block = os.read(leader, 65536)
            except OSError:
                break
            written += block
        code = process.wait(weft.PATIENCE_S)
    os.close(leader)
    return code, screen(written.decode()), written.decode()


def screen(text):
    """The lines left on a terminal: \\r goes back, ESC[K erases to the end, colours are not seen."""
    lines, line, at = [], [], 0
    for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.", text, re.S):
        if token == "\n":
            lines.append("".join(line))
            line, at = [], 0
        elif token == "\r":
            at = 0
        elif token == "\x1b[K":
            del line[at:]
        elif token.startswith("\x1b"):
            assert token.endswith("m"), f"unexpected {token!r}"
        else:
            line[at:at + 1] = [token]
            at += 1
    return lines + (["".join(line)] if line else [])


def test_the_live_line_is_gone_in_the_end_and_the_files_are_named(folder):
    path = weft.write_job(folder, weft.job([media.real("hello.mp4")], [weft.video("a.mp4"), weft.video("b.mp4", width=160)],
                                           size=(640, 360)))
    code, shown, written = on_a_terminal(["run", path, "--output-dir", folder / "out"], columns=200)
    assert code == weft.DONE, shown
    assert "%" in written and "fps" in written
    assert not any("%" in line or "█" in line for line in shown), shown
    for name in ("a.mp4", "b.mp4"):
        assert any(line.endswith(str(folder / "out" / name)) for line in shown), shown


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_live_line_is_wider_than_the_terminal(folder, columns):
    path = weft.write_job(folder, weft.job([media.real("hello.mp4")]))
    code, _, written = on_a_terminal(["run", path, "--output-dir", folder / "out"], columns=columns)
    assert code == weft.DONE
    live = [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", part) for part in re.findall(r"\r([^\r\n]*)\x1b\[K", written)]
    assert any(live) and max(map(len, live)) < columns, live


def test_colours_only_where_they_are_wanted(folder):
    path = weft.write_job(folder, weft.job([folder / "gone.mp4"]))
    assert "\x1b[1;31merror" in on_a_terminal(["validate", folder / "no.json"])[2]
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, _, written = on_a_terminal(["run", path], **env)
        assert code == weft.SOURCE and not re.search(r"\x1b\[[0-9;]*m", written), written
    assert "\x1b" not in weft.command("run", path).said


def test_control_characters_of_a_job_do_not_reach_the_terminal(folder):
    job = small_job()
    job["timeline"]["clips"][0]["\x1b]0;owned\x07"] = 1
    code, _, written = on_a_terminal(["validate", weft.write_job(folder, job)])
    assert code == weft.INVALID_JOB
    assert "\x1b]0" not in written and "\x07" not in written


# --- where outputs go


def test_an_output_dir_holds_relative_outputs_and_nothing_leads_out_of_it(folder):
    job = small_job(outputs=[weft.video("below/a.mp4")])
    path = weft.write_job(folder, job)
    result = weft.command("run", path, "--output-dir", "here/and/there", "--events", "none", cwd=folder)
    assert result.code == weft.DONE, str(result)
    assert (folder / "here/and/there/below/a.mp4").is_file()
    assert not (folder / "below").exists()

    path = weft.write_job(folder, small_job(outputs=[weft.video("../a.mp4")]))
    result = weft.command("run", path, "--output-dir", folder / "other")
    assert result.code == weft.INVALID_JOB and "/outputs/0" in result.err, str(result)
    assert not (folder / "other").exists() and not (folder / "a.mp4").exists()


def test_an_absolute_output_goes_where_it_says(folder):
    path = weft.write_job(folder, small_job(outputs=[weft.video(str(folder / "abs.mp4"))]))
    assert weft.command("run", path, "--output-dir", folder / "out", "--events", "none").code == weft.DONE
    assert (folder / "abs.mp4").is_file() and not (folder / "out").exists()


def test_the_report_is_written_when_the_job_fails_too(folder):
    report = folder / "report.json"
    result = weft.command("run", weft.write_job(folder, {"timeline": {}}), "--report", report)
    assert result.code == weft.INVALID_JOB
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["state"] == "failed" and written["error"]["code"] == "INVALID_JOB" and written["outputs"] == []


def test_a_report_that_cannot_be_written_is_said(folder):
    path = weft.write_job(folder, small_job())
    result = weft.command("run", path, "--output-dir", folder / "out", "--report", pathlib.Path("/proc/nowhere/r.json"))
    assert result.code == weft.OUTPUT and "report" in result.err, str(result)
