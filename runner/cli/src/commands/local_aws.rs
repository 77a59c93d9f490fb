//! `rolebox local-aws`: the embedded AWS, for any client.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::{LocalAwsArguments, OutputFormat};
use crate::console::Console;
use crate::failure::Failure;
use crate::local::EmbeddedAws;
use crate::signals::Signals;

/// What `--output json` prints on stdout when clients may come.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Serving {
    /// The environment of a client that is the host, by variable.
    environment: Map<String, Value>,
}

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn serve(arguments: LocalAwsArguments, console: &Console) -> Result<u8, Failure> {
    let mut signals = Signals::new()?;
    let aws = EmbeddedAws::start(&arguments.roles, arguments.data.as_deref(), arguments.listen).await?;
    let environment = aws.environment();
    let said = match console.format() {
        OutputFormat::Text => {
            let exports: String = environment
                .iter()
                .map(|variable| format!("export {}={}\n", variable.name, shell_quoted(&variable.value)))
                .collect();
            console.answer(&exports)
        }
        OutputFormat::Json => console.answer_json(&Serving {
            environment: environment
                .into_iter()
                .map(|variable| (variable.name.to_owned(), Value::from(variable.value)))
                .collect(),
        }),
    };
    if said.is_ok() {
        signals.next().await;
    }
    aws.shutdown().await;
    said.map(|()| 0)
}

/// `value` as a POSIX shell reads it back. Plain values stay as they are.
fn shell_quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:+=,@%".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_a_shell() {
        for (value, quoted) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
            ("a/b+c=", "a/b+c="),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(shell_quoted(value), quoted);
        }
    }
}
