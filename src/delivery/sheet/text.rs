//! Owns how large the type of an address is: as large as its room allows, and never so small that it cannot be read.
//!
//! Widths are those of Arial, whose metrics Liberation Sans shares, by classes of letters and rounded up: a line that is said
//! to fit does.

/// The type that is tried first, in half points: 11 points.
const LARGEST: usize = 22;

/// The smallest type, in half points: 6 points, the least that posts read.
const SMALLEST: usize = 12;

/// A line is so much higher than its type.
const LEADING: f64 = 1.2;

/// Points in a millimeter.
const POINTS_PER_MM: f64 = 72.0 / 25.4;

/// Returns the size of the type in which lines fit into a room of millimeters; none if there is none.
///
/// Lines that need not be broken are preferred to large type; where even the smallest does not do, long lines are broken at
/// their spaces.
pub(super) fn size_for(lines: &[String], (width, height): (f64, f64)) -> Option<usize> {
    let (width, height) = (width * POINTS_PER_MM, height * POINTS_PER_MM);
    let fits = |size: &usize, breaks: bool| {
        let points = points(*size);
        let n_lines: Option<usize> = lines.iter().map(|line| n_broken(line, width / points)).sum();
        n_lines.is_some_and(|n_lines| {
            (breaks || n_lines == lines.len()) && n_lines as f64 * points * LEADING <= height
        })
    };
    let sizes = || (SMALLEST..=LARGEST).rev();
    sizes().find(|size| fits(size, false)).or_else(|| sizes().find(|size| fits(size, true)))
}

/// Returns the height of a line of a type, in twentieths of a point.
pub(super) fn line_height(size: usize) -> i32 {
    (points(size) * LEADING * 20.0).round() as i32
}

fn points(half_points: usize) -> f64 {
    half_points as f64 / 2.0
}

/// Returns how many lines a text becomes in a width of so many ems; none if what cannot be broken is wider than a line.
///
/// Word and LibreOffice break a line at a space, which then takes no room, and behind a hyphen.
fn n_broken(text: &str, ems: f64) -> Option<usize> {
    let (mut n_lines, mut used) = (1, 0.0);
    for word in text.split_inclusive([' ', '-']) {
        let width = |text: &str| -> f64 { text.chars().map(em).sum() };
        let wide = width(word.trim_end_matches(' '));
        if wide > ems {
            return None;
        }
        if used > 0.0 && used + wide > ems {
            n_lines += 1;
            used = 0.0;
        }
        used += width(word);
    }
    Some(n_lines)
}

/// Returns the width of a character, in ems.
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '\'' | '|' => 0.26,
        'f' | 't' | 'I' | ' ' | '.' | ',' | ':' | ';' | '!' | '/' | '\\' => 0.28,
        'r' | '(' | ')' | '-' | '[' | ']' => 0.34,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 0.50,
        'm' | 'M' | 'w' => 0.84,
        'W' | '@' | '%' => 1.02,
        'a'..='z' | '0'..='9' => 0.56,
        'A'..='Z' => 0.78,
        other if other.is_lowercase() && other < '\u{250}' => 0.61,
        // Chinese, Japanese and Korean letters are as wide as high, others hardly ever wider.
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::size_for;

    #[test]
    fn type_is_as_large_as_the_room_allows() {
        let check = |lines: &[&str], room: (f64, f64), expected: Option<usize>| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(size_for(&lines, room), expected, "{lines:?}");
        };
        check(&["Jana Roth", "Hafenstrasse 1", "8001 Zürich"], (60.0, 30.0), Some(22));
        check(&["a"; 7], (60.0, 30.0), Some(20));
        check(&["Gesellschaft für Wohnungsbau und Stadtentwicklung"], (60.0, 30.0), Some(14));
        check(
            &["Donaudampfschifffahrtsgesellschaft der Wachau, Krems und Melk an der Donau"],
            (50.0, 20.0),
            Some(17),
        );
        check(&["Hohenlohe-Waldenburg-Schillingsfürst-Oettingen-Wallerstein"], (53.5, 16.0), Some(22));
        check(&["x"; 30], (60.0, 30.0), None);
        check(&["unbroken".repeat(20).as_str()], (60.0, 5.0), None);
        check(&[], (60.0, 30.0), Some(22));
    }
}
