//! Owns what a document may hold only once although a block repeats it: bookmarks, comments, and ids of drawings, VML
//! shapes, paragraphs and content controls.

use std::ops::Range;

use super::super::program::Op;
use super::super::xml::Document;
use super::{Builder, Compiler};

/// Where new ids are, far from those that are counted from 1.
const NEW_IDS: Range<u32> = 900_000_000..1_000_000_000;

impl Compiler<'_> {
    /// Writes markup; where it is repeated, each repetition gets ids of its own, or none where Word makes them.
    pub(super) fn markup(&mut self, markup: &str, builder: &mut Builder) {
        let mut written = 0;
        if self.n_repeats > 0 {
            for id in ids(markup) {
                let (Id::Drawing(span) | Id::First(span) | Id::Optional(span)) = &id;
                builder.bytes.extend_from_slice(&markup.as_bytes()[written..span.start]);
                written = span.end;
                match id {
                    Id::Drawing(span) => {
                        self.flush(builder);
                        builder.ops.push(Op::DrawingId(markup[span].to_owned()));
                    }
                    Id::First(span) => self.once(&markup[span], builder),
                    Id::Optional(_) => {}
                }
            }
        }
        builder.bytes.extend_from_slice(&markup.as_bytes()[written..]);
    }

    /// Writes one end of a range, or the reference to a comment, which may not come twice.
    pub(super) fn mark(&mut self, mark: &str, builder: &mut Builder) {
        if self.n_repeats == 0 {
            builder.bytes.extend_from_slice(mark.as_bytes());
            return;
        }
        self.once(mark, builder);
    }

    /// Writes markup that stands in the first repetition only.
    fn once(&mut self, markup: &str, builder: &mut Builder) {
        self.flush(builder);
        let mut inner = Builder::default();
        inner.bytes.extend_from_slice(markup.as_bytes());
        self.flush(&mut inner);
        builder.ops.extend(inner.ops.into_iter().map(|op| match op {
            Op::Static(number) => Op::Once(number),
            op => op,
        }));
    }
}

/// An id in some markup.
enum Id {
    /// The id of a drawing (`docPr`), without its quotes.
    Drawing(Range<usize>),
    /// What names a VML shape, an attribute with the blank before it, or a whole type of shapes: the first one keeps it,
    /// since an embedded object may refer to it.
    First(Range<usize>),
    /// What names a paragraph, its text or a content control, and may be left out: an attribute with the blank before
    /// it, or a whole `w:id` element.
    Optional(Range<usize>),
}

/// Finds the ids in some markup, in their order.
fn ids(markup: &str) -> Vec<Id> {
    let mut ids = Vec::new();
    let mut at = 0;
    while let Some(start) = markup[at..].find('<').map(|start| at + start) {
        let Some(end) = markup[start..].find('>').map(|end| start + end) else { break };
        at = end + 1;
        let tag = &markup[start..end];
        let name = tag[1..].split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let whole_type = match name {
            "v:shapetype" => markup[start..].find("</v:shapetype>").map(|length| start + length),
            _ => None,
        };
        if let Some(last) = whole_type {
            at = last + "</v:shapetype>".len();
            ids.push(Id::First(start..at));
            continue;
        }
        match name.rsplit(':').next().unwrap_or_default() {
            _ if name.starts_with("v:") => {
                let mut found: Vec<Range<usize>> = [" id", ":spid"]
                    .into_iter()
                    .filter_map(|name| attribute(tag, name))
                    .filter_map(|(name, value)| {
                        let blank = tag[..=name].rfind(char::is_whitespace)?;
                        Some(start + blank..start + value.end + 1)
                    })
                    .collect();
                found.sort_by_key(|span| span.start);
                ids.extend(found.into_iter().map(Id::First));
            }
            "docPr" => ids.extend(
                attribute(tag, " id").map(|(_, value)| Id::Drawing(start + value.start..start + value.end)),
            ),
            "id" if tag.ends_with('/') && tag.contains("val=") => ids.push(Id::Optional(start..end + 1)),
            "p" | "tr" => {
                let mut found: Vec<Range<usize>> = ["paraId", "textId"]
                    .into_iter()
                    .filter_map(|name| attribute(tag, &format!(":{name}")))
                    .filter_map(|(name, value)| {
                        let blank = tag[..name].rfind(char::is_whitespace)?;
                        Some(start + blank..start + value.end + 1)
                    })
                    .collect();
                found.sort_by_key(|span| span.start);
                ids.extend(found.into_iter().map(Id::Optional));
            }
            _ => {}
        }
    }
    ids
}

/// Finds an attribute in a tag by the end of its name: where it begins, and its value without the quotes.
fn attribute(tag: &str, name: &str) -> Option<(usize, Range<usize>)> {
    ['"', '\''].into_iter().find_map(|quote| {
        let wanted = format!("{name}={quote}");
        let at = tag.find(&wanted)?;
        let start = at + wanted.len();
        let end = tag[start..].find(quote).map(|length| start + length)?;
        Some((at, start..end))
    })
}

/// The first number that no drawing of a part has as its id, nor any after it.
pub(super) fn free_id(document: &Document) -> u32 {
    let used = (0..document.tokens().len())
        .filter(|at| document.tokens()[*at].is_start() && document.local(*at) == "docPr")
        .filter_map(|at| document.attribute(at, "id")?.parse::<u32>().ok())
        .filter(|id| NEW_IDS.contains(id));
    used.max().map_or(NEW_IDS.start, |id| id + 1)
}
