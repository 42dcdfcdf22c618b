//! Owns the address of a hyperlink that hangs on the data: it holds a tag, a merge field, or the name of one between angle
//! quotes, as it is or as Word escapes it in an address.

/// A part of an address: as it stands, or what a value is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetPart {
    Literal(String),
    /// The inside of a tag.
    Tag(String),
    /// The name of a merge field.
    Field(String),
}

/// Takes an address apart; none if nothing in it hangs on the data.
pub(crate) fn target_parts(target: &str) -> Option<Vec<TargetPart>> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = target;
    let mut is_merged = false;
    while let Some(first) = rest.chars().next() {
        let marks: [(&[&str], &[&str]); 3] = [
            (&["{{", "%7B%7B", "%7b%7b"], &["}}", "%7D%7D", "%7d%7d"]),
            (&["«", "%C2%AB", "%c2%ab"], &["»", "%C2%BB", "%c2%bb"]),
            (&["{", "%7B", "%7b"], &["}", "%7D", "%7d"]),
        ];
        let found = marks.iter().enumerate().find_map(|(kind, (opens, closes))| {
            let inside = opens.iter().find_map(|open| rest.strip_prefix(open))?;
            let (at, close) =
                closes.iter().filter_map(|close| Some((inside.find(close)?, close))).min_by_key(|it| it.0)?;
            let text = unescaped(&inside[..at]);
            let part = match kind {
                0 => TargetPart::Tag(text),
                1 => TargetPart::Field(text),
                _ => TargetPart::Field(merge_field_name(&text)?),
            };
            Some((part, &inside[at + close.len()..]))
        });
        match found {
            Some((part, after)) => {
                if !literal.is_empty() {
                    parts.push(TargetPart::Literal(std::mem::take(&mut literal)));
                }
                parts.push(part);
                rest = after;
                is_merged = true;
            }
            None => {
                literal.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    if !literal.is_empty() {
        parts.push(TargetPart::Literal(literal));
    }
    // What a program adds before a target that it took for a file's name.
    if let [TargetPart::Literal(scheme), _, ..] = parts.as_slice()
        && scheme.trim_end_matches('/').eq_ignore_ascii_case("http:")
    {
        parts.remove(0);
    }
    is_merged.then_some(parts)
}

/// The name in ` MERGEFIELD Url \* MERGEFORMAT `.
fn merge_field_name(code: &str) -> Option<String> {
    let mut words = code.split_whitespace();
    words.next().filter(|word| word.eq_ignore_ascii_case("MERGEFIELD"))?;
    let name: Vec<&str> = words.take_while(|word| !word.starts_with('\\')).collect();
    let name = name.join(" ");
    Some(name.trim_matches('"').to_owned()).filter(|name| !name.is_empty() && !name.contains(':'))
}

/// Undoes percent-encoding; what is none stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let escaped = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
            .flatten();
        bytes.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, expected: Option<&[TargetPart]>) {
        assert_eq!(target_parts(target).as_deref(), expected, "{target}");
    }

    #[test]
    fn targets_are_taken_apart() {
        let literal = |text: &str| TargetPart::Literal(text.to_owned());
        let tag = |text: &str| TargetPart::Tag(text.to_owned());
        let field = |text: &str| TargetPart::Field(text.to_owned());
        check("https://example.com/a%20b", None);
        check("https://example.com/{id}", None);
        check("{{url}}", Some(&[tag("url")]));
        check("http://%7B%7Burl%7D%7D", Some(&[tag("url")]));
        check(
            "https://example.com/%7b%7bno%7d%7d?x",
            Some(&[literal("https://example.com/"), tag("no"), literal("?x")]),
        );
        check(
            "https://example.com/%C2%ABMy%20No%C2%BB",
            Some(&[literal("https://example.com/"), field("My No")]),
        );
        check("%7B%20MERGEFIELD%20Url%20%5C*%20MERGEFORMAT%20%7D", Some(&[field("Url")]));
    }
}
