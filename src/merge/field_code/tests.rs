//! Owns the cases of field codes, compared as a compact dump.

use proptest::prelude::*;

use super::{FieldCode, FieldCodeWarning, FieldKind, Operand, PartContent, Piece};

/// Shows an operand: nested fields as `{0}`, breaks as ⏎, tabs as ⇥, paragraph ends as ¶, quotes if it has them.
fn show(operand: &Operand) -> String {
    let inner: String = operand
        .parts
        .iter()
        .map(|part| match &part.content {
            PartContent::Text(text) => text.clone(),
            PartContent::Nested(number) => format!("{{{number}}}"),
            PartContent::LineBreak => "⏎".to_owned(),
            PartContent::Tab => "⇥".to_owned(),
            PartContent::ParagraphEnd => "¶".to_owned(),
        })
        .collect();
    if operand.is_quoted { format!("[{inner}]") } else { inner }
}

fn dump(code: &FieldCode) -> String {
    let mut shown = format!("{:?}", code.kind);
    for argument in &code.arguments {
        shown += &format!(" | {}", show(argument));
    }
    for switch in &code.switches {
        shown += &format!(" | \\{} {}", switch.name, switch.argument.as_ref().map(show).unwrap_or_default());
    }
    for warning in &code.warnings {
        shown += &format!(" | ! {warning}");
    }
    shown
}

/// Turns `{0}` into a nested field, ⏎ ⇥ ¶ into breaks, and `·` into a border between two runs.
fn parse(code: &str) -> FieldCode {
    let mut pieces = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['{', '⏎', '⇥', '¶', '·']) {
        let (text, special) = rest.split_at(at);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let sign = special.chars().next().unwrap();
        match sign {
            '⏎' => pieces.push(Piece::LineBreak),
            '⇥' => pieces.push(Piece::Tab),
            '¶' => pieces.push(Piece::ParagraphEnd),
            '·' => {}
            _ => pieces.push(Piece::Nested(special[1..2].parse().unwrap())),
        }
        rest = if sign == '{' { &special[3..] } else { &special[sign.len_utf8()..] };
    }
    pieces.push(Piece::Text(rest));
    FieldCode::parse(&pieces)
}

fn check(code: &str, expected: &str) {
    assert_eq!(dump(&parse(code)), expected, "{code}");
}

#[test]
fn keywords_names_and_switches_are_taken_in_any_case() {
    check(" MERGEFIELD FirstName \\* Upper ", "MergeField | FirstName | \\* Upper");
    check("mergefield FirstName \\F \",\"", "MergeField | FirstName | \\f [,]"); // b.1.5
    check("", "Empty"); // b.1.3: an empty `{ }` is legal
    check("   ", "Empty");
    check(" B ", "Unknown(\"B\")");
    check("{0} x", "Unknown(\"\") | {0} | x");
}

#[test]
fn runs_are_joined_wherever_they_are_split() {
    check(" MERGE·FIELD Fi·rst·Name \\·* Up·per ", "MergeField | FirstName | \\* Upper"); // b.1.4
    check("IF·\"a\"=\"a·b\" \"c", "If | [a] | = | [ab] | [c] | ! a quote is opened but not closed");
}

#[test]
fn names_with_spaces_stand_in_quotes_of_any_kind() {
    check("MERGEFIELD \"First Name\"", "MergeField | [First Name]");
    check("MERGEFIELD “First Name”", "MergeField | [First Name]");
    check("MERGEFIELD „First Name“", "MergeField | [First Name]");
    check("MERGEFIELD \"First Name”", "MergeField | [First Name]");
    check("IF {0} = “Sunday\" \"a\" \"b\"", "If | {0} | = | [Sunday] | [a] | [b]"); // W: calendar
    check("MERGEFIELD\"Name\"", "MergeField | [Name]");
}

#[test]
fn a_pair_of_curly_quotes_inside_straight_ones_is_text() {
    check("IF a = a \"für „Gold“ und\" \"\"", "If | a | = | a | [für „Gold“ und] | []");
    check("IF a = a \"say “yes” now\" \"\"", "If | a | = | a | [say “yes” now] | []");
}

#[test]
fn escapes_hold_inside_quotes() {
    check(r#"QUOTE "a \"b\" \\ c""#, r#"Quote | [a "b" \ c]"#);
    check(r#"QUOTE "dd\/MM""#, r"Quote | [dd\/MM]");
}

#[test]
fn an_unclosed_quote_ends_with_the_field() {
    let code = parse("MERGEFIELD \"First Name \\* Upper");
    assert_eq!(code.arguments[0].literal().as_deref(), Some("First Name \\* Upper"));
    assert_eq!(code.warnings, [FieldCodeWarning::UnclosedQuote { offset_bytes: 11 }]);
}

#[test]
fn switches_need_no_space() {
    check("MERGEFIELD a\\*Upper\\@\"dd/MM\"\\#0.00", "MergeField | a | \\* Upper | \\@ [dd/MM] | \\# 0.00");
    check("MERGEFIELD a \\b\"x\"\\f ,", "MergeField | a | \\b [x] | \\f ,");
    check("MERGEFIELD a \\m\\v", "MergeField | a | \\m  | \\v ");
    check("= 25 + 33\\# 0", "Formula | 25 + 33 | \\# 0");
}

#[test]
fn a_second_format_needs_no_sign_of_its_own() {
    check("MERGEFIELD a \\* FirstCap MERGEFORMAT", "MergeField | a | \\* FirstCap | \\* MERGEFORMAT"); // real file
    check("MERGEFIELD a \\* roman \\* Upper", "MergeField | a | \\* roman | \\* Upper"); // P
    check("IF a = a \\* Upper \"b\"", "If | a | = | a | [b] | \\* Upper");
}

#[test]
fn pictures_without_quotes_end_at_a_space() {
    // W: Word shows the day only.
    check("DATE \\@ d MMMM", "Date | MMMM | \\@ d | ! `MMMM` is ignored");
    check("MERGEFIELD a \\# $#,##0.00;-$#,##0.00", "MergeField | a | \\# $#,##0.00;-$#,##0.00");
    check("MERGEFIELD a \\# ,0.00", "MergeField | a | \\# ,0.00");
}

#[test]
fn switches_that_miss_an_argument_or_are_unknown_are_told() {
    check("MERGEFIELD a \\* \\# 0", "MergeField | a | \\*  | \\# 0 | ! switch `\\*` has no argument");
    check("MERGEFIELD a \\f", "MergeField | a | \\f  | ! switch `\\f` has no argument");
    check("MERGEFIELD a \\q \\m", "MergeField | a | \\q  | \\m  | ! unknown switch `\\q`");
    check("MERGEFIELD a \\", "MergeField | a");
}

#[test]
fn arguments_belong_to_switches_by_the_kind_of_the_field() {
    check("ASK B \"q\" \\d \"x\" \\o", "Ask | B | [q] | \\d [x] | \\o ");
    check("INCLUDEPICTURE \"{0}\" \\d", "IncludePicture | [{0}] | \\d ");
    check("INCLUDEPICTURE C:\\\\pics\\a.png \\d", "IncludePicture | C:\\pics\\a.png | \\d ");
    check(
        "ADDRESSBLOCK \\f \"<<_A_⏎>>\" \\c 2 \\e \"x\" \\d \\l 1049",
        "AddressBlock | \\f [<<_A_⏎>>] | \\c 2 | \\e [x] | \\d  | \\l 1049",
    );
    check(
        "GREETINGLINE \\f \"<<_BEFORE_ Dear >>\" \\e \"Hi\" \\l 1033",
        "GreetingLine | \\f [<<_BEFORE_ Dear >>] | \\e [Hi] | \\l 1033",
    );
    check("MERGEBARCODE f QR \\s 100", "MergeBarcode | f | QR | \\s 100");
}

#[test]
fn a_nested_field_is_one_operand_and_may_be_mixed_into_text() {
    check("IF {0} = \"Oslo\" \"T\" \"F\"", "If | {0} | = | [Oslo] | [T] | [F]"); // b.1.6
    check("IF {0}=\"Oslo\"\"T\"\"F\"", "If | {0} | = | [Oslo] | [T] | [F]");
    check("IF {0} <> {1} \"more: {2}\" \"- one -\"", "If | {0} | <> | {1} | [more: {2}] | [- one -]");
    check("IF a>=b {0}x \"\"", "If | a | >= | b | {0}x | []");
    check("MERGEFIELD \"{0}\"", "MergeField | [{0}]");
}

#[test]
fn operators_inside_branches_are_text() {
    check("IF 1 = 1 a=b <c>", "If | 1 | = | 1 | a=b | <c>");
    check("IF = \"\" T F", "If |  | = | [] | T | F");
}

#[test]
fn a_comma_directly_after_an_operand_separates() {
    check("IF {0} = 0,\"\" \"x\"", "If | {0} | = | 0 | [] | [x]"); // W: calendar
    check("IF {0} = 0, \"a\", \"b\"", "If | {0} | = | 0 | [a] | [b]");
    check("IF {0} = {1},{2},{3}", "If | {0} | = | {1} | {2} | {3}");
    check("IF {0} = 1,200 a b", "If | {0} | = | 1,200 | a | b");
}

#[test]
fn branches_keep_breaks_and_paragraphs() {
    check("IF a = b \"one¶two⏎x⇥y\"", "If | a | = | b | [one¶two⏎x⇥y]");
    check("IF¶a⇥=⏎b c", "If | a | = | b | c");
    check("MERGEFIELD a \\f \"⏎\"", "MergeField | a | \\f [⏎]"); // b.6
}

#[test]
fn a_formula_is_one_argument_up_to_its_switches() {
    check("= 2.5 * {0} \\# 0.00", "Formula | 2.5 * {0}  | \\# 0.00");
    check("=IF(a=\"\\x\",1,2)\\*roman", "Formula | IF(a=\"\\x\",1,2) | \\* roman");
    check("=", "Formula | ");
}

#[test]
fn comparisons_are_found() {
    let code = parse("IF {0}<>\"a\" b c");
    let comparison = code.comparison().unwrap();
    assert_eq!(comparison.operator, crate::merge::condition::Operator::NotEqual);
    assert_eq!(comparison.right.literal().as_deref(), Some("a"));
    assert_eq!(comparison.rest.len(), 2);
    assert_eq!(parse("IF a b c").comparison(), None);
}

#[test]
fn offsets_point_into_the_joined_text() {
    let code = parse(" MERGEFIELD \"Fi·rst\" \\* Upper");
    assert_eq!(&code.code[code.arguments[0].range.clone()], "\"First\"");
    assert_eq!(&code.code[code.switches[0].range.clone()], "\\* Upper");
    let pieces: Vec<usize> = code.arguments[0].parts.iter().map(|part| part.piece).collect();
    assert_eq!(pieces, [0, 1]);
}

proptest! {
    #[test]
    fn any_instruction_is_parsed_with_sound_offsets(text in "(IF|=|MERGEFIELD|SET|TOC)?[ a-c\"“”„{}=<>,;*@#\\\\\\n\\PC]{0,40}") {
        let code = FieldCode::parse(&[Piece::Text(&text), Piece::Nested(0), Piece::Text(&text), Piece::ParagraphEnd]);
        for operand in code.arguments.iter().chain(code.switches.iter().filter_map(|switch| switch.argument.as_ref())) {
            prop_assert!(code.code.get(operand.range.clone()).is_some());
            for part in &operand.parts {
                prop_assert!(code.code.get(part.range.clone()).is_some());
            }
        }
    }

    #[test]
    fn a_quoted_operand_comes_back_as_it_was(text in "[a-z \"\\\\“”„]{0,30}") {
        let escaped: String = text.chars().flat_map(|c| {
            matches!(c, '"' | '\\' | '“' | '”' | '„').then_some('\\').into_iter().chain([c])
        }).collect();
        let code = FieldCode::parse(&[Piece::Text(&format!("QUOTE \"{escaped}\""))]);
        prop_assert_eq!(&code.kind, &FieldKind::Quote);
        prop_assert_eq!(code.arguments[0].literal(), Some(text));
    }
}
