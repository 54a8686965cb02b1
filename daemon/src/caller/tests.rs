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
    let leader = rustix::process::getsid(None).unwrap().as_raw_pid().cast_unsigned();
    assert!(caller.login_session.is_none_or(|session| session.leader == leader));
    connector.require_alive().unwrap();
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
    let connector = Connector { pid: child.id(), pidfd: open_by_number(child.id()).unwrap() };
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
