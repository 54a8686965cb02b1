//! Desktop notifications over D-Bus, the one way the daemon reaches a person unasked.

use crate::human::{Human, Notice};

/// How long a notice stays, in milliseconds; the desktop may do as it likes.
const SHOWN_FOR: i32 = 15_000;

/// A desktop with a notification service, if there is one.
#[derive(Debug)]
pub struct Desktop {
    enabled: bool,
}

impl Desktop {
    /// Makes a desktop; with `enabled` false, or without a session bus, notices go to the log.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self { enabled }
    }
}

impl Human for Desktop {
    fn notify(&self, notice: Notice) {
        tracing::info!("notice: {}. {}", notice.summary, notice.body);
        if self.enabled {
            // Its own thread: the desktop may take its time, and nothing waits for it.
            let shown = std::thread::Builder::new().name("notice".to_owned()).spawn(move || show(&notice));
            if let Err(error) = shown {
                tracing::warn!("no thread to show a notice: {error}");
            }
        }
    }
}

fn show(notice: &Notice) {
    let shown = notify_rust::Notification::new()
        .appname("Tegata")
        .summary(&notice.summary)
        .body(&notice.body)
        .icon("dialog-password")
        .timeout(SHOWN_FOR)
        .show();
    if let Err(error) = shown {
        tracing::info!("no notification was shown: {error}");
    }
}
