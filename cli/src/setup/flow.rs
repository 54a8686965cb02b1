//! The story of a setup: which organisation, signing in, fetching, choosing, naming, showing, asking, writing. Until the last
//! step nothing of the person's is touched, so that going away at any moment leaves everything as it was.

use super::choose::{self, Filter, Target};
use super::inventory::{Fetch, READING};
use super::names::{DEFAULT, Template};
use super::plan::{self, Plan, Wish};
use super::private::PrivateConfig;
use super::session::{self, Session, Unsettled, Wanted};
use super::start_url::{self, StartUrl};
use super::texts::{self, Gates};
use crate::aws_config::{self, Backups, Change, ConfigFile, Program, Section, SectionKind};
use crate::client::{self, Client};
use crate::commands::login::HowToSignIn;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress, Style};
use crate::question;
use crate::signals::Signals;
use std::io::IsTerminal;
use tegata_protocol::body::{self, Profiles, SessionState, Status};
use tegata_protocol::{ErrorCode, paths};

/// How often a person is asked again for something that cannot be.
const PATIENCE: usize = 5;
/// The most pages of a listing that are read.
const MAX_PAGES: usize = 10_000;

/// What was said on the command line.
pub(crate) struct Request {
    pub(crate) wanted: Wanted,
    pub(crate) choice: Choice,
    pub(crate) template: Option<String>,
    pub(crate) profile_region: Option<String>,
    pub(crate) prune: bool,
    pub(crate) dry_run: bool,
    pub(crate) yes: bool,
    pub(crate) no_sign_in: bool,
    pub(crate) how: HowToSignIn,
}

/// Which roles become profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    All,
    Fitting(Filter),
    /// The person is asked.
    ByHand,
}

/// A setup under way.
struct Setup<'a> {
    request: Request,
    environment: &'a Environment,
    signals: &'a Signals,
    /// Whether there is somebody to ask.
    somebody: bool,
    file: ConfigFile,
    program: Program,
    template: Template,
}

impl Request {
    /// Sets up.
    ///
    /// # Errors
    /// Whatever ended it; then nothing was written.
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let template = self.template.as_deref().unwrap_or(DEFAULT);
        let template = Template::parse(template).map_err(usage)?;
        let file = ConfigFile::read(&aws_config::path(environment)?)?;
        let program = Program::of_this_process(environment)?;
        let somebody = question::somebody_is_there() && std::io::stdout().is_terminal();
        let signals = Signals::catch()?;
        let setup = Setup { request: self, environment, signals: &signals, somebody, file, program, template };
        setup.run()
    }
}

impl Setup<'_> {
    fn run(mut self) -> Result<(), Failure> {
        let style = Style::for_stderr(self.environment);
        for warning in self.file.warnings() {
            output::tell(&format!("{} {warning}", style.warning("warning:")));
        }
        let session = self.session()?;
        let config = PrivateConfig::write(self.environment, std::slice::from_ref(&session.section))?;
        self.sign_in(&session, config.as_text()?)?;
        let offered = self.fetch(&session, config.as_text()?)?;
        let (chosen, only_chosen) = self.choose(&session, &offered)?;
        let plan = self.plan(&session, &offered, &chosen, only_chosen)?;
        let process = |name: &str| self.program.for_profile(name);
        let sections = plan.sections(&session, self.file.generated(), process)?;
        let gates = self.gates(&session, &sections)?;
        let change = self.file.with_generated(&sections)?;
        self.show(&session, &plan, &gates, &change)?;
        if change.is_empty() || self.request.dry_run {
            return Ok(());
        }
        self.confirm()?;
        let written = change.write(&Backups::hold(self.environment)?)?;
        output::tell(&texts::written(&session, &plan, &gates, &written));
        Ok(())
    }

    /// Settles which sign-in session this is about, asking where somebody is there.
    fn session(&mut self) -> Result<Session, Failure> {
        for _ in 0..PATIENCE {
            self.follow_own_address()?;
            match session::settle(&self.request.wanted, self.file.sections(), self.file.generated()) {
                Ok(session) if self.somebody => return self.name_session(session),
                Ok(session) => return self.nothing_more_to_say(&[]).map(|()| session),
                Err(Unsettled::Wrong(why)) => return Err(usage(why)),
                Err(Unsettled::StartUrl) if self.somebody => self.ask_for_start_url()?,
                Err(Unsettled::Region) if self.somebody => self.ask_for_region()?,
                Err(Unsettled::StartUrl) if self.request.wanted.region.is_none() => {
                    self.nothing_more_to_say(&["--start-url", "--region"])?;
                }
                Err(Unsettled::StartUrl) => self.nothing_more_to_say(&["--start-url"])?,
                Err(Unsettled::Region) => self.nothing_more_to_say(&["--region"])?,
            }
        }
        Err(usage("no start URL and region to go on with"))
    }

    fn ask_for_start_url(&mut self) -> Result<(), Failure> {
        let answer = self.answer("Start URL of your organisation (https://NAME.awsapps.com/start): ")?;
        match StartUrl::parse(&answer) {
            Ok(url) => self.request.wanted.start_url = Some(url.as_str().to_owned()),
            Err(why) => output::tell(&why),
        }
        Ok(())
    }

    /// Has the daemon follow an address that is not one of AWS's own: the command line speaks with nobody but the daemon.
    fn follow_own_address(&mut self) -> Result<(), Failure> {
        let Some(address) = session::own_address(&self.request.wanted, self.file.sections()) else { return Ok(()) };
        let target = client::Target::new(paths::START_URL).with(paths::QUERY_ADDRESS, Some(address.as_str()));
        let client = Client::new(self.environment)?.ended_by(self.signals);
        let _progress = Progress::begin("following the address");
        let led: body::StartUrl = client.get(target.as_str(), READING)?;
        let portal = StartUrl::parse(&led.start_url).ok().filter(StartUrl::is_portal_of_aws);
        let portal = portal.ok_or_else(|| usage(format!("{} does not lead to AWS", address.as_str())))?;
        output::tell(&format!("{} leads to {}.", address.as_str(), portal.as_str()));
        self.request.wanted.start_url = Some(portal.as_str().to_owned());
        Ok(())
    }

    fn ask_for_region(&mut self) -> Result<(), Failure> {
        let answer = self.answer("Region of its IAM Identity Center (such as us-east-1): ")?;
        match start_url::region(&answer) {
            Ok(region) => self.request.wanted.region = Some(region),
            Err(why) => output::tell(&why),
        }
        Ok(())
    }

    /// Lets the person name a session that is new.
    fn name_session(&mut self, session: Session) -> Result<Session, Failure> {
        if session.known || self.request.wanted.session.is_some() {
            return Ok(session);
        }
        for _ in 0..PATIENCE {
            let answer = self.answer(&format!("Name of this sign-in session [{}]: ", session.name))?;
            if answer.is_empty() {
                return Ok(session);
            }
            let wanted = Wanted { session: Some(answer), ..self.request.wanted.clone() };
            match session::settle(&wanted, self.file.sections(), self.file.generated()) {
                Ok(session) => return Ok(session),
                Err(Unsettled::Wrong(why)) => output::tell(&why),
                Err(_) => return Ok(session),
            }
        }
        Ok(session)
    }

    fn answer(&self, question: &str) -> Result<String, Failure> {
        question::line(question, self.signals)
    }

    /// Says everything that nobody can be asked for, at once and before anything is begun.
    fn nothing_more_to_say(&self, missing: &[&str]) -> Result<(), Failure> {
        let mut missing = missing.to_vec();
        if self.request.choice == Choice::ByHand {
            missing.push("--all (or --accounts, --roles)");
        }
        if !self.request.yes && !self.request.dry_run {
            missing.push("--yes (or --dry-run)");
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(usage(format!("there is no terminal to ask on; say {}", missing.join(", "))).mend("tegata setup --help"))
    }

    fn sign_in(&self, session: &Session, config: &str) -> Result<(), Failure> {
        let client = Client::new(self.environment)?.ended_by(self.signals);
        let target = client::Target::new(paths::STATUS).with(paths::QUERY_CONFIG, Some(config));
        let status: Status = client.get(target.as_str(), READING)?;
        let state = status.sessions.iter().find(|known| known.name == session.name).map(|known| known.state);
        if state == Some(SessionState::SignedIn) {
            return Ok(());
        }
        if self.request.no_sign_in {
            let message = format!("nobody is signed in to {} ({})", session.name, session.start_url);
            let again =
                if session.known { format!("tegata login {}", session.name) } else { "tegata setup".to_owned() };
            return Err(Failure::new(Kind::Reported(ErrorCode::SignInRequired), message).mend(again));
        }
        let (name, config) = (Some(session.name.clone()), Some(config.to_owned()));
        self.request.how.sign_in(name, config, Some("tegata setup"), self.environment, self.signals)
    }

    fn fetch(&self, session: &Session, config: &str) -> Result<Vec<Target>, Failure> {
        let (environment, signals) = (self.environment, self.signals);
        let fetched = Fetch { environment, signals, session: &session.name, config }.all()?;
        let offered = choose::targets(&fetched.accounts);
        output::tell(&texts::fetched(session, &fetched, offered.len()));
        if offered.is_empty() && plan::of_session(self.file.generated(), &session.name).next().is_none() {
            let message = format!("AWS lists no role for you in {}: whoever runs it has to assign one", session.name);
            return Err(Failure::new(Kind::Failed, message));
        }
        Ok(offered)
    }

    /// Returns what was chosen, and whether that is meant to be all there is.
    fn choose(&self, session: &Session, offered: &[Target]) -> Result<(Vec<Target>, bool), Failure> {
        match &self.request.choice {
            Choice::All => Ok((offered.to_vec(), false)),
            Choice::Fitting(filter) => {
                let chosen = filter.chosen(offered);
                if chosen.is_empty() && !self.request.prune {
                    return Err(usage(format!("no role fits; you have {}", texts::count(offered.len(), "role"))));
                }
                Ok((chosen, false))
            }
            Choice::ByHand if offered.is_empty() => Ok((vec![], false)),
            Choice::ByHand => {
                let there: Vec<_> = plan::of_session(self.file.generated(), &session.name).map(plan::reached).collect();
                let ticked = offered.iter().enumerate().filter(|(_, target)| there.contains(&target.key()));
                let ticked: Vec<usize> = ticked.map(|(at, _)| at).collect();
                output::tell("Choose the roles that become profiles:");
                let chosen = choose::by_hand(self.environment, offered, ticked.iter().copied(), self.signals)?;
                output::tell(&format!("{} chosen.", texts::count(chosen.len(), "role")));
                if chosen.is_empty() && ticked.is_empty() {
                    return Err(Failure::new(Kind::RefusedByPerson, "nothing was chosen, and nothing was written"));
                }
                Ok((chosen, true))
            }
        }
    }

    /// Plans, and lets the person change the names and say what is to go.
    fn plan(&mut self, session: &Session, offered: &[Target], chosen: &[Target], only: bool) -> Result<Plan, Failure> {
        let mut prune = self.request.prune;
        let mut plan = self.planned(session, offered, chosen, only, prune);
        if self.somebody && !self.request.yes && self.request.template.is_none() && plan.count_new() > 0 {
            plan = self.rename(plan, |setup| setup.planned(session, offered, chosen, only, prune))?;
        }
        if !plan.gone.is_empty() && !prune {
            prune = self.somebody && !self.request.yes && question::yes(&texts::prune_question(&plan), self.signals)?;
            if prune {
                plan = self.planned(session, offered, chosen, only, prune);
            } else {
                output::tell(&texts::not_pruned(&plan));
            }
        }
        Ok(plan)
    }

    fn rename(&mut self, mut plan: Plan, again: impl Fn(&Self) -> Plan) -> Result<Plan, Failure> {
        loop {
            output::tell(&texts::names(&plan));
            let answer = self.answer("Name template (enter to keep these names): ")?;
            if answer.is_empty() {
                return Ok(plan);
            }
            match Template::parse(&answer) {
                Err(why) => output::tell(&why),
                Ok(template) => {
                    self.template = template;
                    plan = again(self);
                }
            }
        }
    }

    fn planned(
        &self,
        session: &Session,
        offered: &[Target],
        chosen: &[Target],
        only_chosen: bool,
        prune: bool,
    ) -> Plan {
        let generated = self.file.generated();
        let outside: Vec<String> =
            self.file.sections().iter().filter(|section| self.is_outside(section)).map(name).collect();
        let region = self.request.profile_region.as_deref().unwrap_or(&session.region);
        let template = &self.template;
        let outside = &outside;
        plan::plan(&Wish { session, generated, outside, offered, chosen, template, region, only_chosen, prune })
    }

    fn is_outside(&self, section: &Section) -> bool {
        matches!(section.kind, SectionKind::Profile | SectionKind::Default)
            && self.file.outside(section.kind, &section.name).is_some()
    }

    /// Has the daemon say what would stand before each profile: its rules decide, and nobody guesses them here.
    fn gates(&self, session: &Session, sections: &[Section]) -> Result<Gates, Failure> {
        let mut preview = vec![session.section.clone()];
        preview.extend(plan::of_session(sections, &session.name).cloned());
        let config = PrivateConfig::write(self.environment, &preview)?;
        let client = Client::new(self.environment)?.ended_by(self.signals);
        let _progress = Progress::begin("looking up the gates");
        let mut gates = Gates::default();
        let mut next: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let target = client::Target::new(paths::PROFILES).with(paths::QUERY_CONFIG, Some(config.as_text()?));
            let page: Profiles = client.get(target.with(paths::QUERY_PAGE, next.as_ref()).as_str(), READING)?;
            gates.add(&page.profiles);
            if page.next_page.is_none() || page.next_page == next {
                break;
            }
            next = page.next_page;
        }
        Ok(gates)
    }

    /// Shows the difference, then the profiles: what matters more stands nearer to the question.
    fn show(&self, session: &Session, plan: &Plan, gates: &Gates, change: &Change) -> Result<(), Failure> {
        if change.is_empty() {
            output::tell(&texts::nothing_to_do(session, plan));
            return Ok(());
        }
        let diff = change.diff();
        let diff = diff.trim_end_matches('\n').to_owned();
        let whole = self.request.dry_run || self.request.yes || !self.somebody;
        match output::say(if whole { diff } else { texts::start_of(&diff) }.as_str()) {
            // Who agreed beforehand need not read on: `tegata setup --all --yes | head` writes all the same.
            Err(closed) if closed.kind == Kind::OutputClosed && self.request.yes && !self.request.dry_run => {}
            said => said?,
        }
        output::tell(&texts::preview(plan, gates));
        Ok(())
    }

    fn confirm(&self) -> Result<(), Failure> {
        let path = self.file.path().display();
        if self.request.yes || question::yes(&format!("Write this to {path}? [y/N] "), self.signals)? {
            return self.signals.failure().map_or(Ok(()), Err);
        }
        Err(Failure::new(Kind::RefusedByPerson, "nothing was written"))
    }
}

fn name(section: &Section) -> String {
    section.name.clone()
}

fn usage(message: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Usage, message)
}
