//! `ringstone-perf`: a small load generator for S3 endpoints.
//!
//! It shares no code with the server, so that its numbers do not move when the server's code moves.
//! `README.md` tells the method and what a figure may be called.

#![deny(unsafe_code)]

mod cli;
mod connection;
mod environment;
mod load;
mod report;
mod sign;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use cli::{Arguments, Command};

fn main() -> ExitCode {
    let Command::Run(options) = Arguments::parse().command;
    match load::run(&options) {
        Ok(outcome) => {
            report::print(&options, &outcome);
            if outcome.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("ringstone-perf: {error}");
            ExitCode::FAILURE
        }
    }
}
