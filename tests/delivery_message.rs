//! Owns the promise that any text in any place of a message arrives as it was, and adds no header line.

#![expect(clippy::unwrap_used, reason = "what a test sets up must succeed, or the test fails")]

use jiff::Timestamp;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use uuid::Uuid;

use mailrun::delivery::mailbox::Mailbox;
use mailrun::delivery::message::{
    Attachment, Automatic, Body, Draft, Message, MessageError, MessageId, Picture, Unsubscribe, build,
    media_type,
};
use mailrun::delivery::name::safe_name;

/// Texts as no office writes them and every import brings them.
fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "Müller & Söhne <b>AG</b>",
        "Bcc: eve@example.com",
        "line\r\nBcc: eve@example.com\r\n\r\nbody",
        "line\nX-Evil: 1",
        "line\rX-Evil: 1",
        "line\u{2028}X-Evil: 1\u{2029}\u{85}X-Evil: 2",
        "nul\0inside",
        "esc\u{1b}[31mred",
        "\u{202E}gpj.exe\u{202C} \u{2066}isolate\u{2069}",
        "=HYPERLINK(\"http://example.com\")",
        "=?utf-8?q?=0D=0AX-Evil:_1?=",
        "=?utf-8?b?RXZpbA==?= plain",
        "../../etc/passwd",
        "CON",
        "\"quoted\" \\ back, semi; (comment)",
        "<eve@example.com>",
        "a@b.example, eve@example.com",
        "emoji 🎉👩‍👩‍👧 Ελένη Юлия 東京",
        "double  blank   inside",
        "tab\tinside",
    ]
    .map(str::to_owned)
    .into();
    texts.push("long ".repeat(3000));
    texts.push("x".repeat(5000));
    texts.push("ü".repeat(5000));
    texts.push("M".repeat(1 << 20));
    texts
}

/// What a header keeps of a text: one line, without control characters and direction overrides.
fn as_a_header_keeps_it(text: &str) -> String {
    let mut kept = String::new();
    for character in text.chars() {
        match character {
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {}
            '\u{2028}' | '\u{2029}' => kept.push(' '),
            _ if character.is_control() => kept.push(' '),
            _ => kept.push(character),
        }
    }
    kept.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn one_blank_each(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mailbox(name: &str, address: &str) -> Mailbox {
    Mailbox::new(name, address.parse().unwrap())
}

fn message_id() -> MessageId {
    MessageId::new(Uuid::from_u128(7), 30_000, &"post@example.com".parse().unwrap())
}

/// Builds a message that has every part there is, with `text` in every place that takes one.
fn everywhere(text: &str) -> Message {
    let pictures = [Picture {
        content_id: message_id().content_id(1),
        media_type: "image/png".to_owned(),
        bytes: b"\x89PNG not really".to_vec(),
    }];
    let name = safe_name(text, "docx");
    let attachments = [Attachment { name: &name, media_type: media_type(&name), bytes: text.as_bytes() }];
    build(&Draft {
        from: &mailbox(text, "post@example.com"),
        to: &mailbox(text, "anna@münchen.example"),
        reply_to: Some(&mailbox(text, "jana@example.com")),
        bounce_to: None,
        subject: text,
        date: Timestamp::from_second(1_772_323_200).unwrap(),
        message_id: &message_id(),
        body: Body::Html { html: text, text, pictures: &pictures },
        attachments: &attachments,
        unsubscribe: &Unsubscribe {
            https: Some("https://example.com/u?c=CT000012".to_owned()),
            mailto: Some("mailto:off@example.com".to_owned()),
        },
        automatic: Automatic::default(),
        copy_of: Some(text),
    })
    .unwrap()
}

/// Builds the smallest message.
fn plain(subject: &str, text: &str) -> Message {
    build(&Draft {
        from: &mailbox("Nordlicht", "post@example.com"),
        to: &mailbox("", "anna@example.com"),
        reply_to: None,
        bounce_to: None,
        subject,
        date: Timestamp::from_second(1_772_323_200).unwrap(),
        message_id: &message_id(),
        body: Body::Text(text),
        attachments: &[],
        unsubscribe: &Unsubscribe::default(),
        automatic: Automatic::default(),
        copy_of: None,
    })
    .unwrap()
}

#[test]
fn no_text_adds_a_header_line() {
    let expected = [
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Precedence",
        "X-Auto-Response-Suppress",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "X-Mailrun-Copy",
        "MIME-Version",
        "Content-Type",
    ];
    for text in hostile_texts() {
        let message = everywhere(&text);
        let bytes = String::from_utf8(message.bytes().to_vec()).unwrap();
        let (head, _) = bytes.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        assert_eq!(names, expected, "{:?}", &text[..text.floor_char_boundary(60)]);
    }
}

#[test]
fn every_line_ends_with_cr_lf_and_has_at_most_998_bytes() {
    for text in hostile_texts() {
        for message in [everywhere(&text), plain(&text, &text)] {
            for line in message.bytes().split_inclusive(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\r\n").expect("a line ends with CR LF");
                assert!(line.len() <= 998, "a line of {} bytes", line.len());
                assert!(!line.contains(&b'\r') && !line.contains(&0));
            }
        }
    }
}

#[test]
fn subject_names_and_attachment_come_back_as_they_were() {
    for text in hostile_texts() {
        let message = everywhere(&text);
        let parsed = MessageParser::default().parse(message.bytes()).unwrap();
        let expected = as_a_header_keeps_it(&text);
        assert_eq!(one_blank_each(parsed.subject().unwrap_or_default()), expected);
        for (mailboxes, address) in [
            (parsed.from(), "post@example.com"),
            (parsed.to(), "anna@xn--mnchen-3ya.example"),
            (parsed.reply_to(), "jana@example.com"),
        ] {
            let found: Vec<_> = mailboxes.unwrap().iter().collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].address(), Some(address));
            assert_eq!(one_blank_each(found[0].name().unwrap_or_default()), expected);
        }
        let letter = parsed.attachments().find(|part| part.attachment_name().is_some()).unwrap();
        assert_eq!(letter.attachment_name(), Some(safe_name(&text, "docx").as_str()));
        assert_eq!(letter.contents(), text.as_bytes());
    }
}

#[test]
fn the_parts_are_a_text_a_related_html_and_the_attachments() {
    let message = everywhere("Hello\nÄnna");
    let parsed = MessageParser::default().parse(message.bytes()).unwrap();
    let types: Vec<String> = parsed
        .parts
        .iter()
        .map(|part| {
            let content_type = part.content_type().unwrap();
            format!("{}/{}", content_type.ctype(), content_type.subtype().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        types,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ]
    );
    assert_eq!(parsed.body_text(0).unwrap().trim_end(), "Hello\r\nÄnna");
    assert_eq!(parsed.body_html(0).unwrap().trim_end(), "Hello\r\nÄnna");
    let picture = parsed
        .parts
        .iter()
        .find(|part| matches!(part.body, PartType::InlineBinary(_) | PartType::Binary(_)))
        .unwrap();
    assert_eq!(picture.content_id(), Some(message_id().content_id(1).as_str()));
}

#[test]
fn a_text_body_loses_control_characters_and_nothing_else() {
    let check = |text: &str, expected: &str| {
        let message = plain("Subject", text);
        let parsed = MessageParser::default().parse(message.bytes()).unwrap();
        assert_eq!(parsed.body_text(0).unwrap().trim_end_matches("\r\n"), expected, "{text:?}");
    };
    check("one\ntwo\r\nthree\rfour", "one\r\ntwo\r\nthree\r\nfour");
    check("nul\0esc\u{1b}tab\tend", "nulesctab\tend");
    check(".\n.leading dot\n..", ".\r\n.leading dot\r\n..");
    check("From here\n--=_\nend", "From here\r\n--=_\r\nend");
    check(&"x".repeat(5000), &"x".repeat(5000));
    check("trailing blank \nend", "trailing blank \r\nend");
}

#[test]
fn the_same_draft_gives_the_same_bytes() {
    assert_eq!(everywhere("Grüße 🎉").bytes(), everywhere("Grüße 🎉").bytes());
}

#[test]
fn a_message_is_named_after_its_run_and_line() {
    let sender = "post@münchen.example".parse().unwrap();
    let id = |run, line| MessageId::new(Uuid::from_u128(run), line, &sender).to_string();
    assert_eq!(id(1, 10_000), id(1, 10_000));
    assert_ne!(id(1, 10_000), id(1, 20_000));
    assert_ne!(id(1, 10_000), id(2, 10_000));
    assert!(id(1, 10_000).ends_with("@xn--mnchen-3ya.example>"));
}

#[test]
fn the_smallest_message_reads_as_expected() {
    let message = plain("Our spring appeal", "Hello");
    assert_eq!(
        String::from_utf8(message.bytes().to_vec()).unwrap(),
        format!(
            "From: Nordlicht <post@example.com>\r\n\
             To: anna@example.com\r\n\
             Subject: Our spring appeal\r\n\
             Date: Sun, 01 Mar 2026 00:00:00 +0000\r\n\
             Message-ID: {}\r\n\
             Auto-Submitted: auto-generated\r\n\
             Precedence: bulk\r\n\
             X-Auto-Response-Suppress: All\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\
             \r\n\
             Hello\r\n",
            message_id()
        )
    );
}

#[test]
fn a_local_part_beyond_ascii_needs_smtputf8_and_a_name_does_not() {
    let draft_to = |to: &Mailbox| {
        build(&Draft {
            from: &mailbox("Nordlicht", "post@example.com"),
            to,
            reply_to: None,
            bounce_to: None,
            subject: "Grüße",
            date: Timestamp::UNIX_EPOCH,
            message_id: &message_id(),
            body: Body::Text("Grüße"),
            attachments: &[],
            unsubscribe: &Unsubscribe::default(),
            automatic: Automatic::default(),
            copy_of: None,
        })
        .unwrap()
    };
    assert!(!draft_to(&mailbox("Änna", "anna@münchen.example")).needs_smtputf8());
    let message = draft_to(&mailbox("Änna", "änna@example.com"));
    assert!(message.needs_smtputf8());
    let parsed = MessageParser::default().parse(message.bytes()).unwrap();
    assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("änna@example.com"));
}

#[test]
fn what_a_header_cannot_carry_is_refused() {
    let check = |unsubscribe: Unsubscribe, media_type: &str, content_id: &str, expected: &str| {
        let pictures = [Picture {
            content_id: content_id.to_owned(),
            media_type: "image/png".to_owned(),
            bytes: Vec::new(),
        }];
        let error = build(&Draft {
            from: &mailbox("", "post@example.com"),
            to: &mailbox("", "anna@example.com"),
            reply_to: None,
            bounce_to: None,
            subject: "",
            date: Timestamp::MIN,
            message_id: &message_id(),
            body: Body::Html { html: "", text: "", pictures: &pictures },
            attachments: &[Attachment { name: "a.docx", media_type, bytes: b"" }],
            unsubscribe: &unsubscribe,
            automatic: Automatic::default(),
            copy_of: None,
        })
        .unwrap_err();
        assert_eq!(MessageError::id(&error), expected, "{error}");
    };
    let https = |address: &str| Unsubscribe { https: Some(address.to_owned()), mailto: None };
    check(https("https://example.com/\r\nX-Evil: 1"), "text/plain", "a@b", "unsubscribe");
    check(https("https://example.com/>, <https://evil.example/"), "text/plain", "a@b", "unsubscribe");
    check(https("http://example.com/"), "text/plain", "a@b", "unsubscribe");
    check(https(&format!("https://example.com/{}", "x".repeat(1000))), "text/plain", "a@b", "unsubscribe");
    check(Unsubscribe::default(), "no type", "a@b", "media-type");
    check(Unsubscribe::default(), "text/plain\r\nX-Evil: 1", "a@b", "media-type");
    check(Unsubscribe::default(), "text/plain", "a>\r\nX-Evil: 1", "content-id");
    check(Unsubscribe::default(), "text/plain", "", "content-id");
}
