# SPDX-License-Identifier: LGPL-2.1-or-later
"""Job documents nobody should send. Each is bytes, and what must become of it.

`REFUSED` must end as an invalid job whose problems have pointers; `DRAWN` must render, with the text as it stands.
"""

import copy
import json
import random

GOOD_SRC = "@SRC@"


def base():
    return {"version": 1,
            "timeline": {"width": 320, "height": 180, "fps": 25, "clips": [{"src": GOOD_SRC, "out": 0.4}]},
            "outputs": [{"id": "o", "uri": "o.mp4", "video": {"speed": "ultrafast"}}]}


def _with(path, value):
    job = base()
    at = job
    *parents, last = path
    for key in parents:
        if isinstance(key, str) and isinstance(at, dict):
            at = at.setdefault(key, {})
        else:
            at = at[key]
    if isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return json.dumps(job).encode()


def _raw(path, text):
    """A value JSON cannot be made to say by json.dumps."""
    return _with(path, "@RAW@").replace(b'"@RAW@"', text.encode() if isinstance(text, str) else text)


CLIP = ("timeline", "clips", 0)
TEXT = ("timeline", "overlays")


def refused():
    """{name: bytes}"""
    cases = {}

    def add(name, data):
        assert name not in cases, name
        cases[name] = data

    # not JSON, or not the JSON it should be
    for name, data in {
        "empty": b"", "spaces": b"   \n", "null": b"null", "number": b"7", "string": b'"job"', "array": b"[]", "true": b"true",
        "empty object": b"{}", "unclosed": b'{"version": 1', "trailing comma": b'{"version": 1,}', "two documents": b"{}{}",
        "single quotes": b"{'version': 1}", "a comment": b'{"version": 1 /* */}', "nul bytes": b"\0" * 100,
        "binary": bytes(range(256)) * 10, "invalid utf-8": json.dumps(base()).encode().replace(b"@SRC@", b"\xff\xfe\x80"),
        "overlong utf-8": json.dumps(base()).encode().replace(b"@SRC@", b"\xc0\xaf"),
        "lone surrogate": json.dumps(base()).encode().replace(b"@SRC@", b"\\ud800"),
        "nul in a string": json.dumps(base()).encode().replace(b"@SRC@", b"a\\u0000b.mp4"),
        "utf-16": json.dumps(base()).encode("utf-16"),
        "deep arrays": b"[" * 100_000, "deep closed arrays": b"[" * 50_000 + b"]" * 50_000,
        "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "deep inside": _raw(("metadata",), '{"a":' * 3000 + "1" + "}" * 3000),
        "deep clips": _raw(("timeline", "clips"), "[" * 2000 + "]" * 2000),
        "xml": b"<?xml version='1.0'?><job/>", "yaml": b"version: 1\ntimeline:\n  clips: []\n",
        "an html page": b"<!doctype html><title>404</title>", "a long line": b"x" * 3_000_000,
        "a huge number of digits": _raw(("timeline", "width"), "1" * 100_000),
    }.items():
        add(name, data)

    # numbers
    for where, path in {"width": ("timeline", "width"), "height": ("timeline", "height"), "fps": ("timeline", "fps"),
                        "in": CLIP + ("in",), "out": CLIP + ("out",), "volume": CLIP + ("volume",), "speed": CLIP + ("speed",)}.items():
        for value in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-1", "1e30", "99999999999999999999999999", '"x"',
                      "[]", "{}", "true", '""', '"NaN"', '"-5"'):
            add(f"{where} {value}", _raw(path, value))
    for value in ("0", "-0.0000001", "0/0", "1/0", "0/1", "-30/1", "30/", "/30", "30/1/1", "30000 / 1001", "1e3", "٣٠", "9999999/1"):
        add(f"fps text {value}", _with(("timeline", "fps"), value))
    for value in (0, 1, 15, 17, 321, 8194, 2 ** 31, 2 ** 32 + 320, 2 ** 63, 320.5):
        add(f"width {value!r} as number", _with(("timeline", "width"), value))
    for value in ("1:2:3:4", "99:99", "::", "-1", "1,5", "00:00:61", "0x10", "1s", " 1", "1 ", "end"):
        add(f"time {value!r}", _with(CLIP + ("in",), value))

    # types
    for path in (("version",), ("timeline",), ("outputs",), ("timeline", "clips"), ("outputs", 0), CLIP, CLIP + ("src",),
                 CLIP + ("fit",), CLIP + ("on_error",), ("outputs", 0, "uri"), ("outputs", 0, "video"), ("variables",), ("fonts",),
                 TEXT, ("webhook",), ("render",), ("metadata",)):
        for value in (None, 3.5, "nonsense", [[]], {"nonsense": 1}, False):
            name = f"{'/'.join(map(str, path))} = {json.dumps(value)}"
            if path == ("metadata",) and isinstance(value, dict):
                continue
            if path in (CLIP + ("src",), ("outputs", 0, "uri")) and isinstance(value, str):
                continue
            if path == ("variables",) and isinstance(value, dict):
                continue
            add(name, _with(path, value))

    # keys
    add("unknown key at the top", _with(("colour",), 1))
    add("misspelt key of a clip", _with(CLIP + ("scr",), "x"))
    add("misspelt key of an output", _with(("outputs", 0, "widht"), 320))
    add("empty key", _with(("",), 1))
    add("key with a slash and a tilde", _with(("a/b~c",), 1))
    add("version 2", _with(("version",), 2))
    add("version as text", _with(("version",), "1"))
    add("a key of a megabyte", _with(("k" * 1_000_000,), 1))
    add("a prototype", _with(("__proto__",), {"polluted": True}))

    # structure
    add("no clips", _with(("timeline", "clips"), []))
    add("no outputs", _with(("outputs",), []))
    add("100000 clips", _with(("timeline", "clips"), [{"src": GOOD_SRC}] * 100_000))
    add("65 outputs", _with(("outputs",), [{"uri": f"{i}.mp4"} for i in range(65)]))
    add("width without height", json.dumps({**base(), "timeline": {"width": 320, "clips": [{"src": GOOD_SRC}]}}).encode())
    add("out and duration", _with(CLIP + ("duration",), 1))
    add("out before in", _with(CLIP + ("in",), 0.5))
    add("out equals in", _with(CLIP + ("in",), 0.4))
    add("quality and bitrate", _with(("outputs", 0, "video"), {"quality": 20, "bitrate": 1000000}))

    job = base()
    job["outputs"].append(copy.deepcopy(job["outputs"][0]))
    add("one output id twice", json.dumps(job).encode())
    job = base()
    job["outputs"].append({"id": "p", "uri": "o.mp4"})
    add("one output uri twice", json.dumps(job).encode())
    job = base()
    job["timeline"]["clips"] = [{"id": "c", "src": GOOD_SRC, "out": 0.2}, {"id": "c", "src": GOOD_SRC, "out": 0.2}]
    add("one clip id twice", json.dumps(job).encode())
    add("one key twice", json.dumps(base()).encode().replace(b'"version": 1', b'"version": 1, "version": 1'))
    add("one key twice, deep", json.dumps(base()).encode().replace(b'"out": 0.4', b'"out": 0.4, "out": 40000'))

    # uris
    for uri in ("ftp://example.org/a.mp4", "javascript:alert(1)", "data:video/mp4;base64,AAAA", "gopher://x", "http://", "http:///a",
                "https://[::1", "file://otherhost/a.mp4", "", "http://exa mple.org/", "concat:a|b", "pipe:0", "fd://0",
                "videotestsrc://", "appsrc://", "dvd://", "cdda://1", "v4l2:///dev/video0", "s3://", "x" * 5000):
        add(f"source {uri[:40]!r}", _with(CLIP + ("src",), uri))
    for uri in ("ftp://example.org/o.mp4", "", "javascript:1", "file://otherhost/o.mp4", "http://example.org/o.mp4", "o.mp4\n", "o\0.mp4",
                "x" * 5000, "pipe:1", "../" * 3000 + "o.mp4"):
        add(f"output {uri[:40]!r}", _with(("outputs", 0, "uri"), uri))

    # ids and variables
    for value in ("", "a b", "../../x", "a/b", "ä", "x" * 65, ".hidden", "-o", "a\nb", "a\u0000b"):
        add(f"job id {value[:20]!r}", _with(("id",), value))
        add(f"output id {value[:20]!r}", _with(("outputs", 0, "id"), value))
    add("unset variable", _with(CLIP + ("src",), "{{nowhere}}"))
    add("unclosed variable", _with(CLIP + ("src",), "{{nowhere"))
    add("variable with spaces in its name", _with(("variables",), {"a b": "c"}))
    add("variable that is a list", _with(("variables",), {"a": [1]}))
    job = base()
    job["variables"] = {"a": "{{b}}", "b": "{{a}}"}
    job["timeline"]["clips"][0]["src"] = "{{a}}"
    add("variables in a circle", json.dumps(job).encode())
    job = base()
    job["variables"] = {chr(97 + i): ("{{" + chr(98 + i) + "}}") * 10 for i in range(20)}
    job["variables"]["u"] = "lol"
    job["timeline"]["clips"][0]["src"] = "{{a}}"
    add("a billion laughs", json.dumps(job).encode())
    add("unknown preset", _with(("preset",), "nonsense"))
    add("a preset that is a path", _with(("preset",), "../../../etc/passwd"))

    # overlays
    for name, overlay in {
        "overlay without type": {"text": "x"}, "overlay of unknown type": {"type": "hologram"},
        "text without text": {"type": "text"}, "empty text": {"type": "text", "text": ""},
        "a text of a megabyte": {"type": "text", "text": "x" * 1_000_000},
        "huge font": {"type": "text", "text": "x", "font": {"size": 1e9}}, "no font size": {"type": "text", "text": "x", "font": {"size": 0}},
        "negative font": {"type": "text", "text": "x", "font": {"size": -5}},
        "wrong colour": {"type": "text", "text": "x", "font": {"color": "red"}},
        "colour with a tail": {"type": "text", "text": "x", "font": {"color": "#FFFFFFF"}},
        "huge stroke": {"type": "text", "text": "x", "font": {"stroke": {"width": 1e6}}},
        "huge blur": {"type": "text", "text": "x", "font": {"shadow": {"blur": 1e6}}},
        "huge padding": {"type": "text", "text": "x", "background": {"padding": 1e9}},
        "end before start": {"type": "text", "text": "x", "start": 0.3, "end": 0.1},
        "wrong position": {"type": "text", "text": "x", "position": "middle"},
        "x of nonsense": {"type": "text", "text": "x", "x": "12"}, "x far away": {"type": "text", "text": "x", "x": 1e9},
        "image without src": {"type": "image"}, "image of a negative width": {"type": "image", "src": "a.png", "width": -1},
        "image of a huge width": {"type": "image", "src": "a.png", "width": "99999999px"},
    }.items():
        add(name, _with(TEXT, [overlay]))

    # what a fuzzer finds first: every cut of a good document
    good = json.dumps(base()).encode()
    dice = random.Random(4)
    for i in range(12):
        cut = dice.randrange(1, len(good) - 1)
        add(f"cut at {cut} ({i})", good[:cut])
    return cases


MARKUP = ["<b>bold</b>", "<span size='999999999'>x</span>", "&amp; &lt; &#0; &nbsp;", "</span>", "<!-- x -->", "%s%n%s%n %d",
          "$(touch x) `touch x` ; touch x", "'\"\\ \" ! location=x ! filesink", "{ } [ ] ( ) ! , ; = \\", "\u202eright to left\u202c",
          "a\u0301\u0302\u0303" * 50, "👩‍👩‍👧‍👦🏳️‍🌈" * 10, "\ufeffBOM", "\t tabs \t", "line\nbreak\r\nbreak", "\u200b\u200c\u200d", "\ufffe\uffff",
          "مرحبا بالعالم", "漢字かな交じり文", "x" * 5000, "\u0001\u0002\u001b[31m", "<markup", "&", "%", "\\", "\"", "'", "{{", "}}"]


def drawn():
    """{name: bytes}: texts that look like code to somebody."""
    cases = {}
    for i, text in enumerate(MARKUP):
        if "{{" in text:
            continue
        cases[f"text {i} {text[:16]!r}"] = _with(TEXT, [{"type": "text", "text": text, "font": {"size": 24}}])
    for name in ("name with spaces.mp4", "quote\".mp4", "apostrophe's.mp4", "ünï.mp4", "a!b.mp4", "back\\slash.mp4", "per%20cent.mp4",
                 "%s%d%05d.mp4", "-dash.mp4", "semi;colon.mp4", "$HOME.mp4", "(paren).mp4", "emoji 🎬.mp4", "a,b=c.mp4"):
        cases[f"output {name}"] = _with(("outputs", 0, "uri"), name)
    cases["ids that collide as element names"] = json.dumps({**base(), "outputs": [
        {"id": i, "uri": f"o{n}.mp4", "video": {"speed": "ultrafast"}} for n, i in enumerate(("a.b", "a_b", "a-b", "mux_a_b", "sound", "frames"))]}).encode()
    return cases
