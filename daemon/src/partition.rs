//! AWS's partitions, as far as their web consoles are known. Pure.
//!
//! The SDKs resolve the endpoints of services; the console and its sign-in are in none of their tables.

use crate::names::{Region, RoleArn};

/// A partition whose console Tegata can sign in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partition {
    /// `aws`
    Aws,
    /// `aws-cn`
    China,
    /// `aws-us-gov`
    GovCloud,
    /// `aws-eusc`
    EuropeanSovereign,
}

impl Partition {
    /// Returns the partition of a region, by the prefixes of the SDKs' `partitions.json`; nothing for the isolated ones, whose
    /// consoles cannot be looked up.
    #[must_use]
    pub fn of_region(region: &Region) -> Option<Self> {
        match region.as_str().split('-').next()? {
            "cn" => Some(Self::China),
            "eusc" => Some(Self::EuropeanSovereign),
            "us" | "eu" if region.as_str().contains("-iso") => None,
            "us" if region.as_str().starts_with("us-gov-") => Some(Self::GovCloud),
            "us" | "eu" | "ap" | "sa" | "ca" | "me" | "af" | "il" | "mx" => Some(Self::Aws),
            _ => None,
        }
    }

    /// Returns the partition of a role.
    #[must_use]
    pub fn of_role(role: &RoleArn) -> Option<Self> {
        Self::named(role.as_str().split(':').nth(1)?)
    }

    /// Returns the partition that ARNs call so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Aws, Self::China, Self::GovCloud, Self::EuropeanSovereign].into_iter().find(|one| one.name() == name)
    }

    /// Returns the region that STS is asked in where nothing names one: the one of the partition's global services (`partitions.json`,
    /// `implicitGlobalRegion`).
    #[must_use]
    pub fn global_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::China => "cn-northwest-1",
            Self::GovCloud => "us-gov-west-1",
            Self::EuropeanSovereign => "eusc-de-east-1",
        }
    }

    /// Returns the name that ARNs have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::EuropeanSovereign => "aws-eusc",
        }
    }

    /// Returns the end of the names of a service's hosts (`partitions.json`, `dnsSuffix`).
    #[must_use]
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::GovCloud => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
            Self::EuropeanSovereign => "amazonaws.eu",
        }
    }

    /// Returns the same for hosts that are reached over IPv6, too (`partitions.json`, `dualStackDnsSuffix`).
    #[must_use]
    pub fn dual_stack_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::GovCloud => "api.aws",
            Self::China => "api.amazonwebservices.com.cn",
            Self::EuropeanSovereign => "api.amazonwebservices.eu",
        }
    }

    /// Returns the console's host; that of a region is one label more.
    #[must_use]
    pub fn console_host(self) -> &'static str {
        match self {
            Self::Aws => "console.aws.amazon.com",
            Self::China => "console.amazonaws.cn",
            Self::GovCloud => "console.amazonaws-us-gov.com",
            Self::EuropeanSovereign => "console.amazonaws-eusc.eu",
        }
    }

    /// Returns the host of the federation endpoint. The European Sovereign Cloud has one for each region and none for all.
    #[must_use]
    pub fn federation_host(self, region: &Region) -> String {
        match self {
            Self::Aws => "signin.aws.amazon.com".to_owned(),
            Self::China => "signin.amazonaws.cn".to_owned(),
            Self::GovCloud => "signin.amazonaws-us-gov.com".to_owned(),
            Self::EuropeanSovereign => format!("{region}.signin.amazonaws-eusc.eu"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        Region::new(text).unwrap()
    }

    #[test]
    fn every_region_and_every_role_finds_its_partition() {
        for (of, partition) in [
            ("us-east-1", Some(Partition::Aws)),
            ("eu-central-1", Some(Partition::Aws)),
            ("mx-central-1", Some(Partition::Aws)),
            ("cn-north-1", Some(Partition::China)),
            ("us-gov-west-1", Some(Partition::GovCloud)),
            ("eusc-de-east-1", Some(Partition::EuropeanSovereign)),
            ("us-iso-east-1", None),
            ("us-isob-east-1", None),
            ("eu-isoe-west-1", None),
            ("mars-east-1", None),
        ] {
            assert_eq!(Partition::of_region(&region(of)), partition, "{of}");
        }
        for (arn, partition) in [
            ("aws", Some(Partition::Aws)),
            ("aws-cn", Some(Partition::China)),
            ("aws-us-gov", Some(Partition::GovCloud)),
            ("aws-eusc", Some(Partition::EuropeanSovereign)),
            ("aws-iso", None),
        ] {
            let role = RoleArn::new(&format!("arn:{arn}:iam::123456789012:role/Deploy")).unwrap();
            assert_eq!(Partition::of_role(&role), partition);
            assert!(partition.is_none_or(|partition| partition.name() == arn));
        }
    }

    #[test]
    fn the_sovereign_cloud_signs_in_by_region_and_the_others_in_one_place() {
        let host = |of: &str| Partition::of_region(&region(of)).unwrap().federation_host(&region(of));
        assert_eq!(host("ap-northeast-1"), "signin.aws.amazon.com");
        assert_eq!(host("cn-northwest-1"), "signin.amazonaws.cn");
        assert_eq!(host("us-gov-east-1"), "signin.amazonaws-us-gov.com");
        assert_eq!(host("eusc-de-east-1"), "eusc-de-east-1.signin.amazonaws-eusc.eu");
    }
}
