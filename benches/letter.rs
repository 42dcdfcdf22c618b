//! What a letter costs in memory: put together from compressed pieces, against rendering it and compressing it anew.
//!
//! `cargo bench --bench letter` first prints the ratios, from rounds in which all ways take turns, then each way alone.

#![expect(clippy::disallowed_macros, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::io::{Cursor, Read, Write};
use std::time::{Duration, Instant};

use libdeflater::{CompressionLvl, Compressor};
use mailrun::merge::{BoundTemplate, Buffer, FieldMap, Frame, Moment, Namespace, Need, Template, Value};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

const PACKAGE: &[u8] = include_bytes!("../templates/letters/appeal.en.docx");
const FIELDS: [(&str, &str); 12] = [
    ("Company_Name", "Müller & Söhne GmbH"),
    ("First_Name", "Anna-Maria"),
    ("Surname", "Müller"),
    ("Address", "12 Station Road"),
    ("Address_2", "Building C"),
    ("Post_Code", "8001"),
    ("City", "Zürich"),
    ("Country", "Switzerland"),
    ("Contact_No", "CT000123"),
    ("Job_Title", "Head of Purchasing"),
    ("Salutation", "Dear Ms Müller"),
    ("Amount", "1950.00"),
];

/// A document to merge, and a frame that fills it.
struct Case {
    name: &'static str,
    template: BoundTemplate,
    frames: [Frame; 1],
}

fn main() {
    // Cargo passes `--bench`; who asks for certain ways does not want the ratios.
    if std::env::args().len() <= 2 {
        println!("in memory, one thread; medians of 9 rounds in turn\n");
        println!(
            "| | spliced | render + libdeflate 1 | ratio | render + libdeflate 6 | ratio | size against 6 |"
        );
        println!("|---|---|---|---|---|---|---|");
        NAMES.into_iter().for_each(|name| compare(&case(name)));
        println!();
    }
    divan::main();
}

const NAMES: [&str; 3] = ["one page, 12 fields", "ten pages, 100 rows", "fifty pages"];

#[divan::bench(args = NAMES)]
fn spliced(bencher: divan::Bencher<'_, '_>, name: &str) {
    let (case, mut buffer) = (case(name), Buffer::new());
    bencher.bench_local(|| case.template.letter_in(&case.frames, &moment(), &mut buffer));
}

#[divan::bench(args = NAMES)]
fn spliced_and_digested(bencher: divan::Bencher<'_, '_>, name: &str) {
    let (case, mut buffer) = (case(name), Buffer::new());
    bencher.bench_local(|| {
        case.template.letter_in(&case.frames, &moment(), &mut buffer).expect("the letter is made");
        case.template.digest(buffer.letter())
    });
}

#[divan::bench(args = NAMES)]
fn rendered(bencher: divan::Bencher<'_, '_>, name: &str) {
    let case = case(name);
    bencher.bench_local(|| case.template.parts(&case.frames, &moment()));
}

#[divan::bench(args = NAMES)]
fn rendered_and_deflated_1(bencher: divan::Bencher<'_, '_>, name: &str) {
    let mut deflating = Deflating::new(case(name), 1);
    bencher.bench_local(|| deflating.letter());
}

#[divan::bench(args = NAMES)]
fn rendered_and_deflated_6(bencher: divan::Bencher<'_, '_>, name: &str) {
    let mut deflating = Deflating::new(case(name), 6);
    bencher.bench_local(|| deflating.letter());
}

fn compare(compared: &Case) {
    let mut buffer = Buffer::new();
    let mut level_1 = Deflating::new(case(compared.name), 1);
    let mut level_6 = Deflating::new(case(compared.name), 6);
    let mut size = 0;
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..9 {
        let mut letter = || {
            compared
                .template
                .letter_in(&compared.frames, &moment(), &mut buffer)
                .expect("the letter is made");
            size = buffer.letter().len();
        };
        times[0].push(time(&mut letter));
        times[1].push(time(&mut || level_1.letter()));
        times[2].push(time(&mut || level_6.letter()));
    }
    let [spliced, deflated_1, deflated_6] = times.map(|mut rounds| {
        rounds.sort();
        rounds[rounds.len() / 2].as_secs_f64() * 1e6
    });
    println!(
        "| {} | {spliced:.2} µs | {deflated_1:.1} µs | {:.1} × | {deflated_6:.1} µs | {:.1} × | {:.3} ({size} bytes) |",
        compared.name,
        deflated_1 / spliced,
        deflated_6 / spliced,
        size as f64 / level_6.out.len() as f64,
    );
}

/// The time of one call, from as many as take 50 ms.
fn time(call: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    let mut n_calls = 0;
    while start.elapsed() < Duration::from_millis(50) {
        for _ in 0..10 {
            black_box(&mut *call)();
        }
        n_calls += 10;
    }
    start.elapsed() / n_calls
}

/// Makes the same letters by rendering them and compressing what changed.
struct Deflating {
    case: Case,
    compressor: Compressor,
    /// What is the same in every letter, and how many bytes a letter has beside it and the packed parts.
    start: Vec<u8>,
    n_rest: usize,
    out: Vec<u8>,
}

impl Deflating {
    fn new(case: Case, level: i32) -> Deflating {
        let mut letter = Vec::new();
        case.template.letter_of(&case.frames, &moment(), &mut letter).expect("the letter is made");
        let parts = case.template.parts(&case.frames, &moment());
        let mut archive = ZipArchive::new(Cursor::new(&letter)).expect("a letter is an archive");
        let mut start = letter.len();
        let mut n_packed = 0;
        for (name, _) in &parts {
            let entry = archive.by_name(name).expect("the letter has the part");
            start = start.min(entry.header_start() as usize);
            n_packed += entry.compressed_size() as usize;
        }
        drop(archive);
        let n_rest = letter.len() - start - n_packed;
        letter.truncate(start);
        let compressor = Compressor::new(CompressionLvl::new(level).expect("the level exists"));
        Deflating { case, compressor, start: letter, n_rest, out: Vec::new() }
    }

    fn letter(&mut self) {
        self.out.clear();
        self.out.extend_from_slice(&self.start);
        for (_, content) in self.case.template.parts(&self.case.frames, &moment()) {
            black_box(crc32fast::hash(&content));
            let at = self.out.len();
            self.out.resize(at + self.compressor.deflate_compress_bound(content.len()), 0);
            let n_packed = self.compressor.deflate_compress(&content, &mut self.out[at..]);
            self.out.truncate(at + n_packed.expect("there is room"));
        }
        // The headers and the directory, whatever they say.
        self.out.resize(self.out.len() + self.n_rest, 0);
        black_box(&self.out);
    }
}

fn case(name: &str) -> Case {
    let name = NAMES.into_iter().find(|it| *it == name).expect("the case exists");
    let (n_pages, n_rows) = match name {
        "one page, 12 fields" => (1, 0),
        "ten pages, 100 rows" => (10, 100),
        _ => (50, 0),
    };
    let bytes = with_body(PACKAGE, &body(n_pages, n_rows > 0));
    let template = Template::compile(&bytes).expect("the document compiles");
    let mut orders = Namespace::new();
    for column in ["article", "ordered", "quantity", "price"] {
        orders.column(column, column);
    }
    let mut names = Namespace::new();
    FIELDS.iter().for_each(|(name, _)| {
        names.column(name, name);
    });
    names.rows("orders", orders);
    let template = template.bind(&names, &FieldMap::new()).expect("all names have values");
    let row = |number: usize| {
        let texts = [format!("Lamp {number}, brushed steel"), format!("2026-{:02}-14", number % 12 + 1)];
        let numbers = [format!("{}", number % 7 + 1), format!("{}.{:02}", number * 37 % 400, number % 100)];
        Frame(texts.into_iter().chain(numbers).map(Value::text).collect())
    };
    let fill = |need: &Need| match need {
        Need::Value(entry) => {
            let path = names.path(*entry).unwrap_or_default();
            Value::text(FIELDS.iter().find(|(name, _)| *name == path).map_or("", |(_, text)| text))
        }
        Need::Rows(..) => Value::Rows((0..n_rows).map(row).collect()),
    };
    let frames = [Frame(template.needs().iter().map(fill).collect())];
    Case { name, template, frames }
}

fn moment() -> Moment {
    let now = jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0);
    Moment { now, locale: "de-CH".to_owned(), record: 1, sequence: 1 }
}

/// The package with another body of its main part, which keeps its last section, and without headers and footers.
fn with_body(package: &[u8], body: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(package)).expect("the template is an archive");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).expect("the entry exists");
        let name = entry.name().expect("the name is text").into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("the entry is whole");
        if name == "word/document.xml" {
            let text = String::from_utf8(content).expect("a part is UTF-8");
            let start = text.find("<w:body>").expect("a document has a body") + "<w:body>".len();
            let end = text.rfind("<w:sectPr").expect("a document has a section");
            content = format!("{}{body}{}", &text[..start], &text[end..]).into_bytes();
        }
        if name.starts_with("word/header") || name.starts_with("word/footer") {
            let text = String::from_utf8(content).expect("a part is UTF-8");
            let root = text.find("<w:").expect("a part has a root");
            let start = root + text[root..].find('>').expect("the root has a start tag") + 1;
            let end = text.rfind("</w:").expect("the root has an end tag");
            content = format!("{}<w:p/>{}", &text[..start], &text[end..]).into_bytes();
        }
        writer.start_file(name, SimpleFileOptions::default()).expect("the archive is in memory");
        writer.write_all(&content).expect("the archive is in memory");
    }
    writer.finish().expect("the archive is in memory").into_inner()
}

/// Pages as Word writes them: runs with properties and revision marks, fields of several runs.
fn body(n_pages: usize, has_table: bool) -> String {
    let properties = "<w:rPr><w:rFonts w:ascii=\"Calibri\" w:hAnsi=\"Calibri\" w:cs=\"Calibri\"/><w:sz w:val=\"22\"/><w:lang w:val=\"en-GB\"/></w:rPr>";
    let run = |content: &str| format!("<w:r w:rsidRPr=\"00B41F3C\">{properties}{content}</w:r>");
    let text = |text: &str| run(&format!("<w:t xml:space=\"preserve\">{text}</w:t>"));
    let field = |name: &str| {
        let mark = |kind: &str| run(&format!("<w:fldChar w:fldCharType=\"{kind}\"/>"));
        let code = run(&format!("<w:instrText xml:space=\"preserve\"> MERGEFIELD {name} </w:instrText>"));
        format!("{}{code}{}{}{}", mark("begin"), mark("separate"), text(&format!("«{name}»")), mark("end"))
    };
    let mut n_paragraphs = 0;
    let mut paragraph = |content: &str| {
        n_paragraphs += 1;
        let mark = format!("{:08X}", 0x3A5F_0000u32 + n_paragraphs * 0x51D);
        format!(
            "<w:p w:rsidR=\"00A77B3E\" w:rsidRDefault=\"00A77B3E\" w14:paraId=\"{mark}\" w14:textId=\"77777777\"><w:pPr><w:spacing w:after=\"120\"/></w:pPr>{content}</w:p>"
        )
    };
    let words = [
        "since",
        "spring",
        "your",
        "order",
        "the",
        "north",
        "wind",
        "has",
        "turned",
        "our",
        "mills",
        "and",
        "every",
        "house",
        "in",
        "this",
        "valley",
        "reads",
        "its",
        "meter",
        "with",
        "us",
        "so",
        "that",
        "nobody",
        "pays",
        "twice",
        "for",
        "light",
        "we",
        "thank",
        "you",
        "kindly",
        "energy",
        "customers",
        "contract",
        "annual",
    ];
    let mut next: usize = 7;
    let mut prose = |n_words: usize| {
        let word = |_| {
            next = (next * 1_103_515_245 + 12_345) % 2_147_483_648;
            words[(next >> 16) % words.len()]
        };
        (0..n_words).map(word).collect::<Vec<_>>().join(" ")
    };
    let mut body = String::new();
    for (name, _) in &FIELDS[..11] {
        body += &paragraph(&field(name));
    }
    body += &paragraph(
        &(text("We have received ") + &field("Amount") + &text(" from you, for which we thank you.")),
    );
    // The first page has the address above its text.
    for _ in 0..n_pages * 9 - 5 {
        body += &paragraph(&text(&prose(45)));
    }
    if has_table {
        let cell = |content: String| {
            format!("<w:tc><w:tcPr><w:tcW w:w=\"2265\" w:type=\"dxa\"/></w:tcPr>{content}</w:tc>")
        };
        let tags = ["{{#each orders}}{{article}}", "{{ordered}}", "{{quantity}}", "{{price}}{{/each}}"];
        let cells: String = tags.iter().map(|tag| cell(paragraph(&text(tag)))).collect();
        body += &format!(
            "<w:tbl><w:tblPr><w:tblW w:w=\"0\" w:type=\"auto\"/></w:tblPr><w:tr w:rsidR=\"00A77B3E\">{cells}</w:tr></w:tbl>"
        );
    }
    body
}
