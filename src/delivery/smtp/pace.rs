//! Owns the pace: how many messages may go out in any window of time, in all, per connection and per domain.
//!
//! A place in a window is taken when a message is begun, and it is free again one window after the *reply* came. The
//! server got the message between the two; so no window that the server could measure ever holds more than the rate.
//! Time enters as an argument.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::setup::rate::{Rate, Rates};

/// The name of the domains that are not named.
const ANY_DOMAIN: &str = "*";

/// The rates that hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacePlan {
    /// For all messages.
    pub all: Rates,
    /// For each connection.
    pub connection: Rates,
    /// For each domain of recipients, in lower case; `*` for each that is not named.
    pub domains: BTreeMap<String, Rates>,
}

/// When a message may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permit {
    /// Now.
    Now,
    /// Not before this moment.
    At(Duration),
    /// When a message that is under way has ended.
    AfterAReply,
}

/// Keeps the pace. All moments count from the same one.
#[derive(Debug)]
pub struct Pace {
    plan: PacePlan,
    all: Windows,
    connections: BTreeMap<usize, Windows>,
    domains: BTreeMap<String, Windows>,
}

impl Pace {
    /// Begins to keep a pace.
    pub fn new(plan: PacePlan) -> Pace {
        let all = Windows::new(&plan.all);
        Pace { plan, all, connections: BTreeMap::new(), domains: BTreeMap::new() }
    }

    /// Takes note of a message whose reply came so long before moment 0.
    pub fn remember(&mut self, age: Duration, domain: &str) {
        let at = -micros(age);
        self.all.end_unbegun(at);
        if let Some(windows) = self.domain(domain) {
            windows.end_unbegun(at);
        }
    }

    /// Returns the longest window: what is older than that need not be remembered.
    pub fn longest(&self) -> Duration {
        let rates = self.plan.domains.values().chain([&self.plan.all, &self.plan.connection]);
        rates.flat_map(|rates| &rates.0).map(|rate| rate.window.duration()).max().unwrap_or_default()
    }

    /// Tells whether one message may have to wait while another may go out.
    pub fn depends_on_domain(&self) -> bool {
        !self.plan.domains.is_empty()
    }

    /// Tells when a message to a domain may be begun on a connection.
    pub fn permit(&mut self, now: Duration, connection: usize, domain: &str) -> Permit {
        let now = micros(now);
        let permit = self.all.permit(now).max(self.connection(connection).permit(now));
        match self.domain(domain) {
            Some(windows) => permit.max(windows.permit(now)),
            None => permit,
        }
    }

    /// Takes note that a message is begun.
    pub fn begin(&mut self, connection: usize, domain: &str) {
        self.all.begin();
        self.connection(connection).begin();
        if let Some(windows) = self.domain(domain) {
            windows.begin();
        }
    }

    /// Takes note that the reply to a message has come, or that there will be none.
    pub fn end(&mut self, now: Duration, connection: usize, domain: &str) {
        let now = micros(now);
        self.all.end(now);
        self.connection(connection).end(now);
        if let Some(windows) = self.domain(domain) {
            windows.end(now);
        }
    }

    fn connection(&mut self, number: usize) -> &mut Windows {
        let plan = &self.plan.connection;
        self.connections.entry(number).or_insert_with(|| Windows::new(plan))
    }

    fn domain(&mut self, domain: &str) -> Option<&mut Windows> {
        if self.plan.domains.is_empty() {
            return None;
        }
        let domain = domain.to_ascii_lowercase();
        let rates = self.plan.domains.get(&domain).or_else(|| self.plan.domains.get(ANY_DOMAIN))?;
        Some(self.domains.entry(domain).or_insert_with(|| Windows::new(rates)))
    }
}

/// The windows of one scope.
#[derive(Debug)]
struct Windows(Vec<Window>);

/// One rolling window.
#[derive(Debug)]
struct Window {
    rate: Rate,
    n_under_way: u32,
    /// When the replies of the last window came, in microseconds; the oldest first.
    ended: VecDeque<i64>,
}

impl Windows {
    fn new(rates: &Rates) -> Windows {
        Windows(rates.0.iter().map(|&rate| Window { rate, n_under_way: 0, ended: VecDeque::new() }).collect())
    }

    fn permit(&mut self, now: i64) -> Permit {
        self.0.iter_mut().map(|window| window.permit(now)).max().unwrap_or(Permit::Now)
    }

    fn begin(&mut self) {
        self.0.iter_mut().for_each(|window| window.n_under_way += 1);
    }

    fn end(&mut self, now: i64) {
        self.0.iter_mut().for_each(|window| window.n_under_way = window.n_under_way.saturating_sub(1));
        self.end_unbegun(now);
    }

    fn end_unbegun(&mut self, now: i64) {
        for window in &mut self.0 {
            window.ended.push_back(now);
        }
    }
}

impl Window {
    fn permit(&mut self, now: i64) -> Permit {
        let length = micros(self.rate.window.duration());
        while self.ended.front().is_some_and(|ended| ended + length <= now) {
            self.ended.pop_front();
        }
        let n_taken = self.n_under_way as usize + self.ended.len();
        let limit = self.rate.messages as usize;
        if n_taken < limit {
            return Permit::Now;
        }
        // With more than the rate in the window, as after a change of the rate, several have to leave it.
        match self.ended.get(n_taken - limit) {
            Some(ended) => Permit::At(Duration::from_micros((ended + length).unsigned_abs())),
            None => Permit::AfterAReply,
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::*;
    use crate::setup::rate::Span;

    fn rates(texts: &[&str]) -> Rates {
        Rates(texts.iter().map(|text| text.parse().expect("a rate")).collect())
    }

    fn pace(all: &[&str]) -> Pace {
        Pace::new(PacePlan { all: rates(all), ..PacePlan::default() })
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_place_is_free_one_window_after_the_reply() {
        let mut pace = pace(&["2/s"]);
        let at = |tenths: u64| Duration::from_millis(tenths * 100);
        assert_eq!(pace.permit(at(0), 0, "a.example"), Permit::Now);
        pace.begin(0, "a.example");
        pace.begin(1, "a.example");
        assert_eq!(pace.permit(at(1), 2, "a.example"), Permit::AfterAReply);
        pace.end(at(3), 0, "a.example");
        assert_eq!(pace.permit(at(3), 0, "a.example"), Permit::At(at(13)));
        pace.end(at(5), 1, "a.example");
        assert_eq!(pace.permit(at(12), 0, "a.example"), Permit::At(at(13)));
        assert_eq!(pace.permit(at(13), 0, "a.example"), Permit::Now);
        pace.begin(0, "a.example");
        assert_eq!(pace.permit(at(14), 0, "a.example"), Permit::At(at(15)));
    }

    #[test]
    fn connections_and_domains_have_windows_of_their_own() {
        let domains = [("slow.example".to_owned(), rates(&["1/min"])), ("*".to_owned(), rates(&["2/min"]))];
        let plan = PacePlan { connection: rates(&["3/min"]), domains: domains.into(), ..PacePlan::default() };
        let mut pace = Pace::new(plan);
        let mut send = |connection, domain| {
            let permit = pace.permit(SECOND, connection, domain);
            if permit == Permit::Now {
                pace.begin(connection, domain);
                pace.end(SECOND, connection, domain);
            }
            permit == Permit::Now
        };
        assert!(send(0, "Slow.example"));
        assert!(!send(1, "slow.example"));
        assert!(send(0, "a.example") && send(0, "a.example"));
        assert!(!send(0, "b.example"), "the connection has had three");
        assert!(!send(1, "a.example"), "the domain has had two");
        assert!(send(1, "b.example"));
    }

    #[test]
    fn what_went_out_before_counts() {
        let mut pace = pace(&["2/min"]);
        pace.remember(Duration::from_secs(50), "a.example");
        pace.remember(Duration::from_secs(20), "a.example");
        assert_eq!(pace.permit(Duration::ZERO, 0, "a.example"), Permit::At(10 * SECOND));
        assert_eq!(pace.permit(10 * SECOND, 0, "a.example"), Permit::Now);
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let mut pace = Pace::new(PacePlan::default());
        for _ in 0..1_000 {
            assert_eq!(pace.permit(Duration::ZERO, 0, "a.example"), Permit::Now);
            pace.begin(0, "a.example");
        }
        assert_eq!(pace.longest(), Duration::ZERO);
    }

    /// Sends as fast as the pace allows over connections whose server takes and answers at its own times; returns
    /// when the server got each message.
    fn arrivals(rate: Rate, n_connections: usize, latencies: &[(u64, u64)], n_messages: usize) -> Vec<u64> {
        let mut pace = Pace::new(PacePlan { all: Rates(vec![rate]), ..PacePlan::default() });
        let mut under_way = BinaryHeap::new();
        let mut free: Vec<usize> = (0..n_connections).collect();
        let (mut now, mut arrivals) = (0, Vec::new());
        while arrivals.len() < n_messages {
            let permit = match free.last() {
                Some(&connection) => pace.permit(Duration::from_micros(now), connection, "a.example"),
                None => Permit::AfterAReply,
            };
            if let (Permit::Now, Some(connection)) = (permit, free.last().copied()) {
                free.pop();
                let (there, back) = latencies[arrivals.len() % latencies.len()];
                pace.begin(connection, "a.example");
                arrivals.push(now + there);
                under_way.push((std::cmp::Reverse(now + there + back), connection));
                continue;
            }
            let reply = under_way.peek().map(|(std::cmp::Reverse(at), _)| *at);
            now = match (permit, reply) {
                (Permit::At(at), Some(reply)) => reply.min(at.as_micros() as u64),
                (Permit::At(at), None) => at.as_micros() as u64,
                (Permit::Now | Permit::AfterAReply, Some(reply)) => reply,
                (Permit::Now | Permit::AfterAReply, None) => panic!("nothing would ever happen again"),
            };
            while under_way.peek().is_some_and(|(std::cmp::Reverse(at), _)| *at <= now) {
                let (_, connection) = under_way.pop().expect("it was just seen");
                pace.end(Duration::from_micros(now), connection, "a.example");
                free.push(connection);
            }
        }
        arrivals.sort_unstable();
        arrivals
    }

    proptest! {
        #[test]
        fn no_window_at_the_server_holds_more_than_the_rate(
            messages in 1_u32..30,
            window_ms in 1_u64..5_000,
            n_connections in 1_usize..6,
            latencies in proptest::collection::vec((0_u64..2_000_000, 0_u64..2_000_000), 1..20),
        ) {
            let rate = Rate { messages, window: Span::from_milliseconds(window_ms) };
            let arrivals = arrivals(rate, n_connections, &latencies, 300);
            for group in arrivals.windows(messages as usize + 1) {
                let span = group[messages as usize] - group[0];
                prop_assert!(span >= window_ms * 1_000, "{} messages within {span} us", group.len());
            }
        }
    }

    #[test]
    fn the_rate_is_used() {
        for text in ["20/s", "100/min", "1/s", "7/10s"] {
            let rate: Rate = text.parse().expect("a rate");
            let n_messages = rate.messages as usize * 20;
            // A millisecond there and another one back, over three connections.
            let arrivals = arrivals(rate, 3, &[(1_000, 1_000)], n_messages + 1);
            let seconds = arrivals[n_messages] as f64 / 1e6;
            let used = seconds.recip() * 20.0 * rate.window.duration().as_secs_f64();
            assert!(used > 0.95, "{text}: {used}");
        }
    }
}
