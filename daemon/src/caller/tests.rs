use super::*;
use tokio::net::UnixStream;

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[tokio::test]
async fn a3_twin_the_users_own_process_is_known() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let (caller, connector) = Callers::of_user(own_uid()).admit(&ours).unwrap();
    assert_eq!((caller.uid, caller.gid), (own_uid(), rustix::process::getegid().as_raw()));
    assert_eq!(caller.process.pid, std::process::id());
    assert_eq!(caller.ancestry.first().map(|parent| parent.pid), Some(std::os::unix::process::parent_id()));
    let leader = harden::session(std::process::id()).unwrap();
    assert!(caller.login_session.is_none_or(|session| session.leader == leader));
    connector.require_alive().unwrap();
}

#[test]
fn the_session_of_a_process_is_what_the_kernel_lists() {
    let listed = stat::read(std::process::id()).unwrap().unwrap().session;
    assert_eq!(Kernel.session(std::process::id()), Some(listed));
    assert_eq!(Kernel.session(u32::MAX), None);
}

#[tokio::test]
async fn a3_a_process_of_another_user_is_refused_before_anything_is_read_about_it() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let error = Callers::of_user(own_uid() + 1).admit(&ours).unwrap_err();
    assert_eq!(error, PeerError::Foreign { uid: own_uid(), pid: std::process::id() });
}

#[tokio::test]
async fn one_process_is_the_same_caller_each_time() {
    let callers = Callers::of_user(own_uid());
    let (one, _other_end) = UnixStream::pair().unwrap();
    let (two, _another_end) = UnixStream::pair().unwrap();
    assert_eq!(callers.admit(&one).unwrap().0, callers.admit(&two).unwrap().0);
}

#[test]
fn a15_a_process_that_has_ended_is_gone_even_before_it_is_reaped() {
    let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    let connector = Connector { pid: child.id(), pidfd: Arc::new(open_by_number(child.id()).unwrap()) };
    assert_eq!(connector.require_alive(), Ok(()));
    drop(child.stdin.take());
    while connector.require_alive().is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(connector.require_alive(), Err(PeerError::Gone { pid: child.id() }));
    child.wait().unwrap();
    assert_eq!(connector.require_alive(), Err(PeerError::Gone { pid: child.id() }));
    assert_eq!(open_by_number(child.id()).unwrap_err(), Errno::SRCH);
}

/// A process that lives until it is dropped.
struct Sleeper(std::process::Child);

impl Sleeper {
    fn new() -> Self {
        Self(std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap())
    }

    fn connector(&self) -> Connector {
        Connector { pid: self.0.id(), pidfd: Arc::new(open_by_number(self.0.id()).unwrap()) }
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// Makes it be remembered that the process was called `name` when it was read.
fn remember_as(callers: &Callers, connector: &Connector, name: &str, read_at: Instant) {
    let own = Stat { name: name.into(), ..stat::read(connector.pid).unwrap().unwrap() };
    callers.recent.put(connector.pid, Arc::new((own, connector.pidfd.clone())), read_at);
}

#[test]
fn a_process_that_called_a_moment_ago_is_not_read_again() {
    let (callers, sleeper, now) = (Callers::of_user(own_uid()), Sleeper::new(), Instant::now());
    let connector = sleeper.connector();
    remember_as(&callers, &connector, "remembered", now);
    assert_eq!(callers.about(&connector, now).unwrap().name, "remembered");
    assert_ne!(callers.about(&connector, now + REMEMBERED_FOR).unwrap().name, "remembered");
    sleeper.end();
}

#[test]
fn a_process_that_has_left_its_session_is_read_again() {
    let (callers, sleeper, now) = (Callers::of_user(own_uid()), Sleeper::new(), Instant::now());
    let connector = sleeper.connector();
    let own = stat::read(connector.pid).unwrap().unwrap();
    let elsewhere = Stat { session: own.session + 1, ..own.clone() };
    callers.recent.put(connector.pid, Arc::new((elsewhere, connector.pidfd.clone())), now);
    assert_eq!(callers.about(&connector, now).unwrap().session, own.session);
    sleeper.end();
}

#[test]
fn a15_what_was_read_of_a_process_that_has_ended_is_never_told_of_one_with_its_pid() {
    let (callers, ended, now) = (Callers::of_user(own_uid()), Sleeper::new(), Instant::now());
    let successor = Sleeper::new();
    // As if the kernel had given the pid of the one that has ended to the other.
    let pid = successor.0.id();
    let old = Arc::new(open_by_number(ended.0.id()).unwrap());
    let own = Stat { name: "ended".into(), ..stat::read(pid).unwrap().unwrap() };
    callers.recent.put(pid, Arc::new((own, old)), now);
    ended.end();
    assert_ne!(callers.about(&successor.connector(), now).unwrap().name, "ended");
    successor.end();
}
