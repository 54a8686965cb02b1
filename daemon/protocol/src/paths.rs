//! The resources of the local API. All are under `/v1`.

/// `GET …?profile=P[&config=PATH][&wait=S][&form=process|container]`: the credentials of a profile.
pub const CREDENTIALS: &str = "/v1/credentials";
/// `POST`: begin a sign-in. `GET …/{id}[?wait=S]`: how it stands. `DELETE …/{id}`: cancel it.
pub const SIGN_INS: &str = "/v1/sign-ins";
/// The last segment of carrying over the text of AWS's page: `PUT …/{id}/text`, for a sign-in to the console with a browser elsewhere.
pub const TEXT: &str = "text";
/// The last segment of giving a code of an MFA device: `POST …/{id}/code`.
pub const CODE: &str = "code";
/// `GET [?config=PATH]`: the MFA devices that profiles name. `POST`: keep the seed of one. `DELETE ?profile=P[&config=PATH]`: forget it.
pub const TOTP_SEEDS: &str = "/v1/totp-seeds";
/// `POST`: hand over the job of GitHub Actions that this machine runs.
pub const GITHUB_JOB: &str = "/v1/github-job";
/// `GET`: the sign-in sessions. `DELETE …/{name}`: sign out, revoke upstream, forget.
pub const SESSIONS: &str = "/v1/sessions";
/// The last segment of taking over a sign-in that another tool made: `POST …/{name}/adopt`.
pub const ADOPT: &str = "adopt";
/// `POST`: list the accounts and roles of a sign-in session, or join whoever does. `GET …/{id}[?wait=S][&page=T]`: how it stands.
/// `DELETE …/{id}`: stop it.
pub const INVENTORIES: &str = "/v1/inventories";
/// `GET …[?config=PATH][&page=T][&from=memory]`: the profiles. `GET …/{name}[?config=PATH]`: how one stands, from memory alone.
pub const PROFILES: &str = "/v1/profiles";
/// `GET …?address=URL`: the start URL that an address of the organisation's own leads to.
pub const START_URL: &str = "/v1/start-url";
/// `GET`: what the daemon is and how everything stands.
pub const STATUS: &str = "/v1/status";
/// `PUT`: lock. `DELETE`: unlock. `GET`: which of the two.
pub const LOCK: &str = "/v1/lock";
/// `GET`: the live grants. `POST`: ask for one. `DELETE [?profile=P]`, `DELETE …/{id}`: end them.
pub const GRANTS: &str = "/v1/grants";
/// `GET`: what waits for a hand. `GET …/{id}[?wait=S]`: how it stands. `POST …/{id}/pages`: a page for it. `DELETE …/{id}`: refuse it.
pub const REQUESTS: &str = "/v1/requests";
/// The last segment of a request's pages.
pub const PAGES: &str = "pages";
/// `GET`: the passkeys. `POST`: enrol one. `DELETE`: forget all of them, behind a fresh sign-in. `PUT …/{id}`: rename.
/// `DELETE …/{id}`: remove, by hand. `POST …/test`: try one.
pub const PASSKEYS: &str = "/v1/passkeys";
/// The last segment of trying a passkey.
pub const TEST: &str = "test";
/// `GET [?profile=P]`: what is in force, or what decides about a profile. `POST`: accept what is weaker, by hand.
pub const POLICY: &str = "/v1/policy";
/// `GET`: the open review items. `POST …/{id}`: close one.
pub const REVIEWS: &str = "/v1/reviews";
/// `POST [?wait=S]`: a link that signs in to AWS's web console.
pub const CONSOLE_LINKS: &str = "/v1/console-links";
/// `GET [?config=PATH]`: the access keys of the IAM users that profiles name. `POST`: take one into the keyring.
pub const ACCESS_KEYS: &str = "/v1/access-keys";
/// `POST [?wait=S]`: turn an access key over, or go on with that.
pub const ROTATIONS: &str = "/v1/access-keys/rotations";
/// `GET [?config=PATH][&from=memory]`: how the certificates of the profiles stand. `POST`: keep one, once it is proven.
/// `DELETE …/{profile}`: forget it. `PUT …/{profile}/pin`: open the PKCS#11 token its key is in.
pub const CERTIFICATES: &str = "/v1/certificates";
/// The last segment of opening a token.
pub const PIN: &str = "pin";
/// `DELETE`: end the daemon once what is under way is done.
pub const DAEMON: &str = "/v1/daemon";

/// Query parameter: the profile's name.
pub const QUERY_PROFILE: &str = "profile";
/// Query parameter: the AWS config file of the caller (its `AWS_CONFIG_FILE`), absolute.
pub const QUERY_CONFIG: &str = "config";
/// Query parameter: seconds the caller is willing to wait.
pub const QUERY_WAIT: &str = "wait";
/// Query parameter: an address of an organisation's own.
pub const QUERY_ADDRESS: &str = "address";
/// Query parameter: the page token of a listing.
pub const QUERY_PAGE: &str = "page";
/// Query parameter: [`FROM_MEMORY`], for what must not make the store ask a person anything.
pub const QUERY_FROM: &str = "from";
/// Query parameter: how credentials are written, [`crate::FORM_PROCESS`] where nothing is said.
pub const QUERY_FORM: &str = "form";
