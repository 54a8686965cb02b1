//! The job of GitHub Actions that this daemon runs in: handed over by `tegata login`, held in memory, and good only against GitHub.
//!
//! One at a time: a runner runs one job, and a later one takes the earlier one's place. It must not know what a token is for.

use std::sync::{Arc, Mutex, PoisonError};
use tegata_protocol::Secret;
use url::{Host, Url};

/// Below which name the token services of GitHub Actions are.
const GITHUB: &str = ".actions.githubusercontent.com";
/// The most bytes of either part of a job.
const LONGEST: usize = 16 * 1024;

/// What a job asks for identity tokens with.
#[derive(Debug)]
pub struct Job {
    url: Url,
    token: Secret,
}

/// Why something handed over is no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobFault {
    /// The address is somebody else's.
    #[error(
        "ACTIONS_ID_TOKEN_REQUEST_URL is no https address below actions.githubusercontent.com; nothing is sent there"
    )]
    NotGithub,
    /// The token is none.
    #[error("ACTIONS_ID_TOKEN_REQUEST_TOKEN is no token")]
    NoToken,
}

impl Job {
    /// Takes what a job's environment says. `own` is an address in place of GitHub's: then only it is good.
    ///
    /// # Errors
    /// [`JobFault`].
    pub fn new(url: &str, token: Secret, own: Option<&Url>) -> Result<Self, JobFault> {
        let parsed = Url::parse(url).ok().filter(|parsed| url.len() <= LONGEST && is_bare(parsed));
        let url = parsed.filter(|url| own.map_or_else(|| is_github(url), |own| url.origin() == own.origin()));
        let url = url.ok_or(JobFault::NotGithub)?;
        let text = token.expose_secret();
        let fits = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self { url, token }) } else { Err(JobFault::NoToken) }
    }

    /// Returns the address at which a token for `audience` is asked for.
    #[must_use]
    pub fn url_for(&self, audience: &str) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("audience", audience);
        url
    }

    /// Returns what proves that it is this job that asks.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

fn is_github(url: &Url) -> bool {
    let below = |name: &str| name.strip_suffix(GITHUB).is_some_and(|label| !label.is_empty());
    url.scheme() == "https" && url.port().is_none() && matches!(url.host(), Some(Host::Domain(name)) if below(name))
}

/// The job this daemon serves, if it serves one.
#[derive(Debug, Default)]
pub struct GithubJob {
    /// In place of GitHub's hosts: `[endpoints] github_actions`.
    own: Option<Url>,
    job: Mutex<Option<Arc<Job>>>,
}

impl GithubJob {
    /// Serves none yet. `own` is an address in place of GitHub's hosts.
    #[must_use]
    pub fn at(own: Option<Url>) -> Self {
        Self { own, job: Mutex::default() }
    }

    /// Checks a job that is handed over, and keeps nothing of it.
    ///
    /// # Errors
    /// [`JobFault`].
    pub fn read(&self, url: &str, token: Secret) -> Result<Arc<Job>, JobFault> {
        Job::new(url, token, self.own.as_ref()).map(Arc::new)
    }

    /// Serves this job from now on.
    pub fn serve(&self, job: Arc<Job>) {
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
    }

    /// Returns the job.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Job>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets it.
    pub fn forget(&self) {
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str =
        "https://run-actions-1-azure-eastus.actions.githubusercontent.com/160//idtoken/a/b?api-version=2.0";

    fn job(url: &str, own: Option<&str>) -> Result<Job, JobFault> {
        let own = own.map(|own| Url::parse(own).unwrap());
        Job::new(url, Secret::new("CANARY".to_owned()), own.as_ref())
    }

    #[test]
    fn the_audience_is_put_behind_what_the_job_says() {
        let asked = job(URL, None).unwrap().url_for("sts.amazonaws.com&x=/?#é");
        assert_eq!(asked.as_str(), format!("{URL}&audience=sts.amazonaws.com%26x%3D%2F%3F%23%C3%A9"));
    }

    #[test]
    fn h8_the_token_of_a_job_goes_to_no_other_host() {
        for url in [
            "http://pipelines.actions.githubusercontent.com/x",
            "https://actions.githubusercontent.com/x",
            "https://.actions.githubusercontent.com/x",
            "https://evil.example/.actions.githubusercontent.com",
            "https://pipelines.actions.githubusercontent.com.evil.example/x",
            "https://evilactions.githubusercontent.com/x",
            "https://pipelines.actions.githubusercontent.com@evil.example/x",
            "https://pipelines.actions.githubusercontent.com:8443/x",
            "https://user@pipelines.actions.githubusercontent.com/x",
            "https://evil.example\\.actions.githubusercontent.com/x",
            "https://evil.example#.actions.githubusercontent.com",
            "https://169.254.169.254/x",
            "file:///etc/passwd",
            "",
            &format!("{URL}&x={}", "x".repeat(LONGEST)),
        ] {
            assert_eq!(job(url, None).unwrap_err(), JobFault::NotGithub, "{url:.80}");
        }
    }

    #[test]
    fn h8_twin_githubs_hosts_are_asked_and_another_address_only_where_the_settings_say() {
        for url in
            [URL, "https://pipelines.actions.githubusercontent.com/a?x=1", "https://A.ACTIONS.GITHUBUSERCONTENT.COM/"]
        {
            assert!(job(url, None).is_ok(), "{url}");
        }
        let own = Some("http://127.0.0.1:7000/base");
        assert!(job("http://127.0.0.1:7000/x/idtoken?api-version=2.0", own).is_ok());
        for other in [URL, "http://127.0.0.1:7001/x", "https://127.0.0.1:7000/x", "http://localhost:7000/x"] {
            assert_eq!(job(other, own).unwrap_err(), JobFault::NotGithub, "{other}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_a_job_never_shows_it() {
        for token in ["", "a b", "a\nb", "é", &"x".repeat(LONGEST + 1)] {
            let refused = Job::new(URL, Secret::new(token.to_owned()), None).unwrap_err();
            assert_eq!(refused, JobFault::NoToken);
        }
        assert!(!format!("{:?}", job(URL, None).unwrap()).contains("CANARY"));
    }

    #[test]
    fn a_later_job_takes_the_place_of_an_earlier_one() {
        let jobs = GithubJob::default();
        assert!(jobs.get().is_none());
        for token in ["first", "second"] {
            jobs.serve(jobs.read(URL, Secret::new(token.to_owned())).unwrap());
            assert_eq!(jobs.get().unwrap().token().expose_secret(), token);
        }
        jobs.forget();
        assert!(jobs.get().is_none());
    }
}
