//! A product on a machine in AWS: a profile `ci` that starts from the role of the instance or the task, and goes on to a role.

use crate::product::Product;
use tegata_sandbox::IamRole;

/// The role that `ci` reaches.
pub const ROLE: &str = "arn:aws:iam::210987654321:role/Release";

/// Such a product.
#[derive(Debug)]
pub struct InAws {
    /// The product.
    pub product: Product,
}

impl InAws {
    /// On an EC2 instance.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn instance() -> Self {
        Self::with("Ec2InstanceMetadata")
    }

    /// In an ECS task, whose variable the daemon finds in its environment.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn task() -> Self {
        let mut machine = Self::with("EcsContainer");
        let path = machine.product.sandbox().settings().container.path;
        machine.product.environment.push(("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI".to_owned(), path));
        machine
    }

    /// With this `credential_source`.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn with(source: &str) -> Self {
        let product = Product::new();
        product.sandbox().configure(|settings| {
            settings.iam_roles = vec![IamRole::new(ROLE, &["arn:aws:iam::123456789012:root"])];
        });
        let tegata = product.cli_binary.display().to_string();
        product.write_aws_config(&format!(
            "{}[profile ci]\nregion = us-east-1\ntegata_role_arn = {ROLE}\ntegata_credential_source = {source}\n\
             credential_process = {tegata} credential-process --profile ci\n",
            product.default_aws_config()
        ));
        Self { product }
    }
}
