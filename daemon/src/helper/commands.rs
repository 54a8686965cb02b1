//! Commands whose output is a text: tokens and one-time codes.

use super::{Bytes, CommandLine, Helper, HelperError, Operation};
use crate::flight::Flights;
use std::sync::Arc;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// Runs commands through the helper, each at most once at a time: whoever asks meanwhile gets the same output.
#[derive(Debug)]
pub struct Commands {
    helper: Arc<dyn Helper>,
    seconds: u64,
    flights: Flights<CommandLine, Result<Secret, HelperError>>,
}

impl Commands {
    /// Runs them through this helper, with so many seconds for each.
    #[must_use]
    pub fn new(helper: Arc<dyn Helper>, seconds: u64) -> Self {
        Self { helper, seconds, flights: Flights::default() }
    }

    /// The commands of settings that name none.
    #[cfg(test)]
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self::new(Arc::new(super::NoHelper), 30))
    }

    /// Returns what a command prints, without the end of its last line: text, and not nothing.
    ///
    /// # Errors
    /// [`HelperError`].
    pub async fn output(&self, command: &CommandLine) -> Result<Secret, HelperError> {
        let (helper, run) =
            (Arc::clone(&self.helper), Operation::Run { command: command.clone(), seconds: self.seconds });
        let program = command.shown();
        let flight = self.flights.join(command, || async move {
            let output = helper.ask(run, Zeroizing::default()).await?;
            text(output).map_err(|what| HelperError::Unusable { program, what })
        });
        flight.landed().await.unwrap_or(Err(HelperError::Silent))
    }
}

/// The same bytes as text, moved and not copied.
fn text(mut output: Bytes) -> Result<Secret, &'static str> {
    if output.is_empty() {
        return Err("nothing");
    }
    match String::from_utf8(std::mem::take(&mut *output)) {
        Ok(text) => Ok(Secret::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err("bytes that are no text")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::super::scripted::ScriptedHelper;
    use super::*;

    fn token() -> CommandLine {
        vec!["/usr/bin/token".to_owned()].try_into().unwrap()
    }

    #[tokio::test]
    async fn a_thousand_who_ask_at_once_run_it_once() {
        let helper = ScriptedHelper::new([Ok(b"CANARY".to_vec()), Ok(b"next".to_vec())]);
        let commands = Arc::new(Commands::new(helper.clone(), 30));
        let asking: Vec<_> = (0..1000)
            .map(|_| {
                let commands = Arc::clone(&commands);
                async move { commands.output(&token()).await.unwrap().expose_secret().to_owned() }
            })
            .collect();
        for asked in asking.into_iter().map(tokio::spawn).collect::<Vec<_>>() {
            assert_eq!(asked.await.unwrap(), "CANARY");
        }
        assert_eq!(helper.asked(), [Operation::Run { command: token(), seconds: 30 }]);
        assert_eq!(commands.output(&token()).await.unwrap().expose_secret(), "next", "and later anew");
    }

    #[tokio::test]
    async fn an_output_that_is_no_text_is_an_error_that_does_not_show_it() {
        let helper = ScriptedHelper::new([Ok(Vec::new()), Ok(b"\xffCANARY".to_vec()), Err(Fault::Busy)]);
        let commands = Commands::new(helper, 30);
        let mut said = Vec::new();
        for _ in 0..3 {
            said.push(commands.output(&token()).await.unwrap_err().to_string());
        }
        let busy = Fault::Busy.to_string();
        assert_eq!(said, ["/usr/bin/token printed nothing", "/usr/bin/token printed bytes that are no text", &busy]);
    }
}
