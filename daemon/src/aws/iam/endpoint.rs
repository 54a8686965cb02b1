//! Where IAM is: one endpoint for each partition, whatever the region (botocore 1.44, `iam` endpoint rule set).

use crate::aws::endpoints::{base, no_endpoint};
use crate::aws::{AwsError, Config};
use crate::partition::Partition;

/// Returns the address and the region that requests to it are signed for.
pub(super) fn endpoint(config: &Config, partition: &str) -> Result<(String, &'static str), AwsError> {
    let unknown = || no_endpoint(&format!("no IAM endpoint is known for the partition {partition}"));
    let known = Partition::named(partition).ok_or_else(unknown)?;
    let region = region(known);
    match &config.endpoints.iam {
        Some(url) => Ok((base(url), region)),
        None => Ok((format!("https://{}", host(known, config.use_fips, config.use_dual_stack)), region)),
    }
}

fn region(partition: Partition) -> &'static str {
    match partition {
        Partition::China => "cn-north-1",
        other => other.global_region(),
    }
}

fn host(partition: Partition, fips: bool, dual_stack: bool) -> &'static str {
    match (partition, fips, dual_stack) {
        (Partition::Aws, false, false) => "iam.amazonaws.com",
        (Partition::Aws, true, false) => "iam-fips.amazonaws.com",
        (Partition::Aws, false, true) => "iam.global.api.aws",
        (Partition::Aws, true, true) => "iam-fips.global.api.aws",
        (Partition::China, false, false) => "iam.cn-north-1.amazonaws.com.cn",
        (Partition::China, true, false) => "iam-fips.amazonaws.com.cn",
        (Partition::China, false, true) => "iam.global.api.amazonwebservices.com.cn",
        (Partition::China, true, true) => "iam-fips.api.amazonwebservices.com.cn",
        (Partition::GovCloud, _, false) => "iam.us-gov.amazonaws.com",
        (Partition::GovCloud, _, true) => "iam.us-gov.api.aws",
        (Partition::EuropeanSovereign, false, false) => "iam.eusc-de-east-1.amazonaws.eu",
        (Partition::EuropeanSovereign, true, false) => "iam-fips.amazonaws.eu",
        (Partition::EuropeanSovereign, false, true) => "iam.global.api.amazonwebservices.eu",
        (Partition::EuropeanSovereign, true, true) => "iam-fips.api.amazonwebservices.eu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::EndpointOverrides;

    #[test]
    fn each_partition_has_its_own_endpoint_and_signing_region() {
        for (partition, address, region) in [
            ("aws", "https://iam.amazonaws.com", "us-east-1"),
            ("aws-cn", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("aws-us-gov", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"),
            ("aws-eusc", "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ] {
            assert_eq!(endpoint(&Config::default(), partition).unwrap(), (address.to_owned(), region));
        }
        assert!(endpoint(&Config::default(), "aws-iso").is_err(), "what is not known is not guessed at");
    }

    #[test]
    fn switches_change_the_host_and_an_address_from_the_settings_wins() {
        let fips = Config { use_fips: true, ..Config::default() };
        assert_eq!(endpoint(&fips, "aws").unwrap().0, "https://iam-fips.amazonaws.com");
        let iam = Some(url::Url::parse("http://127.0.0.1:7000/").unwrap());
        let endpoints = EndpointOverrides { iam, ..EndpointOverrides::default() };
        let config = Config { endpoints, ..fips };
        assert_eq!(endpoint(&config, "aws-cn").unwrap(), ("http://127.0.0.1:7000".to_owned(), "cn-north-1"));
    }
}
