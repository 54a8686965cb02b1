//! AWS partitions: which one a region belongs to, and what that means for host names and ARNs.

/// An AWS partition of those the sandbox answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partition {
    Aws,
    China,
    GovCloud,
    EuropeanSovereign,
}

impl Partition {
    /// The partition of a region name, by the patterns of the SDKs' `partitions.json`.
    pub(crate) fn of_region(region: &str) -> Option<Self> {
        let parts: Vec<&str> = region.split('-').collect();
        let (head, number) = (parts.get(..parts.len().checked_sub(2)?)?.join("-"), parts.last()?);
        let word = parts.get(parts.len() - 2)?;
        let well_formed = !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !well_formed {
            return None;
        }
        match head.as_str() {
            "us" | "eu" | "ap" | "sa" | "ca" | "me" | "af" | "il" | "mx" => Some(Self::Aws),
            "cn" => Some(Self::China),
            "us-gov" => Some(Self::GovCloud),
            "eusc-de" => Some(Self::EuropeanSovereign),
            _ => None,
        }
    }

    /// The second field of every ARN in this partition.
    pub(crate) fn arn_name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::EuropeanSovereign => "aws-eusc",
        }
    }

    /// The region that requests to IAM, a global service, are signed for (botocore's endpoints.json, `iam`).
    pub(crate) fn iam_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::China => "cn-north-1",
            Self::GovCloud => "us-gov-west-1",
            Self::EuropeanSovereign => "eusc-de-east-1",
        }
    }

    /// The suffix of this partition's service hosts.
    pub(crate) fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::GovCloud => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
            Self::EuropeanSovereign => "amazonaws.eu",
        }
    }

    /// The suffix of this partition's dual-stack (IPv4 and IPv6) service hosts.
    pub(crate) fn dual_stack_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::GovCloud => "api.aws",
            Self::China => "api.amazonwebservices.com.cn",
            Self::EuropeanSovereign => "api.amazonwebservices.eu",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_find_their_partition() {
        for (region, partition) in [
            ("us-east-1", Partition::Aws),
            ("ap-northeast-1", Partition::Aws),
            ("cn-north-1", Partition::China),
            ("us-gov-west-1", Partition::GovCloud),
            ("eusc-de-east-1", Partition::EuropeanSovereign),
        ] {
            assert_eq!(Partition::of_region(region), Some(partition), "{region}");
        }
    }

    #[test]
    fn words_that_are_no_region_have_no_partition() {
        for region in ["", "us", "us-east", "us-east-", "us-east-1a", "us--1", "mars-east-1", "us-iso-east-1"] {
            assert_eq!(Partition::of_region(region), None, "{region}");
        }
    }
}
