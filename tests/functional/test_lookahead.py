# SPDX-License-Identifier: LGPL-2.1-or-later
"""No combination of look-ahead, outputs and clip lengths hangs or loses a frame."""

import pytest

import judge
import media
import weft

# (look-ahead, B-frames, outputs, clip seconds, clips)
CASES = [
    (0, 0, 1, 0.04, 8), (0, 16, 6, 0.5, 4), (1, 3, 2, 0.08, 12), (10, 3, 3, 1.0, 3), (40, 3, 6, 0.2, 10),
    (60, 2, 4, 1.5, 3), (120, 8, 3, 0.04, 60), (250, 3, 1, 3.9, 1), (250, 16, 6, 2.7, 5), (250, 0, 5, 0.04, 25),
]


@pytest.mark.parametrize("lookahead,bframes,outputs,seconds,clips", CASES)
def test_encoders_that_hold_frames_back_never_stop_the_graph(folder, lookahead, bframes, outputs, seconds, clips):
    path = media.counter(40, fps="25", frames=100, size=(160, 90))
    jobs = [weft.video(f"o{i}.mp4", quality=20, width=160 - 32 * (i % 3), height=90 - 18 * (i % 3),
                       # From one output to the next the delay differs: none may wait for another for ever.
                       video={"lookahead": lookahead if i % 2 == 0 else lookahead // 3, "bframes": bframes},
                       audio={"bitrate": 64000 + 32000 * (i % 2)}) for i in range(outputs)]
    cuts = [(round(0.04 * (3 * i % 7), 2), round(0.04 * (3 * i % 7) + seconds, 2)) for i in range(clips)]
    cuts = [(s, e) if e <= 4 else (0, seconds) for s, e in cuts]
    result = weft.run(weft.job([weft.clip(path, **{"in": s, "out": e}) for s, e in cuts], jobs, size=(160, 90)), folder)
    _, frames, samples = judge.layout_of([judge.exact(e) - judge.exact(s) for s, e in cuts], 25)
    for i in range(outputs):
        judge.assert_movie(result.file(f"o{i}.mp4"), frames, 25, samples=samples)


def test_one_slow_and_one_fast_output_of_a_long_clip(folder):
    job = weft.job([weft.clip(media.real("together.mp4"), out=60)],
                   [weft.video("slow.mp4", speed="medium", quality=30, width=160, video={"lookahead": 250}),
                    weft.video("fast.mp4", quality=30, width=96, height=54, audio={"codec": "none"}),
                    {"id": "last", "type": "thumbnail", "uri": "last.jpg", "at": 59.9, "width": 160}], size=(160, 90))
    result = weft.run(job, folder)
    judge.assert_movie(result.file("slow.mp4"), 1500, 25, samples=60 * 48000)
    judge.assert_movie(result.file("fast.mp4"), 1500, 25)


def test_posters_at_the_first_and_the_last_frame(folder):
    path = media.counter(41, fps="25", frames=50)
    outputs = [weft.video(video={"lookahead": 60})] + \
        [{"id": f"p{i}", "type": "thumbnail", "uri": f"p{i}.png", "at": at} for i, at in enumerate((0, 1.0, 1.96))]
    result = weft.run(weft.job([path], outputs), folder)
    assert [judge.read_counters(result.file(f"p{i}.png")) for i in range(3)] == [[(41, 0)], [(41, 25)], [(41, 49)]]
