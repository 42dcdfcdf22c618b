"""Merges with docxtpl: TEMPLATE CONTACTS.json FOLDER. One object for all letters; it reads the package again itself."""

import json
import sys

from docxtpl import DocxTemplate

template, contacts, folder = sys.argv[1:]
letter = DocxTemplate(template)
with open(contacts, encoding="utf-8") as file:
    rows = json.load(file)
for number, row in enumerate(rows, 1):
    letter.render(row, autoescape=True)
    letter.save(f"{folder}/{number:06}.docx")
