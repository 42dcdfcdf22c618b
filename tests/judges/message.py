"""Parses messages with Python's email package, as a second opinion on what we wrote.

Reads one path a line, prints one JSON object a line, in the same order: the names of the headers, the subject, name and
address of the reader, the texts by media type, the name and SHA-256 of each attachment, and whatever the parser minds.
"""

import email
import email.header
import email.utils
import hashlib
import json
import re
import sys


def decoded(value):
    unfolded = re.sub(r"\r?\n", "", str(value))
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def report(path):
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file)
    to_name, to_address = email.utils.parseaddr(re.sub(r"\r?\n", "", str(message["To"])))
    texts, attachments, defects = {}, [], [repr(defect) for defect in message.defects]
    for part in message.walk():
        defects += [repr(defect) for defect in part.defects]
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        name = part.get_filename()
        if name is None:
            texts[part.get_content_type()] = content.decode(part.get_content_charset() or "ascii")
        else:
            attachments.append([name, hashlib.sha256(content).hexdigest()])
    return {
        "headers": message.keys(),
        "subject": decoded(message["Subject"]),
        "to_name": decoded(to_name),
        "to_address": to_address,
        "texts": texts,
        "attachments": attachments,
        "defects": defects,
    }


for line in sys.stdin:
    print(json.dumps(report(line.rstrip("\n"))), flush=True)
