//! `tegata-sandbox`: reads its arguments, starts, says where in one JSON line, and runs until told to stop.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};
use tegata_sandbox::{Options, Sandbox, StartError};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
Usage: tegata-sandbox [OPTIONS]

An AWS double (SSO OIDC, SSO portal, Sign-In, STS, IAM, IAM Roles Anywhere) on 127.0.0.1. When ready it prints one JSON line:
{\"url\": …, \"tls_url\": …, \"proxy_url\": …, \"ca_pem_path\": …, \"control_url\": …}
and runs until SIGINT, SIGTERM or, with --with-stdin, the end of its standard input.

Options:
  --port N         port of the plain HTTP listener (default: any free one)
  --tls-port N     port of the TLS listener
  --proxy-port N   port of the CONNECT proxy
  --config JSON    settings to merge into the defaults: a JSON object, or the path of a file with one
  --with-stdin     stop when standard input ends
  --help           this text

Examples:
  tegata-sandbox --port 7000
  tegata-sandbox --config '{\"authorize\": \"page\", \"lifetimes\": {\"access_token\": 60}}'
  curl -X PATCH http://127.0.0.1:7000/_control/settings -d '{\"refresh_reuse\": {\"tolerant_for\": 60}}'
";

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("cannot read {path}: {source}")]
    ConfigFile { path: String, source: io::Error },
    #[error("--config is not valid: {0}")]
    Config(#[from] serde_json::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot {what}: {source}")]
    Io { what: &'static str, source: io::Error },
}

#[derive(Debug, Default)]
struct Arguments {
    options: Options,
    config: Option<String>,
    with_stdin: bool,
    help: bool,
}

/// Runs the program with these arguments, its own name left out.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    match parse(arguments).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "tegata-sandbox: {failure}");
            ExitCode::from(if matches!(failure, Failure::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
    let mut parsed = Arguments::default();
    while let Some(argument) = arguments.next() {
        let (name, mut inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || {
            let value = inline.take().or_else(|| arguments.next());
            value.ok_or_else(|| Failure::Usage(format!("{name} needs a value; see --help")))
        };
        match name.as_str() {
            "--port" => parsed.options.port = port(&value()?)?,
            "--tls-port" => parsed.options.tls_port = port(&value()?)?,
            "--proxy-port" => parsed.options.proxy_port = port(&value()?)?,
            "--config" => parsed.config = Some(value()?),
            "--with-stdin" => parsed.with_stdin = true,
            "--help" | "-h" => parsed.help = true,
            _ => return Err(Failure::Usage(format!("unknown option {name}; see --help"))),
        }
    }
    Ok(parsed)
}

fn port(text: &str) -> Result<u16, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text} is not a port")))
}

fn serve(arguments: Arguments) -> Result<(), Failure> {
    if arguments.help {
        return say(USAGE);
    }
    let patch = arguments.config.as_deref().map(settings_patch).transpose()?;
    let sandbox = Sandbox::start_with(arguments.options)?;
    if let Some(patch) = patch {
        sandbox.patch(&patch)?;
    }
    let urls = json!({
        "url": sandbox.url(),
        "tls_url": sandbox.tls_url(),
        "proxy_url": sandbox.proxy_url(),
        "ca_pem_path": sandbox.ca_pem_path(),
        "control_url": format!("{}/_control", sandbox.url()),
    });
    // The handlers come first: whoever reads the line may send the signal at once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::Io { what: "start the runtime", source })?;
    let stopped = runtime.block_on(async {
        let stop = Stop::listen()?;
        let _ = say(&format!("{urls}\n"));
        stop.wait(arguments.with_stdin).await;
        Ok(())
    });
    // A read of standard input cannot be cancelled; the process ends without waiting for it.
    runtime.shutdown_background();
    stopped.map_err(|source| Failure::Io { what: "wait for signals", source })
}

fn settings_patch(text: &str) -> Result<Value, Failure> {
    if text.trim_start().starts_with('{') {
        return Ok(serde_json::from_str(text)?);
    }
    let read = std::fs::read(text).map_err(|source| Failure::ConfigFile { path: text.to_owned(), source })?;
    Ok(serde_json::from_slice(&read)?)
}

struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self, with_stdin: bool) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = end_of_stdin(), if with_stdin => {}
        }
    }
}

async fn end_of_stdin() {
    let _ = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await;
}

fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    let said = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    said.map_err(|source| Failure::Io { what: "write to standard output", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, Failure> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_take_their_value_either_way() {
        let arguments = parsed("--port 7000 --tls-port=7001 --with-stdin").unwrap();
        assert_eq!((arguments.options.port, arguments.options.tls_port, arguments.with_stdin), (7000, 7001, true));
    }

    #[test]
    fn unknown_missing_and_impossible_values_are_usage_errors() {
        for line in ["--prot 1", "--port", "--port 70000", "--config"] {
            assert!(matches!(parsed(line), Err(Failure::Usage(_))), "{line}");
        }
    }

    #[test]
    fn a_config_is_inline_json_or_a_file() {
        assert_eq!(settings_patch(r#" {"page_size": 3}"#).unwrap()["page_size"], 3);
        assert!(matches!(settings_patch("/nonexistent.json"), Err(Failure::ConfigFile { .. })));
        assert!(matches!(settings_patch("{"), Err(Failure::Config(_))));
    }
}
