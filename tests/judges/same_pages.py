#!/usr/bin/env python3
"""Judges whether the PDF files of a folder look like those of the same name in another, page by page.

    same_pages.py FOLDER OTHER

Compared are the text of pdftotext and the pictures of pdftoppm, dot by dot. Says what differs and ends with 1, or how many
pages were compared.
"""
import os
import subprocess
import sys


def pages_of(file):
    """The texts of a file's pages, and one picture after the other."""
    run = lambda *command: subprocess.run(command, check=True, capture_output=True).stdout
    texts = run("pdftotext", "-layout", "-enc", "UTF-8", file, "-").decode().split("\f")[:-1]
    return texts, run("pdftoppm", "-r", "60", "-gray", file)


def main():
    folder, other = sys.argv[1:]
    names = sorted(name for name in os.listdir(folder) if name.endswith(".pdf"))
    wrong = []
    n_pages = 0
    for name in names:
        (texts, dots), (other_texts, other_dots) = (pages_of(os.path.join(it, name)) for it in (folder, other))
        n_pages += len(texts)
        if texts != other_texts:
            wrong.append(f"{name} has another text")
        elif dots != other_dots:
            wrong.append(f"{name} has other dots")
    if wrong or not n_pages:
        sys.exit("\n".join(wrong) or "there are no pages")
    print(f"{n_pages} pages of {len(names)} files")


main()
