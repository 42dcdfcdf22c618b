//! Holds what a session makes of every reply in every phase, without a socket.

use std::collections::VecDeque;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::{Automatic, Body, Draft, MessageId, Unsubscribe, build};
use crate::delivery::smtp::login::Password;

const EHLO: &str = "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                    250-STARTTLS\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n";

fn message_to(recipient: &str) -> Message {
    let from: Mailbox = "Post <post@example.com>".parse().expect("an address");
    let to: Mailbox = recipient.parse().expect("an address");
    let id = MessageId::new(Uuid::nil(), 10_000, from.address());
    build(&Draft {
        from: &from,
        to: &to,
        reply_to: None,
        bounce_to: None,
        subject: "Spring",
        date: Timestamp::UNIX_EPOCH,
        message_id: &id,
        body: Body::Text(".\nA line.\n.Another.\n"),
        attachments: &[],
        unsubscribe: &Unsubscribe::default(),
        automatic: Automatic::default(),
        copy_of: None,
    })
    .expect("the draft is sound")
}

fn message() -> Message {
    message_to("anna@example.org")
}

/// Lets a session talk with replies that stand ready, until it needs one more; returns what it wrote and what happened.
struct Talk {
    session: Session,
    wrote: Vec<String>,
    events: Vec<Event>,
}

impl Talk {
    fn new(security: Security, login: Option<Login>) -> Talk {
        Talk {
            session: Session::new("client.example", security, login),
            wrote: Vec::new(),
            events: Vec::new(),
        }
    }

    /// An open session without TLS and login.
    fn open() -> Talk {
        let mut talk = Talk::new(Security::Plain, None);
        talk.hear(&["220 mx\r\n", EHLO]);
        assert_eq!(talk.take_events(), [Event::Opened]);
        talk
    }

    fn write(&mut self) {
        while let Wants::Write(bytes, _) = self.session.wants() {
            self.wrote.push(String::from_utf8_lossy(bytes).into_owned());
            let n_bytes = bytes.len();
            self.session.wrote(n_bytes);
        }
        self.note();
    }

    fn note(&mut self) {
        while let Some(event) = self.session.take_event() {
            self.events.push(event);
        }
    }

    /// Writes all that is to be written, and reads one reply after the other.
    fn hear(&mut self, replies: &[&str]) {
        let mut replies: VecDeque<&str> = replies.iter().copied().collect();
        loop {
            self.write();
            match self.session.wants() {
                Wants::Handshake => self.session.secured(),
                Wants::Read(_) => match replies.pop_front() {
                    Some(reply) => self.session.read(reply.as_bytes()),
                    None => break,
                },
                Wants::Write(..) => {}
                Wants::Message | Wants::Close => break,
            }
            self.note();
        }
        assert!(replies.is_empty(), "nobody heard {replies:?}; written was {:?}", self.wrote);
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn send(&mut self, replies: &[&str]) -> Ended {
        self.session.send(&message());
        self.note();
        self.hear(replies);
        match self.take_events().as_slice() {
            [Event::Ended(ended)] => ended.clone(),
            events => panic!("one end is expected: {events:?}"),
        }
    }
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { reply } => format!("accepted {reply}"),
        Outcome::Rejected { reply } => format!("rejected {reply}"),
        Outcome::Deferred { cause: Deferral::Reply(reply) } => format!("deferred {reply}"),
        Outcome::Deferred { cause: Deferral::Lost { .. } } => "deferred lost".to_owned(),
        Outcome::InDoubt { .. } => "in-doubt".to_owned(),
        Outcome::Failed { reason } => format!("failed {reason}"),
        Outcome::Written { .. } => "written".to_owned(),
    }
}

#[test]
fn a_message_goes_out_in_two_writes() {
    let mut talk = Talk::open();
    talk.wrote.clear();
    let ended = talk.send(&["250 a\r\n250 b\r\n354 c\r\n", "250 2.0.0 queued\r\n"]);
    assert_eq!(said(&ended.outcome), "accepted 250 2.0.0 queued");
    let size = message().bytes().len();
    assert_eq!(
        talk.wrote[0],
        format!("MAIL FROM:<post@example.com> SIZE={size}\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n")
    );
    assert_eq!(talk.wrote.len(), 2);
    assert!(
        talk.wrote[1].ends_with("\r\n\r\n..\r\nA line.\r\n..Another.\r\n\r\n.\r\n"),
        "{:?}",
        talk.wrote[1]
    );
    assert_eq!(talk.session.wants(), Wants::Message);
}

#[test]
fn every_reply_in_every_phase_is_judged() {
    // Phase, reply, what becomes of the message, and whether the session is open for the next one.
    let table = [
        (Phase::Mail, "451 4.3.0 later", "deferred 451 4.3.0 later", true),
        (Phase::Mail, "550 no", "rejected 550 no", true),
        (Phase::Mail, "421 bye", "deferred 421 bye", false),
        (Phase::Mail, "354 what", "deferred lost", false),
        (Phase::Mail, "", "deferred lost", false),
        (Phase::Mail, "nonsense", "deferred lost", false),
        (Phase::Rcpt, "450 greylisted", "deferred 450 greylisted", true),
        (Phase::Rcpt, "550 5.1.1 unknown", "rejected 550 5.1.1 unknown", true),
        (Phase::Rcpt, "421 bye", "deferred 421 bye", false),
        (Phase::Rcpt, "334 what", "deferred lost", false),
        (Phase::Rcpt, "", "deferred lost", false),
        (Phase::Data, "451 later", "deferred 451 later", true),
        (Phase::Data, "554 no", "rejected 554 no", true),
        (Phase::Data, "421 bye", "deferred 421 bye", false),
        (Phase::Data, "250 what", "deferred lost", false),
        (Phase::Data, "", "deferred lost", false),
        (Phase::Dot, "250 ok", "accepted 250 ok", true),
        (Phase::Dot, "451 later", "deferred 451 later", true),
        (Phase::Dot, "554 5.7.1 spam", "rejected 554 5.7.1 spam", true),
        (Phase::Dot, "421 bye", "deferred 421 bye", false),
        (Phase::Dot, "354 what", "in-doubt", false),
        (Phase::Dot, "nonsense", "in-doubt", false),
        (Phase::Dot, "", "in-doubt", false),
    ];
    for is_pipelined in [true, false] {
        for (phase, reply, expected, is_open) in table {
            let mut talk = Talk::new(Security::Plain, None);
            talk.hear(&["220 mx\r\n", if is_pipelined { EHLO } else { "250 mx\r\n" }]);
            let _ = talk.take_events();
            talk.session.send(&message());
            let good = [
                (Phase::Mail, "250 a"),
                (Phase::Rcpt, "250 b"),
                (Phase::Data, "354 c"),
                (Phase::Dot, "250 d"),
            ];
            let before: Vec<String> = good
                .iter()
                .take_while(|(at, _)| *at != phase)
                .map(|(_, text)| format!("{text}\r\n"))
                .collect();
            talk.hear(&before.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(talk.session.phase(), phase, "{reply}");
            match reply {
                "" => talk.session.lost("the server closed the connection"),
                text => talk.session.read(format!("{text}\r\n").as_bytes()),
            }
            talk.note();
            // What is left of the envelope is answered too, and RSET.
            let rest =
                good.iter().skip_while(|(at, _)| *at != phase).skip(1).filter(|(at, _)| *at != Phase::Dot);
            for _ in rest.filter(|_| is_pipelined && is_open) {
                if talk.session.phase() != Phase::Reset {
                    talk.session.read(b"503 out of order\r\n");
                }
            }
            talk.write();
            if talk.session.phase() == Phase::Reset {
                talk.hear(&["250 reset\r\n"]);
            }
            let events = talk.take_events();
            let [Event::Ended(ended)] = &events[..] else { panic!("{phase:?} {reply}: {events:?}") };
            assert_eq!(
                (said(&ended.outcome).as_str(), ended.phase),
                (expected, phase),
                "{reply} {is_pipelined}"
            );
            let end = if is_open { Wants::Message } else { Wants::Close };
            assert_eq!(talk.session.wants(), end, "{phase:?} {reply} {is_pipelined}");
        }
    }
}

#[test]
fn a_message_is_in_doubt_exactly_when_its_last_byte_was_handed_over() {
    let whole = dot_stuffed(message().bytes()).len();
    for n_handed in [0, 1, whole / 2, whole - 3, whole - 1, whole] {
        let mut talk = Talk::open();
        talk.session.send(&message());
        talk.write();
        talk.session.read(b"250 a\r\n250 b\r\n354 c\r\n");
        talk.session.wrote(n_handed);
        talk.session.lost("the connection broke");
        talk.note();
        let events = talk.take_events();
        let [Event::Ended(ended)] = &events[..] else { panic!("{events:?}") };
        let expected = if n_handed == whole { "in-doubt" } else { "deferred lost" };
        assert_eq!(said(&ended.outcome), expected, "{n_handed} of {whole} bytes");
    }
}

#[test]
fn a_server_that_grants_data_to_nobody_gets_a_lone_dot() {
    let mut talk = Talk::open();
    talk.wrote.clear();
    let ended = talk.send(&["250 a\r\n550 nobody\r\n354 go\r\n", "554 no recipients\r\n", "250 reset\r\n"]);
    assert_eq!(said(&ended.outcome), "rejected 550 nobody");
    assert_eq!(&talk.wrote[1..], [".\r\n", "RSET\r\n"]);
    assert_eq!(talk.session.wants(), Wants::Message);
}

#[test]
fn a_reply_to_a_dot_that_was_not_sent_counts_for_nothing() {
    let mut talk = Talk::open();
    talk.wrote.clear();
    let ended = talk.send(&["250 a\r\n250 b\r\n354 c\r\n250 taken\r\n"]);
    assert_eq!(said(&ended.outcome), "deferred lost");
    assert_eq!((talk.wrote.len(), talk.session.wants()), (1, Wants::Close));
}

#[test]
fn what_was_said_before_the_connection_broke_holds() {
    let mut talk = Talk::open();
    talk.session.send(&message());
    talk.write();
    talk.session.read(b"250 a\r\n550 5.1.1 unknown\r\n");
    talk.session.lost("the connection broke");
    talk.note();
    let events = talk.take_events();
    let [Event::Ended(ended)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(said(&ended.outcome), "rejected 550 5.1.1 unknown");
}

fn login(mechanism: Option<Mechanism>) -> Option<Login> {
    Some(Login { user: "tim".to_owned(), password: Password::new("canary".to_owned()), mechanism })
}

/// Opens a session and returns what was written and how it ended, an error by its id.
fn opening(security: Security, login: Option<Login>, replies: &[&str]) -> (String, String) {
    let mut talk = Talk::new(security, login);
    talk.hear(replies);
    let end = match talk.take_events().as_slice() {
        [Event::Opened] => "opened".to_owned(),
        [Event::NotOpened(error)] => error.id().to_owned(),
        events => format!("{events:?}"),
    };
    (talk.wrote.concat(), end)
}

#[test]
fn a_session_opens_or_says_why_not() {
    let check = |security, login, replies: &[&str], expected: &str| {
        let (wrote, end) = opening(security, login, replies);
        assert_eq!(end, expected, "{replies:?}");
        wrote
    };
    let plain = Security::Plain;
    let wrote = check(plain, None, &["220-hello\r\n220 mx\r\n", "250 mx\r\n"], "opened");
    assert_eq!(wrote, "EHLO client.example\r\n");
    let wrote = check(plain, None, &["220 mx\r\n", "502 what\r\n", "250 mx\r\n"], "opened");
    assert_eq!(wrote, "EHLO client.example\r\nHELO client.example\r\n");
    let _ = check(plain, None, &["554 no\r\n"], "refused");
    let _ = check(plain, None, &["421 busy\r\n"], "refused");
    let _ = check(plain, None, &["220 mx\r\n", "421 busy\r\n"], "refused");
    let _ = check(plain, None, &["HTTP/1.1 400 Bad Request\r\n"], "no-smtp");
    let wrote = check(plain, login(None), &["220 mx\r\n", EHLO, "235 in\r\n"], "opened");
    assert!(wrote.contains("AUTH PLAIN "));
    let only_login = "250-mx\r\n250 AUTH LOGIN\r\n";
    let asked = ["220 mx\r\n", only_login, "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 in\r\n"];
    let wrote = check(plain, login(None), &asked, "opened");
    assert_eq!(wrote, "EHLO client.example\r\nAUTH LOGIN\r\ndGlt\r\nY2FuYXJ5\r\n");
    let _ = check(plain, login(None), &["220 mx\r\n", EHLO, "535 5.7.8 no\r\n"], "login-refused");
    let token = ["220 mx\r\n", EHLO, "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n", "535 5.7.8 no\r\n"];
    let _ = check(plain, login(Some(Mechanism::XOAuth2)), &token, "login-refused");
    let wrote = check(plain, login(None), &["220 mx\r\n", "250 mx\r\n"], "no-mechanism");
    assert!(!wrote.contains("AUTH"));
    let _ = check(plain, login(Some(Mechanism::XOAuth2)), &["220 mx\r\n", only_login], "no-mechanism");
}

#[test]
fn nothing_is_said_to_a_server_that_does_not_protect_the_line() {
    let start = Security::StartTls;
    let check = |replies: &[&str], expected: &str| {
        let (wrote, end) = opening(start, login(None), replies);
        assert_eq!(end, expected, "{replies:?}");
        assert!(!wrote.contains("AUTH") && !wrote.contains("MAIL"), "{wrote}");
    };
    check(&["220 mx\r\n", "250-mx\r\n250 AUTH PLAIN\r\n"], "no-starttls");
    check(&["220 mx\r\n", EHLO, "454 not now\r\n"], "no-starttls");
    check(&["220 mx\r\n", EHLO, "220 go\r\n250 injected\r\n"], "injected");
    check(&["220 mx\r\n", "502 no EHLO\r\n", "250 mx\r\n"], "no-starttls");
    let (wrote, end) = opening(start, login(None), &["220 mx\r\n", EHLO, "220 go\r\n", EHLO, "235 in\r\n"]);
    assert_eq!(end, "opened");
    assert!(
        wrote.starts_with("EHLO client.example\r\nSTARTTLS\r\nEHLO client.example\r\nAUTH PLAIN "),
        "{wrote}"
    );
}

#[test]
fn a_message_that_the_server_cannot_take_is_not_begun() {
    let check = |ehlo: &str, recipient: &str, expected: &str| {
        let mut talk = Talk::new(Security::Plain, None);
        talk.hear(&["220 mx\r\n", ehlo]);
        let _ = talk.take_events();
        talk.wrote.clear();
        talk.session.send(&message_to(recipient));
        talk.note();
        let events = talk.take_events();
        let [Event::Ended(ended)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(said(&ended.outcome), expected);
        assert_eq!((talk.wrote.len(), talk.session.wants()), (0, Wants::Message));
    };
    let size = message().bytes().len();
    let reason = format!("failed the message has {size} bytes, and the server takes 100 at most");
    check("250-mx\r\n250 SIZE 100\r\n", "anna@example.org", &reason);
    let reason = "failed the address is not ASCII, and the server has no SMTPUTF8";
    check("250 mx\r\n", "jürgen@example.org", reason);
}

#[test]
fn utf8_is_announced_where_an_address_needs_it() {
    let mut talk = Talk::open();
    talk.wrote.clear();
    talk.session.send(&message_to("jürgen@example.org"));
    talk.write();
    assert!(talk.wrote[0].contains(" SMTPUTF8\r\nRCPT TO:<jürgen@example.org>\r\n"), "{:?}", talk.wrote);
}

#[test]
fn a_probe_tells_whether_the_connection_lives() {
    let check = |reply: Option<&str>, expected: Event, end: Wants<'_>| {
        let mut talk = Talk::open();
        talk.session.probe();
        match reply {
            Some(reply) => talk.hear(&[reply]),
            None => talk.session.lost("the server closed the connection"),
        }
        talk.note();
        assert_eq!(talk.take_events(), [expected]);
        assert_eq!(talk.session.wants(), end);
    };
    check(Some("250 here\r\n"), Event::Alive, Wants::Message);
    check(Some("421 idle for too long\r\n"), Event::Gone, Wants::Close);
    check(None, Event::Gone, Wants::Close);
}

proptest! {
    #[test]
    fn no_replies_make_a_session_panic_or_a_message_end_twice(
        replies in proptest::collection::vec(
            prop_oneof![
                4 => Just((2, 5, 0)),
                2 => Just((3, 5, 4)),
                1 => Just((4, 2, 1)),
                2 => (2_u16..6, 0_u16..6, 0_u16..6),
            ],
            1..24,
        ),
        cut in 0_usize..48,
    ) {
        let mut talk = Talk::open();
        let (mut n_begun, mut n_ended) = (0, 0);
        for (at, (class, kind, detail)) in replies.iter().enumerate() {
            if talk.session.wants() == Wants::Message {
                talk.session.send(&message());
                n_begun += 1;
            }
            talk.write();
            if at == cut {
                talk.session.lost("cut");
            }
            talk.session.read(format!("{class}{kind}{detail} x\r\n").as_bytes());
            talk.note();
            n_ended += talk.take_events().iter().filter(|event| matches!(event, Event::Ended(_))).count();
            // Whoever wants the next message has ended the last one.
            let under_way = usize::from(talk.session.wants() != Wants::Message);
            prop_assert!(n_ended <= n_begun && n_begun <= n_ended + under_way, "{} of {}", n_ended, n_begun);
        }
        prop_assert!(n_begun > 0);
    }
}
