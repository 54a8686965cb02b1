//! A twin of the helper that answers by script. For tests: it fails on what the script does not have.

use super::{Bytes, Fault, Helper, HelperError, Operation};
use crate::aws::BoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// A helper by script.
#[derive(Debug)]
pub(crate) struct ScriptedHelper {
    answers: Mutex<VecDeque<Result<Vec<u8>, Fault>>>,
    asked: Mutex<Vec<Operation>>,
}

impl ScriptedHelper {
    /// Answers so, in order.
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Vec<u8>, Fault>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() })
    }

    /// What it was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<Operation> {
        self.asked.lock().unwrap().clone()
    }
}

impl Helper for ScriptedHelper {
    fn ask(&self, operation: Operation, _: Bytes) -> BoxFuture<'_, Result<Bytes, HelperError>> {
        Box::pin(async move {
            // A real one answers later.
            tokio::task::yield_now().await;
            self.asked.lock().unwrap().push(operation);
            let answer = self.answers.lock().unwrap().pop_front().expect("an answer in the script");
            answer.map(Zeroizing::new).map_err(HelperError::from)
        })
    }
}
