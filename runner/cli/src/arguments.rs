//! The command line.

mod images;

use std::ffi::OsString;
#[cfg(feature = "local-aws")]
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::images::ImageArguments;
#[cfg(feature = "compiler")]
pub(crate) use self::images::{CompileArguments, CompilerArguments, MachinesArgument};
use crate::console::Console;
use crate::failure::{Failure, RUNNER_FAILED};

const EXIT_CODES: &str = "\
Exit codes: the task's own; 125 the runner or the definition failed; 126 the image could not be loaded or linked, or has
nothing to run; 137 stopped by a limit or a signal, but 0 for a task that serves and has answered all requests then.";

/// Runs WebAssembly tasks, each under its own IAM role, none with a key.
#[derive(Debug, Parser)]
#[command(name = "rolebox", version, after_help = EXIT_CODES)]
pub(crate) struct Invocation {
    /// For people, or as JSON for programs. A task's own output is never touched.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: OutputFormat,

    /// How much the runner tells about itself on stderr.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "LEVEL", env = "ROLEBOX_LOG")]
    pub(crate) log: LogLevel,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    #[default]
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one task attached, and exit with its exit code.
    #[command(after_help = EXIT_CODES)]
    Run(Box<RunArguments>),
    /// Say what a task may do and what it asks for, without running it.
    #[command(after_help = "\
Exit codes: what `rolebox run` would exit with before the task starts, 0 if it would start. With --request: 0, whatever
is decided about it.")]
    Explain(Box<ExplainArguments>),
    /// Compile an image to an artifact that bears a signature, for machines that compile nothing.
    #[cfg(feature = "compiler")]
    #[command(after_help = "\
Exit codes: 126 the image could not be compiled or linked, or has nothing to run; 125 anything else.")]
    Compile(Box<CompileArguments>),
    /// Serve an S3 and an STS that enforce what AWS would, as account 123456789012 in us-east-1.
    #[cfg(feature = "local-aws")]
    LocalAws(LocalAwsArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[cfg(feature = "local-aws")]
    #[command(flatten)]
    pub(crate) local: LocalArguments,

    /// Write a record of every AWS call to this file, as JSON lines at its end.
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,

    /// Wait for the disk with each record: it survives a crash of the machine, and a call waits some milliseconds longer.
    #[arg(long, requires = "audit")]
    pub(crate) audit_fsync: bool,

    /// When the task has ended, print the smallest capabilities that would have allowed what it called.
    #[arg(long)]
    pub(crate) suggest_capabilities: bool,

    /// Suggest patterns: for the keys in one folder of a bucket, and for UUIDs in names.
    #[arg(long, requires = "suggest_capabilities")]
    pub(crate) generalise: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) request: RequestArguments,
}

/// A request that the task might make. Whatever the bytes are, they are the request's and not the command line's: what
/// is wrong with them is an answer, not a mistake.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "One request in place of the whole")]
pub(crate) struct RequestArguments {
    /// Say what this request would be if the task made it, and whether it would be allowed: 'GET https://…'
    #[arg(long, value_name = "METHOD URL")]
    pub(crate) request: Option<OsString>,

    /// A header field of the request. May be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "request")]
    pub(crate) headers: Vec<OsString>,

    /// The file that holds the request's body [default: no body]
    #[arg(long, value_name = "FILE", requires = "request")]
    pub(crate) body: Option<PathBuf>,
}

/// What is to run, and within which bounds.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// A task definition, or a component: what ends in .wasm, or an artifact of `rolebox compile`.
    #[arg(value_name = "DEFINITION.json | COMPONENT.wasm")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) component: ComponentArguments,
    #[command(flatten)]
    pub(crate) bounds: BoundsArguments,
    #[command(flatten)]
    pub(crate) images: ImageArguments,
}

/// What a definition would say about a bare component.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "For a component")]
pub(crate) struct ComponentArguments {
    /// The task role; without one the task has no AWS.
    #[arg(long, value_name = "ARN")]
    pub(crate) task_role_arn: Option<String>,

    /// What the task may do with its role. May be given several times.
    #[arg(long = "capability", value_name = "ACTION[,ACTION]=ARN")]
    pub(crate) capabilities: Vec<String>,

    /// A host beside AWS that the task may reach, over TLS unless it begins with http://. May be given several times.
    #[arg(long = "allow-host", value_name = "HOST[:PORT]")]
    pub(crate) allow_hosts: Vec<String>,

    /// A variable of the task's environment. May be given several times.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) environment: Vec<String>,

    /// The hard limit on its memory, in MiB [default: 256]
    #[arg(long, value_name = "MIB", allow_negative_numbers = true)]
    pub(crate) memory: Option<i64>,

    /// Its share of the processor; 1024 stand for one core.
    #[arg(long, value_name = "UNITS", allow_negative_numbers = true)]
    pub(crate) cpu: Option<i64>,

    /// How long it may run: 60s, 5m, 1h30m [default: 1h]; with --port, how long each request may take [default: 1m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,

    /// Serve it as a handler of HTTP requests on this port of the host; 0 is any free one.
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    pub(crate) port: Option<i64>,

    /// A folder of the host, and where the task sees it. May be given several times.
    #[arg(long = "volume", value_name = "SRC:DST[:ro]")]
    pub(crate) volumes: Vec<String>,

    /// The task's own arguments.
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

/// The operator's bounds, narrower than those that `run` has by itself.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Bounds on what a definition may ask for")]
pub(crate) struct BoundsArguments {
    /// The most memory of a container, in MiB [default: 4096]
    #[arg(long, value_name = "MIB")]
    pub(crate) max_memory: Option<u32>,

    /// The most memory of a task, over its containers, in MiB [default: 40960]
    #[arg(long, value_name = "MIB")]
    pub(crate) max_task_memory: Option<u32>,

    /// The highest share of the processor, over the task's containers; 1024 stand for one core [default: no bound]
    #[arg(long, value_name = "UNITS")]
    pub(crate) max_cpu: Option<u32>,

    /// The most that a task may compute; 1024 stand for one core [default: 1024]
    #[arg(long, value_name = "UNITS")]
    pub(crate) max_cpu_limit: Option<u32>,

    /// The most containers of a task [default: 10]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_containers: Option<usize>,

    /// The most volumes of a task, and of a container [default: 64]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_volumes: Option<usize>,

    /// The longest timeout [default: 720h]
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_timeout: Option<String>,

    /// The longest life of a role session [default: 12h]
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_session_duration: Option<String>,

    /// The most of one of rolebox.limits: bodyBytes=1048576, callTimeout=30s. May be given several times.
    #[arg(long = "max-limit", value_name = "KEY=VALUE")]
    pub(crate) max_limits: Vec<String>,

    /// A folder that volumes may lie in, in place of the definition's own. May be given several times.
    #[arg(long = "volume-root", value_name = "DIR")]
    pub(crate) volume_roots: Vec<PathBuf>,

    /// Refuse every volume.
    #[arg(long, conflicts_with = "volume_roots")]
    pub(crate) no_volumes: bool,

    /// A folder that images may lie in; none may come from elsewhere. May be given several times.
    #[arg(long = "image-root", value_name = "DIR")]
    pub(crate) image_roots: Vec<PathBuf>,

    /// The only hosts beside AWS that a task may reach, as definitions name them. May be given several times.
    #[arg(long = "allow-egress", value_name = "HOST[:PORT]")]
    pub(crate) allow_egress: Vec<String>,

    /// Refuse every host beside AWS.
    #[arg(long, conflicts_with = "allow_egress")]
    pub(crate) no_egress: bool,

    /// The only ports of the host that a task may be served on; 0 is any free one. May be given several times.
    #[arg(long = "allow-port", value_name = "PORT[-PORT]")]
    pub(crate) allow_ports: Vec<String>,

    /// Refuse every port of the host.
    #[arg(long, conflicts_with = "allow_ports")]
    pub(crate) no_ports: bool,

    /// The only roles that a task may have. May be given several times.
    #[arg(long = "allow-role", value_name = "ARN")]
    pub(crate) allow_roles: Vec<String>,

    /// Refuse every role.
    #[arg(long, conflicts_with = "allow_roles")]
    pub(crate) no_roles: bool,

    /// Refuse "sessionPolicy": "off".
    #[arg(long)]
    pub(crate) require_session_policy: bool,

    /// Refuse "roleSession": "per-definition".
    #[arg(long)]
    pub(crate) require_session_per_task: bool,

    /// Refuse "unsignedPayload": true.
    #[arg(long)]
    pub(crate) require_signed_payload: bool,
}

/// The embedded AWS.
#[cfg(feature = "local-aws")]
#[derive(Debug, Args)]
#[command(next_help_heading = "The embedded AWS")]
pub(crate) struct LocalArguments {
    /// Call the embedded AWS instead of the one that the environment names.
    #[arg(long)]
    pub(crate) local: bool,

    /// Its roles [default: roles.json beside the definition]
    #[arg(long, value_name = "FILE", requires = "local")]
    pub(crate) roles: Option<PathBuf>,

    /// The folder of its buckets and objects [default: a temporary one]
    #[arg(long, value_name = "DIR", requires = "local")]
    pub(crate) data: Option<PathBuf>,
}

#[cfg(feature = "local-aws")]
#[derive(Debug, Args)]
pub(crate) struct LocalAwsArguments {
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// The roles that can be assumed.
    #[arg(long, value_name = "FILE")]
    pub(crate) roles: PathBuf,

    /// The folder of buckets and objects [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Reads the command line of this process, or prints what has to be printed instead: help, the version, a mistake.
pub(crate) fn read() -> Result<Invocation, ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    Invocation::try_parse_from(&arguments).map_err(|error| {
        if !error.use_stderr() {
            // With stdout closed there is nobody to help.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        if wants_json(&arguments) {
            let text = error.to_string();
            let message = text.trim().strip_prefix("error: ").unwrap_or(&text).to_owned();
            Console::new(OutputFormat::Json).failure(&Failure::because(message));
        } else {
            let _ = error.print();
        }
        ExitCode::from(RUNNER_FAILED)
    })
}

/// Whether the arguments ask for JSON, for when they could not be read whole.
fn wants_json(arguments: &[OsString]) -> bool {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    let own: Vec<_> = own.collect();
    own.iter().any(|argument| *argument == "--output=json")
        || own.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Invocation::command().debug_assert();
    }

    #[test]
    fn arguments_after_two_dashes_are_the_tasks() {
        let invocation = Invocation::try_parse_from([
            "rolebox", "run", "app.wasm", "--env", "A=b", "--output", "json", "--", "--memory", "1",
        ])
        .expect("a command line");
        assert_eq!(invocation.output, OutputFormat::Json);
        let Command::Run(run) = invocation.command else {
            panic!("run");
        };
        assert_eq!(run.input.component.arguments, ["--memory", "1"]);
        assert_eq!(run.input.component.environment, ["A=b"]);
        assert_eq!(run.input.component.memory, None);
    }

    #[test]
    #[cfg(feature = "local-aws")]
    fn what_belongs_to_the_embedded_aws_needs_it() {
        for flags in [["--roles", "roles.json"], ["--data", "data"]] {
            let line = ["rolebox", "run", "a.json"].into_iter().chain(flags);
            assert!(Invocation::try_parse_from(line).is_err());
        }
    }

    #[test]
    fn what_belongs_to_a_request_needs_one() {
        for flags in [["--header", "a: b"], ["--body", "file"]] {
            let line = ["rolebox", "explain", "a.json"].into_iter().chain(flags);
            assert!(Invocation::try_parse_from(line).is_err());
        }
    }

    #[test]
    fn json_is_asked_for_before_the_tasks_arguments() {
        let line = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(wants_json(&line("rolebox --output json fly")));
        assert!(wants_json(&line("rolebox fly --output=json")));
        assert!(!wants_json(&line("rolebox fly --output text")));
        assert!(!wants_json(&line("rolebox fly -- --output json")));
    }
}
