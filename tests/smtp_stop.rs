//! Holds that Ctrl-C waits for what is at the dot, that a second one leaves it in doubt, and a second process stays away.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use support::place::Place;
use support::post::{place_with_messages, set_server};
use support::smtp::{Act, At, SmtpServer};

/// How many contacts there are; the first message is held at its dot.
const N_CONTACTS: usize = 5;

/// How long a message may take to its dot.
const LIMIT: Duration = Duration::from_secs(60);

/// A gate at the dot of the first message, and word that somebody stands before it.
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let mut is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_open {
            is_open = self.opened.wait(is_open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
}

fn gated_server() -> (SmtpServer, Arc<Gate>, Receiver<()>) {
    let gate = Arc::new(Gate { is_open: Mutex::new(false), opened: Condvar::new() });
    let own = Arc::clone(&gate);
    let (reached, wait): (Sender<()>, _) = channel();
    let n_dots = AtomicUsize::new(0);
    let server = SmtpServer::scripted(move |moment| {
        if moment.at == At::Dot && n_dots.fetch_add(1, Ordering::SeqCst) == 0 {
            reached.send(()).expect("the test waits");
            own.wait();
        }
        Act::Good
    });
    (server, gate, wait)
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "the child cannot be interrupted");
}

/// Starts a run that stands at the dot of its first message, and interrupts it once.
fn interrupted(
    place: &Place,
    server: &SmtpServer,
    at_the_dot: &Receiver<()>,
) -> (Child, impl BufRead + use<>) {
    set_server(place, server, "connections = 1");
    let mut command = place.command(&["run", "segment.toml", "--yes"]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
    at_the_dot.recv_timeout(LIMIT).expect("the message comes to its dot");
    interrupt(&child);
    let mut said = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it can be read");
    assert!(line.starts_with("stopping: what is being sent is waited for"), "{line}");
    (child, said)
}

#[test]
fn ctrl_c_waits_for_the_message_at_the_dot() {
    let (server, gate, at_the_dot) = gated_server();
    let place = place_with_messages(N_CONTACTS);
    let (mut child, said) = interrupted(&place, &server, &at_the_dot);
    gate.open();
    let said: Vec<String> = said.lines().map(|line| line.expect("it is text")).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(4), "{said:#?}");
    let said = said.join("\n");
    assert!(said.contains("5 lines = 4 planned + 1 accepted"), "{said}");
    assert!(said.contains("stopped; `mailrun resume SM00001` continues"), "{said}");
    assert_eq!(server.taken().len(), 1);
    let _ = place.run(&["resume", "--yes"]).expect_code(0);
    assert_eq!(server.times().len(), N_CONTACTS);
    assert!(server.times().values().all(|times| *times == 1));
}

#[test]
fn a_second_ctrl_c_leaves_it_in_doubt() {
    let (server, gate, at_the_dot) = gated_server();
    let place = place_with_messages(N_CONTACTS);
    let (mut child, _said) = interrupted(&place, &server, &at_the_dot);
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    gate.open();
    let ended = place.run(&["resume", "--yes", "--json"]).expect_code(3);
    assert_eq!((&ended.report()["accepted"], &ended.report()["in_doubt"]), (&4.into(), &1.into()));
    let times = server.times();
    assert!(times.len() >= N_CONTACTS - 1 && times.values().all(|times| *times == 1), "{times:?}");
}

#[test]
fn a_second_process_is_told_that_the_first_is_sending_and_sends_nothing() {
    let (server, gate, at_the_dot) = gated_server();
    let place = place_with_messages(N_CONTACTS);
    set_server(&place, &server, "connections = 1");
    let mut first = place
        .command(&["run", "segment.toml", "--yes"])
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    at_the_dot.recv_timeout(Duration::from_secs(60)).expect("the first message comes to its dot");
    for second in [&["run", "segment.toml", "--yes"][..], &["resume", "SM00001", "--yes"]] {
        let ended = place.run(second).expect_code(5);
        assert!(ended.stderr.contains("another process runs segment SM00001"), "{}", ended.stderr);
    }
    assert_eq!(server.n_connections(), 1);
    gate.open();
    assert!(first.wait().expect("it ends").success());
    assert_eq!(server.times().len(), N_CONTACTS);
    assert!(server.times().values().all(|times| *times == 1));
}
