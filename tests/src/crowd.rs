//! Many tools at once: real `tegata credential-process` processes that all start asking at the same moment.

use crate::product::{Ended, Product, code_of, wait_until};
use std::fs::{self, File};
use std::io::PipeWriter;
use std::path::PathBuf;
use std::process::{Child, Command};

/// Processes that were told to ask. Each writes to files of its own: a pipe for each would take a thousand descriptors.
#[derive(Debug)]
pub struct Crowd {
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    process: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Crowd {
    /// Starts `size` processes with these arguments of `tegata`, and lets them go once all are there.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn gather(product: &Product, size: usize, arguments: &[&str]) -> Self {
        let dir =
            tempfile::Builder::new().prefix("crowd").tempdir_in(product.path("")).expect("a directory in the home");
        let dir = dir.keep();
        let (barrier, gate) = std::io::pipe().expect("a pipe");
        let start = |number: usize| {
            let (stdout, stderr) = (dir.join(format!("{number}.out")), dir.join(format!("{number}.err")));
            let mut command = waiting_for_the_gate(product, arguments);
            command.stdin(barrier.try_clone().expect("a descriptor"));
            command.stdout(File::create(&stdout).expect("a file")).stderr(File::create(&stderr).expect("a file"));
            Member { process: command.spawn().expect("a process starts"), stdout, stderr }
        };
        let members = (0..size).map(start).collect();
        open(gate);
        Self { members }
    }

    /// Waits until as many connections to the daemon are accepted as there are members.
    pub fn is_connected(&self, product: &Product) {
        wait_until("everybody is connected", || connections(product) >= self.members.len());
    }

    /// Returns whether all have ended.
    pub fn is_over(&mut self) -> bool {
        let over = |member: &mut Member| member.process.try_wait().is_ok_and(|status| status.is_some());
        self.members.iter_mut().all(over)
    }

    /// Waits for all and returns how each ended.
    ///
    /// # Panics
    /// When what one wrote is not text.
    #[must_use]
    pub fn ends(self) -> Vec<Ended> {
        let end = |mut member: Member| {
            let code = code_of(member.process.wait().expect("it is our child"));
            let text = |path: &PathBuf| fs::read_to_string(path).expect("the output is text");
            Ended { code, stdout: text(&member.stdout), stderr: text(&member.stderr) }
        };
        self.members.into_iter().map(end).collect()
    }
}

/// Returns `tegata` behind a shell that turns into it when its standard input ends.
fn waiting_for_the_gate(product: &Product, arguments: &[&str]) -> Command {
    let mut command = product.command("sh");
    command.args(["-c", "read -r _; exec \"$@\"", "sh"]).arg(crate::program("tegata")).args(arguments);
    command
}

/// All readers of the pipe see its end at once.
fn open(gate: PipeWriter) {
    drop(gate);
}

/// Returns how many connections the daemon has accepted and not closed (proc_pid_net(5): state 03 is connected).
fn connections(product: &Product) -> usize {
    let table = fs::read_to_string("/proc/net/unix").expect("the kernel lists its sockets");
    let home = product.path("run");
    let home = home.to_str().expect("the home is text");
    table.lines().filter(|line| line.contains(home) && line.split_whitespace().nth(5) == Some("03")).count()
}
