//! Owns a mail server for tests: it notes whatever it takes over, and does wrong what a test tells it to.
//!
//! It is ours and shares no code with the client. What a test asserts about deliveries it asserts on this server's list.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

/// Where in a conversation the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    Connect,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// All of the message is here, and its final dot.
    Dot,
}

/// One moment of a conversation, at which a test may make the server do wrong.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) at: At,
    /// The number of the connection, from 0.
    pub(crate) connection: usize,
    /// The recipient; empty before RCPT.
    pub(crate) recipient: String,
    /// How often this point was reached for this recipient before, or at all where there is none.
    pub(crate) n_before: usize,
    /// How many messages were begun on this connection.
    pub(crate) n_mails: usize,
}

/// What the server does at a moment.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// What a good server does.
    Good,
    /// The same, but later.
    Late(Duration),
    /// It says this instead; after the dot, the message counts as taken only if this is a 250.
    Say(&'static str),
    /// It breaks the connection.
    Drop,
    /// It takes the message over, and breaks the connection before it says so.
    TakeAndDrop,
}

/// A message that the server took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) message_id: String,
    pub(crate) recipient: String,
    /// SHA-256 of the message as it was before dots were doubled.
    pub(crate) digest: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: Instant,
    pub(crate) connection: usize,
}

/// What the server can do.
#[derive(Clone, Debug)]
pub(crate) struct Abilities {
    pub(crate) pipelining: bool,
    pub(crate) tls: Tls,
    /// The user and the password that are let in; none: nobody has to log in.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// How AUTH is announced.
    pub(crate) auth: &'static str,
}

/// How a server protects the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    None,
    Start,
    Implicit,
}

impl Default for Abilities {
    fn default() -> Abilities {
        Abilities { pipelining: true, tls: Tls::None, login: None, auth: "PLAIN LOGIN" }
    }
}

type Script = dyn Fn(&Moment) -> Act + Send + Sync;

struct Shared {
    abilities: Abilities,
    script: Box<Script>,
    config: Arc<ServerConfig>,
    taken: Mutex<Vec<Taken>>,
    /// Every line that a client wrote outside of messages, as it came over the wire.
    lines: Mutex<Vec<String>>,
    reached: Mutex<BTreeMap<(At, String), usize>>,
    n_connections: AtomicUsize,
    n_open: AtomicUsize,
    most_open: AtomicUsize,
    is_over: AtomicBool,
}

/// A running server on a port of its own; it ends when dropped.
pub(crate) struct SmtpServer {
    shared: Arc<Shared>,
    pub(crate) port: u16,
    /// The certificate that vouches for `localhost`, in PEM form.
    pub(crate) certificate: String,
    listening: Option<JoinHandle<()>>,
}

impl SmtpServer {
    /// A server that does everything right.
    pub(crate) fn good() -> SmtpServer {
        SmtpServer::scripted(|_| Act::Good)
    }

    pub(crate) fn scripted(script: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> SmtpServer {
        SmtpServer::start(Abilities::default(), script)
    }

    pub(crate) fn start(
        abilities: Abilities,
        script: impl Fn(&Moment) -> Act + Send + Sync + 'static,
    ) -> SmtpServer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be had");
        let port = listener.local_addr().expect("a bound port has a number").port();
        let (config, certificate) = identity("localhost");
        let shared = Arc::new(Shared {
            abilities,
            script: Box::new(script),
            config,
            taken: Mutex::default(),
            lines: Mutex::default(),
            reached: Mutex::default(),
            n_connections: AtomicUsize::new(0),
            n_open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let listening = Some(thread::spawn(move || listen(&listener, &own)));
        SmtpServer { shared, port, certificate, listening }
    }

    /// The messages that were taken over, in their order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        lock(&self.shared.taken).clone()
    }

    /// How often each recipient's message was taken over.
    pub(crate) fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for taken in lock(&self.shared.taken).iter() {
            *times.entry(taken.recipient.clone()).or_default() += 1;
        }
        times
    }

    /// Every line that clients wrote outside of messages.
    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.shared.lines).clone()
    }

    pub(crate) fn n_connections(&self) -> usize {
        self.shared.n_connections.load(Ordering::SeqCst)
    }

    /// How many connections were open at the same time at most.
    pub(crate) fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // The listener waits for a connection; this is one.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(listening) = self.listening.take() {
            listening.join().expect("the listener does not panic");
        }
    }
}

/// A port on which nobody listens.
pub(crate) fn unused_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be had");
    listener.local_addr().expect("a bound port has a number").port()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A certificate of its own making for a host, and what a server needs to show it.
fn identity(host: &str) -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).expect("a certificate can be made");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the certificate fits its key");
    (Arc::new(config), made.cert.pem())
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let number = shared.n_connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        // A client that goes away ends its thread; nobody waits for it.
        thread::spawn(move || {
            let n_open = shared.n_open.fetch_add(1, Ordering::SeqCst) + 1;
            shared.most_open.fetch_max(n_open, Ordering::SeqCst);
            let _gone = Conversation::new(&shared, number, stream).talk();
            shared.n_open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// A line with or without TLS.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

struct Conversation<'a> {
    shared: &'a Shared,
    number: usize,
    socket: TcpStream,
    wire: BufReader<Box<dyn Wire>>,
    is_protected: bool,
    recipient: String,
    n_mails: usize,
}

/// Why a conversation is over; the test knows why.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Over {
        Over
    }
}

impl<'a> Conversation<'a> {
    fn new(shared: &'a Shared, number: usize, stream: TcpStream) -> Conversation<'a> {
        stream.set_nodelay(true).expect("a socket takes options");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket takes options");
        let plain: Box<dyn Wire> = Box::new(stream.try_clone().expect("a socket can be cloned"));
        let is_protected = false;
        let wire = BufReader::new(plain);
        Conversation {
            shared,
            number,
            socket: stream,
            wire,
            is_protected,
            recipient: String::new(),
            n_mails: 0,
        }
    }

    fn protect(&mut self) -> Result<(), Over> {
        let tls = ServerConnection::new(Arc::clone(&self.shared.config)).map_err(|_| Over)?;
        let stream = self.socket.try_clone()?;
        self.wire = BufReader::new(Box::new(StreamOwned::new(tls, stream)));
        self.is_protected = true;
        Ok(())
    }

    fn say(&mut self, text: &str) -> Result<(), Over> {
        let stream = self.wire.get_mut();
        stream.write_all(format!("{text}\r\n").as_bytes())?;
        Ok(stream.flush()?)
    }

    fn hear(&mut self) -> Result<String, Over> {
        let mut line = Vec::new();
        if self.wire.read_until(b'\n', &mut line)? == 0 {
            return Err(Over);
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        lock(&self.shared.lines).push(line.clone());
        Ok(line)
    }

    /// Does what the script says for a moment, and otherwise says `good`; true if it was good.
    fn act(&mut self, at: At, good: &str) -> Result<bool, Over> {
        let key = (at, self.recipient.clone());
        let n_before = {
            let mut reached = lock(&self.shared.reached);
            let n = reached.entry(key).or_default();
            *n += 1;
            *n - 1
        };
        let (connection, recipient, n_mails) = (self.number, self.recipient.clone(), self.n_mails);
        let moment = Moment { at, connection, recipient, n_before, n_mails };
        match (self.shared.script)(&moment) {
            Act::Good => self.say(good).map(|()| true),
            Act::Late(by) => {
                thread::sleep(by);
                self.say(good).map(|()| true)
            }
            Act::Say(text) => {
                self.say(text)?;
                if text.starts_with("421") {
                    return Err(Over);
                }
                Ok(text.starts_with('2') || text.starts_with("354"))
            }
            Act::Drop | Act::TakeAndDrop => {
                // Whoever tries to write learns of it at once.
                let _ = self.socket.shutdown(Shutdown::Both);
                Err(Over)
            }
        }
    }

    fn talk(&mut self) -> Result<(), Over> {
        if self.shared.abilities.tls == Tls::Implicit {
            self.protect()?;
        }
        if !self.act(At::Connect, "220 test.example ESMTP")? {
            return Ok(());
        }
        let mut is_in = self.shared.abilities.login.is_none();
        let mut has_sender = false;
        loop {
            let line = self.hear()?;
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "HELO" => {
                    let extensions = self.extensions();
                    self.act(At::Hello, &extensions)?;
                }
                "STARTTLS" => {
                    if self.act(At::StartTls, "220 go ahead")? {
                        self.protect()?;
                    }
                }
                "AUTH" => is_in |= self.auth(&line)?,
                "MAIL" if !is_in => self.say("530 5.7.0 log in first")?,
                "MAIL" => {
                    self.recipient.clear();
                    self.n_mails += 1;
                    has_sender = self.act(At::Mail, "250 2.1.0 sender ok")?;
                }
                "RCPT" if !has_sender => self.say("503 5.5.1 MAIL first")?,
                "RCPT" => {
                    let between = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    self.recipient = between;
                    if !self.act(At::Rcpt, "250 2.1.5 recipient ok")? {
                        self.recipient.clear();
                    }
                }
                "DATA" if self.recipient.is_empty() => self.say("503 5.5.1 RCPT first")?,
                "DATA" => {
                    if self.act(At::Data, "354 go ahead")? {
                        self.message()?;
                    }
                    has_sender = false;
                    self.recipient.clear();
                }
                "RSET" => {
                    has_sender = false;
                    self.recipient.clear();
                    self.say("250 2.0.0 forgotten")?;
                }
                "NOOP" => self.say("250 2.0.0 here")?,
                "QUIT" => return self.say("221 2.0.0 bye"),
                _ => self.say("500 5.5.2 what")?,
            }
        }
    }

    fn extensions(&self) -> String {
        let Abilities { pipelining, tls, login, auth } = &self.shared.abilities;
        let mut names = vec!["test.example".to_owned(), "8BITMIME".to_owned(), "SMTPUTF8".to_owned()];
        if *pipelining {
            names.push("PIPELINING".to_owned());
        }
        if *tls == Tls::Start && !self.is_protected {
            names.push("STARTTLS".to_owned());
        }
        if login.is_some() {
            names.push(format!("AUTH {auth}"));
        }
        names.push("SIZE 50000000".to_owned());
        let last = names.len() - 1;
        let line = |(at, name): (usize, String)| format!("250{}{name}", if at == last { ' ' } else { '-' });
        names.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    fn auth(&mut self, line: &str) -> Result<bool, Over> {
        let mut words = line.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let (user, password) = match (mechanism.as_str(), words.next()) {
            ("PLAIN", Some(response)) => {
                let text = decoded(response);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            ("LOGIN", None) => {
                self.say("334 VXNlcm5hbWU6")?;
                let user = decoded(&self.hear()?);
                self.say("334 UGFzc3dvcmQ6")?;
                (user, decoded(&self.hear()?))
            }
            ("XOAUTH2", Some(response)) => {
                let text = decoded(response);
                let field = |name: &str| {
                    let found = text.split('\u{1}').find_map(|part| part.strip_prefix(name));
                    found.unwrap_or_default().to_owned()
                };
                (field("user="), field("auth=Bearer "))
            }
            _ => {
                self.say("504 5.5.4 not that one")?;
                return Ok(false);
            }
        };
        if self.shared.abilities.login == Some((user.as_str(), password.as_str())) {
            self.act(At::Auth, "235 2.7.0 welcome")
        } else {
            self.say("535 5.7.8 wrong user or password")?;
            Ok(false)
        }
    }

    /// Reads a message to its end and takes it over, unless the script says otherwise.
    fn message(&mut self) -> Result<(), Over> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            if self.wire.read_until(b'\n', &mut bytes)? == 0 {
                return Err(Over);
            }
            if &bytes[start..] == b".\r\n" {
                bytes.truncate(start);
                break;
            }
            if bytes[start..].starts_with(b".") {
                bytes.remove(start);
            }
        }
        // What is to be done is asked first, so that the list is complete before the client can know.
        let key = (At::Dot, self.recipient.clone());
        let n_before = lock(&self.shared.reached).get(&key).copied().unwrap_or_default();
        let (connection, recipient, n_mails) = (self.number, self.recipient.clone(), self.n_mails);
        let moment = Moment { at: At::Dot, connection, recipient, n_before, n_mails };
        let is_taken = match (self.shared.script)(&moment) {
            Act::Good | Act::Late(_) | Act::TakeAndDrop => true,
            Act::Say(text) => text.starts_with("250"),
            Act::Drop => false,
        };
        if is_taken {
            self.take(bytes);
        }
        self.act(At::Dot, "250 2.0.0 taken")?;
        Ok(())
    }

    fn take(&self, bytes: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes);
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
        lock(&self.shared.taken).push(Taken {
            message_id: id.to_owned(),
            recipient: self.recipient.clone(),
            digest: Sha256::digest(&bytes).to_vec(),
            at: Instant::now(),
            connection: self.number,
            bytes,
        });
    }
}

fn decoded(text: &str) -> String {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
