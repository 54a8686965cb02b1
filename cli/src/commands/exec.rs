//! `tegata exec`: runs a command that has the credentials of a profile, through an endpoint of its own or as variables.

use crate::child::{self, Changes, EndpointPlace, Region, StaticCredentials, Task};
use crate::client::Client;
use crate::credentials::{self, Credentials};
use crate::endpoint::Endpoint;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::picker::recents;
use crate::profile_files::{PrivateConfig, ProfileFiles};
use crate::question;
use clap::Args;
use rustix::process::DumpableBehavior;
use std::ffi::OsString;
use tegata_protocol::text::one_line;
use tegata_protocol::{ErrorCode, MAX_WAIT_SECONDS};

/// Run a command with the credentials of a profile.
///
/// The command, and what it starts, gets an endpoint of its own on 127.0.0.1, which AWS tools ask whenever they need credentials: they are renewed
/// for as long as the command runs, and the endpoint ends with it. Other profiles stay usable by name.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata exec dev -- aws s3 ls
  tegata exec prod-admin --read-only -- terraform plan
  tegata exec dev --env -- docker compose up        for what cannot reach 127.0.0.1 of this machine
  tegata exec dev --region eu-central-1 -- sh -c 'echo $AWS_REGION'

It ends as the command does, with its exit code or by its signal; 126 and 127 mean that it could not be run.")]
pub(crate) struct Exec {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    way: Way,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Whose credentials.
#[derive(Args)]
pub(crate) struct Of {
    /// The profile
    pub(crate) profile: String,
    /// Take the profile that reads the same account and changes nothing
    #[arg(long)]
    read_only: bool,
    /// The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Wait so many seconds for a person to approve or sign in [default: 15]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=MAX_WAIT_SECONDS))]
    wait: Option<u64>,
}

/// How a command gets them.
#[derive(Args)]
pub(crate) struct Way {
    /// Hand over variables that expire, in place of an endpoint
    #[arg(long)]
    env: bool,
}

impl Exec {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        run(&self.of, &self.way, &self.command, environment)
    }
}

/// Runs a command with the credentials of a profile. Nothing is run before there are some.
pub(crate) fn run(of: &Of, way: &Way, words: &[OsString], environment: &Environment) -> Result<(), Failure> {
    // This process passes on credentials for hours: no core of it, and no look into its memory (prctl(2)).
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| Failure::new(Kind::Failed, format!("cannot forbid core dumps: {errno}")))?;
    let obtained = Obtained::obtain(of, environment)?;
    if question::somebody_is_there() {
        recents::remember(environment, &of.profile);
    }
    if way.env {
        let mut changes = obtained.variables();
        changes.name_profile(&obtained.profile);
        return Err(Task { words, changes }.replace_this_process());
    }
    obtained.fits_an_endpoint()?;
    let Obtained { client, profile, files, region, .. } = obtained;
    let (text, bare_profile) = files.for_command(&profile);
    drop(files);
    let config = PrivateConfig::write(client.directory(), &text)?;
    let source = credentials::source(client, environment, &profile);
    let endpoint = Endpoint::open(Box::new(source))
        .map_err(|error| Failure::new(Kind::Failed, format!("cannot listen on 127.0.0.1: {error}")))?;
    let path = config.path();
    let place =
        EndpointPlace { url: &endpoint.url, token: &endpoint.token, profile: &bare_profile, config: path.as_os_str() };
    let mut changes = child::through_endpoint(&place, &region, environment);
    changes.name_profile(&profile);
    Task { words, changes }.run()
}

/// Credentials, and what belongs to them.
pub(crate) struct Obtained {
    client: Client<'static>,
    /// The one they are of, which with `--read-only` is not the one that was named.
    profile: String,
    credentials: Credentials,
    files: ProfileFiles,
    region: Region,
}

impl Obtained {
    pub(crate) fn obtain(of: &Of, environment: &Environment) -> Result<Self, Failure> {
        let client = Client::new(environment)?;
        let profile = match of.read_only {
            true => credentials::read_only(&client, environment, &of.profile)?,
            false => of.profile.clone(),
        };
        let credentials = credentials::obtain(&client, environment, &profile, of.wait)?;
        let files = ProfileFiles::read(environment)?;
        let region = Region::choose(of.region.as_deref(), environment, files.region(&profile).as_deref());
        Ok(Self { client, profile, credentials, files, region })
    }

    /// Access keys have no session token, and SDKs take nothing from an endpoint without one.
    fn fits_an_endpoint(&self) -> Result<(), Failure> {
        if self.credentials.session_token.is_some() {
            return Ok(());
        }
        let profile = one_line(&self.profile);
        let message = format!("{profile} hands out access keys, which the endpoint of a command has no form for");
        Err(Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), message)
            .mend(format!("tegata exec --env {profile} -- COMMAND")))
    }

    /// Returns the credentials as variables.
    pub(crate) fn variables(&self) -> Changes {
        let Credentials { access_key_id, secret_access_key, session_token, expiration, account_id } = &self.credentials;
        let (account_id, session_token) = (account_id.as_deref(), session_token.as_ref());
        let credentials = StaticCredentials { access_key_id, secret_access_key, session_token, expiration, account_id };
        child::static_credentials(&credentials, &self.region)
    }
}
