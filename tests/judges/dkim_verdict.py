"""Verifies DKIM signatures with dkimpy, as a second opinion on what we signed; the DNS is what the caller says.

Reads one JSON object a line, {"file": path, "name": "selector._domainkey.domain.", "record": text}, and prints one a line,
in the same order: {"verified": bool, "headers": [the names of h=], "error": text}.
"""

import json
import re
import sys

import dkim


def verdict(asked):
    with open(asked["file"], "rb") as file:
        message = file.read()
    header = re.search(rb"(?ms)^DKIM-Signature:(.*?)\r\n(?![ \t])", message)
    names = re.search(rb"(?s)\bh=([^;]*)", header.group(1)) if header else None
    names = re.sub(rb"\s", b"", names.group(1)).decode().split(":") if names else []

    def dns(name, timeout=5):
        return asked["record"].encode() if name.decode() == asked["name"] else None

    try:
        verified, error = dkim.verify(message, dnsfunc=dns), ""
    except dkim.DKIMException as caught:
        verified, error = False, str(caught)
    return {"verified": verified, "headers": names, "error": error}


for line in sys.stdin:
    print(json.dumps(verdict(json.loads(line))), flush=True)
