//! Where in the console a link leads. Pure; what people type and paste comes from outside.

use super::services;
use crate::names::Region;
use crate::partition::Partition;
use tegata_protocol::text::one_line;
use url::Url;

/// The longest path or address that is taken, in bytes.
const LONGEST: usize = 4_096;

/// An address of the console of one partition, and of nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination(String);

/// Why a place is none of the console's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationFault {
    /// The region has another console than the profile.
    #[error("the region {region} is not in the partition of the profile, {partition}")]
    Partition {
        /// The region.
        region: String,
        /// The profile's partition.
        partition: &'static str,
    },
    /// No service is called so.
    #[error("{0:?} is no service's name: these are lower-case letters, digits and hyphens, such as s3 or dynamodb")]
    Service(String),
    /// A service and a path at the same time.
    #[error("a link leads to a service or to a path, not to both")]
    Both,
    /// Not a path, and not an address of this console.
    #[error("{0:?} is no path such as /s3/home and no https address of this partition's console, {1}")]
    Path(String, &'static str),
}

impl Destination {
    /// Finds the place that is meant: a service's page, a path, a whole address, or the first page.
    ///
    /// # Errors
    /// [`DestinationFault`] for whatever would lead elsewhere than to the console of `partition`.
    pub fn new(
        partition: Partition,
        region: &Region,
        service: Option<&str>,
        path: Option<&str>,
    ) -> Result<Self, DestinationFault> {
        if Partition::of_region(region) != Some(partition) {
            let (region, partition) = (region.to_string(), partition.name());
            return Err(DestinationFault::Partition { region, partition });
        }
        match (service, path) {
            (Some(_), Some(_)) => Err(DestinationFault::Both),
            (None, Some(path)) if path.starts_with('/') => own_path(partition, region, path),
            (None, Some(address)) => whole_address(partition, address),
            (Some(service), None) => {
                let path = services::path(service).ok_or_else(|| DestinationFault::Service(one_line(service)))?;
                Ok(at(partition, region, &with_region(&path, region)))
            }
            (None, None) => Ok(at(partition, region, &with_region("/console/home", region))),
        }
    }

    /// Returns the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn at(partition: Partition, region: &Region, path: &str) -> Destination {
    Destination(format!("https://{region}.{}{path}", partition.console_host()))
}

fn with_region(path: &str, region: &Region) -> String {
    match path.split_once('#') {
        Some((path, fragment)) => format!("{path}?region={region}#{fragment}"),
        None => format!("{path}?region={region}"),
    }
}

/// A path that a person typed. `//host` and `/\host` are other hosts to a browser.
fn own_path(partition: Partition, region: &Region, path: &str) -> Result<Destination, DestinationFault> {
    let refused = || DestinationFault::Path(one_line(path), partition.console_host());
    if path.len() > LONGEST || path.starts_with("//") || !path.bytes().all(is_of_an_address) {
        return Err(refused());
    }
    let says_region = path.contains("region=");
    let path = if says_region || path.contains('?') { path.to_owned() } else { with_region(path, region) };
    let destination = at(partition, region, &path);
    // Read again as a browser reads it: whatever it makes of the path, the host stays.
    if is_console(partition, &destination.0) { Ok(destination) } else { Err(refused()) }
}

/// An address that was copied from a browser.
fn whole_address(partition: Partition, address: &str) -> Result<Destination, DestinationFault> {
    let fits = address.len() <= LONGEST && address.bytes().all(is_of_an_address) && is_console(partition, address);
    if fits {
        return Ok(Destination(address.to_owned()));
    }
    Err(DestinationFault::Path(one_line(address), partition.console_host()))
}

/// RFC 3986's characters; a backslash is a slash to browsers, and a line end or a blank is in no address.
fn is_of_an_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

fn is_console(partition: Partition, address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let host = url.host_str().unwrap_or_default();
    let below = host.strip_suffix(partition.console_host()).and_then(|rest| rest.strip_suffix('.'));
    let is_host = host == partition.console_host() || below.is_some_and(|below| !below.is_empty());
    url.scheme() == "https" && address.starts_with("https://") && bare && is_host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(service: Option<&str>, path: Option<&str>) -> Result<String, DestinationFault> {
        let region = Region::new("eu-west-1").unwrap();
        Destination::new(Partition::Aws, &region, service, path).map(|found| found.0)
    }

    #[test]
    fn a_service_a_path_an_address_or_the_first_page() {
        let host = "https://eu-west-1.console.aws.amazon.com";
        for (service, path, found) in [
            (None, None, "/console/home?region=eu-west-1"),
            (Some("ec2"), None, "/ec2/home?region=eu-west-1"),
            (Some("logs"), None, "/cloudwatch/home?region=eu-west-1#logsV2:log-groups"),
            (None, Some("/s3/buckets/b"), "/s3/buckets/b?region=eu-west-1"),
            (None, Some("/ec2/home#Instances:"), "/ec2/home?region=eu-west-1#Instances:"),
            (None, Some("/ec2/home?region=us-east-1#x"), "/ec2/home?region=us-east-1#x"),
            (None, Some("/s3/buckets/b?tab=objects"), "/s3/buckets/b?tab=objects"),
        ] {
            assert_eq!(find(service, path), Ok(format!("{host}{found}")));
        }
        for address in
            ["https://console.aws.amazon.com/iam/home", "https://us-east-1.console.aws.amazon.com/ec2/home#x"]
        {
            assert_eq!(find(None, Some(address)), Ok(address.to_owned()));
        }
    }

    #[test]
    fn each_partition_has_its_own_console() {
        for (partition, region, host) in [
            (Partition::China, "cn-north-1", "console.amazonaws.cn"),
            (Partition::GovCloud, "us-gov-west-1", "console.amazonaws-us-gov.com"),
            (Partition::EuropeanSovereign, "eusc-de-east-1", "console.amazonaws-eusc.eu"),
        ] {
            let region = Region::new(region).unwrap();
            let found = Destination::new(partition, &region, Some("s3"), None).unwrap();
            assert_eq!(found.as_str(), format!("https://{region}.{host}/s3/home?region={region}"));
            assert!(Destination::new(Partition::Aws, &region, Some("s3"), None).is_err());
            let other = Destination::new(partition, &region, None, Some("https://console.aws.amazon.com/"));
            assert!(other.is_err(), "another partition's console is another host");
        }
    }

    #[test]
    fn h1_a_destination_that_leads_elsewhere_is_refused() {
        for hostile in [
            "",
            "//evil.example/",
            "/\\evil.example",
            "/a\nb",
            "/a\r\nLocation: https://evil.example",
            "/a b",
            "/\u{202e}x",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://console.aws.amazon.com/",
            "https:console.aws.amazon.com/",
            "https://console.aws.amazon.com.evil.example/",
            "https://evil.example/console.aws.amazon.com",
            "https://evilconsole.aws.amazon.com/",
            "https://.console.aws.amazon.com/",
            "https://console.aws.amazon.com@evil.example/",
            "https://evil.example\\@console.aws.amazon.com/",
            "https://console.aws.amazon.com:8443/",
            "https://user@console.aws.amazon.com/",
            "evil.example",
            "@evil.example/",
            "?x=1",
        ] {
            assert!(matches!(find(None, Some(hostile)), Err(DestinationFault::Path(..))), "{hostile:?}");
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        assert!(find(None, Some(&long)).is_err());
        assert!(find(Some("s3"), Some("/")).is_err());
        assert!(find(Some("../evil"), None).is_err());
    }

    #[test]
    fn h1_twin_whatever_a_browser_makes_of_a_path_the_host_stays() {
        for odd in
            ["/@evil.example", "/..//../x", "/%2e%2e/%0d%0a", "/.//evil.example", "/?next=https://evil.example", "/#@x"]
        {
            let found = find(None, Some(odd)).unwrap();
            assert_eq!(Url::parse(&found).unwrap().host_str(), Some("eu-west-1.console.aws.amazon.com"), "{odd}");
        }
    }
}
