//! Owns the personal comment where a document has no field for it: at a bookmark, in a content control, or as a real Word
//! comment.

use super::compile::{Inserted, Insertion};
use super::story::{Story, What};
use super::xml::{Document, Element};

/// The name of the bookmark or content control, and of the value.
const NAME: &str = "comment";

/// Takes the mark that a content control named `comment` shows a placeholder out of a part, with its data binding.
///
/// Word would show the placeholder's style, or put the bound value back. Returns the new text, if anything changed.
pub(crate) fn without_placeholders(document: &Document) -> Option<String> {
    let mut removed = Vec::new();
    for (position, token) in document.tokens().iter().enumerate() {
        if token.element == Element::ContentControlProperties && is_named(document, position) {
            let inside = position + 1..document.end(position);
            removed.extend(inside.filter_map(|child| {
                let is_start = document.tokens()[child].is_start();
                let is_unwanted = matches!(document.local(child), "showingPlcHdr" | "dataBinding");
                (is_start && is_unwanted).then(|| document.subtree(child))
            }));
        }
    }
    if removed.is_empty() {
        return None;
    }
    let mut text = String::new();
    let mut at = 0;
    for span in removed {
        text.push_str(document.slice(at..span.start));
        at = span.end;
    }
    text.push_str(document.slice(at..document.source().len()));
    Some(text)
}

/// Finds the content controls named `comment`.
pub(crate) fn content_controls(story: &Story) -> Vec<Insertion> {
    let mut insertions = Vec::new();
    for (position, atom) in story.atoms.iter().enumerate() {
        let What::Raw { element: Element::ContentControlProperties, token, .. } = &atom.what else {
            continue;
        };
        if !is_named(&story.document, *token) {
            continue;
        }
        let Some(control) = atom.parent else { continue };
        let Some((_, control_close)) = story.opened(control) else { continue };
        let content = (position..control_close)
            .find(|at| matches!(story.opened(*at), Some((Element::ContentControlContent, _))));
        let Some((content, (_, close))) = content.and_then(|at| story.opened(at).map(|opened| (at, opened)))
        else {
            continue;
        };
        let paragraph =
            (content..close).find(|at| matches!(story.opened(*at), Some((Element::Paragraph, _))));
        let (from, to) = match paragraph.and_then(|at| story.opened(at).map(|(_, close)| (at, close))) {
            Some((paragraph, paragraph_close)) => (after_properties(story, paragraph), paragraph_close),
            None => (content + 1, close),
        };
        let run = run_in(story, from, to);
        insertions.push(Insertion {
            from,
            to,
            run,
            what: Inserted::Value(NAME.to_owned()),
            place: story.place(from, NAME),
        });
    }
    insertions
}

/// Finds the bookmarks named `comment`; the text that one encloses is replaced.
pub(crate) fn bookmarks(story: &Story) -> Vec<Insertion> {
    let mut insertions = Vec::new();
    for position in bookmark_starts(story) {
        let (from, to) = bookmark_content(story, position);
        let run = run_in(story, from, to).or_else(|| run_near(story, from));
        insertions.push(Insertion {
            from,
            to,
            run,
            what: Inserted::Value(NAME.to_owned()),
            place: story.place(from, NAME),
        });
    }
    insertions
}

/// Finds where the reference to a Word comment goes: to the bookmark named `comment`, else into the first paragraph.
pub(crate) fn reference(story: &Story, id: u32) -> Option<Insertion> {
    let at = bookmark_starts(story).next().map(|position| bookmark_content(story, position).0);
    let first = || {
        let paragraph =
            (0..story.atoms.len()).find(|at| matches!(story.opened(*at), Some((Element::Paragraph, _))))?;
        Some(after_properties(story, paragraph))
    };
    let from = at.or_else(first)?;
    let what = Inserted::Reference { id };
    Some(Insertion { from, to: from, run: None, what, place: story.place(from, NAME) })
}

/// Returns where the Word comment itself goes: to the end of the comments part.
pub(crate) fn annotation(story: &Story, id: u32) -> Option<Insertion> {
    let from = story.atoms.iter().rposition(|atom| matches!(atom.what, What::Close { .. }))?;
    let what = Inserted::Annotation { id };
    Some(Insertion { from, to: from, run: None, what, place: story.place(from, NAME) })
}

/// Returns an id that no comment of the comments part has.
pub(crate) fn free_id(comments: &Document) -> u32 {
    let used = comments.tokens().iter().enumerate().filter(|(_, token)| token.element == Element::Comment);
    let largest =
        used.filter_map(|(position, _)| comments.attribute(position, "id")?.parse::<u32>().ok()).max();
    largest.map_or(0, |largest| largest.saturating_add(1))
}

/// Tells whether the content control with these properties is named `comment` by its title or its tag.
fn is_named(document: &Document, properties: usize) -> bool {
    (properties + 1..document.end(properties)).any(|child| {
        document.tokens()[child].is_start()
            && matches!(document.local(child), "alias" | "tag")
            && document.attribute(child, "val").is_some_and(|name| name.trim().eq_ignore_ascii_case(NAME))
    })
}

fn bookmark_starts(story: &Story) -> impl Iterator<Item = usize> {
    (0..story.atoms.len()).filter(|position| match &story.atoms[*position].what {
        What::Raw { element: Element::BookmarkStart, token, .. } => {
            story.document.attribute(*token, "name").is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        }
        _ => false,
    })
}

/// The atoms that a bookmark encloses within its paragraph; an empty range where text can be put otherwise.
fn bookmark_content(story: &Story, start: usize) -> (usize, usize) {
    let parent = story.atoms[start].parent;
    let in_paragraph = std::iter::successors(parent, |it| story.atoms[*it].parent)
        .any(|it| matches!(story.opened(it), Some((Element::Paragraph, _))));
    if !in_paragraph {
        let next =
            (start..story.atoms.len()).find(|at| matches!(story.opened(*at), Some((Element::Paragraph, _))));
        let at = next.map_or(start + 1, |paragraph| after_properties(story, paragraph));
        return (at, at);
    }
    let id = |at: usize| match &story.atoms[at].what {
        What::Raw { token, .. } => story.document.attribute(*token, "id"),
        _ => None,
    };
    let wanted = id(start);
    let end = (start + 1..story.atoms.len()).find(|at| {
        matches!(story.atoms[*at].what, What::Raw { element: Element::BookmarkEnd, .. }) && id(*at) == wanted
    });
    match end.filter(|end| story.atoms[*end].parent == parent) {
        Some(end) => (start + 1, end),
        None => (start + 1, start + 1),
    }
}

fn after_properties(story: &Story, paragraph: usize) -> usize {
    let has_properties = matches!(
        story.atoms.get(paragraph + 1).map(|atom| &atom.what),
        Some(What::Raw { element: Element::ParagraphProperties, .. })
    );
    paragraph + 1 + usize::from(has_properties)
}

fn run_of(what: &What) -> Option<usize> {
    match what {
        What::Piece { run, .. } | What::Text { run, .. } | What::Tag { run, .. } => Some(*run),
        _ => None,
    }
}

fn run_in(story: &Story, from: usize, to: usize) -> Option<usize> {
    story.atoms[from..to].iter().find_map(|atom| run_of(&atom.what))
}

/// The nearest run of the same paragraph, before or after.
fn run_near(story: &Story, at: usize) -> Option<usize> {
    let is_border = |what: &What| {
        matches!(
            what,
            What::Open { element: Element::Paragraph, .. } | What::Close { element: Element::Paragraph, .. }
        )
    };
    let before = story.atoms[..at].iter().rev().take_while(|atom| !is_border(&atom.what));
    let after = story.atoms[at..].iter().take_while(|atom| !is_border(&atom.what));
    before.chain(after).find_map(|atom| run_of(&atom.what))
}
