//! Owns the plain text that goes along with an HTML body for readers that show none.

/// The width at which plain text is wrapped, in characters (RFC 3676 §4.2 recommends 78 or fewer).
const WIDTH: usize = 78;

/// Returns an HTML text as plain text: headings, lists, tables and links as text can show them.
///
/// HTML that cannot be laid out at this width is returned without its tags' meaning: as it stands.
pub fn text_of(html: &str) -> String {
    html2text::from_read(html.as_bytes(), WIDTH).unwrap_or_else(|_| html.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_links_are_readable() {
        let text =
            text_of("<p>Dear <b>Ann</b> &amp; Bo,</p><p>see <a href=\"https://a.example\">here</a></p>");
        assert!(text.contains("Ann"), "{text}");
        assert!(text.contains("& Bo,\n\nsee"), "{text}");
        assert!(text.contains("https://a.example"), "{text}");
    }
}
