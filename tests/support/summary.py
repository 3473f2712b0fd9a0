#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adds up what Meson's and pytest's tests say and prints `N passed, N failed[, N skipped]` as the last line.

Usage: summary.py [--status N] FOLDER...

Every `*.xml` in the folders is read as JUnit, every `*.json` as a log of `meson test`. A test program that
crashed or ran out of time counts as one failure even if the cases it had reported until then passed. A
non-zero --status (of the programs that ran the tests) is a failure even if no test says so. With
WEFT_TESTS_REQUIRE=all a skipped test counts as failed: something it needs is missing.
"""

import argparse
import json
import os
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

# Meson's words for a test program that did what it should.
GOOD_RESULTS = {"OK", "SKIP", "EXPECTEDFAIL"}


def cases_of(path):
    """Yields (suite, name, state, reason) for each test case of a JUnit file."""
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        for case in suite.findall("testcase"):
            state, reason = "passed", ""
            for child in case:
                if child.tag in ("failure", "error"):
                    state, reason = "failed", child.get("message") or child.text or ""
                    break
                if child.tag == "skipped" and child.get("type") == "pytest.xfail":
                    state, reason = "known", child.get("message") or ""
                elif child.tag == "skipped":
                    state, reason = "skipped", child.get("message") or child.text or ""
            name = case.get("name") or "?"
            yield case.get("classname") or suite.get("name") or "", name, state, reason.strip()


def programs_of(path):
    """Yields (name, result) for each test program of a log of `meson test`."""
    with open(path, encoding="utf-8") as log:
        for line in log:
            if line.strip():
                entry = json.loads(line)
                yield entry["name"], entry["result"]


def collect(folders):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    remarks = []
    strict = os.environ.get("WEFT_TESTS_REQUIRE") == "all"
    for folder in map(pathlib.Path, folders):
        cases = []
        for path in sorted(folder.glob("*.xml")):
            try:
                cases += cases_of(path)
            except ElementTree.ParseError as error:
                cases.append(("", path.name, "failed", f"not readable: {error}"))
        for log in sorted(folder.glob("*.json")):
            for name, result in programs_of(log):
                if result not in GOOD_RESULTS:
                    add_bad_program(cases, name, result)
        for suite, name, state, reason in cases:
            if state == "known":
                state = "skipped"
                print(f"KNOWN DEFECT: {reason}")
            elif state == "skipped" and strict:
                state, reason = "failed", f"skipped, and everything is required: {reason}"
            counts[state] += 1
            if state != "passed":
                first_line = reason.splitlines()[0] if reason else ""
                remarks.append(f"{state.upper()}: {suite} {name} {first_line}".rstrip())
    return counts, remarks


def add_bad_program(cases, name, result):
    """Makes sure that a test program that ended with `result` has a failed case among `cases`."""
    for i, (suite, case, state, _) in enumerate(cases):
        if suite.endswith(f".{name}") and state == "failed":
            return
        if case == name:
            # A program without cases of its own; Meson's JUnit file does not mark one that ran out of time.
            cases[i] = (suite, case, "failed", f"ended with {result}")
            return
    cases.append(("", name, "failed", f"ended with {result}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()

    counts, remarks = collect(arguments.folders)
    if arguments.status and not counts["failed"]:
        counts["failed"] += 1
        remarks.append("FAILED: a test program ended with an error that none of its tests reported")
    if not any(counts.values()):
        counts["failed"] += 1
        remarks.append("FAILED: no test ran")
    for remark in remarks:
        print(remark)
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        line += f", {counts['skipped']} skipped"
    print(line)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
