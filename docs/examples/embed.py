#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Renders a job from a Python program, in a main loop, and can be cancelled with Ctrl-C."""

import json
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("Json", "1.0")
gi.require_version("Weft", "1.0")
from gi.repository import Gio, GLib, Gst, Json, Weft  # noqa: E402


def on_event(_runner, event):
    envelope = json.loads(Json.to_string(event, False))
    if envelope["type"] == "job.progress":
        print(f"{envelope['data']['percent']:.0f} %")
    elif envelope["type"] == "output.ready":
        print(f"ready: {envelope['data']['uri']}")


def main(path):
    Gst.init(None)
    loop = GLib.MainLoop()
    cancellable = Gio.Cancellable()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, cancellable.cancel)
    status = 1

    def on_end(runner, result):
        nonlocal status
        try:
            runner.run_finish(result)
            status = 0
        except GLib.Error as error:
            print(error.message, file=sys.stderr)
        loop.quit()

    try:
        job = Weft.Job.new_from_file(Gio.File.new_for_commandline_arg(path), None)
        plan = Weft.Plan.new(job, None)
        plan.check_supported()
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    runner = Weft.Runner.new(plan)
    runner.connect("event", on_event)
    runner.run_async(cancellable, on_end)
    loop.run()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "Usage: embed.py JOB")
