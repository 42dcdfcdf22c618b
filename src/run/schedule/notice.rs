//! Owns the report by e-mail to the operator: one message a turn, for what has ended and what needs a person; each state
//! of a due time is told once. A report that cannot be sent is noted, and changes nothing else.
//!
//! It is noted as told before it leaves: after a crash in between it may or may not have arrived, and is not sent again.

use std::iter;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Came, DueTime, ScheduleRecord, report};
use crate::delivery::folder::Folder;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::{self, Body, Draft, Message, MessageId, Unsubscribe};
use crate::delivery::name::safe_name;
use crate::delivery::outbox::Outbox;
use crate::delivery::outcome::{Deferral, Outcome};
use crate::delivery::{Change, DeliveryError, Parcel, Transport};
use crate::run::envelope::has_tags;
use crate::run::problem::with_causes;
use crate::run::{Office, Problem, RecordsError, RunError, server, signer};
use crate::setup::{Setup, Smtp};

/// The folder of the reports below the output folder, where no server is set.
const FOLDER: &str = "reports";

/// What is noted while a report is on its way; it stays if the process ends there.
const IN_DOUBT: &str = "the report may not have arrived";

/// Tells the operator what came of due times, where somebody is to be told.
pub(super) fn tell(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    came: &mut [Came],
) -> Result<(), RecordsError> {
    if office.setup.schedule.report_to.is_empty() {
        return Ok(());
    }
    let name = &record.schedule.name;
    let ended = office.store.untold(name)?;
    let mut told: Vec<Came> = Vec::new();
    for due_time in ended {
        let (counts, seeds) = match due_time.run {
            Some(run) => (Some(office.store.counts(run)?), office.store.seeds(run)?),
            None => (None, Vec::new()),
        };
        let error =
            came.iter_mut().find(|came| came.due_time.due == due_time.due).and_then(|came| came.error.take());
        told.push(Came { due_time, counts, seeds, error, ..Came::default() });
    }
    for open in came.iter_mut().filter(|came| !came.due_time.is_settled()) {
        if open.due_time.told != Some(open.due_time.state) {
            let due_time = open.due_time.clone();
            let (counts, seeds) = (open.counts, open.seeds.clone());
            told.push(Came { due_time, counts, seeds, error: open.error.take(), ..Came::default() });
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    told.sort_by_key(|came| came.due_time.due);
    let before: Vec<DueTime> = told.iter().map(|came| came.due_time.clone()).collect();
    let note = |notice: &str, due_time: &DueTime| DueTime {
        told: Some(due_time.state),
        notice: notice.to_owned(),
        ..due_time.clone()
    };
    let notes = |notice: &str| before.iter().map(|due_time| note(notice, due_time)).collect::<Vec<_>>();
    office.store.put_due_times(name, &notes(IN_DOUBT))?;
    let after = match send(office, record, &told) {
        Sent::Gone => notes(""),
        Sent::InDoubt => notes(IN_DOUBT),
        Sent::Refused(reason) => notes(&format!("the report was not sent: {reason}")),
        // It is tried again by the next turn, as long as the state is the same.
        Sent::Later(reason) => {
            let notice = format!("the report was not sent: {reason}");
            before.iter().map(|due_time| DueTime { notice: notice.clone(), ..due_time.clone() }).collect()
        }
    };
    office.store.put_due_times(name, &after)?;
    for (told, due_time) in told.into_iter().zip(after) {
        if let Some(own) = came.iter_mut().find(|came| came.due_time.due == due_time.due) {
            own.due_time = due_time;
            own.error = told.error;
        }
    }
    Ok(())
}

/// What became of a report.
enum Sent {
    /// It is with the server, or a file.
    Gone,
    /// Nobody can know whether it arrived.
    InDoubt,
    /// It will never be sent as it is.
    Refused(String),
    /// It may be sent later.
    Later(String),
}

fn send(office: &mut Office<'_>, record: &ScheduleRecord, told: &[Came]) -> Sent {
    let message = match message(office, record, told) {
        Ok(message) => message,
        Err(reason) => return Sent::Later(reason), // of the set-up: it can be put right
    };
    let smtp = office.setup.smtp.clone().filter(|smtp| !smtp.url.is_empty());
    let name = file_name(record, told);
    let outcome = match &smtp {
        Some(smtp) => send_over(office, smtp, (&name, &message)),
        None => Folder::open(&office.out.join(FOLDER))
            .map_err(|error| RunError::from(DeliveryError::from(error)))
            .and_then(|folder| Ok(delivered(&Outbox::new(folder), (&name, &message))?)),
    };
    match outcome {
        Ok(Some(Outcome::Written { .. } | Outcome::Accepted { .. })) => Sent::Gone,
        Ok(Some(Outcome::InDoubt { .. })) => Sent::InDoubt,
        Ok(Some(Outcome::Rejected { reply })) => Sent::Refused(reply.to_string()),
        Ok(Some(Outcome::Failed { reason })) => Sent::Refused(reason),
        Ok(Some(Outcome::Deferred { cause: Deferral::Reply(reply) })) => Sent::Later(reply.to_string()),
        Ok(Some(Outcome::Deferred { cause: Deferral::Lost { observed } })) => Sent::Later(observed),
        Ok(None) => Sent::Later("it was stopped".to_owned()),
        Err(error) => Sent::Later(with_causes(&error)),
    }
}

fn send_over(
    office: &mut Office<'_>,
    smtp: &Smtp,
    parcel: (&str, &Message),
) -> Result<Option<Outcome>, RunError> {
    let now = office.now.timestamp();
    let sender = parcel.1.sender().to_string();
    let mailer = server::mailer_over(office, smtp, &sender, now)?;
    Ok(delivered(&mailer, parcel)?)
}

/// Lets one message take effect.
fn delivered(
    transport: &dyn Transport,
    (name, message): (&str, &Message),
) -> Result<Option<Outcome>, DeliveryError> {
    let staged = transport.stage(0, Parcel::Message { name, message })?;
    let mut outcome = None;
    transport.deliver(&mut iter::once(staged), &mut |steps| {
        for step in steps {
            if let Change::Done(done) = &step.change {
                outcome = Some(done.clone());
            }
        }
        Ok(())
    })?;
    Ok(outcome)
}

/// Writes the message; or says what keeps it from being one.
fn message(office: &Office<'_>, record: &ScheduleRecord, told: &[Came]) -> Result<Message, String> {
    let (from, to) = addresses(office.setup)?;
    let smtp = office.setup.smtp.as_ref();
    let message_id = MessageId::new(key(record, told), 0, from.address());
    let (subject, text) = report::letter(&record.schedule, told);
    let draft = Draft {
        from: &from,
        to: &to,
        reply_to: None,
        bounce_to: None,
        subject: &subject,
        date: office.now.timestamp(),
        message_id: &message_id,
        body: Body::Text(&text),
        attachments: &[],
        unsubscribe: &Unsubscribe::default(),
        automatic: smtp.map(|smtp| smtp.automatic).unwrap_or_default(),
        copy_of: None,
    };
    let message = message::build(&draft).map_err(|error| with_causes(&error))?;
    let signer = signer(smtp, office.password).map_err(|error| with_causes(&error))?;
    match signer {
        Some(signer) => signer.sign(message, office.now.timestamp()).map_err(|error| with_causes(&error)),
        None => Ok(message),
    }
}

/// Returns who sends the report and who gets it; or says what is wrong with the set-up.
fn addresses(setup: &Setup) -> Result<(Mailbox, Mailbox), String> {
    let scheduling = &setup.schedule;
    let from = match scheduling.report_from.as_str() {
        "" => setup.smtp.as_ref().map(|smtp| smtp.from.as_str()).filter(|from| !has_tags(from)),
        from => Some(from),
    };
    let Some(from) = from.filter(|from| !from.is_empty()) else {
        return Err("it has no sender: set `schedule.report_from`".to_owned());
    };
    let mailbox = |key: &str, text: &str| {
        text.parse::<Mailbox>().map_err(|error| format!("`schedule.{key}` is unusable: {error}"))
    };
    Ok((mailbox("report_from", from)?, mailbox("report_to", &scheduling.report_to)?))
}

/// Finds what keeps reports from being sent, without a look at the server.
pub fn report_problem(setup: &Setup) -> Option<Problem> {
    if setup.schedule.report_to.is_empty() {
        return None;
    }
    addresses(setup).err().map(|reason| Problem {
        id: "report-address",
        message: format!("the report to the operator cannot be sent: {reason}"),
        place: format!("{}: schedule", Setup::FILE_NAME),
        help: Some("give addresses such as `Post <post@example.com>`".to_owned()),
    })
}

/// The same states of the same due times make the same message, at every attempt.
fn key(record: &ScheduleRecord, told: &[Came]) -> Uuid {
    let mut seed = format!("{} {}", record.schedule.name, record.added_at);
    for came in told {
        seed.push_str(&format!(" {} {}", came.due_time.due, came.due_time.state.as_str()));
    }
    Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes())
}

/// Names the file after the last due time that is told and its state: both are told but once.
fn file_name(record: &ScheduleRecord, told: &[Came]) -> String {
    let (due, state) = told
        .last()
        .map_or((Timestamp::UNIX_EPOCH, ""), |came| (came.due_time.due, came.due_time.state.as_str()));
    safe_name(&format!("{} {} {state}", record.schedule.name, due.strftime("%Y-%m-%dT%H%M%SZ")), "eml")
}
