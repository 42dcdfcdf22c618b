"""Makes what is merged: a letter of one page in each peer's own notation, and contacts. The same bytes every time."""

import csv
import json
import random
import struct
import zipfile
import zlib
from xml.sax.saxutils import escape

FIELDS = ["no", "company_name", "first_name", "surname", "address", "address_2", "post_code", "city", "country",
          "salutation", "amount", "order_no", "salesperson"]

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_R = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
WML = "application/vnd.openxmlformats-officedocument.wordprocessingml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

RUN = ('<w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:cs="Calibri"/><w:sz w:val="22"/>'
       '<w:lang w:val="en-GB"/></w:rPr>')


def contacts(count):
    """Contacts with umlauts, ampersands and angle brackets among their values."""
    chance = random.Random(4)
    first = ["Anna", "Jürg", "Zoë", "Marie-Claire", "Peter", "Łukasz", "Ingrid", "Seán", "Bea", "Óscar"]
    last = ["Müller", "O'Neill", "Keller", "d'Aubigné", "Schmidt", "Åberg", "Rossi", "Novák", "Meier", "Brown"]
    firms = ["Nordwind & Partner", "Möbel Keller GmbH", "Licht <+> Kraft AG", "Brown Ltd", 'Haus "Sonne"']
    streets = ["Station Road", "Bahnhofstrasse", "Rue de l'Église", "Am Weiher", "High Street"]
    cities = [("8001", "Zürich"), ("3011", "Bern"), ("1204", "Genève"), ("20095", "Hamburg"), ("75011", "Paris")]
    rows = []
    for number in range(1, count + 1):
        name, surname = chance.choice(first), chance.choice(last)
        post_code, city = chance.choice(cities)
        rows.append({
            "no": f"CT{number:06}",
            "company_name": chance.choice(firms),
            "first_name": name,
            "surname": surname,
            "address": f"{chance.choice(streets)} {chance.randrange(1, 200)}",
            "address_2": chance.choice(["Building C", "2nd floor", "P.O. box 17"]),
            "post_code": post_code,
            "city": city,
            "country": "Switzerland",
            "salutation": f"Dear {name} {surname}",
            "amount": f"{chance.randrange(100_000) / 100:.2f}",
            "order_no": f"A-{chance.randrange(10**6):06}",
            "salesperson": "Jana Roth",
        })
    return rows


def write_contacts(rows, folder):
    with open(folder / "contacts.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    (folder / "contacts.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def text(content):
    return f'<w:r>{RUN}<w:t xml:space="preserve">{escape(content)}</w:t></w:r>'


def word_field(name):
    """A field as Word writes it: the mark, the code, the mark, the result, the mark, each in a run of its own."""
    def mark(kind):
        return f'<w:r>{RUN}<w:fldChar w:fldCharType="{kind}"/></w:r>'

    code = f'<w:r>{RUN}<w:instrText xml:space="preserve"> MERGEFIELD {name} </w:instrText></w:r>'
    return mark("begin") + code + mark("separate") + text(f"«{name}»") + mark("end")


def document(field):
    def paragraph(*runs):
        return ('<w:p w:rsidR="00A77B3E" w:rsidRDefault="00A77B3E"><w:pPr><w:spacing w:after="120"/></w:pPr>'
                + "".join(runs) + "</w:p>")

    def row(*cells):
        cell = '<w:tc><w:tcPr><w:tcW w:w="4530" w:type="dxa"/></w:tcPr>{}</w:tc>'
        return "<w:tr>" + "".join(cell.format(paragraph(it)) for it in cells) + "</w:tr>"

    body = [
        paragraph(field("company_name")),
        paragraph(field("first_name"), text(" "), field("surname")),
        paragraph(field("address")),
        paragraph(field("address_2")),
        paragraph(field("post_code"), text(" "), field("city")),
        paragraph(field("country")),
        paragraph(text("Your customer number: "), field("no")),
        paragraph(field("salutation")),
        paragraph(text("thank you for your order "), field("order_no"), text(", which reached us this week. All that you "
                  "have chosen is in stock, and it leaves our house within two days, addressed to "), field("company_name"),
                  text(" in "), field("city"), text(".")),
        paragraph(text("Whoever orders a second time before the end of the month pays no carriage, wherever the parcel "
                       "goes. You need no code for it: we know you by your number. The leaflet in your parcel shows what "
                       "is new this spring, from the reading lamp for the desk to the lantern for the garden path.")),
        "<w:tbl><w:tblPr><w:tblW w:w=\"0\" w:type=\"auto\"/></w:tblPr><w:tblGrid><w:gridCol w:w=\"4530\"/>"
        "<w:gridCol w:w=\"4530\"/></w:tblGrid>",
        row(text("Order"), text("Amount")), row(field("order_no"), field("amount")), "</w:tbl>",
        paragraph(text("If anything is not as you wish, write to me, "), field("first_name"), text(" "),
                  field("surname"), text(", or call: I answer myself.")),
        paragraph(text("Kind regards")),
        paragraph(field("salesperson")),
    ]
    section = ('<w:sectPr><w:headerReference w:type="default" r:id="rId2"/><w:footerReference w:type="default" '
               'r:id="rId3"/><w:pgSz w:w="11906" w:h="16838"/></w:sectPr>')
    return f'{HEAD}<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{"".join(body)}{section}</w:body></w:document>'


def header():
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    wp = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    pic = "http://schemas.openxmlformats.org/drawingml/2006/picture"
    return (f'{HEAD}<w:hdr xmlns:w="{W}" xmlns:r="{R}" xmlns:a="{a}" xmlns:wp="{wp}" xmlns:pic="{pic}"><w:p><w:r><w:drawing>'
            '<wp:inline><wp:extent cx="720000" cy="720000"/><wp:docPr id="1" name="logo"/><a:graphic>'
            f'<a:graphicData uri="{pic}"><pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="logo"/><pic:cNvPicPr/></pic:nvPicPr>'
            '<pic:blipFill><a:blip r:embed="rId1"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>'
            '<a:off x="0" y="0"/><a:ext cx="720000" cy="720000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
            '</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p></w:hdr>')


def logo():
    """A picture that does not compress: as many bytes as a small photograph."""
    chance, side = random.Random(7), 72
    rows = b"".join(b"\0" + chance.randbytes(side * 3) for _ in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def styles():
    style = ('<w:style w:type="paragraph" w:customStyle="1" w:styleId="Style{0}"><w:name w:val="Style {0}"/><w:basedOn '
             'w:val="Normal"/><w:uiPriority w:val="{1}"/><w:pPr><w:spacing w:before="{2}" w:after="{3}"/></w:pPr><w:rPr>'
             '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri"/><w:sz w:val="{4}"/></w:rPr></w:style>')
    more = "".join(style.format(n, n % 90, n * 7 % 240, n * 13 % 240, 16 + n % 30) for n in range(1, 141))
    return (f'{HEAD}<w:styles xmlns:w="{W}"><w:style w:type="paragraph" w:default="1" w:styleId="Normal">'
            f'<w:name w:val="Normal"/></w:style>{more}</w:styles>')


def relationships(*targets):
    rows = "".join(f'<Relationship Id="rId{number}" Type="{R}/{kind}" Target="{target}"/>'
                   for number, (kind, target) in enumerate(targets, 1))
    return f'{HEAD}<Relationships xmlns="{PACKAGE_R}">{rows}</Relationships>'


def write_template(path, field):
    """Writes the letter with fields in one notation: `field` turns a name into runs."""
    overrides = [("document", "document.main"), ("header1", "header"), ("footer1", "footer"), ("styles", "styles"),
                 ("settings", "settings")]
    types = "".join(f'<Override PartName="/word/{name}.xml" ContentType="{WML}.{kind}+xml"/>' for name, kind in overrides)
    footer = f'{HEAD}<w:ftr xmlns:w="{W}"><w:p>{text("Nordlicht Energie AG, Hafenstrasse 1, 8001 Zürich")}</w:p></w:ftr>'
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="application/vnd.'
                               'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
                               f'"application/xml"/><Default Extension="png" ContentType="image/png"/>{types}</Types>',
        "_rels/.rels": relationships(("officeDocument", "word/document.xml")),
        "word/document.xml": document(field),
        "word/_rels/document.xml.rels": relationships(("styles", "styles.xml"), ("header", "header1.xml"),
                                                      ("footer", "footer1.xml"), ("settings", "settings.xml")),
        "word/header1.xml": header(),
        "word/_rels/header1.xml.rels": relationships(("image", "media/logo.png")),
        "word/footer1.xml": footer,
        "word/styles.xml": styles(),
        "word/settings.xml": f'{HEAD}<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/></w:settings>',
        "word/media/logo.png": logo(),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def write_templates(folder):
    write_template(folder / "word.docx", word_field)
    write_template(folder / "double.docx", lambda name: text("{{" + name + "}}"))
    write_template(folder / "single.docx", lambda name: text("{" + name + "}"))
