#!/usr/bin/env python3
"""Judges PDF files by what PDF/A-1b and -2b ask and qpdf and pdffonts can see. It is no validator.

    archived.py PART TITLE FILE...

Each file is whole, not encrypted, has an output intent with a profile, no JavaScript and no embedded files, only fonts that are
embedded, an identifier, and metadata that name the part (1 or 2), level B and the same title as the document's properties.
"""
import base64
import json
import re
import subprocess
import sys


def faults(file, part, title):
    run = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True).stdout
    run("qpdf", "--check", file)
    described = json.loads(run("qpdf", "--json=2", "--json-stream-data=inline", "--decode-level=all", file))
    objects = described["qpdf"][1]
    trailer = objects["trailer"]["value"]
    at = lambda reference: objects[f"obj:{reference}"]
    root = at(trailer["/Root"])["value"]
    if "/Encrypt" in trailer:
        yield "is encrypted"
    if "/ID" not in trailer:
        yield "has no identifier"
    words = json.dumps(objects)
    for word in ("/JavaScript", "/EmbeddedFiles", "/Launch", "/Movie", "/Sound"):
        if f'"{word}"' in words:
            yield f"has {word}"
    if part == "1" and '"/SMask": "' in words.replace('"/SMask": "/None"', ""):
        yield "has transparency"
    intents = root.get("/OutputIntents", [])
    intents = at(intents)["value"] if isinstance(intents, str) else intents
    intents = [at(it)["value"] if isinstance(it, str) else it for it in intents]
    if not any(it.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in it for it in intents):
        yield "has no output intent with a profile"
    if "/Metadata" not in root:
        yield "has no metadata"
        return
    metadata = base64.b64decode(at(root["/Metadata"])["stream"]["data"]).decode()
    for element, expected in (("pdfaid:part", part), ("pdfaid:conformance", "B"), ("rdf:li xml:lang", title)):
        found = re.search(rf"<{element}[^>]*>([^<]*)<", metadata)
        if not found or found[1] != expected:
            yield f"says {found and found[1]} as {element}"
    if at(trailer["/Info"])["value"].get("/Title") != f"u:{title}":
        yield "has another title in its properties"
    for line in run("pdffonts", file).splitlines()[2:]:
        # The columns from the right: object (two), unicode, subset, embedded.
        if line.split()[-5] != "yes":
            yield f"has a font that is not embedded: {line}"


def main():
    part, title, *files = sys.argv[1:]
    wrong = [f"{file} {fault}" for file in files for fault in faults(file, part, title)]
    if wrong or not files:
        sys.exit("\n".join(wrong) or "there are no files")
    print(f"{len(files)} files")


main()
