//! A machine to install packages on: this one's files under an overlay, in a mount namespace of its own. What is installed there is
//! there alone, and gone with the value. Needs root.

use crate::product::{Ended, Product, run};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Temporary files are shared, so that homes and sockets of the test are the same on both sides. Its own files lie elsewhere: an overlay
/// cannot lie in what it covers.
const BEGIN: &str = r#"
set -e
shared=$2
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
for directory in /proc /sys /dev "$shared"; do mount --rbind "$directory" ".$directory"; done
pivot_root . mnt
umount --lazy /mnt
rm -f /usr/sbin/policy-rc.d
echo ready
exec cat
"#;

/// A machine, until it is dropped.
#[derive(Debug)]
pub struct Machine {
    holder: Child,
    directory: TempDir,
}

impl Machine {
    /// Starts one with nothing of Tegata installed.
    ///
    /// # Panics
    /// When the test is not root, or the kernel has no overlay file system.
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("machine").tempdir().expect("a directory");
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).expect("a directory");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c", BEGIN, "sh"])
            .arg(disk)
            .arg(std::env::temp_dir());
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare runs");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("it says something");
        assert_eq!(line, "ready\n", "no machine of one's own: root and an overlay file system are needed");
        Self { holder, directory }
    }

    /// Runs a command on it as root, with nothing of the test's own environment.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--mount"]).args(arguments);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        run(&mut command)
    }

    /// Runs a command that has to end well, and returns what it said on both streams.
    ///
    /// # Panics
    /// When it does not.
    pub fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.stdout + &ended.stderr
    }

    /// Has a package of the test's own machine where this one sees it, and returns the path.
    ///
    /// # Panics
    /// When it cannot be copied.
    #[must_use]
    pub fn brought(&self, package: &Path) -> String {
        let name = package.file_name().expect("a file");
        let copy = self.directory.path().join(name);
        fs::copy(package, &copy).expect("the package is copied");
        copy.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Has a product's programs run on this machine, as packages install them, by a user of it.
    ///
    /// # Panics
    /// When the home cannot be given to the user.
    pub fn runs(&self, product: &mut Product, uid: u32) {
        product.cli_binary = self.wrapper(uid, "/usr/bin/tegata");
        product.daemon_binary = self.wrapper(uid, "/usr/lib/tegata/tegatad");
        let home = product.path("");
        let built = crate::program("tegata").display().to_string();
        product.write_aws_config(&product.default_aws_config().replace(&built, "/usr/bin/tegata"));
        let ended = run(Command::new("chown").args(["-R", &format!("{uid}:{uid}")]).arg(home));
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    /// A program of this test's machine that runs one of that machine with its own environment.
    fn wrapper(&self, uid: u32, program: &str) -> PathBuf {
        let name = Path::new(program).file_name().expect("a program").to_str().expect("a name");
        let enter = format!("nsenter --target {} --mount", self.holder.id());
        let drop = format!("setpriv --reuid={uid} --regid={uid} --clear-groups");
        let text = self.directory.path().join(format!("{name}.text"));
        let wrapper = self.directory.path().join(format!("{name}-as-{uid}"));
        fs::write(&text, format!("#!/bin/sh\nexec {enter} {drop} {program} \"$@\"\n")).expect("a file");
        fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).expect("a program");
        // By another process: what this one has open for writing could be busy in a sibling's fork.
        assert_eq!(run(Command::new("cp").arg(&text).arg(&wrapper)).code, 0);
        wrapper
    }

    /// Returns the processes of this machine that run a program.
    #[must_use]
    pub fn processes(&self, program: &str) -> Vec<u32> {
        self.all_processes().into_iter().filter(|pid| executable(*pid).is_some_and(|path| path == program)).collect()
    }

    fn all_processes(&self) -> Vec<u32> {
        let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
        let own = namespace(self.holder.id());
        let entries = fs::read_dir("/proc").expect("/proc is there").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| own.is_some() && namespace(*pid) == own).collect()
    }
}

/// The path of a process's program as its own machine sees it; ` (deleted)` behind it once the file is gone.
fn executable(pid: u32) -> Option<String> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()?.into_os_string().into_string().ok()
}

impl Drop for Machine {
    fn drop(&mut self) {
        for pid in self.all_processes() {
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
            let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        }
        let _ = self.holder.wait();
    }
}
