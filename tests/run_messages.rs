//! Holds what a run makes of a line's message: whom it comes from, where answers and bounces go, what it says; and
//! that whatever would stop it is a problem of the check, before anything is sent.

mod support;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mail_parser::{Message, MessageParser};
use mailrun::run::preview::{Look, look};
use mailrun::run::{Office, SecretError, SegmentRef, Stages};
use mailrun::setup::Setup;
use mailrun::store::Database;

use support::place::{NOW, Place};

/// A place with two contacts who are written to by e-mail, and a set-up with these lines under `[smtp]`.
fn place_with(smtp: &str) -> Place {
    let place = Place::with_copy_of("templates/init");
    place.write(
        "contacts.csv",
        "no,Company,first_name,surname,email,language,salesperson,code\n\
         C1,,Ann,Arnold,ann@example.com,en,MW,a b\n\
         C2,,Bo,Berg,bo@example.com,en,NB,b\n",
    );
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    let header = "[segment]\nno = \"SM00001\"\ncorrespondence_type = \"email\"\n\
                  ignore_contact_correspondence_type = true\n";
    let segment = until_lines.replace("[segment]\n", header).replace("salesperson = \"MW\"\n", "");
    place.write("segment.toml", segment);
    let setup = place.read_text("mailrun.toml");
    let (before, rest) = setup.split_once("[smtp]").expect("the sample has a sender");
    let (_, after) = rest.split_once("\n\n").expect("a table follows");
    let other = "[[salesperson]]\ncode = \"NB\"\nname = \"Nobody\"\n\n";
    place.write("mailrun.toml", format!("{before}[smtp]\n{smtp}\n\n{other}{after}"));
    place
}

/// Writes the body of the messages, a file of this name.
fn with_body(place: &Place, name: &str, body: &str) {
    place.write(name, body);
    let segment = place.read_text("segment.toml");
    place.write("segment.toml", segment.replace("body = \"document\"", &format!("body = \"{name}\"")));
}

/// Says that the plain text beside this body is the file `own.txt.hbs`.
fn with_text(place: &Place, body: &str) {
    let segment = place.read_text("segment.toml");
    let body = format!("body = \"{body}\"");
    assert!(segment.contains(&body), "{segment}");
    place.write("segment.toml", segment.replace(&body, &format!("{body}\ntext = \"own.txt.hbs\"")));
}

fn messages(place: &Place) -> Vec<Vec<u8>> {
    place.files("out/SM00001/outbox").iter().map(|name| place.read(name)).collect()
}

fn parsed(bytes: &[u8]) -> Message<'_> {
    MessageParser::default().parse(bytes).expect("a message")
}

fn header<'a>(message: &'a Message<'_>, name: &str) -> Option<&'a str> {
    message.header_raw(name.to_owned()).map(str::trim)
}

/// Fails unless checking finds exactly this first problem.
#[track_caller]
fn expect_problem(place: &Place, problem: &str) {
    let ended = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(ended.stderr.starts_with(problem), "{}\nis not\n{problem}", ended.stderr);
    let _ = place.run(&["run", "segment.toml"]).expect_code(1);
    assert_eq!(place.files("out"), Vec::<String>::new(), "nothing is written");
}

#[test]
fn each_salesperson_signs_for_the_own_contacts() {
    let place = place_with("from = '\"{{salesperson.name}}\" <{{salesperson.code}}@weber.example>'");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let messages = messages(&place);
    let from = |bytes: &[u8]| header(&parsed(bytes), "From").map(str::to_owned);
    assert_eq!(from(&messages[0]).as_deref(), Some("\"Mara Weber\" <MW@weber.example>"));
    assert_eq!(from(&messages[1]).as_deref(), Some("Nobody <NB@weber.example>"));
    let logged = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    for (entry, bytes) in logged.iter().zip(&messages) {
        assert_eq!(entry["message_id"].as_str(), header(&parsed(bytes), "Message-ID"), "the log names it");
    }
}

#[test]
fn a_line_without_a_sender_is_a_problem() {
    let place = place_with("from = \"{{salesperson.name}} <{{salesperson.email}}>\"");
    expect_problem(
        &place,
        "error: the line's sender is unusable: mail address `` has no `@`\n  --> segment SM00001, contact C2, \
         line 20000\n  help: give the salesperson an e-mail address, or the line a salesperson\n",
    );
}

#[test]
fn an_address_for_replies_that_is_none_is_a_problem() {
    let place = place_with("from = \"post@weber.example\"\nreply_to = \"{{salesperson.code}}\"");
    expect_problem(&place, "error: the address for replies is unusable: mail address `MW` has no `@`\n");
}

#[test]
fn an_unsubscribe_address_that_a_header_cannot_carry_is_a_problem() {
    let place = place_with(
        "from = \"post@weber.example\"\nunsubscribe = [\"https://weber.example/off?c={{contact.code}}\"]",
    );
    expect_problem(
        &place,
        "error: `https://weber.example/off?c=a b` cannot be used to unsubscribe: `https:` and printable ASCII are \
         expected\n  --> segment SM00001, contact C1, line 10000\n",
    );
}

#[test]
fn bounces_go_to_an_address_that_tells_the_message() {
    let place =
        place_with("from = \"Weber <post@weber.example>\"\nbounce = \"bounce+{token}@weber.example\"");
    let setup = Setup::read(&place.path("mailrun.toml")).expect("the set-up is sound");
    let mut database = Database::open_existing(&place.path("mailrun.db")).expect("a database in memory");
    let stop = AtomicBool::new(false);
    let now = NOW.parse().expect("the clock of the tests is a time");
    let stages = Stages::default();
    let mut office = Office {
        setup: &setup,
        store: &mut database,
        now,
        out: place.path("out"),
        stop: &stop,
        stages: &stages,
        password: &|_| Err(SecretError { reason: "nobody logs in here".to_owned() }),
        agree: &|_| false,
        wait: Duration::ZERO,
        server: None,
    };
    let asked = SegmentRef::File(place.path("segment.toml"));
    let outlooks = look(&mut office, &asked, &Look::First(2)).expect("the segment is sound");
    let mut tokens = Vec::new();
    for outlook in &outlooks {
        let message = outlook.message.as_ref().expect("a message");
        let sender = message.sender().as_str();
        let token = sender.strip_prefix("bounce+").and_then(|rest| rest.strip_suffix("@weber.example"));
        let token = token.unwrap_or_else(|| panic!("{sender}")).to_owned();
        assert_eq!(message.id().to_string().replace(['<', '-'], ""), format!("{token}@weber.example>"));
        assert_eq!(header(&parsed(message.bytes()), "From"), Some("Weber <post@weber.example>"));
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_bounce_address_without_a_token_is_a_problem() {
    let place = place_with("from = \"post@weber.example\"\nbounce = \"bounce@weber.example\"");
    expect_problem(
        &place,
        "error: the bounce address `bounce@weber.example` has no `{token}`\n  --> mailrun.toml: smtp.bounce\n",
    );
}

#[test]
fn robots_are_told_not_to_answer_unless_the_office_wants_it() {
    let names = ["Auto-Submitted", "Precedence", "X-Auto-Response-Suppress"];
    let place = place_with("from = \"post@weber.example\"");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let bytes = &messages(&place)[0];
    assert_eq!(names.map(|name| header(&parsed(bytes), name).is_some()), [true, true, true]);
    let place = place_with(
        "from = \"post@weber.example\"\nautomatic = { auto_submitted = false, precedence = false, response_suppress = false }",
    );
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let bytes = &messages(&place)[0];
    assert_eq!(names.map(|name| header(&parsed(bytes), name).is_some()), [false, false, false]);
}

#[test]
fn a_message_over_the_limit_is_a_problem_before_anything_is_sent() {
    let place =
        place_with("from = \"post@weber.example\"\nattachment_limit = \"1 kB\"\nmessage_limit = \"1 MB\"");
    let ended = place.run(&["check", "segment.toml"]).expect_code(1);
    let expected = "error: the attachment `Come and see our workshop.docx` has ";
    assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("but the limit is 1 kB\n  --> contact C1, line 10000\n"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("2 problems in segment"), "{}", ended.stderr);
    let place = place_with("from = \"post@weber.example\"\nmessage_limit = \"1 kB\"");
    let _ = place.run(&["run", "segment.toml"]).expect_code(1);
    assert_eq!(place.files("out"), Vec::<String>::new(), "nothing is written");
    let place = place_with("from = \"post@weber.example\"\nmessage_limit = \"1 MB\"");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
}

#[test]
fn a_size_that_is_none_is_a_problem_of_the_set_up() {
    let place = place_with("from = \"post@weber.example\"\nmessage_limit = \"big\"");
    let ended = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(ended.stderr.contains("`big` is no size, expected one such as 25 MB"), "{}", ended.stderr);
}

const MJML: &str = "<mjml><mj-body><mj-section><mj-column>\n<mj-text>Dear {{contact.first_name}}, &amp; all</mj-text>\n\
     <mj-button href=\"https://weber.example/{{contact.no}}\">Come</mj-button>\n\
     </mj-column></mj-section></mj-body></mjml>\n";

#[test]
fn an_mjml_body_becomes_html_and_text() {
    let place = place_with("from = \"post@weber.example\"");
    with_body(&place, "body.mjml.hbs", MJML);
    let contacts = place.read_text("contacts.csv").replace("Ann,", "Ann <b>,");
    place.write("contacts.csv", contacts);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let bytes = &messages(&place)[0];
    let message = parsed(bytes);
    let html = message.body_html(0).expect("an HTML body");
    assert!(html.contains("Dear Ann &lt;b&gt;, &amp; all"), "{html}");
    assert!(html.contains("href=\"https://weber.example/C1\""), "{html}");
    let text = message.body_text(0).expect("a text body");
    assert!(text.contains("Dear Ann <b>, & all") && text.contains("https://weber.example/C1"), "{text}");
    assert!(!text.contains("mso") && !text.contains('{'), "{text}");
}

#[test]
fn an_own_plain_text_stands_beside_html_mjml_and_the_letter() {
    for (body, source) in [("body.html.hbs", "<p>Dear {{contact.no}}</p>"), ("body.mjml.hbs", MJML), ("", "")]
    {
        let place = place_with("from = \"post@weber.example\"");
        if body.is_empty() {
            with_text(&place, "document");
        } else {
            with_body(&place, body, source);
            with_text(&place, body);
        }
        place.write("own.txt.hbs", "Plainly, {{contact.first_name}} <{{contact.no}}> & {{salesperson.code}}");
        let _ = place.run(&["run", "segment.toml"]).expect_code(0);
        let sent = messages(&place);
        let said = sent.iter().map(|bytes| {
            let message = parsed(bytes);
            assert!(message.body_html(0).is_some_and(|html| !html.contains("Plainly")), "{body}");
            message.body_text(0).expect("a text body").trim_end().to_owned()
        });
        let expected = ["Plainly, Ann <C1> & MW", "Plainly, Bo <C2> & NB"];
        assert_eq!(said.collect::<Vec<_>>(), expected, "{body}");
    }
}

#[test]
fn what_is_wrong_with_an_own_plain_text_is_a_problem() {
    for (body, text, problem) in [
        ("body.html.hbs", "{{contact.nme}}", "error: "),
        ("body.txt.hbs", "Hello", "error: the body is plain text already, and has no other beside it\n"),
    ] {
        let place = place_with("from = \"post@weber.example\"");
        with_body(&place, body, "Hello");
        with_text(&place, body);
        place.write("own.txt.hbs", text);
        expect_problem(&place, problem);
    }
    let place = place_with("from = \"post@weber.example\"");
    with_text(&place, "document");
    let segment = place.read_text("segment.toml").replace("own.txt.hbs", "own.html.hbs");
    place.write("segment.toml", segment);
    expect_problem(&place, "error: `own.html.hbs` is no plain text, expected a .txt.hbs file\n");
}

#[test]
fn html_with_a_doctype_is_html() {
    for doctype in
        ["<!DOCTYPE html>\n", "<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">", "<!-- mine -->\n"]
    {
        let place = place_with("from = \"post@weber.example\"");
        with_body(
            &place,
            "body.html.hbs",
            &format!("{doctype}<html><body><p>Dear {{{{contact.first_name}}}}</p>"),
        );
        let _ = place.run(&["run", "segment.toml"]).expect_code(0);
        let bytes = &messages(&place)[0];
        let message = parsed(bytes);
        let html = message.body_html(0).expect("an HTML body");
        assert!(html.starts_with(doctype.trim_end()) && html.contains("<p>Dear Ann</p>"), "{html}");
        let text = message.body_text(0).expect("a text body");
        assert_eq!(text.trim(), "Dear Ann", "its text has no markup");
    }
}

#[test]
fn what_is_wrong_in_mjml_is_a_problem() {
    let place = place_with("from = \"post@weber.example\"");
    with_body(&place, "body.mjml.hbs", &MJML.replace("mj-button", "mj-knob"));
    expect_problem(
        &place,
        "error: the MJML cannot be read: `mj-knob` is no element\n  --> body.mjml.hbs, line 3\n",
    );
    let place = place_with("from = \"post@weber.example\"");
    with_body(&place, "body.mjml.hbs", &MJML.replace("contact.first_name", "contact.fist_name"));
    let ended = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(ended.stderr.contains("fist_name"), "{}", ended.stderr);
}
