# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all functional tests share."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

# The media are made before anything measures time; a test says by name which ones it wants.
import judge  # noqa: E402  pylint: disable=wrong-import-position
import weft  # noqa: E402  pylint: disable=wrong-import-position


def pytest_report_header(config):
    return f"weft: {weft.binary()}"


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.name in KNOWN_DEFECTS:
            item.add_marker(pytest.mark.xfail(reason=KNOWN_DEFECTS[item.name], strict=True))
    if not weft.binary().exists():
        raise pytest.UsageError(f"{weft.binary()} is not built; run ./dev build, or set WEFT_BUILD_ROOT")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With WEFT_TESTS_REQUIRE=all nothing may be missing: a skip is a failure that says what."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("WEFT_TESTS_REQUIRE") == "all":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"WEFT_TESTS_REQUIRE=all, and this was to be skipped: {reason}"


@pytest.fixture
def folder(tmp_path):
    """A folder for one job; outputs go to folder/out. Whatever the job was, no temporary file stays there."""
    yield tmp_path
    strange = [f for f in judge.files_below(tmp_path)
               if pathlib.PurePath(f).name.startswith(".") or f.endswith((".tmp", ".part", "~"))]
    assert not strange, f"temporary files are left behind: {strange}"


# Defects that are known and not mended yet, by the name of the test that shows them. Strict: whoever mends one is told to
# take it out of here.
KNOWN_DEFECTS = {}
