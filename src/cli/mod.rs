//! Words on the terminal: arguments, printing, exit codes. Data goes to stdout, talk to stderr.

mod options;
mod arguments;
mod terminal;
mod problem;
mod progress;
mod stages;
mod post;
mod office;
mod run;
mod look;
mod window;
mod merge;
mod change;
mod contact;
mod suppress;
mod bounces;
mod doctor;
mod reconcile;
mod address;
mod master;
mod code;
mod template;
mod segment;
mod resend;
mod selection;
mod sheet;
mod line;
mod log;
mod logged;
mod note;
mod export;
mod stats;
mod db;
mod config;
mod schedule;
mod due;
mod init;
mod reference;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use problem::Failure;
use terminal::Terminal;

use crate::setup::MasterKind;

/// Done.
const DONE: u8 = 0;
/// Problems were found, and nothing was done.
const PROBLEMS: u8 = 1;
/// The words are off, or one that is needed is missing.
const USAGE: u8 = 2;
/// Done, but some lines were rejected, failed or are in doubt.
const SOME_LINES: u8 = 3;
/// Interrupted, retries still to come, or the surroundings failed: resume continues.
const INTERRUPTED: u8 = 4;
/// Another run holds the segment.
const HELD: u8 = 5;

/// Runs the command line and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse(); // ends with exit code 2 where the words are off
    let mut terminal = Terminal::new(&arguments.common);
    let code = match dispatch(&arguments, &mut terminal) {
        Ok(code) => code,
        Err(failure) => failure.print(&mut terminal),
    };
    ExitCode::from(code)
}

fn dispatch(arguments: &Arguments, terminal: &mut Terminal) -> Result<u8, Failure> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Init(init) => init::init(init, terminal),
        Command::Check(check) => run::check(common, check, terminal),
        Command::Run(run) => run::run(common, run, terminal),
        Command::Resume(resume) => run::resume(common, resume, terminal),
        Command::Status(status) => run::status(common, status, terminal),
        Command::Explain(explain) => look::explain(common, explain, terminal),
        Command::Preview(preview) => look::preview(common, preview, terminal),
        Command::Merge(merge) => merge::merge(common, merge, terminal),
        Command::Contact(command) => contact::contact(common, command, terminal),
        Command::Address(command) => address::address(common, command, terminal),
        Command::Code(command) => code::code(common, command, terminal),
        Command::Salesperson(command) => master::master(common, MasterKind::Salesperson, command, terminal),
        Command::Salutation(command) => master::master(common, MasterKind::Salutation, command, terminal),
        Command::Campaign(command) => master::master(common, MasterKind::Campaign, command, terminal),
        Command::Template(command) => template::template(common, command, terminal),
        Command::Segment(command) => segment::segment(common, command, terminal),
        Command::Logged(command) => logged::logged(common, command, terminal),
        Command::Log(command) => log::log(common, command, terminal),
        Command::Doctor => doctor::doctor(common, terminal),
        Command::Schedule(command) => schedule::schedule(common, command, terminal),
        Command::Bounces(command) => bounces::bounces(common, command, terminal),
        Command::Reconcile(command) => reconcile::reconcile(common, command, terminal),
        Command::Stats(stats) => stats::stats(common, stats, terminal),
        Command::Db(command) => db::db(common, command, terminal),
        Command::Config(command) => config::config(common, command, terminal),
        Command::Completions { shell } => Ok(reference::completions(*shell, terminal)),
        Command::Man(man) => reference::man(common.out.as_ref(), man, terminal),
    }
}
