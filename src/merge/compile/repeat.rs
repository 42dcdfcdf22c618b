//! Owns what a document may hold only once although a block repeats it: bookmarks, comments, ids of drawings.

use std::ops::Range;

use super::super::program::Op;
use super::super::xml::Document;
use super::{Builder, Compiler};

/// Where new ids are, far from those that are counted from 1.
const NEW_IDS: Range<u32> = 900_000_000..1_000_000_000;

impl Compiler<'_> {
    /// Writes markup; where it is repeated, each repetition gets ids of its own.
    pub(super) fn markup(&mut self, markup: &str, builder: &mut Builder) {
        let mut written = 0;
        if self.n_repeats > 0 {
            for id in drawing_ids(markup) {
                builder.bytes.extend_from_slice(&markup.as_bytes()[written..id.start]);
                self.flush(builder);
                builder.ops.push(Op::DrawingId(markup[id.clone()].to_owned()));
                written = id.end;
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
        self.flush(builder);
        let mut inner = Builder::default();
        inner.bytes.extend_from_slice(mark.as_bytes());
        self.flush(&mut inner);
        builder.ops.extend(inner.ops.into_iter().map(|op| match op {
            Op::Static(number) => Op::Once(number),
            op => op,
        }));
    }
}

/// Finds the ids of drawings (`docPr`) in some markup, without their quotes.
fn drawing_ids(markup: &str) -> Vec<Range<usize>> {
    let mut ids = Vec::new();
    for (at, _) in markup.match_indices("docPr ") {
        let Some(end) = markup[at..].find('>').map(|end| at + end) else { break };
        for quote in ['"', '\''] {
            let Some(start) = markup[at..end].find(&format!(" id={quote}")).map(|id| at + id + " id=.".len())
            else {
                continue;
            };
            if let Some(length) = markup[start..end].find(quote) {
                ids.push(start..start + length);
                break;
            }
        }
    }
    ids
}

/// The first number that no drawing of a part has as its id, nor any after it.
pub(super) fn free_id(document: &Document) -> u32 {
    let used = (0..document.tokens().len())
        .filter(|at| document.tokens()[*at].is_start() && document.local(*at) == "docPr")
        .filter_map(|at| document.attribute(at, "id")?.parse::<u32>().ok())
        .filter(|id| NEW_IDS.contains(id));
    used.max().map_or(NEW_IDS.start, |id| id + 1)
}
