//! Owns a letter as plain text: what the HTML says, for a reader that shows none.

use crate::delivery::document::{Block, Content, Document, Item, Marker, Span, Table};

/// Writes a letter as text; a blank line stands between its paragraphs.
pub(super) fn text(document: &Document) -> String {
    let mut out = String::new();
    blocks(&document.blocks, &mut out);
    for (index, note) in document.notes.iter().enumerate() {
        let mut content = String::new();
        blocks(note, &mut content);
        out.push_str(&format!("\n[{}] {}\n", index + 1, content.trim()));
    }
    let mut tidy = String::with_capacity(out.len());
    let mut n_blank = 0;
    for line in out.lines() {
        let line = line.trim_end();
        n_blank = if line.is_empty() { n_blank + 1 } else { 0 };
        if n_blank < 2 && !(line.is_empty() && tidy.is_empty()) {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    let content = tidy.trim_end().len();
    tidy.truncate(content);
    tidy.push('\n');
    tidy
}

fn blocks(blocks: &[Block], out: &mut String) {
    let mut was_item = false;
    for block in blocks {
        match block {
            Block::Paragraph(paragraph) => {
                if was_item && paragraph.item.is_none() {
                    out.push('\n');
                }
                was_item = paragraph.item.is_some();
                if let Some(item) = paragraph.item {
                    out.push_str(&"  ".repeat(usize::from(item.level)));
                    out.push_str(&marker(item));
                    out.push(' ');
                }
                spans(&paragraph.spans, out);
                out.push_str(if was_item { "\n" } else { "\n\n" });
            }
            Block::Table(shown) => {
                if was_item {
                    out.push('\n');
                }
                was_item = false;
                table(shown, out);
            }
        }
    }
}

fn table(table: &Table, out: &mut String) {
    for row in &table.rows {
        let cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| {
                let mut content = String::new();
                blocks(&cell.blocks, &mut content);
                content.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
            })
            .collect();
        out.push_str(&cells.join(" | "));
        out.push('\n');
    }
    out.push('\n');
}

fn spans(spans: &[Span], out: &mut String) {
    let mut link_text = String::new();
    for (index, span) in spans.iter().enumerate() {
        let start = out.len();
        match &span.content {
            Content::Text(text) => out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c })),
            Content::Tab => out.push('\t'),
            Content::Break => out.push('\n'),
            Content::Note(number) => out.push_str(&format!("[{number}]")),
            Content::Picture { description, .. } if description.is_empty() => {}
            Content::Picture { description, .. } => out.push_str(&format!("[{description}]")),
        }
        let Some(link) = &span.link else { continue };
        link_text.push_str(&out[start..]);
        let ends = spans.get(index + 1).is_none_or(|next| next.link != span.link);
        if ends {
            let address = link.strip_prefix("mailto:").unwrap_or(link);
            if !link_text.contains(address) {
                out.push_str(&format!(" <{address}>"));
            }
            link_text.clear();
        }
    }
}

/// Returns what stands before an item of a list.
fn marker(item: Item) -> String {
    match item.marker {
        Marker::Bullet => "-".to_owned(),
        Marker::Decimal => format!("{}.", item.number),
        Marker::LowerLetter => format!("{}.", letters(item.number)),
        Marker::UpperLetter => format!("{}.", letters(item.number).to_uppercase()),
        Marker::LowerRoman => format!("{}.", roman(item.number)),
        Marker::UpperRoman => format!("{}.", roman(item.number).to_uppercase()),
    }
}

/// Counts a, b, …, z, aa, bb, … as Word does; in digits where that would grow long.
///
/// Source: ECMA-376 Part 1 §17.18.59 `ST_NumberFormat`, value `lowerLetter`.
fn letters(number: u32) -> String {
    const ALPHABET: [char; 26] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't',
        'u', 'v', 'w', 'x', 'y', 'z',
    ];
    match number {
        1..=260 => {
            let index = (number - 1) as usize;
            ALPHABET[index % 26].to_string().repeat(index / 26 + 1)
        }
        _ => number.to_string(),
    }
}

fn roman(number: u32) -> String {
    const STEPS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..4000).contains(&number) {
        return number.to_string();
    }
    let mut rest = number;
    let mut written = String::new();
    for (step, digits) in STEPS {
        while rest >= step {
            written.push_str(digits);
            rest -= step;
        }
    }
    written
}
