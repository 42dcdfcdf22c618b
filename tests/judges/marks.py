#!/usr/bin/env python3
"""Reads the marks of a print file as a machine does that folds and inserts: from pictures of its pages.

Reads lines `FILE<tab>MILLIMETERS`, prints a line of JSON for each: a list with an entry for each page, of which `codes` are those
that zxing-cpp reads, with kind, text, and the left and upper edge; `bars` what is dark down a line so many millimeters from the
left: the middle and the thickness of each; `words` what pdftotext reads that looks like `1/2`, with where it begins and stands.
Lengths are millimeters from the upper left corner.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import zxingcpp

DPI = 300
PIXELS = DPI / 25.4


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def picture(path):
    """A portable graymap: width, height, and its bytes."""
    kind, width, height, _, data = re.match(rb"(P5)\s+(\d+)\s+(\d+)\s+(\d+)\s(.*)", path.read_bytes(), re.S).groups()
    return int(width), int(height), data


def codes(width, height, data):
    view = memoryview(data).cast("B", shape=[height, width])
    found = []
    for code in zxingcpp.read_barcodes(view, try_rotate=False, try_invert=False):
        corner = code.position.top_left
        place = {"left": corner.x / PIXELS, "top": corner.y / PIXELS}
        found.append({"kind": str(code.format).split(".")[-1], "text": code.text, **place})
    return found


def bars(width, height, data, across):
    column = data[round(across * PIXELS)::width]
    found, start = [], None
    for at, gray in enumerate(column + b"\xff"):
        if gray < 128 and start is None:
            start = at
        elif gray >= 128 and start is not None:
            found.append({"middle": (start + at) / 2 / PIXELS, "thickness": (at - start) / PIXELS})
            start = None
    return found


def words(file):
    pages = []
    for line in run("pdftotext", "-bbox", "-enc", "UTF-8", file, "-").decode().splitlines():
        if "<page " in line:
            pages.append([])
        found = re.search(r'<word xMin="([\d.]+)" yMin="[\d.]+" xMax="[\d.]+" yMax="([\d.]+)">(\d+/\d+)<', line)
        if found:
            left, bottom = (float(found[number]) * 25.4 / 72 for number in (1, 2))
            pages[-1].append({"text": found[3], "left": left, "bottom": bottom})
    return pages


def main():
    for line in sys.stdin:
        file, across = line.rstrip("\n").split("\t")
        with tempfile.TemporaryDirectory() as folder:
            run("pdftoppm", "-gray", "-r", str(DPI), file, f"{folder}/page")
            pages = []
            for path, said in zip(sorted(Path(folder).iterdir()), words(file), strict=True):
                drawn = picture(path)
                pages.append({"codes": codes(*drawn), "bars": bars(*drawn, float(across)), "words": said})
        print(json.dumps(pages))


main()
