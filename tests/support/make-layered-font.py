#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/data/fonts/layers.ttf: a font whose “A” is a red square with a blue one on it (COLR version 0), by fontTools.

Usage: make-layered-font.py FILE
"""

import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen


def square(left, bottom, right, top):
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def main(path):
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A", "large", "small"])
    builder.setupCharacterMap({ord("A"): "A"})
    builder.setupGlyf({".notdef": square(0, 0, 1, 1), "A": square(0, 0, 800, 800), "large": square(0, 0, 800, 800),
                       "small": square(200, 200, 600, 600)})
    # Advance, and where the glyph begins.
    builder.setupHorizontalMetrics({".notdef": (800, 0), "A": (800, 0), "large": (800, 0), "small": (800, 200)})
    builder.setupHorizontalHeader(ascent=800, descent=0)
    builder.setupNameTable({"familyName": "Layers", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=0, usWinAscent=800, usWinDescent=0)
    builder.setupPost()
    builder.setupCOLR({"A": [("large", 0), ("small", 1)]}, version=0)
    builder.setupCPAL([[(1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)]])
    builder.updateHead(created=0, modified=0)
    builder.save(path)


if __name__ == "__main__":
    main(sys.argv[1])
