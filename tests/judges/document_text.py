"""Opens documents with python-docx and prints their text, as a second opinion on what we wrote.

Reads one path a line from standard input, prints one JSON object a line, in the same order:
{"body": [paragraph, ...], "headers": [...], "footers": [...]} or {"error": "..."}.
Paragraphs are in document order, those of tables in the place of the table; a cell that spans columns counts once.
"""

import json
import sys

import docx


def paragraphs(container):
    for block in container.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                seen = set()
                for cell in row.cells:
                    if cell._tc not in seen:
                        seen.add(cell._tc)
                        yield from paragraphs(cell)
        else:
            yield block.text


def texts(document, kind):
    for section in document.sections:
        for name in (kind, "first_page_" + kind, "even_page_" + kind):
            story = getattr(section, name)
            if not story.is_linked_to_previous:
                yield from paragraphs(story)


def report(path):
    try:
        document = docx.Document(path)
        return {
            "body": list(paragraphs(document)),
            "headers": list(texts(document, "header")),
            "footers": list(texts(document, "footer")),
        }
    except Exception as error:  # the test says what it makes of it
        return {"error": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(report(line.rstrip("\n")), ensure_ascii=False), flush=True)
