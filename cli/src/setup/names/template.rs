//! The template of profile names: literal characters, and fields in braces with filters behind them. Pure.

use super::ascii;

/// The template that is used where none is given.
pub(crate) const DEFAULT: &str = "{account|kebab}-{role|kebab}";
/// The longest template that is read, in bytes.
const MAX_TEMPLATE: usize = 200;
/// Literal characters that every SDK reads in a profile name, `/` included.
const LITERALS: &str = "_.@/+-";

/// A template that has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Field, Vec<Filter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Account,
    AccountId,
    Role,
    Email,
    Session,
}

const FIELDS: [(&str, Field); 5] = [
    ("account", Field::Account),
    ("account_id", Field::AccountId),
    ("role", Field::Role),
    ("email", Field::Email),
    ("session", Field::Session),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Lower,
    Kebab,
}

const FILTERS: [(&str, Filter); 2] = [("lower", Filter::Lower), ("kebab", Filter::Kebab)];

/// What a name is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    pub(crate) account: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) role: &'a str,
    pub(crate) email: &'a str,
    pub(crate) session: &'a str,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEMPLATE {
            return Err(format!("a name template has {MAX_TEMPLATE} bytes at most"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, field) = match rest.split_once('{') {
                None => (rest, None),
                Some((literal, behind)) => (literal, Some(behind)),
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(checked(literal)?));
            }
            rest = match field {
                None => "",
                Some(behind) => {
                    let (field, behind) = behind.split_once('}').ok_or("a `{` of the name template is never closed")?;
                    parts.push(field_of(field)?);
                    behind
                }
            };
        }
        if parts.iter().any(|part| matches!(part, Part::Field(..))) {
            Ok(Self(parts))
        } else {
            Err("the name template has no field; the default is ".to_owned() + DEFAULT)
        }
    }

    /// Returns the name of these values: safe in every SDK, never empty, and not yet held against other names.
    pub(super) fn name(&self, values: &Values<'_>) -> String {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => name.push_str(literal),
                Part::Field(field, filters) => name.push_str(&filtered(field.value(values), filters)),
            }
        }
        // A name that begins with `-` is an option to every program it is given to.
        let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if name.is_empty() { values.account_id.to_owned() } else { name.to_owned() }
    }
}

impl Field {
    /// What is left of a value that no ASCII spells is the account's id, which every account has.
    fn value(self, values: &Values<'_>) -> String {
        let text = match self {
            Self::Account => values.account,
            Self::AccountId => values.account_id,
            Self::Role => values.role,
            Self::Email => values.email,
            Self::Session => values.session,
        };
        let text = ascii::safe(text);
        if text.is_empty() && self != Self::Role { ascii::safe(values.account_id) } else { text }
    }
}

fn filtered(text: String, filters: &[Filter]) -> String {
    filters.iter().fold(text, |text, filter| match filter {
        Filter::Lower => text.to_ascii_lowercase(),
        Filter::Kebab => ascii::kebab(&text),
    })
}

fn checked(literal: &str) -> Result<String, String> {
    match literal.chars().find(|c| !c.is_ascii_alphanumeric() && !LITERALS.contains(*c)) {
        None => Ok(literal.to_owned()),
        Some('}') => Err("a `}` of the name template was never opened".to_owned()),
        Some(c) => Err(format!("not every AWS SDK reads {c:?} in a profile name; take letters, digits and {LITERALS}")),
    }
}

fn field_of(text: &str) -> Result<Part, String> {
    let mut words = text.split('|').map(str::trim);
    let name = words.next().unwrap_or_default();
    let field = found(&FIELDS, name).ok_or_else(|| unknown("field", name, &FIELDS))?;
    let filters = words.map(|word| found(&FILTERS, word).ok_or_else(|| unknown("filter", word, &FILTERS)));
    Ok(Part::Field(field, filters.collect::<Result<_, _>>()?))
}

fn found<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn unknown<T>(what: &str, name: &str, table: &[(&str, T)]) -> String {
    let known = table.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
    format!("the name template has no {what} {name:?}; there are {known}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'static> = Values {
        account: "Acme Production",
        account_id: "123456789012",
        role: "AWSReadOnlyAccess",
        email: "aws+prod@acme.example",
        session: "corp",
    };

    fn name(template: &str) -> String {
        Template::parse(template).unwrap().name(&VALUES)
    }

    #[test]
    fn fields_and_filters_make_a_name() {
        assert_eq!(name(DEFAULT), "acme-production-aws-read-only-access");
        assert_eq!(name("{account}-{role}"), "Acme-Production-AWSReadOnlyAccess");
        assert_eq!(name("{session}/{account | lower}.{role}"), "corp/acme-production.AWSReadOnlyAccess");
        assert_eq!(name("{account_id}@{email}"), "123456789012@aws+prod@acme.example");
        assert_eq!(name("--{account|kebab|lower}--"), "acme-production");
    }

    #[test]
    fn what_no_ascii_spells_is_named_by_the_account() {
        let values = Values { account: "開発", role: "管理", ..VALUES };
        let name = |template| Template::parse(template).unwrap().name(&values);
        assert_eq!(name("{account}-{role|kebab}"), "123456789012");
        assert_eq!(name("{role}"), "123456789012");
        assert_eq!(name("{role}-x"), "x");
    }

    #[test]
    fn a_template_that_is_wrong_says_what_there_is() {
        let error = |template: &str| Template::parse(template).unwrap_err();
        assert_eq!(
            error("{acount}"),
            "the name template has no field \"acount\"; there are account, account_id, role, email, session"
        );
        assert_eq!(error("{account|upper}"), "the name template has no filter \"upper\"; there are lower, kebab");
        assert!(error("{account").contains("never closed") && error("a}{role}").contains("never opened"));
        assert!(error("fixed").contains("no field") && error("").contains("no field"));
        for hostile in ["{account} {role}", "{account}:x", "{account}]\n[x", "{account}\u{1b}", "ü{account}"] {
            assert!(error(hostile).contains("not every AWS SDK reads"), "{hostile:?}");
        }
        assert!(error(&"x".repeat(201)).contains("200 bytes"));
    }
}
