//! Owns the line to a server: a blocking socket, with or without TLS, that a session is driven over.
//! Fails as the session says; every wait has its limit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::delivery::message::Message;
use crate::delivery::outcome::{Deferral, Outcome};
use crate::delivery::smtp::login::Login;
use crate::delivery::smtp::open_error::OpenError;
use crate::delivery::smtp::phase::{Phase, Timeouts};
use crate::delivery::smtp::server::{Security, Server};
use crate::delivery::smtp::session::{Ended, Event, Session, Wants};

/// How much plain text goes into one TLS record at most: RFC 8446 §5.1. A record arrives whole or not at all.
const RECORD_BYTES: usize = 16_384;

/// How much is read at a time.
const READ_BYTES: usize = 4_096;

/// Everything that is needed to open a connection.
#[derive(Clone, Debug)]
pub struct Way {
    /// Which server.
    pub server: Server,
    /// The name by which it is greeted; empty: the address of our end of the connection.
    pub hello: String,
    /// Who logs in; none: nobody.
    pub login: Option<Login>,
    /// How long everything may take.
    pub timeouts: Timeouts,
    /// Whose certificates are trusted.
    pub trust: Trust,
}

/// Writes an address as a client greets with it that has no name.
///
/// Source: RFC 5321 §4.1.1.1 Extended HELLO (EHLO) or HELLO (HELO), §4.1.3 Address Literals.
fn address_literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

/// Whose certificates are trusted.
#[derive(Clone, Debug)]
pub struct Trust(Arc<ClientConfig>);

/// Why certificates cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file holds no certificate.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// A certificate of the file is damaged, or none.
    #[error("it holds a certificate that cannot be used: {reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
}

impl Trust {
    /// Trusts the authorities that Mozilla trusts.
    pub fn well_known() -> Trust {
        let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        Trust::of(RootCertStore { roots })
    }

    /// Trusts the certificates of a PEM file, and no others.
    ///
    /// # Errors
    ///
    /// A file without certificates, or with one that is damaged.
    pub fn only(pem: &[u8]) -> Result<Trust, TrustError> {
        let unusable = |reason: String| TrustError::Unusable { reason };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() { Err(TrustError::NoCertificate) } else { Ok(Trust::of(roots)) }
    }

    fn of(roots: RootCertStore) -> Trust {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider of our choice knows TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Trust(Arc::new(config))
    }
}

/// An open connection to a server.
#[derive(Debug)]
pub struct Connection {
    session: Session,
    line: Line,
    timeouts: Timeouts,
    used_at: Instant,
    n_messages: u32,
}

impl Connection {
    /// Connects, greets, protects the line, logs in.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(way: &Way) -> Result<Connection, OpenError> {
        let mut line = Line::connect(&way.server, &way.timeouts)?;
        if way.server.security == Security::Tls {
            line.protect(way).map_err(|reason| OpenError::Tls { reason })?;
        }
        let hello = match way.hello.as_str() {
            "" => address_literal(line.own_address()?),
            name => name.to_owned(),
        };
        let session = Session::new(&hello, way.server.security, way.login.clone());
        let timeouts = way.timeouts;
        let mut connection = Connection { session, line, timeouts, used_at: Instant::now(), n_messages: 0 };
        match connection.drive(Some(way)) {
            Some(Event::Opened) => Ok(connection),
            Some(Event::NotOpened(error)) => Err(error),
            Some(Event::Ended(_) | Event::Alive | Event::Gone) | None => {
                Err(OpenError::Lost { observed: "the connection was closed".to_owned() })
            }
        }
    }

    /// Tells whether the next message can go out over it.
    pub fn is_open(&self) -> bool {
        self.session.wants() != Wants::Close
    }

    /// Returns how long ago it was last used.
    pub fn idle(&self) -> Duration {
        self.used_at.elapsed()
    }

    /// Returns how many messages it has carried.
    pub fn n_messages(&self) -> u32 {
        self.n_messages
    }

    /// Sends a message and tells how that ended. The connection may have to [settle](Connection::settle) after it.
    pub fn send(&mut self, message: &Message) -> Ended {
        self.n_messages += 1;
        self.session.send(message);
        match self.drive(None) {
            Some(Event::Ended(ended)) => ended,
            // A session ends every message; this is what would hold if it did not.
            Some(Event::Opened | Event::NotOpened(_) | Event::Alive | Event::Gone) | None => {
                let observed = "the connection was closed".to_owned();
                Ended {
                    outcome: Outcome::Deferred { cause: Deferral::Lost { observed } },
                    phase: Phase::Mail,
                }
            }
        }
    }

    /// Clears what is left of a refused message, so that the next one can follow.
    pub fn settle(&mut self) {
        // An event can only say that the connection is gone; `is_open` says it too.
        let _ = self.drive(None);
    }

    /// Asks the server whether it is still there.
    pub fn is_alive(&mut self) -> bool {
        self.session.probe();
        self.drive(None) == Some(Event::Alive)
    }

    /// Takes leave, and does not wait long for the answer.
    pub fn close(mut self) {
        self.session.quit();
        // All is said and done; whether the server takes leave as well is its affair.
        let _ = self.drive(None);
        self.line.end();
    }

    /// Lets the session write and read until something has happened, or it wants the next message.
    fn drive(&mut self, way: Option<&Way>) -> Option<Event> {
        let mut waiting: Option<(Phase, Instant)> = None;
        self.used_at = Instant::now();
        loop {
            if let Some(event) = self.session.take_event() {
                self.used_at = Instant::now();
                return Some(event);
            }
            match self.session.wants() {
                Wants::Write(bytes, phase) => match self.line.write(bytes, self.timeouts.block) {
                    Ok(n_bytes) => self.session.wrote(n_bytes),
                    Err(error) => {
                        let observed = observed(&error, phase, self.timeouts.block);
                        self.session.lost(&observed);
                    }
                },
                Wants::Read(phase) => {
                    let limit = self.timeouts.of(phase);
                    let since = match waiting {
                        Some((same, since)) if same == phase => since,
                        Some(_) | None => Instant::now(),
                    };
                    waiting = Some((phase, since));
                    let mut buffer = [0; READ_BYTES];
                    let read = match since.elapsed() > limit {
                        true => Err(ErrorKind::TimedOut.into()), // a reply that comes in drops has no more time
                        false => self.line.read(&mut buffer, limit),
                    };
                    match read {
                        Ok(0) => self.session.lost(&format!("the server closed the connection {phase}")),
                        Ok(n_bytes) => self.session.read(&buffer[..n_bytes]),
                        Err(error) => self.session.lost(&observed(&error, phase, limit)),
                    }
                }
                Wants::Handshake => match way.map(|way| self.line.protect(way)) {
                    Some(Ok(())) => self.session.secured(),
                    Some(Err(reason)) => self.session.unprotected(&reason),
                    None => self.session.unprotected("STARTTLS came too late"),
                },
                Wants::Message | Wants::Close => return None,
            }
        }
    }
}

fn observed(error: &io::Error, phase: Phase, limit: Duration) -> String {
    match error.kind() {
        // A socket's time-out is EAGAIN on Linux, which std calls WouldBlock.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("the server was silent for {} s {phase}", limit.as_secs())
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            format!("the server broke the connection {phase}")
        }
        _ => format!("the connection broke {phase}: {error}"),
    }
}

/// A socket, with or without TLS.
#[derive(Debug)]
struct Line {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    read_limit: Duration,
    write_limit: Duration,
}

impl Line {
    fn connect(server: &Server, timeouts: &Timeouts) -> Result<Line, OpenError> {
        let lost = |reason: &dyn std::fmt::Display| OpenError::Lost {
            observed: format!("cannot connect: {reason}"),
        };
        let addresses =
            (server.host.as_str(), server.port).to_socket_addrs().map_err(|error| lost(&error))?;
        let mut last = lost(&"the name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeouts.connect) {
                Ok(socket) => {
                    // Without it the system holds small writes back for 40 ms, waiting for more.
                    socket.set_nodelay(true).map_err(|error| lost(&error))?;
                    let none = Duration::ZERO;
                    return Ok(Line { socket, tls: None, read_limit: none, write_limit: none });
                }
                Err(error) => last = lost(&error),
            }
        }
        Err(last)
    }

    fn own_address(&self) -> Result<IpAddr, OpenError> {
        let address = self.socket.local_addr();
        let address = address.map_err(|error| OpenError::Lost { observed: error.to_string() })?;
        Ok(address.ip().to_canonical())
    }

    /// Shakes hands for TLS; returns in words why that fails.
    fn protect(&mut self, way: &Way) -> Result<(), String> {
        let name = ServerName::try_from(way.server.host.clone()).map_err(|error| error.to_string())?;
        let mut tls =
            ClientConnection::new(Arc::clone(&way.trust.0), name).map_err(|error| error.to_string())?;
        let limit = way.timeouts.of(Phase::Handshake);
        self.limit_reads(limit).and_then(|()| self.limit_writes(limit)).map_err(|error| error.to_string())?;
        while tls.is_handshaking() {
            tls.complete_io(&mut self.socket).map_err(|error| match error.get_ref() {
                Some(inner) => inner.to_string(),
                None => observed(&error, Phase::Handshake, limit),
            })?;
        }
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Hands bytes over, and tells how many: those that were not handed over cannot have left.
    ///
    /// Under TLS a record counts when all of it is handed over; a part of one is of no use to the other side.
    fn write(&mut self, bytes: &[u8], limit: Duration) -> io::Result<usize> {
        self.limit_writes(limit)?;
        let Some(tls) = &mut self.tls else {
            return match self.socket.write(bytes)? {
                0 => Err(ErrorKind::WriteZero.into()),
                n_bytes => Ok(n_bytes),
            };
        };
        let n_bytes = tls.writer().write(&bytes[..bytes.len().min(RECORD_BYTES)])?;
        while tls.wants_write() {
            if tls.write_tls(&mut self.socket)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(n_bytes)
    }

    /// Reads what has come, and waits if that is nothing; 0 bytes are the end.
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.limit_reads(limit)?;
        let Some(tls) = &mut self.tls else {
            return retried(|| self.socket.read(buffer));
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if retried(|| tls.read_tls(&mut self.socket))? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    fn limit_reads(&mut self, limit: Duration) -> io::Result<()> {
        if self.read_limit != limit {
            self.socket.set_read_timeout(Some(limit))?;
            self.read_limit = limit;
        }
        Ok(())
    }

    fn limit_writes(&mut self, limit: Duration) -> io::Result<()> {
        if self.write_limit != limit {
            self.socket.set_write_timeout(Some(limit))?;
            self.write_limit = limit;
        }
        Ok(())
    }

    fn end(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // The last words of a conversation that is over: nothing depends on them.
            let _ = tls.write_tls(&mut self.socket);
        }
    }
}

/// Reads again when a signal, such as Ctrl-C, interrupts.
fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::address_literal;

    #[test]
    fn a_client_without_a_name_greets_by_its_address() {
        for (address, literal) in
            [("192.0.2.7", "[192.0.2.7]"), ("2001:db8::7", "[IPv6:2001:db8::7]"), ("::1", "[IPv6:::1]")]
        {
            assert_eq!(address_literal(address.parse().expect("an address")), literal);
        }
    }
}
