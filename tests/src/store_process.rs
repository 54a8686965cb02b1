//! The store in a process of its own (`store-driver`), which lives in any environment and can be killed.

use crate::product::wait_until;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// The process.
#[derive(Debug)]
pub struct StoreProcess {
    process: Child,
    stdin: ChildStdin,
    answers: Arc<Mutex<Answers>>,
    asked: usize,
}

#[derive(Debug, Default)]
struct Answers {
    outcomes: HashMap<String, String>,
    ended: bool,
}

/// A request that has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(String);

impl StoreProcess {
    /// Starts `command`, which runs `store-driver`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("store-driver starts");
        let stdin = process.stdin.take().expect("stdin is piped");
        let stdout = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let answers = Arc::<Mutex<Answers>>::default();
        let heard = Arc::clone(&answers);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let (id, outcome) = line.split_once(' ').unwrap_or((&line, ""));
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.outcomes.insert(id.to_owned(), outcome.to_owned());
            }
            heard.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        });
        Self { process, stdin, answers, asked: 0 }
    }

    /// Sends a request: `VERB [OWNER [TEXT]]`.
    pub fn begin(&mut self, request: &str) -> Asked {
        self.asked += 1;
        let id = self.asked.to_string();
        // A process that has been killed reads nothing; its answer says so.
        let _ = writeln!(self.stdin, "{id} {request}");
        Asked(id)
    }

    /// Returns the outcome of a request, if it is there.
    #[must_use]
    pub fn outcome(&self, asked: &Asked) -> Option<String> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).outcomes.get(&asked.0).cloned()
    }

    /// Waits for the outcome of a request; `killed` if the process ended over it.
    pub fn wait(&self, asked: &Asked) -> String {
        wait_until("the store answers", || {
            self.outcome(asked).is_some() || self.answers.lock().unwrap_or_else(PoisonError::into_inner).ended
        });
        self.outcome(asked).unwrap_or_else(|| String::from("killed"))
    }

    /// Sends a request and waits for its outcome.
    pub fn ask(&mut self, request: &str) -> String {
        let asked = self.begin(request);
        self.wait(&asked)
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills the process as a power cut would, and returns whether SIGKILL was its end.
    pub fn kill(mut self) -> bool {
        let _ = self.process.kill();
        self.process.wait().is_ok_and(|status| status.signal() == Some(9))
    }
}

impl Drop for StoreProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
