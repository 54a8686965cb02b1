//! How long a console session lasts. Pure.
//!
//! `SessionDuration` is AWS's to refuse: it does for credentials that were themselves had by role chaining, and takes 15 minutes
//! to 12 hours else (IAM User Guide, "Enable custom identity broker access to the AWS console"). Without it a session lasts as
//! long as the credentials behind it.

use std::time::Duration;

/// The shortest session AWS makes.
const SHORTEST: Duration = Duration::from_secs(15 * 60);
/// The longest session AWS makes.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

/// Why a session cannot last that long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationFault {
    /// AWS makes none of that length.
    #[error("a console session lasts 15 minutes to 12 hours")]
    Range,
    /// A role was assumed with the credentials of another.
    #[error(
        "AWS takes no duration for the console of an assumed role (role chaining): it lasts as long as the role's credentials"
    )]
    Chained,
}

/// What bounds a session.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Whether the credentials were had by assuming a role with others.
    pub chained: bool,
    /// How long the person wants it.
    pub wanted: Option<Duration>,
    /// How long the grant lives that the link is released under.
    pub grant_left: Option<Duration>,
    /// How long AWS accepts the credentials.
    pub credentials_left: Duration,
}

/// Says whether AWS could make a session as it is wanted: known before any credentials are had.
///
/// # Errors
/// [`DurationFault`] where it could not.
pub fn possible(chained: bool, wanted: Option<Duration>) -> Result<(), DurationFault> {
    match wanted {
        Some(wanted) if !(SHORTEST..=LONGEST).contains(&wanted) => Err(DurationFault::Range),
        Some(_) if chained => Err(DurationFault::Chained),
        _ => Ok(()),
    }
}

/// Returns what AWS is told, and how long the session then lasts. Under a grant it is no longer than what is left of that, as far as
/// AWS makes sessions so short.
///
/// # Errors
/// [`DurationFault`] where AWS would refuse.
pub fn session_duration(bounds: Bounds) -> Result<(Option<Duration>, Duration), DurationFault> {
    let Bounds { chained, wanted, grant_left, credentials_left } = bounds;
    possible(chained, wanted)?;
    match (chained, wanted, grant_left) {
        (true, ..) | (false, None, None) => Ok((None, credentials_left)),
        (false, Some(wanted), None) => Ok((Some(wanted), wanted)),
        (false, wanted, Some(left)) => {
            let most = left.min(credentials_left).clamp(SHORTEST, LONGEST);
            let lasts = Duration::from_secs(wanted.map_or(most, |wanted| wanted.min(most)).as_secs());
            Ok((Some(lasts), lasts))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn duration(
        chained: bool,
        wanted: Option<Duration>,
        grant_left: Option<Duration>,
    ) -> Result<(Option<Duration>, Duration), DurationFault> {
        session_duration(Bounds { chained, wanted, grant_left, credentials_left: HOUR })
    }

    #[test]
    fn with_nothing_said_it_lasts_as_long_as_the_credentials() {
        assert_eq!(duration(false, None, None), Ok((None, HOUR)));
        assert_eq!(duration(true, None, None), Ok((None, HOUR)));
    }

    #[test]
    fn a_wish_within_what_aws_makes_is_passed_on() {
        for wanted in [SHORTEST, 2 * HOUR, LONGEST] {
            assert_eq!(duration(false, Some(wanted), None), Ok((Some(wanted), wanted)));
        }
        for wanted in [Duration::ZERO, SHORTEST - MINUTE, LONGEST + MINUTE] {
            assert_eq!(duration(false, Some(wanted), None), Err(DurationFault::Range));
        }
    }

    #[test]
    fn behind_an_assumed_role_no_duration_is_sent() {
        assert_eq!(duration(true, Some(HOUR), None), Err(DurationFault::Chained));
        assert_eq!(duration(true, None, Some(20 * MINUTE)), Ok((None, HOUR)));
    }

    #[test]
    fn under_a_grant_it_is_no_longer_than_the_grant_as_far_as_aws_goes() {
        assert_eq!(duration(false, None, Some(20 * MINUTE)), Ok((Some(20 * MINUTE), 20 * MINUTE)));
        assert_eq!(duration(false, None, Some(MINUTE)), Ok((Some(SHORTEST), SHORTEST)));
        assert_eq!(duration(false, None, Some(9 * HOUR)), Ok((Some(HOUR), HOUR)), "and never than the credentials");
        assert_eq!(duration(false, Some(LONGEST), Some(30 * MINUTE)), Ok((Some(30 * MINUTE), 30 * MINUTE)));
        assert_eq!(duration(false, Some(SHORTEST), Some(30 * MINUTE)), Ok((Some(SHORTEST), SHORTEST)));
    }
}
