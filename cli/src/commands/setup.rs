//! `tegata setup`: what can be said on the command line. What is done with it is [`crate::setup`]'s.

use super::login::HowToSignIn;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::setup::{Agreement, Choice, DEFAULT_TEMPLATE, Filter, Request, TakeOver, Wanted};
use clap::Args;

/// What asks for something else than setting up an organisation.
const OTHERWISE: [&str; 3] = ["adopt", "from", "undo"];

/// Sign in, and write a profile for every role you choose.
///
/// Signs in to your organisation, lists its accounts and your roles in them, and writes a profile for each that you choose into
/// the AWS config file: between two markers, after showing the difference, with a backup. Profiles of your own are never touched.
/// A later run adds what is new; it keeps every name it has given.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata setup                                     asks for what it needs
  tegata setup --start-url https://acme.awsapps.com/start --region us-east-1
  tegata setup --session acme --roles 'ReadOnly*,*Admin*' --accounts 'acme-prod*' --yes
  tegata setup --session acme --all --prune --dry-run
  tegata setup --name-template '{session}/{account|kebab}.{role}'
  tegata setup --adopt dev prod-admin              serve existing profiles, under their names
  tegata setup --from granted --dry-run            what taking over another tool's would write
  tegata setup --undo                              the AWS config file as it was, byte for byte

Name templates: {account} {account_id} {role} {email} {session}, each with filters: {account|kebab}, {role|lower}.")]
pub(crate) struct Setup {
    /// The organisation's start URL [default: that of --session, or of the only one there is]
    #[arg(long, value_name = "URL", conflicts_with_all = OTHERWISE)]
    start_url: Option<String>,
    /// The region of its IAM Identity Center
    #[arg(long, conflicts_with_all = OTHERWISE)]
    region: Option<String>,
    /// The sign-in session's name, [sso-session NAME] [default: after the start URL]
    #[arg(long, value_name = "NAME", conflicts_with_all = OTHERWISE)]
    session: Option<String>,
    /// Every role of every account
    #[arg(long, conflicts_with_all = ["accounts", "roles", "adopt", "from", "undo"])]
    all: bool,
    /// The accounts whose name or id fits one of these patterns, with * and ?
    #[arg(long, value_name = "PATTERN", value_delimiter = ',', conflicts_with_all = OTHERWISE)]
    accounts: Vec<String>,
    /// The roles whose name fits one of these patterns
    #[arg(long, value_name = "PATTERN", value_delimiter = ',', conflicts_with_all = OTHERWISE)]
    roles: Vec<String>,
    /// How new profiles are named
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = OTHERWISE, help = format!("How new profiles are named [default: {DEFAULT_TEMPLATE}]"))]
    name_template: Option<String>,
    /// The region of new profiles [default: that of the sign-in session]
    #[arg(long, value_name = "REGION", conflicts_with_all = OTHERWISE)]
    profile_region: Option<String>,
    /// Remove the profiles of roles that AWS no longer lists for you
    #[arg(long, conflicts_with_all = OTHERWISE)]
    prune: bool,
    /// Show the difference and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write without asking
    #[arg(long, short)]
    yes: bool,
    /// Fail where somebody would have to sign in first
    #[arg(long, conflicts_with_all = OTHERWISE)]
    no_sign_in: bool,
    #[command(flatten)]
    how: HowToSignIn,
    #[command(flatten, next_help_heading = "Profiles that are there already")]
    take_over: TakeOver,
}

impl Setup {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        if self.take_over.is_asked_for() {
            return self.take_over.run(Agreement { dry_run: self.dry_run, yes: self.yes }, environment);
        }
        self.request()?.run(environment)
    }

    fn request(self) -> Result<Request, Failure> {
        let choice = match (self.all, self.accounts.is_empty() && self.roles.is_empty()) {
            (true, _) => Choice::All,
            (false, true) => Choice::ByHand,
            (false, false) => Choice::Fitting(Filter { accounts: self.accounts, roles: self.roles }),
        };
        let region = self.profile_region.as_deref().map(crate::setup::region).transpose();
        Ok(Request {
            wanted: Wanted { start_url: self.start_url, region: self.region, session: self.session },
            choice,
            template: self.name_template,
            profile_region: region.map_err(|why| Failure::new(Kind::Usage, why))?,
            prune: self.prune,
            dry_run: self.dry_run,
            yes: self.yes,
            no_sign_in: self.no_sign_in,
            how: self.how,
        })
    }
}
