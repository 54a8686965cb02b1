//! What IAM tells of a user.

use super::{Clerk, allowed, answer, moment, user};
use crate::call::{Answer, Call};
use crate::reply::escape;

/// GetUser.
pub(crate) fn get_user(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["UserName"])?;
    let arn = asked.user(clerk.users)?;
    let user = user(clerk.users, &arn)?;
    let path = user.arn.split_once(":user/").map_or("", |(_, path)| path.trim_end_matches(user.name()));
    let result = format!(
        "<User><Path>/{}</Path><UserName>{}</UserName><UserId>{}</UserId><Arn>{}</Arn><CreateDate>{}</CreateDate></User>",
        escape(path),
        escape(user.name()),
        user.user_id,
        escape(&user.arn),
        moment(user.created_ms)
    );
    Ok(answer("GetUser", Some(&result)))
}
