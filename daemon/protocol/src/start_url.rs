//! Start URLs: which hosts are AWS's own access portals. Names only; nobody is asked.

/// What the hosts of AWS's own access portals end with (AWS CLI 2.36, its check of start URLs).
const PORTALS: [&str; 8] = [
    ".awsapps.com",
    ".awsapps.cn",
    ".app.aws",
    ".portal.amazonaws.com",
    ".portal.amazonaws.com.cn",
    ".portal.amazonaws.eu",
    ".app.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
];

/// Returns whether a host, in lower case, is one of AWS's own access portals.
#[must_use]
pub fn is_portal_of_aws(host: &str) -> bool {
    PORTALS.iter().any(|portal| host.strip_suffix(portal).is_some_and(|name| !name.is_empty() && !name.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::is_portal_of_aws;

    #[test]
    fn a_host_is_one_of_aws_by_its_end() {
        for host in ["acme.awsapps.com", "ssoins-1.portal.us-east-1.app.aws", "x.us-east-1.portal.amazonaws.com"] {
            assert!(is_portal_of_aws(host), "{host}");
        }
        for host in
            ["awsapps.com", ".awsapps.com", "acme.awsapps.com.evil.example", "acmeawsapps.com", "", "a..awsapps.com"]
        {
            assert!(!is_portal_of_aws(host), "{host}");
        }
    }
}
