//! What the runner logs about itself: on stderr, at the level that was asked for.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::arguments::LogLevel;
use crate::console::Paint;

/// Our own crates: their module paths begin with this.
const OWN: &str = "rolebox";

/// Starts logging.
///
/// Only events of Rolebox's own crates are shown, at any level. Those of the HTTP and AWS libraries may hold headers,
/// and so a session token.
pub(crate) fn start(level: LogLevel) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(Paint::on(io::stderr().is_terminal()).is_on());
    tracing_subscriber::registry().with(lines).with(Targets::new().with_target(OWN, level)).init();
}
