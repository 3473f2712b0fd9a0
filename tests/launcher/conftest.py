# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the command share with the functional ones."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import pytest  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    """A folder for one job."""
    return tmp_path
