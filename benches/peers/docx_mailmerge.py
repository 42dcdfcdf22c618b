"""Merges with docx-mailmerge2: TEMPLATE CONTACTS.json FOLDER. A new object for each letter, as the library wants it."""

import json
import sys
from io import BytesIO

from mailmerge import MailMerge

template, contacts, folder = sys.argv[1:]
with open(template, "rb") as file:
    package = file.read()
with open(contacts, encoding="utf-8") as file:
    rows = json.load(file)
for number, row in enumerate(rows, 1):
    with MailMerge(BytesIO(package)) as letter:
        letter.merge(**row)
        letter.write(f"{folder}/{number:06}.docx")
