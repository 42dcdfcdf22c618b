#!/usr/bin/env python3
"""Judges a print file by itself and its manifest alone: every page is a letter's or a blank one between sheets.

    print_file.py COMBINED MANIFEST simplex|duplex

Each letter's name and contact number are on its first page, and its number is on no page of another letter. Where a page says
that it is page x of y, it is. Says what is wrong and ends with 1, or how many pages were accounted for.
"""
import csv
import re
import subprocess
import sys


def main():
    combined, manifest, sides = sys.argv[1:]
    text = subprocess.run(["pdftotext", "-layout", "-enc", "UTF-8", combined, "-"], check=True, capture_output=True)
    pages = text.stdout.decode().split("\f")[:-1]
    owner = [None] * len(pages)
    wrong = []
    with open(manifest, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["first_page"]]
    for row in rows:
        first, n_pages, n_sheets = (int(row[name]) for name in ("first_page", "pages", "sheets"))
        n_taken = 2 * n_sheets if sides == "duplex" else n_pages
        if sides == "duplex" and (first % 2 != 1 or n_sheets != (n_pages + 1) // 2):
            wrong.append(f"{row['contact_no']}: {n_pages} pages on {n_sheets} sheets from page {first}")
        for page in range(first - 1, first - 1 + n_taken):
            if page >= len(pages) or owner[page]:
                wrong.append(f"page {page + 1} is not {row['contact_no']}'s alone")
                continue
            is_blank = page >= first - 1 + n_pages
            owner[page] = "blank" if is_blank else row["contact_no"]
            if is_blank and pages[page].strip():
                wrong.append(f"page {page + 1} is not blank")
            said = re.search(r"(?:Page|Seite) (\d+) (?:of|von|sur) (\d+)", pages[page])
            if said and (int(said[1]), int(said[2])) != (page - first + 2, n_pages):
                wrong.append(f"page {page + 1} says {said[0]} and is {page - first + 2} of {n_pages}")
        # A long name goes over several lines, beside which other text may stand.
        if any(word not in pages[first - 1] for word in re.split(r"[\s-]+", row["name"])):
            wrong.append(f"page {first} does not name {row['name']}")
    for number, page in enumerate(pages):
        if owner[number] is None:
            wrong.append(f"page {number + 1} is nobody's")
        found = [row["contact_no"] for row in rows if row["contact_no"] in page]
        is_first = number == 0 or owner[number] != owner[number - 1]
        if owner[number] not in (None, "blank") and found != [owner[number]] and (found or is_first):
            wrong.append(f"page {number + 1} is {owner[number]}'s and names {found}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(pages)} pages of {len(rows)} letters")


main()
