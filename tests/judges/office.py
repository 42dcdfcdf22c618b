#!/usr/bin/env python3
"""Stands in for LibreOffice where tests need its faults: it takes the same arguments and makes PDF of Word documents.

Each letter is a page with its text; letters joined in one document begin at their bookmarks, which become named
destinations. A letter that holds the word Hang, Crash, Garbage, Empty or Torn makes it do that; Kill ends whoever called.
"""
import os
import re
import signal
import sys
import time
import zipfile


def letters(document):
    """The texts of a document's letters."""
    body = zipfile.ZipFile(document).read("word/document.xml").decode()
    pieces = re.split(r'<w:bookmarkStart [^>]*w:name="letter_\d{6}"/>', body)
    pieces = pieces[1:] if len(pieces) > 1 else pieces
    return [" ".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>", piece)) for piece in pieces]


def pdf(texts):
    """A PDF with a page for each text."""
    first = 4
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(texts)))
    places = "".join(f"/letter5F{n + 1:06}[{first + 2 * n} 0 R/XYZ 50 800 0]" for n in range(len(texts)))
    objects = [f"<</Type/Catalog/Pages 2 0 R/Dests<<{places}>>>>", f"<</Type/Pages/Kids[{kids}]/Count {len(texts)}>>",
               "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    for n, text in enumerate(texts):
        shown = re.sub(r"([()\\])", r"\\\1", text)
        content = f"BT /F1 12 Tf 50 800 Td ({shown}) Tj ET"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
                       f"/Contents {first + 2 * n + 1} 0 R>>")
        objects.append(f"<</Length {len(content.encode('latin-1', 'replace'))}>>stream\n{content}\nendstream")
    out, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1", "replace")
    rows = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    return out + (f"xref\n0 {size}\n0000000000 65535 f \n{rows}trailer<</Size {size}/Root 1 0 R>>\n"
                  f"startxref\n{len(out)}\n%%EOF\n").encode()


def main():
    folder = sys.argv[sys.argv.index("--outdir") + 1]
    for document in (it for it in sys.argv if it.endswith(".docx")):
        texts = letters(document)
        whole = " ".join(texts)
        if "Kill" in whole:
            os.kill(os.getppid(), signal.SIGKILL)
            return
        if "Hang" in whole:
            time.sleep(1000)
        if "Crash" in whole:
            os.kill(os.getpid(), signal.SIGKILL)
        made = pdf(texts)
        if "Garbage" in whole:
            made = b"garbage"
        if "Empty" in whole:
            made = b""
        if "Torn" in whole:
            made = made[:len(made) // 2]
        if "Foreign" in whole:
            made = pdf(["Somebody else"])
        name = os.path.splitext(os.path.basename(document))[0]
        with open(os.path.join(folder, name + ".pdf"), "wb") as file:
            file.write(made)


main()
