//! What people call services → where the console has them.

/// Services whose page is not at `/NAME/home`, by the names that people and the AWS CLI give them.
const ELSEWHERE: [(&str, &str); 26] = [
    ("api-gateway", "/apigateway/home"),
    ("billing", "/billing/home"),
    ("bills", "/billing/home"),
    ("cfn", "/cloudformation/home"),
    ("cost-explorer", "/cost-management/home"),
    ("costs", "/cost-management/home"),
    ("ddb", "/dynamodbv2/home"),
    ("dynamodb", "/dynamodbv2/home"),
    ("ecr", "/ecr/home"),
    ("ecs", "/ecs/v2/home"),
    ("events", "/events/home"),
    ("eventbridge", "/events/home"),
    ("identity-center", "/singlesignon/home"),
    ("logs", "/cloudwatch/home#logsV2:log-groups"),
    ("organizations", "/organizations/v2/home"),
    ("r53", "/route53/v2/home"),
    ("route53", "/route53/v2/home"),
    ("sfn", "/states/home"),
    ("sns", "/sns/v3/home"),
    ("sqs", "/sqs/v3/home"),
    ("ssm", "/systems-manager/home"),
    ("sso", "/singlesignon/home"),
    ("stepfunctions", "/states/home"),
    ("sm", "/secretsmanager/home"),
    ("vpc", "/vpcconsole/home"),
    ("waf", "/wafv2/homev2"),
];

/// Returns the path of a service's page, with the fragment behind it where it has one; nothing for what is no service's name.
pub(super) fn path(service: &str) -> Option<String> {
    let is_name = !service.is_empty()
        && service.len() <= 64
        && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == service).map(|(_, path)| (*path).to_owned());
    is_name.then(|| elsewhere.unwrap_or_else(|| format!("/{service}/home")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_at_its_own_name_or_where_the_console_moved_it() {
        assert_eq!(path("ec2").as_deref(), Some("/ec2/home"));
        assert_eq!(path("dynamodb").as_deref(), Some("/dynamodbv2/home"));
        assert_eq!(path("logs").as_deref(), Some("/cloudwatch/home#logsV2:log-groups"));
    }

    #[test]
    fn what_is_no_name_is_no_service() {
        for text in ["", "../x", "S3", "s3/", "a b", "s3?x=1", "s3#x", "s\u{0301}3", "@evil.example", &"a".repeat(65)] {
            assert_eq!(path(text), None, "{text:?}");
        }
    }
}
